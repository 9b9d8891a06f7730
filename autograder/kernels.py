"""Jupyter's way to the sandboxed kernels: a kernel provisioner, and the manager and client that use it."""

from __future__ import annotations

import asyncio
import json
import signal
import time
import uuid
from pathlib import Path
from typing import Any

import zmq
from jupyter_client.asynchronous.client import AsyncKernelClient
from jupyter_client.connect import channel_socket_types
from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import AsyncKernelManager
from jupyter_client.provisioning import KernelProvisionerBase
from traitlets import Any as AnyTrait
from traitlets import Bool, Dict, Type

from .sandbox import Run, Sandbox, SandboxError

# Together they bound what a flooding kernel can make the grader hold.
MAX_MESSAGE = 16 * 2**20
MAX_WAITING = 50
SOCKETS = ("shell", "iopub", "stdin", "control", "hb")


class SandboxProvisioner(KernelProvisionerBase):
    """Provides a kernel that the unit's warm process forks inside the sandbox."""

    sandbox: Sandbox | None = None
    run: Run | None = None

    @property
    def has_process(self) -> bool:
        return self.run is not None

    async def pre_launch(self, **kwargs: Any) -> dict[str, Any]:
        self.sandbox, self.run = self.parent.sandbox, self.parent.run
        kwargs["cmd"] = ["(forked in the sandbox)"]
        return kwargs

    async def launch_kernel(self, cmd: list[str], **kwargs: Any) -> dict[str, Any]:
        manager = self.parent
        root = "/pool" if self.sandbox.sealed else str(self.sandbox.pool)
        connection = {"transport": "ipc", "key": manager.session.key.decode(), "signature_scheme": manager.session.signature_scheme}
        connection |= {f"{name}_port": number for number, name in enumerate(SOCKETS, 1)}
        inside = connection | {"ip": f"{root}/{self.run.name}/kernel"}
        (self.run.folder / "connection.json").write_text(json.dumps(inside))
        self.sandbox.start(self.run, manager.limits)
        await self._sockets()
        # Relative to no working directory, and short enough for a socket's path.
        self.connection_info = connection | {"ip": str(self.run.folder / "kernel"), "key": manager.session.key}
        return self.connection_info

    async def _sockets(self) -> None:
        """Wait until the kernel has bound its five sockets."""
        ends = time.monotonic() + 30
        paths = [Path(f"{self.run.folder}/kernel-{number}") for number in range(1, 6)]
        while not all(path.is_socket() for path in paths):
            if self.run.ended.is_set() or time.monotonic() > ends:
                raise SandboxError(f"the kernel did not start: {self.sandbox._tail() or f'exit code {self.run.code}'}")
            await asyncio.sleep(0.003)

    async def poll(self) -> int | None:
        return (self.run.code or 0) if self.run is None or self.run.ended.is_set() else None

    async def wait(self) -> int | None:
        while self.run is not None and not self.run.ended.is_set():
            await asyncio.sleep(0.005)
        return self.run.code if self.run else 0

    async def send_signal(self, signum: int) -> None:
        if self.run is not None and signum:
            self.sandbox.tell(self.run, "interrupt" if signum == signal.SIGINT else "kill")

    async def kill(self, restart: bool = False) -> None:
        if self.run is not None:
            self.sandbox.tell(self.run, "kill")

    async def terminate(self, restart: bool = False) -> None:
        await self.kill(restart)

    async def cleanup(self, restart: bool = False) -> None:
        pass


class SandboxKernelClient(AsyncKernelClient):
    """A client that does not poll for readiness and does not read endless messages."""

    def _create_connected_socket(self, channel: str, identity: bytes | None = None) -> zmq.Socket:
        sock = self.context.socket(channel_socket_types[channel])
        sock.linger = 0
        # The limit has to be set before the socket connects; a longer message drops the connection.
        sock.maxmsgsize = MAX_MESSAGE
        sock.rcvhwm = MAX_WAITING
        if identity:
            sock.identity = identity
        sock.connect(self._make_url(channel))
        return sock

    async def _async_wait_for_ready(self, timeout: float | None = None) -> None:
        """Ask once for the kernel's info: the sockets stand already, so no answer is lost."""
        self.kernel_info()
        ends = time.monotonic() + (timeout or 60)
        while True:
            try:
                message = await self.shell_channel.get_msg(timeout=1)
            except Exception as error:
                if time.monotonic() > ends or not await self._async_is_alive():
                    raise RuntimeError("the kernel did not answer") from error
                continue
            if message["msg_type"] == "kernel_info_reply":
                self._handle_kernel_info_reply(message)
                return

    wait_for_ready = _async_wait_for_ready


class SandboxKernelManager(AsyncKernelManager):
    """Manages one sandboxed kernel; whatever kernel the notebook names, it gets this one."""

    client_class = "autograder.kernels.SandboxKernelClient"
    client_factory = Type(SandboxKernelClient)
    sandbox = AnyTrait()
    run = AnyTrait()
    limits = Dict()
    shutdown_wait_time = 0.1
    autorestart = Bool(False)

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
