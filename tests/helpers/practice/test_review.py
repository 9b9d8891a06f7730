"""`review`: a month by a clock that the test holds, and tasks that are right for every exercise."""

from datetime import UTC, date, datetime, timedelta

import nbformat
import pytest

from helpers import review
from helpers.desk import commands as desk
from helpers.desk.diary import Diary
from helpers.judging import catalog, judge
from helpers.practice import commands, reviewing, schedule, tasks
from helpers.practice.reviewing import Reviews
from helpers.practice.schedule import Review
from helpers.running import runner

EXERCISES = [exercise for unit in catalog.units() for exercise in catalog.unit_exercises(unit).values()]
UNIT = "u2_softmax_scaling"


class Clock:
    """A clock that a test sets."""

    def __init__(self):
        self.time = datetime(2026, 10, 5, 9, tzinfo=UTC)

    def __call__(self):
        self.time += timedelta(seconds=1)
        return self.time

    def on(self, day):
        """Go on to a day, counted from the first."""
        self.time = datetime(2026, 10, 5, 9, tzinfo=UTC) + timedelta(days=day)


@pytest.fixture
def learner(tmp_path):
    clock = Clock()
    return tmp_path / "mine", tmp_path / "state", clock


def solve(learner, exercise, *mistakes):
    folder, root, clock = learner
    book = Diary(folder / UNIT, root, clock)
    for name in mistakes:
        book.note(exercise, "check", "failed", name)
    book.note(exercise, "check", "passed")


def answer(learner, exercise, **known):
    folder, root, clock = learner
    for what, right in known.items():
        Diary(folder / reviewing.FOLDER, root, clock).note(exercise, what, "passed" if right else "failed")


def test_over_a_month_what_is_known_is_asked_ever_less_and_a_miss_brings_it_back(learner):
    folder, root, clock = learner
    reviews = Reviews(folder, root, clock)
    solve(learner, "softmax")
    clock.on(1)
    solve(learner, "weighted_sum", "a mistake")
    asked = {"softmax": [], "weighted_sum": []}
    for day in range(2, 46):
        clock.on(day)
        while (name := reviews.most_due()) is not None:
            made = reviews.make()
            assert made.path == folder / "review" / made.path.name and name in made.text
            assert made.path.name.startswith(clock.time.date().isoformat())
            asked[name].append(day)
            # The second time `weighted_sum` is asked, two of three are wrong.
            missed = name == "weighted_sum" and len(asked[name]) == 2
            answer(learner, name, spot=not missed, number=True, check=not missed)
            if missed:
                answer(learner, name, check=True, spot=True)
    assert asked == {"softmax": [3, 10, 31], "weighted_sum": [4, 11, 14, 21, 42]}
    assert sorted(path.name for path in (folder / "review").iterdir())[0] == "2026-10-08.ipynb"


def test_intervals_grow_to_three_weeks_and_shrink_to_a_day():
    day = date(2026, 10, 5)

    def interval(*known):
        return schedule.due(day, [Review(day, one) for one in known]).interval

    assert [interval(*[True] * many) for many in range(5)] == [3, 7, 21, 21, 21]
    assert [interval(*[True] * 3, *[False] * many) for many in range(5)] == [21, 7, 3, 1, 1]


def test_the_most_overdue_comes_first_and_of_equals_the_one_with_more_mistakes(learner):
    reviews = Reviews(*learner)
    solve(learner, "weighted_sum")
    solve(learner, "softmax", "one", "two")
    learner[2].on(9)
    assert reviews.most_due() == "softmax"
    solve(learner, "scale_scores", "one", "two", "three")
    learner[2].on(13)
    assert reviews.most_due() == "softmax" and reviews.due()["scale_scores"].late(date(2026, 10, 18)) > 0


def test_nothing_nags(learner):
    reviews = Reviews(*learner)
    assert "Nothing was solved yet" in reviews.make().text
    solve(learner, "softmax")
    learner[2].on(2)
    made = reviews.make()
    assert made.path is None and "The next is softmax, from Thursday 08 October on" in made.text
    assert not (learner[0] / "review").exists()
    assert reviews.make("softmax").path is not None, "who asks by name is answered at any time"


