"""Runs inside the sandbox: a warm process that forks one sealed Jupyter kernel for each notebook.

It is started as a script by `autograder.sandbox.warm_process` and imports nothing of the autograder. Steps:

1. Give up root if it has it, import what notebooks import, then the unit's library once the owner says that it
   is there, and let users in by the door.
2. For each request of a user, fork a keeper. The keeper makes namespaces of its own (user, mount, process, network,
   IPC), lays a scratch folder of limited size over the run's folder, and forks the kernel as process 1 of its
   process namespace, so that whatever the kernel starts dies with it.
3. The kernel binds its sockets, gives up every capability, closes the file system with Landlock, sets its
   resource limits, and only then runs a learner's code.
4. The keeper watches memory and process count, and when the kernel is gone copies the files that the
   notebook wrote back to the run's folder.

The owner starts and ends the warm process; users are the processes that grade, each with kernels of its own that end
with it. Requests and replies are JSON datagrams; along with a request to start come, as file descriptors, the judge's socket
and the end of a pipe on which the kernel tells that its own sockets are bound.
"""

from __future__ import annotations

import array
import ctypes
import json
import os
import re
import resource
import select
import shutil
import signal
import socket
import stat
import struct
import sys
import threading
import time
import traceback
from dataclasses import dataclass
from pathlib import Path
from typing import Any

POOL = Path(os.environ.get("ATTENTION_POOL", "/pool"))
SCRATCH = "/scratch"
NOBODY = 65534
EXIT_MEMORY, EXIT_PROCESSES, EXIT_TIME, EXIT_SETUP, EXIT_CPU = 81, 82, 83, 84, 85
KILLED_FROM_OUTSIDE, WARM_PROCESS_GONE = 100 + signal.SIGKILL, -1

CLONE_NEWNS, CLONE_NEWIPC, CLONE_NEWUSER, CLONE_NEWPID, CLONE_NEWNET = (
    0x20000,
    0x8000000,
    0x10000000,
    0x20000000,
    0x40000000,
)
MS_RDONLY, MS_NOSUID, MS_NODEV, MS_BIND, MS_MOVE, MS_REC, MS_PRIVATE = 1, 2, 4, 4096, 8192, 16384, 1 << 18
PR_SET_PDEATHSIG, PR_SET_DUMPABLE, PR_SET_NO_NEW_PRIVS, PR_CAPBSET_DROP = 1, 4, 38, 24

# A cell that this does not find in holds no magic, no shell command and no question.
IPYTHON_SYNTAX = re.compile(r"[%!?]|^\s*[,;/]", re.MULTILINE)

libc = ctypes.CDLL(None, use_errno=True)
# The kernel application that every fork takes over.
the_app: list[Any] = []


def _checked(result: int, what: str) -> None:
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")


def _mount(source: str, target: str, kind: str, flags: int, options: str = "") -> None:
    _checked(libc.mount(source.encode(), target.encode(), kind.encode(), flags, options.encode()), f"mount {target}")


def give_up_root() -> None:
    """Become nobody, so that the limit on processes counts: the kernel exempts root from it."""
    if os.getuid() == 0 and os.environ.get("ATTENTION_DROP") == "1":
        os.setgroups([])
        os.setresgid(NOBODY, NOBODY, NOBODY)
        os.setresuid(NOBODY, NOBODY, NOBODY)


def warm_up() -> None:
    """Import what notebooks import, and start no thread: a fork copies only the thread that forks."""
    import gc

    # Nothing that is imported is ever garbage, and looking for some is a fifth of the time.
    gc.disable()
    import_all(json.loads(os.environ.get("ATTENTION_PRELOAD", "[]")))
    if "torch" in sys.modules:
        sys.modules["torch"].set_num_threads(1)
    make_shell()
    the_app.append(make_app())


def prepare(owner: socket.socket) -> bool:
    """Import the library's modules when the owner has laid it out and names them; return False if the owner is gone."""
    import gc
    import importlib

    named = owner.recv(2**20)
    if not named:
        return False
    importlib.invalidate_caches()
    import_all(json.loads(named))
    # A collection in a fork would write to, and so copy, every page that the two still share.
    gc.collect()
    gc.freeze()
    gc.enable()
    return True


