"""Where root grades each run has a user of its own, and standard streams that are no other's."""

import contextlib
import os

import pytest

from autograder.sandbox.inside.constants import NOBODY
from autograder.sandbox.outside.users import PASSING, UNUSED, own_user

from .test_neighbours import Kernel

LOOK = """
import os
print(os.getuid(), open("/proc/self/uid_map").read().split()[1])
"""
STREAMS = """
import os, sys
for number in range(256):
    try:
        print(number, os.path.realpath(f"/proc/self/fd/{number}"), os.lseek(number, 0, os.SEEK_CUR))
    except OSError:
        pass
"""


def known(tmp_path, lines):
    for name in ("uid_map", "gid_map"):
        (tmp_path / name).write_text(lines)
    return tmp_path


def test_a_number_is_of_those_that_nobody_has(tmp_path):
    everyone = known(tmp_path, "         0          0 4294967295\n")
    numbers = {own_user(f"{run:012x}", everyone) for run in range(10**12, 10**12 + 500)}
    assert len(numbers) == 500 and all(UNUSED[0] <= number < sum(UNUSED) for number in numbers)
    assert own_user("0" * 12, everyone) == own_user("0" * 12, everyone)


def test_in_a_container_with_few_numbers_it_is_one_for_passing_users_or_none(tmp_path):
    assert PASSING[0] <= own_user("abcdef123456", known(tmp_path, "0 100000 65536\n")) < sum(PASSING)
    assert own_user("abcdef123456", known(tmp_path, "0 1000 1\n1 100000 999\n")) == 0


@pytest.mark.skipif(os.getuid() != 0, reason="only root can make another user of a process")
def test_no_two_runs_have_the_same_user_and_inside_all_are_nobody(user):
    with contextlib.closing(Kernel(user)) as one, contextlib.closing(Kernel(user)) as other:
        seen = [kernel.told(LOOK).split() for kernel in (one, other)]
        assert [inside for inside, _ in seen] == [str(NOBODY)] * 2
        outside = {int(number) for _, number in seen}
        assert len(outside) == 2 and NOBODY not in outside
        for kernel, (_, number) in zip((one, other), seen):
            status = kernel.run.folder.stat()
            assert (status.st_uid, status.st_mode & 0o777) == (int(number), 0o700)


def test_no_open_file_is_the_warm_processs(user, warmed):
    # Whoever sets a place in it could tell it to the next kernel.
    (warmed.folder / "errors.txt").write_text("told before")
    with contextlib.closing(Kernel(user)) as kernel:
        told = kernel.told(STREAMS)
        assert "errors.txt" not in told and "/dev/null 0" in told
        assert "goes on\n" in kernel.told("import os\nos.system('echo said >&2')\nprint('goes on')")
