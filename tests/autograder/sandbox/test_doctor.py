"""What the doctor says of this machine's walls, and on a system that cannot grade."""

import os
import platform
import sys
from pathlib import Path

from autograder.sandbox import doctor
from autograder.sandbox.inside import seccomp
from autograder.sandbox.outside.control_groups import Tree
from autograder.sandbox.outside.errors import SandboxError


def test_not_on_linux_it_says_so_and_tries_nothing_else(monkeypatch):
    monkeypatch.setattr(sys, "platform", "darwin")
    (finding,) = doctor.examine()
    assert (finding.name, finding.present, finding.needed) == ("Linux", False, True)
    assert "learning does not" in finding.remedy


def test_the_walls_are_looked_at_from_inside():
    found = {row.name: row for row in doctor.examine()}
    assert found["sandbox starts"].present
    assert found["system calls"].present == (platform.machine() in seccomp.MACHINES)
    for name in ("memory and processes", "share of processors", "own /proc"):
        assert found[name].present or (found[name].remedy and not found[name].needed)
    assert ("own users" in found) == (os.getuid() == 0)


def test_where_there_are_no_control_groups_it_says_what_holds_instead():
    memory, share = doctor._shared(None)
    assert not memory.present and "counted ten times a second" in memory.seen
    assert not share.present and "weigh as one" in share.seen and "as root" in share.remedy
    without = Tree(2, {"memory": Path("/a"), "pids": Path("/a")})
    memory, share = doctor._shared(without)
    assert memory.present and "version 2" in memory.seen and not share.present


def test_a_sandbox_that_does_not_start_is_one_row(monkeypatch):
    def fail(unit):
        raise SandboxError("no namespaces")

    monkeypatch.setattr(doctor.Sandbox, "start_own", fail)
    (row,) = doctor._sandbox()
    assert not row.present and row.needed and row.seen == "no namespaces"
