"""All hostile submissions graded together in one class, with honest neighbours between them."""

import json
from collections import Counter

import nbformat
import pytest

from autograder.authoring import releasing, sample
from autograder.classroom import classroom
from autograder.grading import coordinator
from autograder.marking.outcomes import read_outcome
from tests.autograder.marking.hostile import dangers

from . import corpus, page_attacks
from .corpus import ATTACKS, FULL, NAME

# Smaller limits than a course's, so that the whole corpus takes minutes; what is tested does not depend on them.
LIMITS = """
c.SandboxedExecute.timeout = 3
c.SandboxedExecute.notebook_seconds = 12
c.SandboxedExecute.memory_bytes = 1200 * 2**20
c.SandboxedExecute.scratch_bytes = 50 * 2**20
"""
# An honest notebook that also looks for what an earlier one may have left behind.
SEARCH = """
import builtins, os
assert "POISON" not in os.environ and not hasattr(builtins, "POISON") and not hasattr(np, "POISON")
for place in ("/tmp", "/dev/shm", "/scratch", "."):
    assert not [name for name in os.listdir(place) if "POISON" in name or "ESCAPED" in name], os.listdir(place)
"""


def student(number):
    return f"s{number:03d}_attack"


def neighbour(number):
    return f"s{number:03d}_honest"


def put(root, name, files):
    folder = root / "submitted" / name / sample.UNIT
    folder.mkdir(parents=True)
    for file, content in files.items():
        if callable(content):
            content(folder / file)
        else:
            (folder / file).write_bytes(content)


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    root = tmp_path_factory.mktemp("hostile") / "class"
    room = releasing.init(root, [sample.UNIT])
    with open(root / classroom.CONFIG, "a", encoding="utf-8") as file:
        file.write(LIMITS)
    honest = sample.answered()
    honest.cells.append(nbformat.v4.new_code_cell(SEARCH, id="search"))
    honest = {NAME: nbformat.writes(honest).encode()}
    for number, attack in enumerate(ATTACKS):
        put(root, student(number), attack.files)
        if number % 4 == 0:
            put(root, neighbour(number), honest)
    room = classroom.Classroom.open(root)
    graded = coordinator.grade(room, [sample.UNIT], feedback=False)
    assert len({result.student for result in graded}) == len(graded) == len(list((root / "submitted").iterdir()))
    return root, {result.student: result for result in graded}


def test_there_are_enough_attacks_of_every_kind():
    kinds = Counter(attack.kind for attack in ATTACKS)
    assert len(ATTACKS) >= 40 and set(kinds) == {corpus.FORGE, corpus.TAMPER, corpus.DENY, corpus.ESCAPE, corpus.SPY}
    assert min(kinds.values()) >= 5 and len({attack.name for attack in ATTACKS}) == len(ATTACKS)


@pytest.mark.parametrize("number", range(len(ATTACKS)), ids=[attack.name for attack in ATTACKS])
def test_gets_what_it_must(results, number):
    attack, (root, graded) = ATTACKS[number], results
    result = graded[student(number)]
    low, high = attack.points if isinstance(attack.points, tuple) else (attack.points, attack.points)
    assert low <= result.score <= high, result
    assert result.max_score == 20
    assert attack.told in result.outcome.reason
    assert result.outcome.state in ("graded", "graded with a note", "not gradable")
    path = root / "autograded" / result.student / sample.UNIT / NAME
    errors = [
        output
        for cell in nbformat.read(path, 4).cells
        for output in cell.get("outputs", ())
        if output.output_type == "error"
    ]
    assert not [error for error in errors if error.evalue.startswith("ESCAPED")]


@pytest.mark.parametrize("number", range(len(ATTACKS)), ids=[attack.name for attack in ATTACKS])
def test_nothing_in_the_graded_notebook_runs_in_a_browser(results, number):
    path = results[0] / "autograded" / student(number) / sample.UNIT / NAME
    for cell in nbformat.read(path, 4).cells:
        for output in cell.get("outputs", ()):
            assert not dangers(output.get("data", {}).get("text/html", ""))
        assert page_attacks.RUN not in json.dumps(cell.metadata)
        if cell.cell_type != "code":
            assert not [found for found in dangers(cell.source) if not found.startswith(("href=", "src="))]


def test_honest_neighbours_keep_every_point_and_find_nothing_left_behind(results):
    root, graded = results
    neighbours = [result for name, result in graded.items() if name.endswith("honest")]
    assert len(neighbours) >= len(ATTACKS) // 4
    for result in neighbours:
        assert (result.score, result.outcome.state) == (FULL, "graded"), result
        searched = nbformat.read(root / "autograded" / result.student / sample.UNIT / NAME, 4).cells[-1]
        assert searched.outputs == [], searched.outputs


def test_every_submission_has_exactly_one_outcome_and_a_grade_in_the_gradebook(results):
    root, graded = results
    with classroom.Classroom.open(root).gradebook() as gradebook:
        for name in graded:
            assert read_outcome(root, sample.UNIT, name) is not None
            submission = gradebook.find_submission(sample.UNIT, name)
            for notebook in submission.notebooks:
                assert all(one.auto_score is not None or one.needs_manual_grade for one in notebook.grades)
