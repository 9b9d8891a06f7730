"""Answers users' requests to start, interrupt and kill kernels, until the owner is gone."""

from __future__ import annotations

import array
import json
import os
import select
import signal
import socket
import traceback
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from .constants import EXIT_SETUP, Request
from .keeper import keep

if TYPE_CHECKING:
    from .kernel import Application


def receive(control: socket.socket) -> tuple[Request, list[int]] | None:
    """Return a user's request and the descriptors that came with it; None when the user is gone."""
    data, ancillary, _, _ = control.recvmsg(65536, socket.CMSG_SPACE(8 * 4))
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

    def __init__(self, owner: socket.socket, door: socket.socket, app: Application) -> None:
        self.owner, self.door, self.app = owner, door, app
        self.users: set[socket.socket] = set()
        self.keepers: dict[int, Kept] = {}

    def serve(self) -> None:
        while True:
            waiting: list[socket.socket | int] = [self.owner, self.door, *self.users]
            waiting += [kept.descriptor for kept in self.keepers.values()]
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

    def tell(self, user: socket.socket, message: dict[str, str | int]) -> None:
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
            judge, bound, *groups = descriptors
            self.start(request, judge, bound, groups, user)
        else:
            self.signal(request, user)
        for descriptor in descriptors:
            os.close(descriptor)

    def start(self, request: Request, judge: int, bound: int, groups: list[int], user: socket.socket) -> None:
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
                code = keep(request, judge, bound, groups, self.app)
            except BaseException:
                traceback.print_exc()
            finally:
                os._exit(code)
        self.keepers[keeper] = Kept(request["run"], os.pidfd_open(keeper), user)

    def signal(self, request: Request, user: socket.socket) -> None:
        number = signal.SIGINT if request["do"] == "interrupt" else signal.SIGKILL
        for keeper, kept in self.keepers.items():
            if kept.run == request["run"] and kept.user is user:
                try:
                    children = Path(f"/proc/{keeper}/task/{keeper}/children").read_text().split()
                    for child in children or ([str(keeper)] if number == signal.SIGKILL else []):
                        os.kill(int(child), number)
                except OSError:
                    continue