def import_all(names: list[str]) -> None:
    """Import modules, apart from those that are not installed."""
    import contextlib
    import importlib

    for name in names:
        with contextlib.suppress(ImportError):
            importlib.import_module(name)


def make_shell() -> None:
    """Make the shell that each fork's kernel takes over: IPython's singleton, which costs more than the fork."""
    import tempfile
    import zlib

    from ipykernel.compiler import XCachingCompiler, get_tmp_directory
    from ipykernel.zmqshell import ZMQInteractiveShell
    from IPython.core.inputtransformer2 import TransformerManager
    from IPython.core.profiledir import ProfileDir
    from traitlets.config import Config

    class Compiler(XCachingCompiler):
        """Names a cell's code as ipykernel does, by a hash that is not computed byte by byte in Python."""

        def get_code_name(self, raw_code: str, code: str, number: int) -> str:
            return f"{get_tmp_directory()}{os.sep}{zlib.crc32(raw_code.encode(errors='replace'))}.py"

    class Transformer(TransformerManager):
        """Breaks a cell into tokens, to find IPython's own syntax, only if it has one of that syntax's characters."""

        def do_token_transforms(self, lines: list[str]) -> list[str]:
            if self.token_transformers == usual and not IPYTHON_SYNTAX.search("".join(lines)):
                return lines
            return super().do_token_transforms(lines)

    class Shell(ZMQInteractiveShell):
        """Transforms a cell once, though ipykernel asks for it and then IPython again; and compiles none only to see that it does not await."""

        known: tuple[str, ...] = ()

        def transform_cell(self, raw_cell: str) -> str:
            if self.known[:1] != (raw_cell,):
                self.known = raw_cell, super().transform_cell(raw_cell)
            return self.known[1]

        def should_run_async(
            self, raw_cell: str, *, transformed_cell: str | None = None, preprocessing_exc_tuple: Any = None
        ) -> bool:
            if transformed_cell is not None and "await" not in transformed_cell and "async" not in transformed_cell:
                return False
            return super().should_run_async(
                raw_cell, transformed_cell=transformed_cell, preprocessing_exc_tuple=preprocessing_exc_tuple
            )

        async def run_cell_async(self, *arguments: Any, **named: Any) -> Any:
            # The cell may change how cells are transformed.
            self.known = ()
            return await super().run_cell_async(*arguments, **named)

    usual = TransformerManager().token_transformers
    quiet = Config({"HistoryManager": {"enabled": False, "hist_file": ":memory:"}})
    profile = ProfileDir.create_profile_dir(tempfile.mkdtemp(prefix="profile-"))
    Shell.instance(config=quiet, profile_dir=profile, compiler_class=Compiler).input_transformer_manager = Transformer()


