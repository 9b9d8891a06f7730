"""Jupyter's way to the sandboxed kernels: a kernel provisioner, the manager that uses it, and the conversation with a
kernel.
"""

from __future__ import annotations

import asyncio
import hmac
import json
import logging
import signal
import time
import uuid
from collections.abc import Callable, Iterator
from typing import Any, cast

import zmq
from jupyter_client.connect import KernelConnectionInfo
from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import KernelManager
from jupyter_client.provisioning.provisioner_base import KernelProvisionerBase
from jupyter_client.session import DELIM as DELIMITER
from traitlets import Any as AnyTrait
from traitlets import Bool, Dict, default

from .connection import Run, Sandbox

# Together they bound what a flooding kernel can make the grader hold.
MAX_MESSAGE = 16 * 2**20
MAX_WAITING = 50
START_SECONDS = 30
ASK_SECONDS = 0.4
SOCKETS = ("shell", "iopub", "stdin", "control", "hb")


class SandboxProvisioner(KernelProvisionerBase):
    """Provides a kernel that the unit's warm process forks inside the sandbox."""

    sandbox: Sandbox | None = None
    run: Run | None = None

    @property
    def has_process(self) -> bool:
        return self.run is not None

    async def pre_launch(self, **kwargs: Any) -> dict[str, Any]:
        manager: Any = self.parent
        self.sandbox, self.run = manager.sandbox, manager.run
        kwargs["cmd"] = ["(forked in the sandbox)"]
        return kwargs

    async def launch_kernel(self, cmd: list[str], **kwargs: Any) -> KernelConnectionInfo:
        manager: Any = self.parent
        sandbox: Sandbox = manager.sandbox
        run: Run = manager.run
        root = "/pool" if sandbox.sealed else str(sandbox.pool)
        connection: dict[str, Any] = {
            "transport": "ipc",
            "key": manager.session.key.decode(),
            "signature_scheme": manager.session.signature_scheme,
        }
        connection |= {f"{name}_port": number for number, name in enumerate(SOCKETS, 1)}
        inside = connection | {"ip": f"{root}/{run.name}/kernel"}
        (run.folder / "connection.json").write_text(json.dumps(inside))
        sandbox.start(run, manager.limits)
        # Relative to no working directory, and short enough for a socket's path.
        reached = connection | {"ip": str(run.folder / "kernel"), "key": manager.session.key}
        self.connection_info = cast("KernelConnectionInfo", reached)
        return self.connection_info

    async def poll(self) -> int | None:
        if self.run is None:
            return 0
        return (self.run.code or 0) if self.run.ended.is_set() else None

    async def wait(self) -> int | None:
        while self.run is not None and not self.run.ended.is_set():
            await asyncio.sleep(0.005)
        return self.run.code if self.run else 0

    async def send_signal(self, signum: int) -> None:
        if self.sandbox is not None and self.run is not None and signum:
            self.sandbox.tell(self.run, "interrupt" if signum == signal.SIGINT else "kill")

    async def kill(self, restart: bool = False) -> None:
        if self.sandbox is not None and self.run is not None:
            self.sandbox.tell(self.run, "kill")

    async def terminate(self, restart: bool = False) -> None:
        await self.kill(restart)

    async def cleanup(self, restart: bool = False) -> None:
        pass


class KernelGone(Exception):
    """The kernel ended or cannot be spoken with any more."""


