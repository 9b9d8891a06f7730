"""What a notebook's processes take together: memory, shared or not, their number, and the processors; by control groups
where this machine has them, and counted.
"""

import contextlib
import math
import os
import time

import pytest

from autograder.sandbox.inside import watching
from autograder.sandbox.inside.constants import EXIT_MEMORY
from autograder.sandbox.inside.memory import Counted, segments
from autograder.sandbox.kernels import KernelGone
from autograder.sandbox.limits import MB

from .test_neighbours import Kernel

WAYS = {"control groups": True, "counted": False}
# Each holds 700 MB in a way that no process's own memory shows.
HELD = {
    "files that are memory": """
import os
held = [os.memfd_create(str(number)) for number in range(14)]
for one in held:
    os.write(one, bytes(50_000_000))
""",
    "System V segments": """
import ctypes
libc = ctypes.CDLL(None)
libc.shmat.restype = ctypes.c_void_p
for _ in range(14):
    segment = libc.shmget(0, 50_000_000, 0o1600)
    place = libc.shmat(segment, None, 0)
    ctypes.memset(place, 1, 50_000_000)
    libc.shmdt(ctypes.c_void_p(place))
""",
    "shared mappings": """
import mmap
held = [mmap.mmap(-1, 50_000_000) for _ in range(14)]
for one in held:
    one.write(bytes(50_000_000))
""",
}
WAIT = "\nimport time\ntime.sleep(60)"
# Fifty forks of a kernel of 100 MB and more.
IDLE = """
import os, signal
held = bytearray(100_000_000)
forks = []
for _ in range(50):
    fork = os.fork()
    if fork == 0:
        signal.pause()
    forks.append(fork)
"""
END = "for fork in forks:\n    os.kill(fork, 9)\n    os.waitpid(fork, 0)\nprint(len(forks))"


def groups_or_skip(user, way):
    if WAYS[way] and user.groups is None:
        pytest.skip("this machine lets nobody make control groups")
    return WAYS[way]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("what", HELD)
def test_memory_that_is_nobodys_counts(user, what, way):
    groups = groups_or_skip(user, way)
    kernel = Kernel(user, memory_bytes=600 * MB, control_groups=groups)
    with pytest.raises((KernelGone, TimeoutError)):
        kernel.told(HELD[what] + WAIT, 60)
    assert kernel.run.ended.wait(30) and kernel.run.code == EXIT_MEMORY
    kernel.close()


@pytest.mark.parametrize("way", WAYS)
def test_memory_that_many_share_counts_once(user, way):
    with contextlib.closing(Kernel(user, memory_bytes=900 * MB, control_groups=groups_or_skip(user, way))) as kernel:
        kernel.told(IDLE, 60)
        # Several looks of whoever watches.
        time.sleep(0.5)
        assert kernel.told(END, 60) == "50\n"


def test_each_run_has_control_groups_of_its_own_and_they_go_with_it(user):
    groups_or_skip(user, "control groups")
    kernel = Kernel(user)
    folders = kernel.run.groups.folders
    pids = [set((folder / "cgroup.procs").read_text().split()) for folder in folders]
    assert all(len(found) == 1 for found in pids) and len(set.union(*pids)) == 1
    kernel.close()
    assert not any(folder.exists() for folder in folders)


def test_what_is_not_the_kernels_is_in_no_group_of_a_run(user):
    groups_or_skip(user, "control groups")
    with contextlib.closing(Kernel(user)) as kernel:
        seen = kernel.told(
            "import os\nif os.fork() == 0:\n    os.system('sleep 30 &')\n    os._exit(0)\nprint(os.getpid())"
        )
        assert seen.endswith("1\n")
        # Whatever it starts is in there as well, also when its parent has gone.
        for folder in kernel.run.groups.folders:
            assert len((folder / "cgroup.procs").read_text().split()) >= 2


def test_counting_finds_what_is_shared():
    proc = os.open("/proc", os.O_RDONLY)
    counted = Counted(proc, ())
    before = segments()
    here = [os.getpid()]
    resident = counted._resident(os.getpid())
    assert not counted.more_than(before + resident + 100 * MB, here)
    with contextlib.ExitStack() as held:
        one = os.memfd_create("held")
        held.callback(os.close, one)
        os.write(one, bytes(resident + 110 * MB))
        assert counted.more_than(before + resident + 100 * MB, here)
    # A process that may not be looked at counts with all that it uses.
    assert counted._share(1) <= counted._resident(1) or os.getuid() == 0
    # One that has ended, with nothing.
    assert counted._share(2**22 + 1) == 0 == counted._resident(2**22 + 1)
    os.close(proc)


@pytest.mark.parametrize("running", [5, 12, 60, 300])
def test_many_weigh_as_one(running):
    nice = watching.niceness(running)
    assert running / watching.STEP**nice <= 1 or nice == watching.NICEST
    assert watching.niceness(watching.FEW) == 0
    assert nice == min(19, math.ceil(math.log(running) / math.log(1.25)))


def test_without_control_groups_many_loops_are_made_nice(user):
    start = (
        "import subprocess\nloops = [subprocess.Popen(['sh', '-c', 'while :; do :; done']) for _ in range(12)]\n"
        "import os, time\n"
        "while os.getpriority(os.PRIO_PROCESS, loops[-1].pid) < 10:\n    time.sleep(0.05)\n"
        "nice = [os.getpriority(os.PRIO_PROCESS, loop.pid) for loop in loops]\n"
        "for loop in loops:\n    loop.kill()\n    loop.wait()\nprint(min(nice))"
    )
    with contextlib.closing(Kernel(user, control_groups=False)) as kernel:
        assert int(kernel.told(start, 60)) >= 10
