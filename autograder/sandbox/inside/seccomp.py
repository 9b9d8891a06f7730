"""The filter on system calls: a program for the kernel's own little machine (classic BPF), made once and put on by
each kernel before a learner's code runs. What is started from there has it too, and nothing takes it off.

What it denies stands in `system_calls`. libseccomp would assemble the same; its binding needs the system's library,
which pip does not install.
"""

from __future__ import annotations

import ctypes
import errno
import functools
import platform
import struct

from .libc import check, libc
from .system_calls import (
    AF_INET,
    AF_INET6,
    AF_NETLINK,
    AF_UNIX,
    CLONE,
    CLONE3,
    DENIED,
    NETLINK_ROUTE,
    NEW_NAMESPACES,
    NEWEST,
    PR_SET_DUMPABLE,
    PR_SET_SECCOMP,
    PRCTL,
    SOCKET,
    SOCKETPAIR,
)

# Machine: the kernel's name for it, the column of its numbers in `system_calls`, and the number of `seccomp` itself.
MACHINES = {"x86_64": (0xC000003E, 0, 317), "aarch64": (0xC00000B7, 1, 277)}
# What the program reads: `struct seccomp_data`. Of an argument the lower half, which is all that the kernel reads of
# these; both machines put it first.
NUMBER, ARCHITECTURE, FIRST, THIRD = 0, 4, 16, 32
LOAD, EQUAL, GREATER, ANY_BIT, RETURN = 0x20, 0x15, 0x25, 0x45, 0x06
ALLOW, KILL, ERROR = 0x7FFF0000, 0x80000000, 0x00050000
_SET_MODE_FILTER, _SPEC_ALLOW = 1, 4

# An instruction: what to do, with what, and the name of the place to go on at if it holds; else the next.
Line = tuple[int, int, str]


class Assembler:
    """Puts lines and named places together; all jumps go forward."""

    def __init__(self) -> None:
        self._lines: list[Line] = []
        self._places: dict[str, int] = {}

    def add(self, code: int, value: int, then: str = "") -> None:
        self._lines.append((code, value, then))

    def place(self, name: str) -> None:
        self._places[name] = len(self._lines)

    def assembled(self) -> bytes:
        """Return the program: for each line a `struct sock_filter`."""
        words = []
        for at, (code, value, then) in enumerate(self._lines):
            jump = self._places[then] - at - 1 if then else 0
            assert 0 <= jump < 256, then
            words.append(struct.pack("=HBBI", code, jump, 0, value))
        return b"".join(words)


@functools.cache
def program(machine: str) -> bytes:
    """Return the filter for a kind of machine; empty where its system calls are not known here."""
    if machine not in MACHINES:
        return b""
    architecture, column, _ = MACHINES[machine]
    made = Assembler()
    made.add(LOAD, ARCHITECTURE)
    made.add(EQUAL, architecture, "known")
    # Another machine's numbers, as of 32-bit programs on x86_64, mean other calls.
    made.add(RETURN, KILL)
    made.place("known")
    made.add(LOAD, NUMBER)
    # Also the x32 calls of x86_64, whose numbers start far above.
    made.add(GREATER, NEWEST, "not there")
    for numbers in DENIED.values():
        number = numbers[column]
        if isinstance(number, int):
            made.add(EQUAL, number, "denied")
    # It takes its flags from memory, which a filter cannot read. The C library then calls `clone`.
    made.add(EQUAL, CLONE3[column], "not there")
    made.add(EQUAL, CLONE[column], "clone")
    made.add(EQUAL, PRCTL[column], "prctl")
    for call in (SOCKET, SOCKETPAIR):
        made.add(EQUAL, call[column], "socket")
    made.add(RETURN, ALLOW)
    made.place("clone")
    made.add(LOAD, FIRST)
    made.add(ANY_BIT, NEW_NAMESPACES, "denied")
    made.add(RETURN, ALLOW)
    made.place("prctl")
    made.add(LOAD, FIRST)
    for option in (PR_SET_DUMPABLE, PR_SET_SECCOMP):
        made.add(EQUAL, option, "denied")
    made.add(RETURN, ALLOW)
    made.place("socket")
    made.add(LOAD, FIRST)
    for family in (AF_UNIX, AF_INET, AF_INET6):
        made.add(EQUAL, family, "allowed")
    made.add(EQUAL, AF_NETLINK, "netlink")
    made.place("no such family")
    made.add(RETURN, ERROR | errno.EAFNOSUPPORT)
    made.place("netlink")
    made.add(LOAD, THIRD)
    made.add(EQUAL, NETLINK_ROUTE, "allowed")
    made.add(RETURN, ERROR | errno.EAFNOSUPPORT)
    made.place("allowed")
    made.add(RETURN, ALLOW)
    made.place("denied")
    made.add(RETURN, ERROR | errno.EPERM)
    made.place("not there")
    made.add(RETURN, ERROR | errno.ENOSYS)
    return made.assembled()


def filter_system_calls() -> bool:
    """Put the filter on this process, which has given up new privileges; False where no filter is known.

    Raises:
        OSError: the kernel does not take it.
    """
    machine = platform.machine()
    lines = program(machine)
    if not lines:
        return False
    text = ctypes.create_string_buffer(lines, len(lines))
    filled = ctypes.create_string_buffer(struct.pack("HP", len(lines) // 8, ctypes.addressof(text)))
    number = MACHINES[machine][2]
    # Nothing in a kernel is hidden from its own code: before Linux 5.16 a filter would switch guards on that are
    # meant for such, and slow the rest down.
    if libc.syscall(number, _SET_MODE_FILTER, _SPEC_ALLOW, filled) != 0:
        check(libc.syscall(number, _SET_MODE_FILTER, 0, filled), "seccomp")
    return True