class Conversation:
    """Speaks Jupyter's protocol with one kernel, a cell at a time, and waits only for messages.

    jupyter_client's clients and nbclient poll, and hand each message from task to task; for a notebook of thirty
    cells that costs more than running them. Limits stand on what a flooding kernel can make us hold.
    """

    def __init__(self, manager: SandboxKernelManager) -> None:
        self._run: Run = manager.run
        self._session = manager.session
        context: zmq.Context[zmq.Socket[bytes]] = zmq.Context.instance()
        self._shell, self._iopub = context.socket(zmq.DEALER), context.socket(zmq.SUB)
        self._poller = zmq.Poller()
        info: dict[str, Any] = {**manager.get_connection_info()}
        for sock, name in ((self._shell, "shell"), (self._iopub, "iopub")):
            sock.linger = 0
            # The limit has to be set before the socket connects; a longer message drops the connection.
            sock.maxmsgsize = MAX_MESSAGE
            sock.rcvhwm = MAX_WAITING
            sock.connect(f"ipc://{info['ip']}-{info[f'{name}_port']}")
            self._poller.register(sock, zmq.POLLIN)
        self._iopub.subscribe(b"")
        # A kernel greets a new subscriber, or answers when asked; from then on no message is lost.
        self._await(time.monotonic() + START_SECONDS)

    def run_cell(
        self,
        source: str,
        seconds: float | None,
        grace: float,
        take: Callable[[dict[str, Any]], None],
        interrupt: Callable[[], None],
    ) -> dict[str, Any] | None:
        """Run one cell and return the content of the kernel's reply, or None when it had to be interrupted.

        Args:
            source: the code.
            seconds: how long it may run; None for no limit.
            grace: how long to wait after an interrupt, or for output after the reply.
            take: called with each message of the cell on iopub.
            interrupt: called when the time is up.

        Raises:
            KernelGone: the kernel has ended.
            TimeoutError: the cell did not stop when interrupted, or its output did not end.
        """
        content = {
            "code": source,
            "silent": False,
            "store_history": True,
            "user_expressions": {},
            "allow_stdin": False,
            "stop_on_error": False,
        }
        own = self._session.send(self._shell, "execute_request", content)["header"]["msg_id"]
        ends = None if seconds is None else time.monotonic() + seconds
        reply: dict[str, Any] | None = None
        late = idle = False
        while not (reply is not None and idle):
            for sock, message in self._receive(ends):
                if message["parent_header"].get("msg_id") != own:
                    continue
                if sock is self._shell:
                    if reply is None and message["msg_type"] == "execute_reply":
                        reply, ends = message["content"], time.monotonic() + grace
                elif message["msg_type"] == "status":
                    idle = idle or message["content"].get("execution_state") == "idle"
                else:
                    take(message)
            if ends is not None and time.monotonic() >= ends and not (reply is not None and idle):
                if late or reply is not None:
                    raise TimeoutError
                late, ends = True, time.monotonic() + grace
                interrupt()
        return None if late else reply

    def _await(self, ends: float) -> None:
        """Wait for a first message to subscribers; ask for one now and then, since not every kernel greets."""
        ask = time.monotonic() + ASK_SECONDS
        while time.monotonic() < ends:
            if any(sock is self._iopub for sock, _ in self._receive(ends)):
                return
            if time.monotonic() >= ask:
                self._session.send(self._shell, "kernel_info_request", {})
                ask = time.monotonic() + ASK_SECONDS
        raise KernelGone("the kernel did not answer")

    def _receive(self, ends: float | None) -> Iterator[tuple[zmq.Socket[bytes], dict[str, Any]]]:
        """Wait for messages, at most until a time, and yield those that can be read."""
        left = 0.2 if ends is None else min(max(ends - time.monotonic(), 0.0), 0.2)
        ready = dict(self._poller.poll(int(left * 1000 + 1)))
        if not ready and self._run.ended.is_set():
            raise KernelGone
        for sock in ready:
            message = self._opened(sock.recv_multipart())
            if message is not None:
                yield sock, message

    def _opened(self, parts: list[bytes]) -> dict[str, Any] | None:
        """A message from its parts; None when it is not signed, not JSON, or no message at all.

        jupyter_client's own reader also looks for dates in every text, which is most of its time.
        """
        try:
            at = parts.index(DELIMITER)
            signature, header, parent, _, content = parts[at + 1 : at + 6]
            if not hmac.compare_digest(self._session.sign(parts[at + 2 : at + 6]), signature):
                return None
            read = [json.loads(part) for part in (header, parent, content)]
        except (ValueError, RecursionError):
            return None
        if not all(isinstance(part, dict) for part in read) or not isinstance(read[0].get("msg_type"), str):
            return None
        return {"msg_type": read[0]["msg_type"], "parent_header": read[1], "content": read[2]}

    def close(self) -> None:
        self._shell.close()
        self._iopub.close()


class SandboxKernelManager(KernelManager):
    """Manages one sandboxed kernel; whatever kernel the notebook names, it gets this one."""

    sandbox = AnyTrait()
    run = AnyTrait()
    limits = Dict()
    autorestart = Bool(False)

    @default("log")
    def _log_nowhere(self) -> logging.Logger:
        # An error that it logs is also raised, and told in our words.
        log = logging.Logger("attention-kernels")
        log.addHandler(logging.NullHandler())
        return log

    @property
    def kernel_spec(self) -> KernelSpec:
        return KernelSpec(argv=[], display_name="Python 3 in a sandbox", language="python", interrupt_mode="signal")

    @property
    def ipykernel(self) -> bool:
        return False

    async def _async_pre_start_kernel(self, **kwargs: Any) -> tuple[list[str], dict[str, Any]]:
        # Set here and not looked up by name: no installed package can put another provisioner in its place.
        if self.provisioner is None:
            self.kernel_id = self.kernel_id or str(uuid.uuid4())
            self.provisioner = SandboxProvisioner(kernel_id=self.kernel_id, kernel_spec=self.kernel_spec, parent=self)
        return await super()._async_pre_start_kernel(**kwargs)

    async def _async_post_start_kernel(self, **kwargs: Any) -> None:
        # The base class opens a control socket here; signals go through the sandbox's own.
        assert self.provisioner is not None
        await self.provisioner.post_launch(**kwargs)
