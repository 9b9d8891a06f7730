"""What the rulings decide: wrong answers that must not pass and right ones that must, visible and hidden alike."""

import contextlib
import importlib
import math

import numpy as np
import pytest
import scipy.special
import torch
from torch import nn

from helpers.judging import catalog, judge
from helpers.running import runner, wire
from tests.helpers.rulings import general, numpy_units, torch_units

SEEDS = (judge.VISIBLE_SEED, 1)
EXERCISES = {
    exercise.name: (unit, exercise) for unit in catalog.units() for exercise in catalog.unit_exercises(unit).values()
}
WRONG = {**numpy_units.WRONG, **torch_units.WRONG}
RIGHT = {**numpy_units.RIGHT, **torch_units.RIGHT}
LIBRARIES = {"np": np, "math": math, "scipy": scipy, "torch": torch, "nn": nn, "F": nn.functional}


def answer(name, text):
    """The function or class that a text defines."""
    names = {other: exercise.reference for other, (_, exercise) in EXERCISES.items()}
    names |= LIBRARIES | {"right": EXERCISES[name][1].reference}
    exec(compile(text, f"<{name}>", "exec"), names)  # the texts are our own
    return names[name]


def faults(name, target, seed):
    """What the check finds wrong; cases and answers cross the border as bytes, as in grading."""
    unit, exercise = EXERCISES[name]
    prepare = getattr(importlib.import_module(f"tests.helpers.styles.{unit}"), "surroundings", None)
    paper = judge.paper(exercise, seed)
    cases = wire.decode(wire.encode(list(paper.cases)))
    with prepare(name, target) if prepare else contextlib.nullcontext():
        answers = runner.run(target, cases, exercise.forbidden)
    return [fault for fault in paper.findings(wire.decode(wire.encode(answers))) if fault is not None]


@pytest.mark.parametrize("seed", SEEDS, ids=("visible", "hidden"))
@pytest.mark.parametrize("name", EXERCISES)
def test_wrong_answers_do_not_pass(name, seed):
    targets = dict(general.wrong_answers(*EXERCISES[name]))
    targets |= {wrong: answer(name, text) for wrong, text in WRONG.get(name, {}).items()}
    passing = [wrong for wrong, target in targets.items() if not faults(name, target, seed)]
    assert not passing, f"{name}: these wrong answers pass the check: {', '.join(passing)}"


@pytest.mark.parametrize("seed", SEEDS, ids=("visible", "hidden"))
@pytest.mark.parametrize("name", RIGHT)
def test_right_answers_pass(name, seed):
    for right, text in RIGHT[name].items():
        found = faults(name, answer(name, text), seed)
        assert not found, f"{name}: the right answer {right!r} is refused: {found[0]}"