def make_app() -> Any:
    """Return Jupyter's kernel application, ready but for its connection, and without what only an interactive session needs.

    No debugger, no heartbeat, no subshells, no thread that sends output, and so no waiting for any of them.
    """
    import types

    import zmq
    from ipykernel import debugger, ipkernel
    from ipykernel.control import ControlThread
    from ipykernel.iostream import IOPubThread
    from ipykernel.ipkernel import IPythonKernel
    from ipykernel.kernelapp import IPKernelApp
    from ipykernel.zmqshell import ZMQInteractiveShell
    from IPython.core.application import BaseIPythonApplication

    debugger._is_debugpy_available = False

    class Kernel(IPythonKernel):
        _supports_kernel_subshells = False
        _execute_sleep = 0.0

        def __init__(self, **kwargs: Any) -> None:
            # The base class lists every imported module for its debugger, and to look at a module is to copy its page.
            ipkernel.sys = types.SimpleNamespace(
                modules={}, **{name: getattr(sys, name) for name in ("version", "version_info", "platform")}
            )
            try:
                super().__init__(**kwargs)
            finally:
                ipkernel.sys = sys
            self.debugpy_stream = None
            self.shell.parent, self.shell.kernel = self, self

        def start(self) -> None:
            super().start()
            # A cell that awaits has the base class ask which thread this is,
            self.shell_channel_thread = types.SimpleNamespace(parent_thread=threading.current_thread())
            # and is interrupted only if signals wake the loop, as they do once it handles one, whichever that is.
            self.io_loop.asyncio_loop.add_signal_handler(signal.SIGWINCH, lambda: None)

        def _publish_execute_input(self, *arguments: Any) -> None:
            # The one who listens is the one who asked.
            pass

        def _publish_status(self, status: str, *arguments: Any) -> None:
            if status != "busy":
                super()._publish_status(status, *arguments)

    class Prepared(BaseIPythonApplication):
        """What does not depend on the connection, done once before all forks."""

        prepared = False

        def initialize(self, argv: Any = None) -> None:
            if not self.prepared:
                super().initialize(argv)

    class App(IPKernelApp, Prepared):
        kernel_class = Kernel

        def init_control(self, context: Any) -> None:
            # As the base class does it, without the debugger's sockets and the thread that only subshells need.
            self.control_socket = context.socket(zmq.ROUTER)
            self.control_socket.linger = 1000
            self.control_port = self._bind_socket(self.control_socket, self.control_port)
            self.debugpy_socket = context.socket(zmq.STREAM)
            self.debugpy_socket.linger = 0
            self.debug_shell_socket = self.shell_channel_thread = None
            self.control_thread = ControlThread(daemon=True)

        def init_iopub(self, context: Any) -> None:
            # As the base class does it, but the thread is never started: what is scheduled for it is then done at once.
            self.iopub_socket = context.socket(zmq.XPUB)
            self.iopub_socket.linger = 1000
            self.iopub_port = self._bind_socket(self.iopub_socket, self.iopub_port)
            self.configure_tornado_logger()
            self.iopub_thread = IOPubThread(self.iopub_socket, session=self.session)
            self.iopub_socket = self.iopub_thread.background_socket

        def init_io(self) -> None:
            super().init_io()
            for stream in (sys.stdout, sys.stderr):
                flush_now_and_then(stream)

        def greet(self) -> None:
            """Wait for the grader to listen, and tell it that from now on nothing is lost."""
            listened = self.iopub_thread.socket
            listened.rcvtimeo = 30_000
            self.iopub_thread._handle_subscription(listened.recv_multipart())

        def init_heartbeat(self) -> None:
            pass

        def write_connection_file(self, **kwargs: Any) -> None:
            # It says already what it would say: the grader has chosen every socket.
            pass

        def init_extensions(self) -> None:
            if not self.prepared:
                super().init_extensions()

        def init_code(self) -> None:
            if not self.prepared:
                super().init_code()

    app = App.instance()
    settings = {
        "HistoryManager.hist_file": ":memory:",
        "HistoryManager.enabled": False,
        "InteractiveShellApp.exec_PYTHONSTARTUP": False,
    }
    # Nobody reads how another client could connect, nor of each message.
    settings["App.parent_handle"] = 1
    Prepared.initialize(app, [f"--{name}={value}" for name, value in settings.items()])
    app.log.setLevel("ERROR")
    app.init_pdb()
    app.shell = ZMQInteractiveShell.instance()
    app.init_extensions()
    app.init_code()
    app.prepared = True
    return app


def flush_now_and_then(stream: Any) -> None:
    """Let a stream send what a long cell writes every 0.2 s, without a thread; at the end of a cell the kernel flushes it anyway."""
    last = [time.monotonic()]

    def flush_if_due() -> None:
        # Sockets are the main thread's alone: what other threads write waits for it.
        if threading.current_thread() is threading.main_thread() and time.monotonic() - last[0] > 0.2:
            last[0] = time.monotonic()
            stream._flush()

    stream._schedule_flush = flush_if_due