def test_a_review_that_waits_is_not_made_again_and_another_stands_beside_it(learner):
    reviews = Reviews(*learner)
    solve(learner, "softmax")
    solve(learner, "weighted_sum")
    first = reviews.make("softmax")
    assert reviews.make("softmax").path == first.path and "still waits" in reviews.make("softmax").text
    assert reviews.make("weighted_sum").path.name == "2026-10-05-2.ipynb"
    answer(learner, "softmax", check=True)
    again = reviews.make("softmax").path
    assert again.name == "2026-10-05-3.ipynb"
    assert again.read_text() != first.path.read_text(), "other figures"


def test_the_mistake_to_spot_is_the_learners_own(learner):
    softmax = catalog.find("softmax")
    name = softmax.mistakes[4].name
    assert tasks.spot(softmax, tasks.key(3, softmax, ["no mistake of this exercise", name])).mistake.name == name


@pytest.mark.parametrize("exercise", EXERCISES, ids=[exercise.name for exercise in EXERCISES])
def test_the_tasks_of_every_exercise_are_whole_and_their_answers_right(exercise):
    code = tasks.key(7, exercise, [])
    spotted, worked = tasks.spot(exercise, code), tasks.number(exercise, code)
    if spotted is not None:
        assert spotted.a != spotted.b and spotted.choices[spotted.did - 1] == spotted.mistake.name
        assert len(set(spotted.choices)) == len(spotted.choices)
    assert worked.asked.endswith("?") and worked.given and abs(worked.value) < 10**6
    notebook = reviewing._notebook(exercise, code, date(2026, 10, 5))
    nbformat.validate(notebook)
    names = {}
    exec(notebook.cells[1].source, names)
    exec(notebook.cells[3].source, names)
    (first, *_) = runner.run(names[exercise.name], judge.paper(exercise).cases[:1])
    assert first["status"] == "unanswered", "the bare signature takes what the check gives"


def run(folder, monkeypatch, exercise, capsys):
    """Make a review as a learner in a notebook does, and return its cells and names."""
    monkeypatch.setattr(desk, "_shell", lambda: object())
    monkeypatch.chdir(folder / UNIT)
    review(exercise)
    (path,) = (folder / "review").iterdir()
    monkeypatch.chdir(folder / "review")
    capsys.readouterr()
    notebook = nbformat.read(path, as_version=4)
    return [cell.source for cell in notebook.cells if cell.cell_type == "code"]


def test_a_whole_review_at_the_desk(tmp_path, monkeypatch, capsys):
    folder = tmp_path / "mine"
    (folder / UNIT).mkdir(parents=True)
    setup, _, check, spot, by_hand = run(folder, monkeypatch, "softmax", capsys)
    softmax = catalog.find("softmax")
    code = int(spot.split(", ")[1])
    task, worked = tasks.spot(softmax, code), tasks.number(softmax, code)
    names = {"__name__": "__main__"}
    exec(setup, names)
    exec(spot, names)
    exec(by_hand, names)
    told = capsys.readouterr().out
    assert 'Write `right="A"`' in told and "in the place of `None`" in told
    names["softmax"] = softmax.reference
    exec(check, names)
    exec(f'spot("softmax", {code}, right="{task.right}", did={task.did})', names)
    exec(f'by_hand("softmax", {code}, answer={worked.value:.2f})', names)
    told = capsys.readouterr().out
    assert told.count("✓") >= 3 and f"The other: {task.mistake.name}." in told
    exec(f'spot("softmax", {code}, right="{"B" if task.right == "A" else "A"}", did=1)', names)
    exec(f'by_hand("softmax", {code}, answer={worked.value + 1})', names)
    assert capsys.readouterr().out.count("✗") == 2
    done = Reviews(folder).done("softmax")
    assert [one.known for one in done] == [True], "the first answers count"


def test_what_cannot_be_reviewed_is_told(capsys, monkeypatch):
    review("sofmax")
    assert 'Did you mean `review("softmax")`?' in capsys.readouterr().out
    review()
    assert "Nothing was solved yet" in capsys.readouterr().out
    commands.spot("burger", 1, right="A", did=1)
    commands.by_hand("burger", 1, answer=1)
    assert capsys.readouterr().out.count("is the name of no exercise") == 2
    monkeypatch.setenv("NBGRADER_EXECUTION", "validate")
    review()
    commands.spot("softmax", 1, right="A", did=1)
    commands.by_hand("softmax", 1, answer=1)
    assert capsys.readouterr().out == ""
