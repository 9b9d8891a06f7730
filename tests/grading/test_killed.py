"""Processes of a real run are killed at seeded random instants; the same command then brings the class to its end."""

import json
import os
import random
import signal
import subprocess
import sys
import time

import pytest

from autograder.grading import coordinator

from .classes import UNIT, copied, make, state

STUDENTS = 10
# So many kills of each kind; ATTENTION_KILLS=17 makes the fifty and more of a thorough run.
KILLS = int(os.environ.get("ATTENTION_KILLS", "1"))
# As the command line does it, a submission a batch.
GRADE = """
import sys
from autograder import cli
from autograder.grading import coordinator, writing
if __name__ == "__main__":
    writing.BATCH = 1
    sys.argv[1:] = ["grade", "u0", "--course", sys.argv[1], "--jobs", "2", "--json", "--enroll"]
    cli.main()
"""
# The exit code of a run that graded all it could, with some that could not be.
DONE = 3


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    root = tmp_path_factory.mktemp("killed")
    before = make(root / "before", STUDENTS)
    room = copied(before, root / "graded")
    (root / "grade_it.py").write_text(GRADE, encoding="utf-8")
    began = time.monotonic()
    process = run(root, room)
    told = process.communicate(timeout=120)
    assert process.returncode == DONE, told
    return root, before, state(room), time.monotonic() - began


def run(root, room):
    call = [sys.executable, "-W", "ignore", str(root / "grade_it.py"), str(room.root)]
    # Started with Ctrl-C switched on, whatever the tests themselves were started with.
    return subprocess.Popen(
        call,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )


def below(pid):
    """The process and all below it, with their command lines."""
    found = []
    try:
        with open(f"/proc/{pid}/cmdline", encoding="utf-8", errors="replace") as file:
            found.append((pid, file.read()))
        with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as file:
            children = file.read().split()
    except OSError:
        return []
    return found + [one for child in children for one in below(int(child))]


def alive(pid):
    """Whether a process still runs; one that only waits to be reaped does not."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
            return file.read().rpartition(")")[2].split()[0] not in ("Z", "X")
    except OSError:
        return False


def chosen(kind, process, generator):
    if kind == "coordinator":
        return process.pid
    # Workers are forked from the coordinator; those that replace lost ones are started anew.
    marks = {"worker": ("grade_it.py", "spawn_main"), "kernel": ("\0-m\0inside\0",)}
    found = [pid for pid, command in below(process.pid)[1:] if any(mark in command for mark in marks[kind])]
    return generator.choice(found) if found else None


def test_one_process_alone_leaves_what_two_workers_leave(undisturbed, tmp_path):
    _, before, expected, _ = undisturbed
    room = copied(before, tmp_path / "alone")
    coordinator.grade(room, [UNIT], jobs=1)
    assert state(room) == expected and f"feedback/s000/{UNIT}/{UNIT}.html" in expected["files"]


@pytest.mark.parametrize("kind", ["coordinator", "worker", "kernel"])
def test_killed_at_random_instants(undisturbed, tmp_path, kind):
    root, before, expected, seconds = undisturbed
    generator = random.Random(f"seed of {kind}")
    for number in range(KILLS):
        room = copied(before, tmp_path / f"{kind}{number}")
        process = run(root, room)
        instant = generator.uniform(0.1, 0.95) * seconds
        time.sleep(instant)
        target = chosen(kind, process, generator)
        if target is not None:
            try:
                os.kill(target, signal.SIGKILL)
            except ProcessLookupError:
                target = None
        process.communicate(timeout=120)
        if process.returncode != DONE:
            again = run(root, room)
            told = again.communicate(timeout=120)
            assert again.returncode == DONE, told
        assert state(room) == expected, f"{kind} killed after {instant:.2f} s of {seconds:.2f} s"


def test_ctrl_c_keeps_what_is_done_and_says_how_to_go_on(undisturbed, tmp_path):
    root, before, expected, _ = undisturbed
    room = copied(before, tmp_path / "stopped")
    process = run(root, room)
    for line in process.stdout:
        if json.loads(line)["event"] == "graded":
            break
    process.send_signal(signal.SIGINT)
    told = "".join(process.communicate(timeout=60))
    assert (
        process.returncode == 130
        and "were graded and are kept; the same command goes on with the rest" in told
        and "Traceback" not in told
    )
    results = coordinator.grade(room, [UNIT])
    assert any(not result.fresh for result in results) and state(room) == expected


def test_nothing_of_a_killed_run_stays(undisturbed, tmp_path):
    root, before, *_ = undisturbed
    room = copied(before, tmp_path / "leftovers")
    process = run(root, room)
    next(line for line in process.stdout if json.loads(line)["event"] == "graded")
    everything = [pid for pid, _ in below(process.pid)]
    assert len(everything) > 2
    process.kill()
    process.communicate(timeout=60)
    ends = time.monotonic() + 60
    while any(map(alive, everything)) and time.monotonic() < ends:
        time.sleep(0.1)
    assert not [pid for pid in everything if alive(pid)]


def test_events_tell_the_whole_story(undisturbed, tmp_path):
    root, before, expected, _ = undisturbed
    room = copied(before, tmp_path / "events")
    process = run(root, room)
    told, errors = process.communicate(timeout=120)
    assert process.returncode == DONE, errors
    events = [json.loads(line) for line in told.splitlines()]
    assert events[0] == {"event": "start", "total": STUDENTS} and events[-1] == {
        "event": "end",
        "graded": STUDENTS,
        "total": STUDENTS,
    }
    points = {event["student"]: event["points"] for event in events if event["event"] == "graded"}
    assert len(points) == STUDENTS and points["s000"] == 1 and state(room) == expected
