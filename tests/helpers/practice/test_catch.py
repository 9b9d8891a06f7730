"""`catch`: every mistake of the course can be caught, the right version is never accused, and what is said is true."""

import itertools
import re

import numpy as np
import pytest
import torch

from helpers import catch, language, progress
from helpers.desk.diary import Diary
from helpers.exercise import Case, Exercise, Mistake
from helpers.judging import catalog, judge
from helpers.practice import attempts, telling, versions

from ... import pseudo
from . import calls

EXERCISES = [exercise for unit in catalog.units() for exercise in catalog.unit_exercises(unit).values()]
every_exercise = pytest.mark.parametrize("exercise", EXERCISES, ids=[exercise.name for exercise in EXERCISES])
_THEIRS = re.compile(r"\bcatch \w+|\bnan\b|\b\w*[._]\w*\b|\bright +(?=\S)|\w+(?:Error|Exception): .*")


def everything(exercise):
    return [version for group in versions.of(exercise) for version in group]


@every_exercise
def test_each_mistake_is_caught_by_an_input_from_the_cases_of_its_check(exercise, tmp_path):
    paper = judge.paper(exercise)
    free = {version.number: version for version in everything(exercise)}
    attempted = [*calls.inputs(paper), *(((test,), {}) for test in calls.tests(paper))]
    shown = []
    for args, kwargs in attempted:
        if free:
            outcome = attempts.attempt(exercise, list(free.values()), args, kwargs)
            assert not (outcome.refused and outcome.caught)
            text, html = telling.as_card(exercise, list(free.values()), (), outcome)
            told = re.findall("(?i).*your code.*|.*yours.*|.*NotRunnable.*", text)
            assert not told, f"nobody's code is the learner's here: {told[0]}"
            assert html.count("<div") == html.count("</div")
            shown.append(text)
            for number in outcome.caught:
                del free[number]
    left = [version.mistake.name for version in free.values()]
    assert not left, f"no input catches these mistakes of {exercise.name}: {left}"
    with pseudo.spoken(tmp_path, longer=False):
        told = [language.told_lines(text) for text in shown]
    # Numbers, names, and what Python and the reference say of an error stay as they are.
    english = [one for text in told for one in pseudo.left(_THEIRS.sub("", text))]
    assert english == [], "these words have no translation"


@every_exercise
def test_the_right_version_is_never_caught(exercise):
    """It stands among the wrong ones here, so that only a difference that is none could accuse it."""
    paper = judge.paper(exercise)
    right = versions.Version(1, Mistake("none", "none", exercise.reference))
    attempted = [*itertools.islice(calls.inputs(paper), 4), *(((test,), {}) for test in calls.tests(paper))]
    for args, kwargs in attempted:
        outcome = attempts.attempt(exercise, [right], args, kwargs)
        assert not outcome.caught, f"{exercise.name}: {outcome.caught}"


@every_exercise
def test_the_handfuls_hold_every_mistake_once(exercise):
    names = [version.mistake.name for version in everything(exercise)]
    assert sorted(names) == sorted(mistake.name for mistake in exercise.mistakes)
    assert [version.number for version in everything(exercise)] == list(range(1, len(names) + 1))
    sizes = {len(group) for group in versions.of(exercise)}
    assert max(sizes, default=0) <= 7 and (min(sizes, default=3) >= 3 or len(sizes) == 1)


def told(capsys, *args, **kwargs):
    catch(*args, **kwargs)
    return capsys.readouterr().out


def test_a_version_of_other_parameters_is_measured_by_the_learners_own_numbers(capsys):
    # No version of a model with 9 target words is caught for having no 11.
    src, tgt = torch.tensor([[3, 4, 5]]), torch.tensor([[1, 3]])
    shown = told(
        capsys,
        "Transformer",
        {"src_vocab": 8, "tgt_vocab": 9, "d_model": 8, "n_heads": 2, "n_layers": 2, "d_ff": 16, "max_length": 12},
        src,
        tgt,
    )
    assert "11" not in shown.replace("version", ""), shown


def test_wrong_versions_are_numbered_and_unnamed_until_all_are_caught(capsys):
    softmax = catalog.find("softmax")
    names = [version.mistake.name for version in versions.handful(softmax, ())]
    first = told(capsys, "softmax")
    assert "0 of 5 caught" in first and "1 free, 2 free" in first and '`catch("softmax", x)`' in first
    by_hand = np.array([[1e4, 0.0, 3.0], [-1e4, 2.0, 1.0]])
    shown = first + told(capsys, "softmax", np.array([2.0, 1.0, 0.0])) + told(capsys, "softmax", by_hand)
    assert "right      [0.665 0.245 0.09 ]" in shown
    assert not [name for name in names if name in shown]
    for args, kwargs in calls.inputs(judge.paper(softmax)):
        shown = told(capsys, "softmax", *args, **kwargs)
        if "5 of 5 caught" in shown:
            break
    assert all(name in shown for name in names), "what each had done"
    waiting = len(softmax.mistakes) - versions.HANDFUL
    assert f"{waiting} others wait. The next call brings those from 6 on." in shown
    assert "6 free" in told(capsys, "softmax")


def test_what_was_caught_is_remembered_and_shown_by_progress(capsys):
    told(capsys, "softmax", np.array([1e4, 0.0]))
    progress("u2")
    count = re.search(r"Wrong versions that you caught: `softmax` (\d+) of \d+\.", capsys.readouterr().out)
    assert count and int(count[1]) >= 1
    told(capsys, "softmax", np.array([1e4, 0.0]))
    progress("u2")
    assert count[0] in capsys.readouterr().out, "caught twice counts once"


