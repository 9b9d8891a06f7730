"""The answers that names are measured on: every one is wrong and is refused, and the tables can be written again."""

from pathlib import Path

import pytest

from helpers.judging import catalog, judge
from helpers.judging.records import UNKNOWN
from helpers.running import runner, wire

from . import measured

TABLES = sorted(measured.FOLDER.glob("*.toml"))
by_table = pytest.mark.parametrize("path", TABLES, ids=lambda path: path.stem)


@by_table
@pytest.mark.filterwarnings("ignore")
def test_every_answer_is_refused(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)  # where no trained weights lie
    accepted = []
    for number, answer in enumerate(measured.load(path)):
        exercise = catalog.find(answer.exercise)
        assert exercise is not None
        paper = judge.paper(exercise)
        target = measured.run(answer, number)
        # A missing file of weights is nobody's mistake, so those cases do not count.
        cases = [case for case in paper.cases if not case.from_file]
        answers = iter(wire.decode(wire.encode(runner.run(target, cases, exercise.forbidden))))
        _, found = judge.examined(paper, [UNKNOWN if case.from_file else next(answers) for case in paper.cases])
        if all(finding is None or case.from_file for case, finding in zip(paper.cases, found, strict=True)):
            accepted.append(f"{answer.exercise}: {answer.truth}")
    assert not accepted


@by_table
def test_a_table_is_written_as_it_was_read(path: Path, tmp_path: Path) -> None:
    measured.store(tmp_path / path.name, measured.load(path))
    assert (tmp_path / path.name).read_text(encoding="utf-8") == path.read_text(encoding="utf-8")


@by_table
def test_every_judgement_says_what_it_is_about(path: Path) -> None:
    for answer in measured.load(path):
        assert answer.truth.endswith(".")
        assert answer.judged in (measured.TRUE, measured.FALSE, measured.CERTAIN)
        assert (answer.judged == measured.CERTAIN) == (not answer.said)


def test_every_exercise_has_answers() -> None:
    answered = {answer.exercise for path in TABLES for answer in measured.load(path)}
    assert answered == {name for unit in catalog.units() for name in catalog.unit_exercises(unit)}
