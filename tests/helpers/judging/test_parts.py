"""Each of several results is called by its name from the reference's description."""

import numpy as np
import pytest

from helpers.judging import catalog, judge, parts

EXERCISES = [exercise for unit in catalog.units() for exercise in catalog.unit_exercises(unit).values()]
X = np.zeros(2)


def several(exercise):
    """One result of an exercise that returns several, or None."""
    work = judge.paper(exercise)
    return next((one["value"] for one in work.expected if isinstance(one["value"], tuple)), None)


def flat(names):
    return [one for name in names for one in (flat(name) if isinstance(name, tuple) else [name])]


@pytest.mark.parametrize("exercise", EXERCISES, ids=lambda exercise: exercise.name)
def test_every_exercise_with_several_results_names_them(exercise):
    expected = several(exercise)
    if expected is None:
        assert parts.names(exercise.reference, X) == ()
        return
    names = parts.names(exercise.reference, expected)
    assert len(names) == len(expected) and len(set(flat(names))) == len(flat(names)) and all(flat(names))


@pytest.mark.parametrize(
    ("name", "names"),
    [
        ("project", ("`Q`", "`K`", "`V`")),
        ("permutation_gap", ("`without`", "`with_positions`")),
        ("multi_head_attention", ("`output`", "“weights of each head”")),
        ("MultiHeadAttention", ("`output`", "`weights`")),
        ("cached_attention_step", ("`output`", ("K of the new cache", "V of the new cache"))),
    ],
)
def test_names_are_those_of_the_description(name, names):
    exercise = catalog.find(name)
    assert parts.names(exercise.reference, several(exercise)) == names


def test_a_description_with_too_few_names_gives_none():
    def reference():
        """Do it.

        Returns:
            a, (n,), and nothing more.
        """

    assert parts.names(reference, (X, X, X)) == () == parts.names(len, (X, X))
