"""How grading goes on: on a terminal a bar that has room, and the slowest on a line of their own."""

import io

from rich.console import Console

from autograder.grading import Result
from autograder.grading.progress import Lines
from autograder.marking.outcomes import Outcome

UNIT = "u1_dot_products"


def graded(student, seconds, **outcome):
    return Result(student, UNIT, 1.0, 2.0, 0, 0.0, Outcome(student, UNIT, seconds=seconds, **outcome))


def test_the_bar_has_room_and_the_slowest_have_their_own_line():
    console = Console(width=80, file=io.StringIO(), force_terminal=True, color_system=None)
    clock = iter(range(1000))
    lines = Lines(console, clock=lambda: float(next(clock)))
    lines("start", total=200)
    lines("workers", where="here")
    for number in range(50):
        lines("graded", result=graded(f"a-student-with-a-long-identifier-{number}", 10.0 + number))
    with console.capture() as capture:
        console.print(lines._drawn())
    drawn = capture.get().splitlines()
    assert len(drawn) == 2 and max(map(len, drawn)) <= 80
    assert drawn[0].index("50/200") - drawn[0].index("━") >= 30
    assert "left" in drawn[0] and "slowest" not in drawn[0]
    assert drawn[1].startswith("slowest: ") and drawn[1].count(" s") >= 3 and "59.0 s" in drawn[1]


def test_lines_of_a_log_name_the_slowest_too():
    console = Console(width=200, file=io.StringIO(), color_system=None)
    lines = Lines(console, clock=iter([float(20 * i) for i in range(100)]).__next__)
    lines("start", total=2)
    lines("workers", where="here")
    lines("graded", result=graded("ada", 3.0))
    assert "1 of 2 done" in console.file.getvalue() and "slowest: ada u1 3.0 s" in console.file.getvalue()


def test_a_terminal_obeys_no_name():
    console = Console(width=80, file=io.StringIO(), color_system=None)
    lines = Lines(console)
    lines("start", total=1)
    lines("graded", result=graded("\x1b[2Jann", 3.0, ungradable="the file is empty"))
    assert "\x1b" not in console.file.getvalue() and "ann" in console.file.getvalue()
