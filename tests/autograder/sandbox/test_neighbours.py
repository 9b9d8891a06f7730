"""Kernels of one warm process that run side by side, as those of several workers do, have nothing to do with one
another.
"""

import contextlib
import os
import signal
import time

import pytest

from autograder.sandbox.connection import Sandbox
from autograder.sandbox.kernels import Conversation, KernelGone, SandboxKernelManager
from autograder.sandbox.limits import MB, Limits
from autograder.sandbox.outside.warm_process import WarmProcess

UNIT = "u1_dot_products"
# What a learner's cell could try against any process that it sees; whatever works is printed. None is seen but its own,
# where a process namespace can have a /proc of its own.
PRY = """
import os
own = os.readlink("/proc/self")
alone = own == "1"
tried = 0
for name in os.listdir("/proc"):
    # bubblewrap's own process holds nothing of anybody's.
    if name.isdigit() and name != own and open(f"/proc/{name}/comm").read() != "bwrap\\n":
        places = "mem", "environ", "maps", "oom_score_adj", "cwd", "root", "exe", "ns/mnt"
        for what in (*places, *(f"fd/{number}" for number in range(40))):
            tried += 1
            path = f"/proc/{name}/{what}"
            # How readily a process is killed when memory runs out is no secret, but only its own to say.
            reads = () if what == "oom_score_adj" else (os.readlink, lambda path: open(path, "rb").read(1))
            for attempt in (*reads, lambda path: open(path, "r+b")):
                try:
                    print(path, attempt(path))
                except OSError:
                    pass
assert tried == 0 if alone else tried > 90
"""
DESCRIPTORS = """
import os, stat
kinds = {}
for name in os.listdir("/proc/self/fd"):
    try:
        kinds[int(name)] = os.readlink(f"/proc/self/fd/{name}").partition(":")[0]
    except OSError:
        pass
print(sorted({kind for number, kind in kinds.items() if number > 2}), sum(kind == "socket" for kind in kinds.values()))
"""


class Kernel:
    """A kernel with the conversation that the grader has with it."""

    def __init__(self, sandbox, **limits):
        self.sandbox = sandbox
        self.run, self.judge = sandbox.new_run()
        manager = SandboxKernelManager(
            sandbox=sandbox, run=self.run, limits=Limits(**limits).limits(), kernel_name="python3"
        )
        manager.start_kernel()
        self.conversation = Conversation(manager)

    def told(self, source, seconds=20):
        """Run a cell and return what it wrote; an error of its own is a failure."""
        messages = []
        reply = self.conversation.run_cell(
            source, seconds, 5, messages.append, lambda: self.sandbox.tell(self.run, "interrupt")
        )
        assert reply is not None and reply["status"] == "ok", reply
        return "".join(message["content"].get("text", "") for message in messages if message["msg_type"] == "stream")

    def close(self):
        self.conversation.close()
        self.sandbox.tell(self.run, "kill")
        assert self.run.ended.wait(10)
        self.judge.close()
        self.sandbox.forget(self.run)


@pytest.fixture
def warm():
    process = WarmProcess.of(UNIT)
    yield process
    process.close()


@pytest.fixture
def users(warm):
    """Two users of one warm process, as two workers are."""
    made = [Sandbox(warm.folder, sealed=True) for _ in range(2)]
    yield made
    for one in made:
        one.close()


@pytest.mark.parametrize("landlock", [True, False])
def test_neither_sees_into_the_other(users, landlock):
    with (
        contextlib.closing(Kernel(users[0], landlock=landlock)) as one,
        contextlib.closing(Kernel(users[1], landlock=landlock)) as other,
    ):
        other.told("secret = 'POISON' * 1000")
        assert one.told(PRY) == "" and other.told(PRY) == ""


def test_a_kernel_has_no_descriptor_of_a_neighbour(users):
    with contextlib.closing(Kernel(users[0])) as alone:
        before = alone.told(DESCRIPTORS)
    with (
        contextlib.closing(Kernel(users[0])),
        contextlib.closing(Kernel(users[1])),
        contextlib.closing(Kernel(users[0])) as third,
    ):
        assert third.told(DESCRIPTORS) == before


def test_each_has_its_own_limits(users):
    hold = (
        "import numpy as np, time\nheld = np.ones((200, 2**17))\nimport os\n"
        "for _ in range(8):\n    if os.fork() == 0:\n        time.sleep(30)\ntime.sleep(0.5)"
    )
    hold = hold.replace("for _ in range(8):\n    if os.fork() == 0:\n        time.sleep(30)\n", "")
    limits = {"memory_bytes": 600 * MB}
    with contextlib.closing(Kernel(users[0], **limits)) as one, contextlib.closing(Kernel(users[1], **limits)) as other:
        one.told(hold)
        other.told(hold)
        assert one.told("print(held.nbytes)") == other.told("print(held.nbytes)")


def test_a_user_who_goes_takes_only_the_own_kernels_along(warm, users):
    with contextlib.closing(Kernel(users[0])) as stays:
        goes = Kernel(users[1])
        users[1].close()
        ends = time.monotonic() + 10
        with pytest.raises((KernelGone, TimeoutError)):
            while time.monotonic() < ends:
                goes.told("1 + 1")
        goes.conversation.close()
        goes.judge.close()
        users[1].forget(goes.run)
        assert stays.told("print(2 + 2)") == "4\n"


def test_a_shared_warm_process_that_is_killed_is_replaced_by_an_own_one(warm, monkeypatch):
    monkeypatch.setattr(Sandbox, "_kept", {})
    Sandbox.offer({(UNIT, True, ""): warm.folder})
    try:
        shared = Sandbox.of(UNIT)
        assert shared.folder == warm.folder and Sandbox.of(UNIT) is shared
        os.killpg(warm._process.pid, signal.SIGKILL)
        warm._process.wait()
        ends = time.monotonic() + 10
        while shared.alive and time.monotonic() < ends:
            time.sleep(0.01)
        own = Sandbox.of(UNIT)
        assert own.folder != warm.folder
        with contextlib.closing(Kernel(own)) as kernel:
            assert kernel.told("print('here')") == "here\n"
    finally:
        Sandbox.offer({})
        Sandbox.close_all()
