"""What is said of numbers is true of numbers."""

import numpy as np
import pytest

from helpers.exercise import Case, Exercise
from helpers.judging import judge, relations
from helpers.running import runner


def identity(x):
    return np.array(x)


def relation(change):
    work = judge.Paper(
        Exercise("identity", identity, lambda rng: [Case("values", (rng.normal(size=(3, 4, 5)),)) for _ in range(2)]), 0
    )
    answers, found = judge.examined(work, runner.run(lambda x: change(np.array(x)), work.cases))
    told = relations.diagnose(work, answers, found)
    return told.name if told else ""


def _without(place):
    """A change that leaves zeros at a place."""

    def change(x):
        x[place] = 0
        return x

    return change


def _squared(place):
    """A change that makes numbers wrong at a place."""

    def change(x):
        x[place] = x[place] ** 2 + 3
        return x

    return change


BELOW = (slice(None), *np.tril_indices(4, -1))


def _last_row_lost(x):
    x[..., -1, :] = 0
    return x


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda x: 3 * x, "every entry is 3 times what it should be"),
        (lambda x: -x, "every sign is turned around"),
        (lambda x: abs(x), "the right numbers without their sign"),
        (lambda x: np.maximum(x, 0), "every negative number has become 0"),
        (lambda x: x + 0.5, "every entry is off by 0.5"),
        (lambda x: x.swapaxes(-1, -2), "the transpose of the right result"),
        (lambda x: x.swapaxes(0, 2), "the axes -3 and -1 are exchanged"),
        (lambda x: x[:, ::-1], "the rows are right, in reverse order"),
        (lambda x: x[[1, 0, 2]], "the matrices (heads) are right, in another order"),
        (lambda x: x.reshape(3, 20), "the numbers are right, in another shape"),
        (lambda x: x.astype(np.float16), "the numbers are those of float16"),
        (lambda x: np.round(x, 2), "rounded to 2 decimals"),
        (lambda x: np.trunc(x), "cut off to whole numbers"),
        (lambda x: 0 * x, "every entry is 0"),
        (_last_row_lost, "only the last row is wrong"),
        (lambda x: x[..., :-1], "the last column is missing"),
        (lambda x: x[..., :-2, :], "the last rows are missing"),
        (lambda x: x[..., :1, :], "there is nothing but the first row"),
        (lambda x: np.concatenate([x, x[..., :1]], axis=-1), "there is a column too many, behind the last"),
        (lambda x: np.moveaxis(x, 0, -1), "axis -3 of the right result stands last"),
        (lambda x: -np.sort(-x, axis=-1), "the entries are right, sorted from the largest on"),
        (_without(np.s_[..., 1::2, :]), "every other row is 0"),
        (_without(np.s_[..., 2:, :]), "the last rows are 0"),
        (_without(BELOW), "everything below the diagonal is 0"),
        (_squared(BELOW), "only what lies below the diagonal is wrong"),
        (_squared(np.s_[..., ::2, :]), "the second, fourth, … row is right, the first, third, … is not"),
        (lambda x: np.cumsum(x, axis=-1), "to each number all those before it are added"),
        (lambda x: np.cumsum(x).reshape(x.shape), "to each number all those before it are added"),
        (lambda x: 0 * x + x.sum(-1, keepdims=True), "every entry of a row is the sum of the right row"),
        (lambda x: 0 * x + x.max(-2, keepdims=True), "every entry of a column is the largest of the right column"),
        (lambda x: x**2, "the squares of the right numbers"),
        (np.exp, "the exponentials of the right numbers"),
        (np.tanh, "the tanh of the right numbers"),
        (lambda x: 1 / x, "1 divided by the right numbers"),
        (
            lambda x: np.exp(x) / np.exp(x).sum(-1, keepdims=True),
            "the softmax of the right result, along its last axis",
        ),
        (lambda x: x - x.mean(-1, keepdims=True), "the right result with the mean of each row taken off"),
        (lambda x: x / x.sum(-1, keepdims=True), "each row of the right result, divided by its sum"),
        (lambda x: x**3, ""),
        (lambda x: 2 * x + 1, ""),
    ],
)
def test_says_how_the_numbers_relate(change, said):
    assert relation(change) == said


def test_a_relation_has_to_hold_in_every_failing_case():
    calls = []

    def change(x):
        calls.append(1)
        return 2 * x if len(calls) == 1 else 3 * x

    assert relation(change) == ""


def loosely(change, size=(3, 4, 5)):
    work = judge.Paper(
        Exercise("identity", identity, lambda rng: [Case("values", (rng.normal(size=size),)) for _ in range(2)]), 0
    )
    answers, found = judge.examined(work, runner.run(lambda x: change(np.array(x)), work.cases))
    told = relations.diagnose(work, answers, found, loose=True)
    return told.name if told else ""


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda x: x * (1 + 1e-3 * np.sin(np.arange(x.size)).reshape(x.shape)), "every number is nearly right"),
        (lambda x: x / np.abs(x).sum(-1, keepdims=True), "each row is right up to a factor of its own"),
        (lambda x: x - x.max(-1, keepdims=True), "each row is right up to a number of its own that is added"),
        (lambda x: x**2, ""),
    ],
)
def test_says_what_little_can_be_said(change, said):
    assert loosely(change).startswith(said) and bool(said) == bool(loosely(change))


def test_numbers_that_are_right_up_to_a_length():
    work = judge.Paper(Exercise("identity", identity, lambda rng: [Case("values", (rng.normal(size=(12, 2)),))]), 0)
    answers, found = judge.examined(work, runner.run(lambda x: np.concatenate([x[:8], x[:4]]), work.cases))
    told = relations.diagnose(work, answers, found)
    assert told is not None and told.name == "the first 8 rows are right, those behind them are not"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda x: ~x, "True and False are exchanged everywhere"),
        (lambda x: x & False, "every entry is False"),
        (lambda x: x.swapaxes(-1, -2), "the transpose of the right result"),
    ],
)
def test_masks_have_relations_of_their_own(change, said):
    def mask(n, m):
        return np.tri(n, m, dtype=bool)

    work = judge.Paper(Exercise("mask", mask, lambda rng: [Case("values", (4, 4)), Case("values", (5, 5))]), 0)
    answers, found = judge.examined(work, runner.run(lambda n, m: change(mask(n, m)), work.cases))
    told = relations.diagnose(work, answers, found)
    assert told is not None and told.name == said
