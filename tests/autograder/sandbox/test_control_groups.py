"""Where control groups are looked for, with trees of files that look like a machine's."""

import os
from pathlib import Path

import pytest

from autograder.sandbox.outside import control_groups

LIMITS = {"memory_bytes": 2**30, "processes": 64}


@pytest.fixture
def machine(tmp_path, monkeypatch):
    """A machine whose groups are plain folders: nothing is refused that permissions do not refuse."""
    # Folders of control groups empty themselves when they are removed.
    monkeypatch.setattr(Path, "rmdir", lambda path: __import__("shutil").rmtree(path))

    real = Path.mkdir

    def mkdir(path, *arguments, **named):
        real(path, *arguments, **named)
        if path.is_relative_to(tmp_path / "groups"):
            for file in ("cgroup.procs", "memory.events", "memory.oom_control", "cgroup.subtree_control"):
                (path / file).write_text("")

    monkeypatch.setattr(Path, "mkdir", mkdir)
    proc = tmp_path / "proc" / "self"
    proc.mkdir(parents=True)

    def made(mounts, own):
        (proc / "mountinfo").write_text("".join(f"{line}\n" for line in mounts))
        (proc / "cgroup").write_text("".join(f"{line}\n" for line in own))
        return proc

    return tmp_path / "groups", made


def mounted(point, kind, options, root="/"):
    return f"30 20 0:26 {root} {point} rw,nosuid shared:4 - {kind} cgroup rw,{options}"


def test_version_2_below_the_nearest_group_that_hands_on(machine):
    top, made = machine
    own = top / "user.slice" / "session.scope"
    own.mkdir(parents=True)
    (own.parent / "cgroup.subtree_control").write_text("cpu memory pids")
    # As the kernel refuses it to a group with processes.
    (own / "cgroup.subtree_control").unlink()
    (own / "cgroup.subtree_control").mkdir()
    tree = control_groups.make("x", made([mounted(top, "cgroup2", "nsdelegate")], ["0::/user.slice/session.scope"]))
    assert tree == control_groups.Tree(2, dict.fromkeys(("memory", "pids", "cpu"), own.parent / "attention-x"))
    group = tree.group("run", LIMITS)
    (folder,) = group.folders
    assert (folder / "memory.max").read_text() == str(2**30) and (folder / "pids.max").read_text() == "64"
    assert len(group.descriptors) == 2
    group.remove()
    assert not folder.exists()
    tree.remove()
    assert not (own.parent / "attention-x").exists()
    # A share of the processors is asked for where it was not handed on.
    (own.parent / "cgroup.subtree_control").write_text("memory pids")
    control_groups.make("x", made([mounted(top, "cgroup2", "")], ["0::/user.slice/session.scope"])).remove()
    assert (own.parent / "cgroup.subtree_control").read_text() == "+cpu"


def test_version_1_has_a_group_below_each_controller(machine):
    top, made = machine
    mounts, own = [], []
    for number, name in enumerate(("memory", "pids", "cpu", "freezer"), 1):
        (top / name / "mine").mkdir(parents=True)
        mounts.append(mounted(top / name, "cgroup", name))
        own.append(f"{number}:{name}:/mine")
    tree = control_groups.make("x", made([*mounts, mounted(top / "none", "cgroup2", "")], [*own, "0::/"]))
    assert tree == control_groups.Tree(1, {one: top / one / "mine/attention-x" for one in ("memory", "pids", "cpu")})
    group = tree.group("run", LIMITS)
    assert (top / "memory/mine/attention-x/run/memory.limit_in_bytes").read_text() == str(2**30)
    assert not (top / "memory/mine/attention-x/run/memory.memsw.limit_in_bytes").exists()
    assert len(group.descriptors) == 4 and len(group.folders) == 3
    group.remove()
    tree.remove()


def test_in_a_container_the_names_are_somebody_elses(machine):
    top, made = machine
    top.mkdir()
    mounts = [mounted(top, "cgroup", "memory,pids", root="/docker/abc")]
    for own in ("/docker/abc", "/elsewhere"):
        tree = control_groups.make("x", made(mounts, [f"1:memory,pids:{own}"]))
        assert tree.folders == dict.fromkeys(("memory", "pids"), top / "attention-x") and not tree.shares
        tree.remove()


@pytest.mark.skipif(os.getuid() == 0, reason="nothing is refused to root")
def test_where_nothing_may_be_made_there_is_none(machine):
    top, made = machine
    top.mkdir()
    top.chmod(0o555)
    assert control_groups.make("x", made([mounted(top, "cgroup2", "")], ["0::/"])) is None


def test_a_machine_without_control_groups_has_none(machine):
    _, made = machine
    assert control_groups.make("x", made([], ["0::/"])) is None
    assert control_groups.make("x", Path("/nowhere")) is None


def test_what_a_killed_run_left_is_removed_and_what_is_held_stays(machine):
    top, made = machine
    top.mkdir()
    (top / "cgroup.subtree_control").write_text("memory pids")
    proc = made([mounted(top, "cgroup2", "")], ["0::/"])
    (top / "attention-left" / "run").mkdir(parents=True)
    held = control_groups.make("held", proc)
    other = control_groups.make("other", proc)
    assert sorted(path.name for path in top.glob("attention-*")) == ["attention-held", "attention-other"]
    for tree in (held, other):
        tree.remove()


def test_with_systemd_the_warm_process_starts_in_a_scope(machine, tmp_path, monkeypatch):
    top, made = machine
    program = tmp_path / "bin" / "systemd-run"
    program.parent.mkdir()
    program.write_text('#!/bin/sh\nwhile [ "$1" != -- ]; do shift; done\nshift\nexec "$@"\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
    monkeypatch.setattr(control_groups, "SYSTEMD", tmp_path)
    call = control_groups.scope("x")
    assert call[0] == str(program) and call[-2:] == ["--unit=attention-x", "--"] and "--property=Delegate=yes" in call
    assert ("--user" in call) == (os.getuid() != 0)
    scope = top / "app.slice" / "attention-x.scope"
    scope.mkdir(parents=True)
    (scope / "cgroup.procs").write_text("17")
    proc = made([mounted(top, "cgroup2", "")], ["0::/elsewhere"])
    (proc.parent / "17").mkdir()
    (proc.parent / "17" / "cgroup").write_text("0::/app.slice/attention-x.scope\n")
    tree = control_groups.in_scope("x", 17, proc)
    assert tree == control_groups.Tree(2, dict.fromkeys(("memory", "pids", "cpu"), scope))
    assert (scope / "warm" / "cgroup.procs").read_text() == "17"
    # One that refuses, as without a session of the user's own.
    program.write_text("#!/bin/sh\nexit 1\n")
    assert control_groups.scope("x") == []


def test_a_tree_is_found_by_its_warm_process(tmp_path):
    tree = control_groups.Tree(1, {"memory": tmp_path / "a", "pids": tmp_path / "b"})
    tree.save(tmp_path)
    assert control_groups.Tree.load(tmp_path) == tree
    assert control_groups.Tree.load(tmp_path / "elsewhere") is None
