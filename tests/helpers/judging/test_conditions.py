"""What is said of an argument that is not used, of a mistake under one condition, of state, and of a result's form."""

import numpy as np
import pytest

from helpers.exercise import Case, Exercise, Init, Mistake
from helpers.judging import checkup, judge
from helpers.running import runner


def scaled(x, scale=1.0, up=False):
    """Numbers.

    Returns:
        the product (n, m) and the sum (n,).
    """
    product = 2 * np.asarray(x) * scale
    return (product[::-1] if up else product), product.sum(-1)


def cases(rng):
    return [
        Case("values", (rng.normal(size=(3, 2)),)),
        Case("values", (rng.normal(size=(4, 5)),)),
        Case("scale", (rng.normal(size=(3, 2)), 3.0)),
        Case("up", (rng.normal(size=(3, 2)), 2.0, True)),
        Case("up", (rng.normal(size=(4, 3)), 0.5, True)),
    ]


def named(answer, *mistakes):
    exercise = Exercise("scaled", scaled, cases, mistakes)
    work = judge.Paper(exercise, 0)
    verdict = judge.judge(work, runner.run(answer, work.cases), more=judge.More(trials=0))
    return verdict.diagnosis.name if verdict.diagnosis else ""


def test_an_argument_that_is_not_used():
    assert named(lambda x, scale=1.0, up=False: scaled(x, 1.0, up)) == (
        "`scale` makes no difference: it goes on as with `1.0`"
    )


def test_an_argument_that_is_used_once_is_not_called_unused():
    assert "makes no difference" not in named(
        lambda x, scale=1.0, up=False: scaled(x, scale if scale == 3 or x.shape[1] == 3 else 1.0, up)
    )


def test_a_known_mistake_under_one_condition_only():
    tripled = Mistake("three times", "hint", lambda x, scale=1.0, up=False: scaled(1.5 * x, scale, up))

    def answer(x, scale=1.0, up=False):
        return scaled(1.5 * x if up else x, scale, up)

    assert named(answer, tripled) == "three times, with up = True"


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (lambda x, scale=1.0, up=False: scaled(x, scale, up)[0], "returns an array where 2 results are asked"),
        (lambda x, scale=1.0, up=False: (*scaled(x, scale, up), x), "returns 3 results where 2 are asked"),
        (lambda x, scale=1.0, up=False: scaled, "returns a function"),
        (
            lambda x, scale=1.0, up=False: (scaled(x, scale, up)[0], np.ones(x.shape[1])),
            "the last axis of “sum” is as long as `x.shape[-1]`, and should be as long as `x.shape[-2]`",
        ),
        (
            lambda x, scale=1.0, up=False: (scaled(x, scale, up)[0], scaled(x**2, scale, up)[1]),
            "“product” is right, “sum” is not",
        ),
    ],
)
def test_says_what_is_the_matter_with_the_form(answer, said):
    assert named(answer) == said


class Doubling:
    def __call__(self, x):
        return 2 * x


class Keeping:
    kept = None

    def __call__(self, x):
        self.kept = 2 * x if self.kept is None else self.kept
        return self.kept


def test_what_is_kept_from_one_call_to_the_next_is_called_so():
    def twice(rng):
        first, second = rng.normal(size=(2, 3, 4))
        return [Case("values", (first,), init=Init()), Case("called again", (first,), init=Init(earlier=((second,),)))]

    told, _ = checkup.check(Exercise("Doubling", Doubling, twice), Keeping)
    assert told.diagnosis is not None and told.diagnosis.name == "keeps something from one call to the next"