def seal_namespaces(run: str, limits: dict) -> None:
    """In the keeper: own namespaces, and a scratch of limited size holding the submission's files."""
    uid, gid = os.getuid(), os.getgid()
    # Only a dumpable process owns its files in /proc, which the maps are written to.
    libc.prctl(PR_SET_DUMPABLE, 1, 0, 0, 0)
    _checked(libc.unshare(CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC), "unshare")
    Path("/proc/self/setgroups").write_text("deny")
    Path("/proc/self/uid_map").write_text(f"{uid} {uid} 1")
    Path("/proc/self/gid_map").write_text(f"{gid} {gid} 1")
    libc.prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)
    _checked(libc.mount(b"none", b"/", None, MS_REC | MS_PRIVATE, None), "mount /")
    size = f"size={limits['scratch_bytes']},nr_inodes=10000,mode=700"
    for target in (SCRATCH, "/dev/shm", "/var/tmp"):
        _mount("tmpfs", target, "tmpfs", MS_NOSUID | MS_NODEV, size)
    # The new /tmp is made elsewhere and moved into place, so that a Python environment below /tmp can come along.
    for prefix in {sys.base_prefix, sys.prefix}:
        if prefix.startswith("/tmp/"):
            os.makedirs("/var" + prefix)
            _mount(prefix, "/var" + prefix, "", MS_BIND | MS_REC)
    _mount("/var/tmp", "/tmp", "", MS_MOVE)
    os.environ["HOME"] = SCRATCH
    copy_files(POOL / run / "files", Path(SCRATCH), limits["scratch_bytes"])


def copy_files(source: Path, target: Path, most: int, new_only: bool = False) -> None:
    """Copy regular files, and nothing that is a link or a device, up to a total size."""
    total = count = 0
    for folder, folders, names in os.walk(source):
        folders[:] = sorted(name for name in folders if not os.path.islink(os.path.join(folder, name)))
        for name in sorted(names):
            path = Path(folder, name)
            place = target / path.relative_to(source)
            try:
                status = path.lstat()
                count += 1
                if (
                    not stat.S_ISREG(status.st_mode)
                    or total + status.st_size > most
                    or count > 1000
                    or (new_only and place.exists())
                ):
                    continue
                total += status.st_size
                place.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(path, place, follow_symlinks=False)
            except OSError:
                continue


def drop_capabilities() -> None:
    """Give up every capability for good: no mount can be undone, no namespace of the keeper's entered."""
    _checked(libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "no_new_privs")
    for capability in range(64):
        if libc.prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) != 0:
            break
    header = struct.pack("Ii", 0x20080522, 0)
    _checked(libc.capset(header, struct.pack("6I", *[0] * 6)), "capset")


def restrict_with_landlock() -> int:
    """Allow reading everywhere and writing in the scratch only; return Landlock's level, 0 where it is not there."""
    create, add, restrict = 444, 445, 446
    level = libc.syscall(create, None, 0, 1)
    if level <= 0:
        return 0
    execute, read_file, read_dir = 1, 4, 8
    handled = (1 << 13) - 1
    handled |= (1 << 13) if level >= 2 else 0
    handled |= (1 << 14) if level >= 3 else 0
    tcp = 3 if level >= 4 else 0
    scopes = 3 if level >= 6 else 0
    attributes = struct.pack("QQQ", handled, tcp, scopes)[: 24 if level >= 6 else (16 if level >= 4 else 8)]
    rules = libc.syscall(create, attributes, len(attributes), 0)
    if rules < 0:
        return 0
    for path, allowed in (
        ("/", execute | read_file | read_dir),
        (SCRATCH, handled),
        ("/tmp", handled),
        ("/dev", handled & ~execute),
    ):
        folder = os.open(path, os.O_PATH | os.O_CLOEXEC)
        libc.syscall(add, rules, 1, struct.pack("=Qi", allowed, folder), 0)
        os.close(folder)
    _checked(libc.syscall(restrict, rules, 0), "landlock")
    os.close(rules)
    return level


def set_limits(limits: dict) -> None:
    for name, value in (
        ("RLIMIT_CPU", limits["cpu_seconds"]),
        ("RLIMIT_DATA", limits["memory_bytes"]),
        ("RLIMIT_FSIZE", limits["file_bytes"]),
        ("RLIMIT_NOFILE", limits["open_files"]),
        ("RLIMIT_NPROC", limits["processes"]),
        ("RLIMIT_CORE", 0),
    ):
        resource.setrlimit(getattr(resource, name), (value, value))


