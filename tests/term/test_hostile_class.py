"""A class of 300 with every hostile notebook of `tests/attacks` in it, graded twice: each has one end, and the honest
have the points that they are known to have, whoever sits beside them.

It takes minutes, so it is only run with ATTENTION_THOROUGH=1.
"""

import os
from collections import Counter

import pytest

from autograder.authoring import releasing
from autograder.classroom.classroom import CONFIG, Classroom
from autograder.grading import coordinator
from autograder.marking.outcomes import read_outcome
from tests.attacks.corpus import ATTACKS
from tests.attacks.test_attacks import LIMITS, put, student

from .test_class_of_300 import STUDENTS, UNIT, draw

ENDS = ("graded", "graded with a note", "not gradable")


@pytest.mark.skipif(not os.environ.get("ATTENTION_THOROUGH"), reason="takes minutes: ATTENTION_THOROUGH=1")
def test_each_has_one_end_and_every_neighbour_its_points_in_two_runs(tmp_path):
    root = tmp_path / "class"
    releasing.init(root, [UNIT])
    with open(root / CONFIG, "a", encoding="utf-8") as file:
        file.write(LIMITS.replace("timeout = 3", "timeout = 8").replace("seconds = 12", "seconds = 30"))
    hostile = {student(number): attack for number, attack in enumerate(ATTACKS)}
    honest = {person.id: person for person in draw(18) if person.hands_in and not person.broken}
    honest = dict(list(honest.items())[: STUDENTS - len(hostile)])
    assert len(honest) + len(hostile) == STUDENTS
    for name, attack in hostile.items():
        put(root, name, attack.files)
    for name, person in honest.items():
        put(root, name, {f"{UNIT}.ipynb": person.notebook().encode()})
    room = Classroom.open(root)
    for again in (False, True):
        results = coordinator.grade(room, [UNIT], feedback=False, jobs=2, regrade=again)
        assert Counter(result.student for result in results) == Counter([*hostile, *honest])
        with room.gradebook() as gradebook:
            written = {one.student.id: one.score for one in gradebook.assignment_submissions(UNIT)}
        wrong = []
        for result in results:
            assert result.fresh and result.outcome.state in ENDS, result
            assert read_outcome(root, UNIT, result.student).state == result.outcome.state
            assert written[result.student] == result.score
            if result.student in honest:
                points = (honest[result.student].judged,) * 2
            else:
                told = hostile[result.student].points
                points = told if isinstance(told, tuple) else (told, told)
            if not points[0] <= result.score <= points[1] or result.max_score != 20:
                wrong.append((hostile.get(result.student, result.student), result))
        assert not wrong, wrong
