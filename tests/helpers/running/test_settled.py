"""What a notebook sets of torch for itself changes no verdict, and is as it was afterwards."""

import contextlib

import pytest
import torch

from helpers.judging import catalog, judge
from helpers.running import runner, wire
from helpers.running.settled import settled

# With gradients asked for, with modules, and with plain arrays.
UNITS = ("u1_dot_products", "u4_multi_head", "u5_add_and_norm")


@contextlib.contextmanager
def without_gradients():
    torch.set_grad_enabled(False)
    try:
        yield
    finally:
        torch.set_grad_enabled(True)


@contextlib.contextmanager
def on_a_device_of_its_own():
    torch.set_default_device("meta")
    try:
        yield
    finally:
        torch.set_default_device(None)


@contextlib.contextmanager
def in_double_precision():
    torch.set_default_dtype(torch.float64)
    try:
        yield
    finally:
        torch.set_default_dtype(torch.float32)


STATES = [without_gradients, on_a_device_of_its_own, in_double_precision, torch.inference_mode]


def state():
    return (
        torch.is_grad_enabled(),
        torch.is_inference_mode_enabled(),
        torch.get_default_dtype(),
        torch.empty(0).device.type,
    )


def judged_here(exercise):
    """As at the desk: cases are drawn, answered and judged where the notebook's settings hold."""
    paper = judge.Paper(exercise, 1)
    return judge.judge(paper, answered(exercise, paper))


def answered(exercise, paper):
    cases = wire.decode(wire.encode(list(paper.cases)))
    return wire.decode(wire.encode(runner.run(exercise.reference, cases, exercise.forbidden)))


@pytest.mark.parametrize("setting", STATES, ids=lambda setting: setting.__name__)
@pytest.mark.parametrize("unit", UNITS)
def test_a_right_answer_is_right_whatever_the_notebook_set(unit, setting):
    for exercise in list(catalog.unit_exercises(unit).values())[:4]:
        # As in grading: the judge's process is another one, where nothing is set.
        paper = judge.Paper(exercise, 1)
        assert len(paper.expected) == len(paper.cases)
        with setting():
            before = state()
            answers = answered(exercise, paper)
            here = judged_here(exercise)
            assert state() == before
        found = judge.judge(paper, answers)
        assert found.passed and here.passed, (exercise.name, found.finding, here.finding)


@pytest.mark.parametrize("setting", STATES, ids=lambda setting: setting.__name__)
def test_an_error_leaves_the_notebooks_own_state(setting):
    with setting():
        before = state()
        with pytest.raises(KeyError), settled():
            assert state() == (True, False, torch.float32, "cpu")
            raise KeyError
        assert state() == before