def run_kernel(run: str, limits: dict, judge: int, bound: int, sealed: bool) -> None:
    """In process 1 of the new namespace: be a Jupyter kernel until it is over."""
    os.chdir(SCRATCH if sealed else POOL / run / "files")
    os.environ["ATTENTION_JUDGE_FD"] = str(judge)
    app = the_app[0]
    app.connection_file = str(POOL / run / "connection.json")
    app.initialize([])
    os.write(bound, b"1")
    os.close(bound)
    app.greet()
    # The notebook's folder comes last: a file of the submission named numpy.py must not stand in for NumPy.
    sys.path[:] = [path for path in sys.path if path not in ("", os.getcwd())] + [""]
    if sealed:
        # The sockets are bound, so the folder that holds them and every run's files can go out of sight.
        _mount("tmpfs", str(POOL), "tmpfs", MS_NOSUID | MS_NODEV | MS_RDONLY, "size=4k")
        drop_capabilities()
        closed = limits["landlock"] and restrict_with_landlock() > 0
    # A dumpable process can read its own /proc; without Landlock a neighbour of the same user could write to it.
    libc.prctl(PR_SET_DUMPABLE, int(not sealed or closed), 0, 0, 0)
    set_limits(limits)
    # Nothing outside may wait for this folder's file: the kernel tells through its sockets that it is there.
    app.start()


def watch(kernel: int, limits: dict) -> int:
    """In the keeper: wait for the kernel, kill it when it takes too much, and return an exit code."""
    descriptor = os.pidfd_open(kernel)
    ends = time.monotonic() + limits["notebook_seconds"] + 10
    page = os.sysconf("SC_PAGE_SIZE")
    reason = 0
    while not select.select([descriptor], [], [], 0.1)[0]:
        memory = count = 0
        for pid in descendants(kernel):
            count += 1
            try:
                fields = Path(f"/proc/{pid}/statm").read_text().split()
                memory += (int(fields[1]) - int(fields[2])) * page if count > 1 else int(fields[1]) * page
            except (OSError, ValueError, IndexError):
                continue
        if memory > limits["memory_bytes"]:
            reason = EXIT_MEMORY
        elif count > limits["processes"]:
            reason = EXIT_PROCESSES
        elif time.monotonic() > ends:
            reason = EXIT_TIME
        if reason:
            os.kill(kernel, signal.SIGKILL)
            break
    _, status, used = os.wait4(kernel, 0)
    os.close(descriptor)
    if not reason and os.WIFSIGNALED(status) and used.ru_utime + used.ru_stime > limits["cpu_seconds"] - 2:
        reason = EXIT_CPU
    if reason:
        return reason
    return (
        min(os.waitstatus_to_exitcode(status), 79)
        if os.waitstatus_to_exitcode(status) >= 0
        else 100 - os.waitstatus_to_exitcode(status)
    )


def descendants(kernel: int) -> list[int]:
    """Return the kernel and every process below it: in its process namespace an orphan becomes a child of the kernel."""
    found = [kernel]
    for pid in found:
        try:
            for thread in os.listdir(f"/proc/{pid}/task"):
                found += map(int, Path(f"/proc/{pid}/task/{thread}/children").read_text().split())
        except OSError:
            continue
    return found


