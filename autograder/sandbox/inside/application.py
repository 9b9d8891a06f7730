"""ipykernel's application, ready but for its connection, and without what only an interactive session needs.

No debugger, no heartbeat, no subshells, no thread that sends output, and so no waiting for any of them.

All that is overridden of what is private to ipykernel, and so may change with its releases, stands in this module. It
was tried with ipykernel 7.2 to 7.4 (`constants.TRIED`); where it fails, `plain` serves instead (see
`autograder.sandbox.probe`). The list:

    Kernel.__init__                 `ipykernel.ipkernel.sys`, `debugpy_stream`, the shell's `parent` and `kernel`
    Kernel.start                    `shell_channel_thread`, `io_loop.asyncio_loop`
    Kernel                          `_supports_kernel_subshells`, `_execute_sleep`, `_publish_execute_input`,
                                    `_publish_status`
    App.init_control, init_iopub    written anew: `_bind_socket`, `ControlThread`, `IOPubThread(socket, session=…)` and
                                    its `background_socket`, `configure_tornado_logger`
    App.init_io                     `capture_fd_output`; each stream's `_schedule_flush` and `_flush`
    App.greet                       `IOPubThread._handle_subscription`
    App.init_heartbeat, write_connection_file, init_extensions, init_code    left out
    make_application                `ipykernel.debugger._is_debugpy_available`
    shell.Shell, shell.Compiler     IPython's `transform_cell`, `should_run_async`, `run_cell_async`; `get_code_name`
"""

from __future__ import annotations

import signal
import sys
import threading
import time
import types
from typing import Any

import zmq
from ipykernel import debugger, ipkernel
from ipykernel.control import ControlThread
from ipykernel.iostream import IOPubThread
from ipykernel.ipkernel import IPythonKernel
from ipykernel.kernelapp import IPKernelApp
from ipykernel.zmqshell import ZMQInteractiveShell
from IPython.core.application import BaseIPythonApplication

from .descriptors import Descriptors
from .pictures import connect_pyplot

# Something that fails in the way of a learner's cell.
FAILS = "def answer(x):\n    return x / 0\n\n\nanswer(1)"


class Kernel(IPythonKernel):
    _supports_kernel_subshells = False
    _execute_sleep = 0.0

    def __init__(self, **kwargs: Any) -> None:
        # The base class lists every imported module for its debugger, and to look at a module is to copy its page.
        seen = {name: getattr(sys, name) for name in ("version", "version_info", "platform")}
        vars(ipkernel)["sys"] = types.SimpleNamespace(modules={}, **seen)
        try:
            super().__init__(**kwargs)
        finally:
            vars(ipkernel)["sys"] = sys
        self.debugpy_stream = None
        shell: Any = self.shell
        shell.parent, shell.kernel = self, self

    def start(self) -> None:
        super().start()
        self._show_descriptors_first()
        # A cell that awaits has the base class ask which thread this is,
        self.shell_channel_thread = types.SimpleNamespace(parent_thread=threading.current_thread())
        # and is interrupted only if signals wake the loop, as they do once it handles one, whichever that is.
        loop: Any = self.io_loop
        loop.asyncio_loop.add_signal_handler(signal.SIGWINCH, lambda: None)

    def _show_descriptors_first(self) -> None:
        """Have what a cell wrote shown before its value, as it was written before."""
        app: Any = self.parent
        shell: Any = self.shell
        begin = shell.displayhook.start_displayhook

        def start_displayhook() -> None:
            app.descriptors.show()
            begin()

        shell.displayhook.start_displayhook = start_displayhook

    async def do_execute(self, *arguments: Any, **named: Any) -> Any:
        try:
            return await super().do_execute(*arguments, **named)
        finally:
            app: Any = self.parent
            app.descriptors.show()

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
        self.capture_fd_output = False
        super().init_io()
        self.descriptors = Descriptors()
        for stream in (sys.stdout, sys.stderr):
            flush_now_and_then(stream)

    def connect_pyplot(self) -> None:
        """Have every kernel show and close figures after each cell."""
        connect_pyplot(self.shell)

    def practise(self) -> None:
        """Format a traceback: the first one imports and looks up what all others need, which takes as long as running
        a notebook does.
        """
        shell: Any = self.shell
        name = shell.compile.cache(FAILS, 0)
        try:
            exec(compile(FAILS, name, "exec"), {})
        except ZeroDivisionError:
            shell.InteractiveTB.structured_traceback(*sys.exc_info(), tb_offset=1)

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


def make_application(shell: ZMQInteractiveShell) -> App:
    """Return Jupyter's kernel application around a shell, which every fork takes over."""
    debugger._is_debugpy_available = False
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
    app.shell = shell
    app.init_extensions()
    app.init_code()
    app.prepared = True
    return app


def flush_now_and_then(stream: Any) -> None:
    """Let a stream send what a long cell writes every 0.2 s, without a thread; at the end of a cell the kernel flushes
    it anyway.
    """
    last = [time.monotonic()]

    def flush_if_due() -> None:
        # Sockets are the main thread's alone: what other threads write waits for it.
        if threading.current_thread() is threading.main_thread() and time.monotonic() - last[0] > 0.2:
            last[0] = time.monotonic()
            stream._flush()

    stream._schedule_flush = flush_if_due
