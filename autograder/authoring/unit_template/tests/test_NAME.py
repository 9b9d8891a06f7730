"""The tests of the check: it accepts right answers in any style and names each mistake; the reference is right."""

import numpy as np
import pytest
from helpers.judging import catalog, trial

from PACKAGE.reference import NAME as reference

# 0 draws the visible cases, the others hidden ones.
SEEDS = (0, 1, 2, 3)
EXERCISES = list(catalog.unit_exercises("NAME").values())


def _need(values, width):
    if not 1 <= width <= len(values):
        raise ValueError("width")


def _loop(values, width):
    _need(values, width)
    return np.array([values[i : i + width].mean() for i in range(len(values) - width + 1)])


def _convolved(values, width):
    _need(values, width)
    return np.convolve(values, np.ones(width), mode="valid") / width


def _single(values, width):
    _need(values, width)
    return _convolved(values.astype(np.float32), width)


RIGHT = {"moving_average": [_loop, _convolved, _single]}
WRONG = {
    "moving_average": [
        lambda values, width: np.convolve(values, np.ones(width), mode="same") / width,
        lambda values, width: np.full(len(values) - width + 1, values.mean()),
    ]
}


@pytest.mark.parametrize("exercise", EXERCISES, ids=lambda exercise: exercise.name)
def test_the_check_accepts_what_is_right_and_names_each_mistake(exercise):
    for seed in SEEDS:
        for answer in (exercise.reference, *RIGHT[exercise.name]):
            verdict = trial.verdict_of(exercise, answer, seed)
            assert verdict.passed, f"{answer} is refused: {verdict.diagnosis or verdict.finding}"
        for mistake in exercise.mistakes:
            verdict = trial.verdict_of(exercise, mistake.wrong, seed)
            named = verdict.diagnosis.name if verdict.diagnosis else ""
            assert not verdict.passed and named == mistake.name, f"{mistake.name!r} is called {named!r}"
        for answer in WRONG[exercise.name]:
            assert not trial.verdict_of(exercise, answer, seed).passed, f"{answer} passes"


def test_the_reference_is_numpys_convolution_and_refuses_what_is_no_width():
    values = np.random.default_rng(0).normal(size=9)
    for width in range(1, 10):
        expected = np.convolve(values, np.ones(width) / width, mode="valid")
        np.testing.assert_allclose(reference.moving_average(values, width), expected)
    for width in (0, 10):
        with pytest.raises(ValueError, match=f"width is {width}"):
            reference.moving_average(values, width)