@pytest.mark.parametrize(
    ("args", "why"),
    [
        (("softmax", np.array([np.nan, 1.0])), "gives NaN itself"),
        (("softmax", "burger"), "is not defined there, it stops with ValueError"),
        (("attention_scores", np.ones((2, 3)), np.ones((4, 5))), "and so does each of the others"),
        (("LayerNorm", torch.ones(2, 4)), "LayerNorm is a class: say what it is made with"),
        (("LayerNorm", (4,), torch.ones(2, 5)), "is not defined there"),
        (("LayerNorm", ("four",), torch.ones(2, 5)), "is not defined there"),
        (("softmax", lambda softmax: None), "Your test returns nothing"),
        (("softmax", lambda softmax: {1, 2}), "Your test returns a set"),
        (("softmax", lambda softmax: 1 / 0), "stops with the right version already: ZeroDivisionError"),
        (("softmax", lambda softmax: softmax(np.array([np.nan]))), "your test gives NaN with it"),
        (("DigitClassifier", lambda version: version()(torch.ones(1, 8, 8))), "another each time"),
    ],
)
def test_an_input_that_says_nothing_is_refused_kindly(capsys, args, why):
    shown = told(capsys, *args)
    assert why in shown and "Try another input." in shown and " 0 of " in shown and "Traceback" not in shown


@pytest.mark.parametrize(("name", "shown"), [("sofmax", 'Did you mean `catch("softmax")`?'), (7, "Write it as in")])
def test_an_unknown_exercise_is_told_so(capsys, name, shown):
    assert shown in told(capsys, name)


def test_an_answer_may_stand_for_its_name(capsys):
    def softmax(x):
        return x

    assert "catch softmax:" in told(capsys, softmax)


@pytest.mark.parametrize("name", ["NBGRADER_EXECUTION", "ATTENTION_JUDGE_FD"])
def test_it_is_silent_while_a_notebook_is_validated_or_graded(capsys, monkeypatch, name):
    monkeypatch.setenv(name, "1")
    assert told(capsys, "softmax", np.array([1e4, 0.0])) == ""


def made_up(*wrong):
    mistakes = tuple(Mistake(f"mistake {number}", "hint", one) for number, one in enumerate(wrong))
    return Exercise("doubled", lambda x: 2.0 * x, lambda rng: [Case("values", (np.ones(2),))], mistakes)


def changes_its_input(x):
    x *= 2.0
    return x.copy()


def test_a_version_that_changes_its_input_spoils_nothing_for_the_others_and_the_learner():
    exercise = made_up(changes_its_input, lambda x: x + x)
    x = np.array([1.0, 2.0])
    outcome = attempts.attempt(exercise, everything(exercise), (x,), {})
    assert {everything(exercise)[number - 1].mistake.name for number in outcome.caught} == {"mistake 0"}
    outcome = attempts.attempt(exercise, everything(exercise), (lambda version: version(x),), {})
    assert outcome.caught == {}
    outcome = attempts.attempt(exercise, everything(exercise), (lambda version: (version(x), x),), {})
    assert len(outcome.caught) == 1
    assert x.tolist() == [1.0, 2.0]


def test_objects_of_the_learners_own_are_copied_for_each_version():
    train_step = catalog.find("train_step")
    torch.manual_seed(0)

    class Model(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.table = torch.nn.Embedding(7, 7)

        def forward(self, src, tgt_in):
            return self.table(tgt_in) + self.table(src).mean(dim=1, keepdim=True)

    model = Model()
    before = model.table.weight.detach().clone()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.5)
    ids = torch.tensor([[3, 4, 5, 0]])
    outcome = attempts.attempt(train_step, everything(train_step), (model, optimizer, ids, ids, 0, 1), {})
    assert not outcome.refused and len(outcome.caught) > 5
    assert torch.equal(model.table.weight, before)
    caught = {version.mistake.name for version in everything(train_step) if version.number in outcome.caught}
    assert any("step" in name for name in caught), "seen in the model afterwards alone"


def test_start_values_are_no_difference():
    """Two right ways to make the same class draw their random numbers in another order."""
    norm = catalog.find("FeedForward")

    class Other(norm.reference):
        def __init__(self, d_model, d_ff):
            torch.nn.Module.__init__(self)
            self.linear_2 = torch.nn.Linear(d_ff, d_model)
            self.linear_1 = torch.nn.Linear(d_model, d_ff)

    other = versions.Version(1, Mistake("none", "none", Other))
    x = torch.ones(2, 4)
    for given in (((4, 6), x), (lambda version: version(4, 6)(x),), (lambda version: version(4, 6).eval()(x),)):
        assert attempts.attempt(norm, [other], given, {}).caught == {}


def test_the_log_of_a_diary_outlives_broken_lines(tmp_path):
    book = Diary(tmp_path, tmp_path / "state")
    book.note("softmax", "caught", name="one")
    (file,) = (tmp_path / "state").glob("*/softmax.log")
    with open(file, "a", encoding="utf-8") as log:
        log.write('{"when": "2026-01-')
    book.note("softmax", "caught", name="two")
    assert Diary(tmp_path, tmp_path / "state").caught("softmax") == {"one", "two"}
    assert file.stat().st_mode & 0o077 == 0
    file.write_text('[]\n{}\n{"when": 3}\nnull\n{"when": "2026-01-01", "what": "", "status": "", "name": ""}\n')
    assert book.events("softmax") == []


def test_where_nothing_can_be_written_it_is_known_until_the_kernel_ends(tmp_path):
    (tmp_path / "state").write_text("a file where the folder should be")
    book = Diary(tmp_path, tmp_path / "state")
    book.note("softmax", "caught", name="one")
    assert book.caught("softmax") == {"one"}