def keep(request: dict, judge: int, bound: int) -> int:
    """In the keeper: prepare, start and watch one kernel; return the exit code that says how it ended."""
    run, limits, sealed = request["run"], request["limits"], request["sealed"]
    files = os.open(POOL / run / "files", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    if sealed:
        seal_namespaces(run, limits)
    kernel = os.fork()
    if kernel == 0:
        code = EXIT_SETUP
        try:
            os.close(files)
            os.setsid()
            libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
            run_kernel(run, limits, judge, bound, sealed)
            code = 0
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(code)
    os.close(judge)
    os.close(bound)
    code = watch(kernel, limits)
    if sealed:
        os.fchdir(files)
        copy_files(Path(SCRATCH), Path("."), limits["scratch_bytes"], new_only=True)
    return code


def receive(control: socket.socket) -> tuple[dict, list[int]] | None:
    data, ancillary, _, _ = control.recvmsg(65536, socket.CMSG_SPACE(4 * 4))
    if not data:
        return None
    descriptors = array.array("i")
    for level, kind, payload in ancillary:
        if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
            descriptors.frombytes(payload[: len(payload) - len(payload) % descriptors.itemsize])
    return json.loads(data), list(descriptors)


@dataclass
class Kept:
    """A keeper that runs: its run, its descriptor, and the user who asked for it."""

    run: str
    descriptor: int
    user: socket.socket


class Server:
    """Answers users' requests until the owner is gone: start, interrupt, kill; reports each end."""

    def __init__(self, owner: socket.socket, door: socket.socket) -> None:
        self.owner, self.door = owner, door
        self.users: set[socket.socket] = set()
        self.keepers: dict[int, Kept] = {}

    def serve(self) -> None:
        while True:
            waiting = [self.owner, self.door, *self.users, *(kept.descriptor for kept in self.keepers.values())]
            ready = set(select.select(waiting, [], [])[0])
            for pid, kept in list(self.keepers.items()):
                if kept.descriptor in ready:
                    _, status = os.waitpid(pid, 0)
                    os.close(kept.descriptor)
                    del self.keepers[pid]
                    self.tell(kept.user, {"ended": kept.run, "code": os.waitstatus_to_exitcode(status)})
            if self.owner in ready:
                return
            for user in self.users & ready:
                self.hear(user)
            if self.door in ready:
                user, _ = self.door.accept()
                # One who does not listen must not keep the others waiting.
                user.setblocking(False)
                self.users.add(user)
                self.tell(user, {"ready": True})

    def tell(self, user: socket.socket, message: dict) -> None:
        if user in self.users:
            try:
                user.send(json.dumps(message).encode())
            except OSError:
                self.drop(user)

    def drop(self, user: socket.socket) -> None:
        """Forget a user who is gone, and end the kernels that were for nobody else."""
        self.users.discard(user)
        user.close()
        for pid, kept in self.keepers.items():
            if kept.user is user:
                os.kill(pid, signal.SIGKILL)

    def hear(self, user: socket.socket) -> None:
        try:
            received = receive(user)
        except OSError:
            received = None
        if received is None:
            self.drop(user)
            return
        request, descriptors = received
        if request["do"] == "start":
            self.start(request, *descriptors, user)
        else:
            self.signal(request, user)
        for descriptor in descriptors:
            os.close(descriptor)

    def start(self, request: dict, judge: int, bound: int, user: socket.socket) -> None:
        try:
            keeper = os.fork()
        except OSError:
            traceback.print_exc()
            self.tell(user, {"ended": request["run"], "code": EXIT_SETUP})
            return
        if keeper == 0:
            code = EXIT_SETUP
            try:
                # A kernel has its own judge's socket, and no way to those of others.
                for one in (self.owner, self.door, *self.users):
                    one.close()
                for kept in self.keepers.values():
                    os.close(kept.descriptor)
                libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
                code = keep(request, judge, bound)
            except BaseException:
                traceback.print_exc()
            finally:
                os._exit(code)
        self.keepers[keeper] = Kept(request["run"], os.pidfd_open(keeper), user)

    def signal(self, request: dict, user: socket.socket) -> None:
        number = signal.SIGINT if request["do"] == "interrupt" else signal.SIGKILL
        for keeper, kept in self.keepers.items():
            if kept.run == request["run"] and kept.user is user:
                try:
                    children = Path(f"/proc/{keeper}/task/{keeper}/children").read_text().split()
                    for child in children or ([str(keeper)] if number == signal.SIGKILL else []):
                        os.kill(int(child), number)
                except OSError:
                    continue


def main() -> None:
    owner, door = (
        socket.socket(fileno=int(os.environ.pop(name))) for name in ("ATTENTION_OWNER_FD", "ATTENTION_DOOR_FD")
    )
    owner.set_inheritable(False)
    door.set_inheritable(False)
    give_up_root()
    warm_up()
    if prepare(owner):
        libc.prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)
        Server(owner, door).serve()


if __name__ == "__main__":
    main()
