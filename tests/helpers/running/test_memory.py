"""`Peak` counts the tensors that are alive together, and nothing else; the judge refuses what holds too much."""

import numpy as np
import pytest
import torch

from helpers.exercise import Case, Exercise, Tensor
from helpers.judging import judge
from helpers.running import runner, wire
from helpers.running.memory import Peak


def test_views_count_nothing():
    x = torch.randn(100, 4)
    with Peak() as peak:
        views = x.T, x[3:], x.expand(50, 100, 4), x.reshape(4, 100), x.unflatten(0, (10, 10))
    assert peak.elements == peak.bytes == 0 and len(views) == 5


def test_what_is_let_go_is_no_longer_counted():
    with Peak() as peak:
        for _ in range(10):
            x = torch.zeros(1000)
    assert 1000 <= peak.elements <= 2000 and x.numel() == 1000


def test_what_is_kept_adds_up_whatever_its_dtype():
    with Peak() as peak:
        kept = [torch.ones(10, 10, dtype=dtype) for dtype in (torch.bool, torch.float32, torch.float64)]
    assert peak.elements == 300 and peak.bytes == 1300 and len(kept) == 3


def test_work_in_place_and_what_was_there_before_count_nothing():
    x = torch.zeros(50)
    with Peak() as peak:
        x.add_(1).mul_(2)
    assert peak.elements == 0


def test_more_than_the_budget_stops_the_code():
    with pytest.raises(MemoryError, match="4,000 bytes"), Peak(budget=3999):
        torch.zeros(1000)


def _sum_of_square_distances(x):
    total = 0
    for row in x:
        total = total + (row - x).square().sum()
    return total


FRUGAL = Exercise(
    "frugal", _sum_of_square_distances, lambda rng: [Case("memory", (Tensor(rng.normal(size=(20, 20))),), memory=2000)]
)


def _verdict(answer):
    paper = judge.paper(FRUGAL)
    cases = wire.decode(wire.encode(list(paper.cases)))
    return judge.judge(paper, wire.decode(wire.encode(runner.run(answer, cases))))


def test_the_judge_accepts_an_answer_within_the_memory_of_a_case():
    assert _verdict(_sum_of_square_distances).passed


def test_the_judge_refuses_a_right_answer_that_holds_too_much_and_says_how_much():
    verdict = _verdict(lambda x: (x[:, None] - x).square().sum())
    assert verdict.status == "failed" and verdict.diagnosis.name == "holds too much at one time"
    assert "holds 16,000 new numbers at one time; this exercise allows 2,000" in verdict.finding.message


def test_an_answer_whose_memory_is_no_number_counts_as_broken():
    paper = judge.paper(FRUGAL)
    (answer,) = runner.run(_sum_of_square_distances, paper.cases)
    answer["memory"] = None
    assert not judge.judge(paper, [answer]).passed
    assert np.isfinite(paper.expected[0]["value"])
