"""Variants of references: every one can be made, and one that gives an answer's numbers names what was done."""

import numpy as np
import pytest

from helpers.judging import catalog, judge, variants
from helpers.judging.questions import TRIALS
from helpers.judging.variants.making import Workshop
from helpers.running import runner

SAMPLES = ("attention_scores", "softmax", "scaled_dot_product_attention", "layer_norm", "EncoderLayer", "greedy_decode")


def told(name, answer, trials=TRIALS):
    work = judge.paper(catalog.find(name))
    answers, found = judge.examined(work, runner.run(answer, work.cases))
    one = variants.diagnose(work, answers, found, 1, trials)
    diagnosis = one or variants.diagnose(work, answers, found, 2, trials)
    return diagnosis.name if diagnosis else ""


@pytest.mark.parametrize("name", SAMPLES)
def test_variants_are_made_and_change_nothing_of_the_reference(name):
    exercise = catalog.find(name)
    workshop = Workshop(exercise.reference)
    made = [workshop.build(variant) for variant in workshop.single()]
    assert len(made) > 15
    work = judge.Paper(exercise, 0)
    assert all(finding is None for finding in work.findings(runner.run(exercise.reference, work.cases)))


def test_most_variants_of_a_reference_are_wrong():
    work = judge.paper(catalog.find("attention_scores"))
    workshop = Workshop(work.exercise.reference)
    right = [
        v.names for v in workshop.single() if all(work.answer_at(workshop.build(v), i)[1] is None for i in range(4))
    ]
    assert len(right) <= 2, right


def test_says_which_operand_is_transposed():
    def scores(Q, K):
        return np.swapaxes(Q, -1, -2) @ K

    assert told("attention_scores", scores) == "`Q` is transposed, where `K` should be"


def test_two_mistakes_at_once_are_named_as_two():
    def norm(x, gamma, beta, eps=1e-5):
        x = np.asarray(x, dtype=float)
        mean = x.mean(-1, keepdims=True)
        return np.asarray(gamma) * (x - mean) / (x.var(-1, keepdims=True) + eps) - np.asarray(beta)

    name = told("layer_norm", norm)
    assert "without the root" in name and "subtracted instead of added" in name


def test_a_variant_has_to_agree_on_every_case():
    def scores(Q, K):
        turned = np.swapaxes(K, -1, -2)
        return Q @ turned if Q.ndim > 2 else np.swapaxes(Q, -1, -2) @ K

    assert told("attention_scores", scores) == ""


def test_nothing_is_said_when_nothing_may_be_tried():
    def scores(Q, K):
        return np.swapaxes(Q, -1, -2) @ K

    assert told("attention_scores", scores, trials=0) == ""


def test_a_loop_that_a_variant_makes_endless_comes_to_an_end():
    exercise = catalog.find("greedy_decode")
    workshop = Workshop(exercise.reference)
    (case, *_) = judge.Paper(exercise, 0).cases
    for variant in workshop.single():
        (answer,) = runner.run(workshop.build(variant), [case])
        assert answer["status"] in ("returned", "raised")
