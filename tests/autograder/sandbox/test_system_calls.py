"""The filter on system calls: every line of its list, on both machines, and a kernel that has it on."""

import contextlib
import errno
import platform
import struct

import pytest

from autograder.sandbox.inside import seccomp, system_calls
from autograder.sandbox.inside.system_calls import DENIED

MACHINES = sorted(seccomp.MACHINES)
ALLOWED, NOT_THERE = "allowed", errno.ENOSYS


def answer(machine, number, arguments=(), architecture=None):
    """What the filter answers to a system call: "allowed", "killed", or the error's number.

    This is the kernel's little machine, as far as the filter uses it.
    """
    lines = [struct.unpack("=HBBI", part) for part in zip_bytes(seccomp.program(machine))]
    architecture = seccomp.MACHINES[machine][0] if architecture is None else architecture
    data = struct.pack("=IIQ6Q", number, architecture, 0, *arguments, *[0] * (6 - len(arguments)))
    at = loaded = 0
    while True:
        code, then, otherwise, value = lines[at]
        at += 1
        if code == seccomp.LOAD:
            (loaded,) = struct.unpack_from("=I", data, value)
        elif code == seccomp.RETURN:
            if value & 0xFFFF0000 == seccomp.ERROR:
                return value & 0xFFFF
            return {seccomp.ALLOW: ALLOWED, seccomp.KILL: "killed"}[value]
        else:
            holds = {
                seccomp.EQUAL: loaded == value,
                seccomp.GREATER: loaded > value,
                seccomp.ANY_BIT: bool(loaded & value),
            }[code]
            at += then if holds else otherwise


def zip_bytes(program):
    return [program[place : place + 8] for place in range(0, len(program), 8)]


@pytest.mark.parametrize("name", DENIED)
def test_each_of_the_list_is_denied_and_says_why(name):
    *numbers, why = DENIED[name]
    assert len(why) > 10 or why.removeprefix("as ") in DENIED
    for machine in MACHINES:
        number = numbers[seccomp.MACHINES[machine][1]]
        if number is not None:
            assert answer(machine, number) == errno.EPERM


def test_numbers_that_all_machines_share_are_the_same_and_none_stands_twice():
    for x86, arm, _ in DENIED.values():
        assert x86 == arm or (arm or 0) < system_calls.COMMON
    for column in range(2):
        numbers = [entry[column] for entry in DENIED.values() if entry[column] is not None]
        assert len(set(numbers)) == len(numbers)


@pytest.mark.parametrize("machine", MACHINES)
def test_new_namespaces_are_denied_and_processes_and_threads_are_not(machine):
    number = system_calls.CLONE[seccomp.MACHINES[machine][1]]
    thread, fork = 0x3D0F00, 0x1200011
    assert answer(machine, number, [thread]) == answer(machine, number, [fork]) == ALLOWED
    for bit in (0x20000, 0x2000000, 0x4000000, 0x8000000, 0x10000000, 0x20000000, 0x40000000):
        assert answer(machine, number, [fork | bit]) == errno.EPERM
        # The upper half of the flags is not looked at by the kernel either.
        assert answer(machine, number, [1 << 40 | fork | bit]) == errno.EPERM
    assert answer(machine, system_calls.CLONE3[0], [0, 88]) == NOT_THERE


@pytest.mark.parametrize("machine", MACHINES)
def test_sockets_are_of_this_machine_and_of_the_internet_alone(machine):
    for call in (system_calls.SOCKET, system_calls.SOCKETPAIR):
        number = call[seccomp.MACHINES[machine][1]]
        allowed = [family for family in range(64) if answer(machine, number, [family, 1, 0]) == ALLOWED]
        assert allowed == [1, 2, 10, 16]
        assert answer(machine, number, [16, 3, 9]) == answer(machine, number, [40, 1, 0]) == errno.EAFNOSUPPORT


@pytest.mark.parametrize("machine", MACHINES)
def test_what_is_newer_than_the_list_and_other_machines_numbers_are_not_there(machine):
    assert answer(machine, system_calls.NEWEST) == ALLOWED
    assert answer(machine, system_calls.NEWEST + 1) == NOT_THERE
    # x32: the number of `getpid` with the mark of that interface.
    assert answer(machine, 0x40000000 | 39) == NOT_THERE
    assert answer(machine, 20, architecture=0x40000003) == "killed"


def test_a_machine_that_is_not_known_has_no_filter():
    assert seccomp.program("m68k") == b""


TRY = """
import ctypes, errno, os, socket, subprocess, threading
libc = ctypes.CDLL(None, use_errno=True)
def told(number, *arguments):
    ctypes.set_errno(0)
    return errno.errorcode.get(ctypes.get_errno()) if libc.syscall(number, *arguments) == -1 else "done"
def everywhere():
    found = [told({io_uring}, 1, 0), told({userfaultfd}, 0), told({unshare}, 0x10000000), told({keyctl}, 0, -3, 1)]
    found += [told(435, 0, 0), told({clone}, 0x10000011, 0, 0, 0, 0), told({prctl}, 4, 0, 0, 0, 0)]
    try:
        socket.socket(40, socket.SOCK_STREAM)
    except OSError as error:
        found.append(errno.errorcode[error.errno])
    return found
seen = [everywhere()]
def errors():
    seen.append(everywhere())
thread = threading.Thread(target=errors); thread.start(); thread.join()
ends, begins = os.pipe()
if os.fork() == 0:
    os.write(begins, repr(everywhere()).encode())
    os._exit(0)
seen.append(eval(os.read(ends, 1000)))
assert seen[0] == seen[1] == seen[2], seen
assert subprocess.run(["echo", "started"], capture_output=True).stdout == b"started\\n"
print(seen[0])
"""


@pytest.mark.skipif(platform.machine() not in seccomp.MACHINES, reason="no filter is known for this machine")
def test_a_kernel_its_threads_and_what_it_starts_have_the_filter(user):
    from .test_neighbours import Kernel

    column = seccomp.MACHINES[platform.machine()][1]
    numbers = {name: DENIED[name][column] for name in ("userfaultfd", "unshare", "keyctl")}
    cell = TRY.format(io_uring=425, clone=system_calls.CLONE[column], prctl=system_calls.PRCTL[column], **numbers)
    denied = ["EPERM"] * 4 + ["ENOSYS", "EPERM", "EPERM", "EAFNOSUPPORT"]
    with contextlib.closing(Kernel(user)) as kernel:
        assert eval(kernel.told(cell)) == denied
    with contextlib.closing(Kernel(user, system_calls=False)) as kernel:
        assert kernel.told("print(open('/proc/self/status').read())").count("Seccomp:\t0") == 1
