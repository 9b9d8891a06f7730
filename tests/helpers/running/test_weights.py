"""Trained weights beside a notebook: what is read, what is refused and with which words, and whose class they go
into."""

import functools

import numpy as np
import pytest
import torch
from safetensors.numpy import save_file
from torch import nn

from helpers.exercise import Built, Case, Exercise, Init, Relation
from helpers.judging import judge
from helpers.running import runner

FILE = "weights.safetensors"
GOOD = {"toy.weight": np.ones((2, 3), "f4"), "toy.bias": np.zeros(2, "f4")}


class Toy(nn.Linear):
    def __init__(self):
        super().__init__(3, 2)


@torch.no_grad()
def total(model):
    return float(model(torch.ones(1, 3)).sum())


def gigantic(path):
    save_file({**GOOD, "more": np.zeros(6 * 2**20, "f4")}, path)


def truncated(path):
    save_file(GOOD, path)
    path.write_bytes(path.read_bytes()[:-4])


def lying(path):
    head = b'{"toy.weight":{"dtype":"F32","shape":[1000000000,1000000000],"data_offsets":[0,4]}}'
    path.write_bytes(len(head).to_bytes(8, "little") + head + b"1234")


BAD = {
    "missing": (lambda path: None, "there is no weights.safetensors beside the notebook"),
    "empty": (lambda path: path.write_bytes(b""), "cannot be read"),
    "truncated": (truncated, "cannot be read"),
    "a pickle": (lambda path: torch.save({"toy.weight": torch.ones(2, 3)}, path), "cannot be read"),
    "a header without end": (lambda path: path.write_bytes((2**40).to_bytes(8, "little") + b"{}"), "cannot be read"),
    "a shape that is not there": (lying, "cannot be read"),
    "gigantic": (gigantic, "at most 20 are read"),
    "of another task": (lambda path: save_file({"other.weight": np.ones(2, "f4")}, path), "begin with 'toy.'"),
    "wrong shape": (
        lambda path: save_file({**GOOD, "toy.bias": np.zeros(5, "f4")}, path),
        "bias is (5,) in the file and (2,) in your class",
    ),
    "one missing": (lambda path: save_file({"toy.bias": np.zeros(2, "f4")}, path), "weight is not there in the file"),
    "one too many": (lambda path: save_file({**GOOD, "toy.more": np.zeros(2, "f4")}, path), "not there in your class"),
    "NaN": (lambda path: save_file({**GOOD, "toy.bias": np.full(2, np.nan, "f4")}, path), "NaN or infinity"),
    "infinite": (lambda path: save_file({**GOOD, "toy.bias": np.full(2, np.inf, "f4")}, path), "NaN or infinity"),
}

AS_CLASS = (Toy, Case("accuracy", (), init=Init(weights_file=FILE, prefix="toy."), method="state_dict"))
AS_ARGUMENT = (
    total,
    Case("accuracy", (Built("notebook_class", {"name": "Toy", "weights_file": FILE, "prefix": "toy."}),)),
)


@pytest.fixture(autouse=True)
def beside_the_notebook(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(("target", "case"), [AS_CLASS, AS_ARGUMENT], ids=["class", "argument"])
def test_good_weights_are_loaded(tmp_path, target, case):
    save_file(GOOD, tmp_path / FILE)
    (answer,) = runner.run(target, [case])
    assert answer["status"] == "returned"
    assert answer["value"] == 6 if target is total else np.array_equal(answer["value"]["weight"], np.ones((2, 3)))


@pytest.mark.parametrize(("target", "case"), [AS_CLASS, AS_ARGUMENT], ids=["class", "argument"])
@pytest.mark.parametrize("kind", BAD)
def test_bad_weights_are_refused_with_a_sentence_that_says_why(tmp_path, kind, target, case):
    write, told = BAD[kind]
    write(tmp_path / FILE)
    for answer in runner.run(target, [case, case]):
        assert answer["status"] == "raised" and answer["error"]["own"]
        assert told in answer["error"]["message"]


def test_the_learners_class_is_found_behind_decorators_and_not_elsewhere(tmp_path):
    save_file(GOOD, tmp_path / FILE)

    @functools.wraps(total)
    def wrapped(model):
        return total(model)

    assert runner.run(wrapped, [AS_ARGUMENT[1]])[0]["value"] == 6
    (answer,) = runner.run(
        total, [Case("accuracy", (Built("notebook_class", {"name": "Tree", "weights_file": FILE, "prefix": "toy."}),))]
    )
    assert "there is no Tree in the notebook" in answer["error"]["message"]


class Stub(nn.Module):
    def __init__(self):
        super().__init__()
        raise NotImplementedError


def test_a_class_that_is_not_answered_yet_is_named():
    (answer,) = runner.run(
        total, [Case("accuracy", (Built("notebook_class", {"name": "Stub", "weights_file": FILE, "prefix": "toy."}),))]
    )
    assert "needs your Stub, which is not answered yet" in answer["error"]["message"]


def test_the_judge_needs_no_weights_of_its_own(tmp_path):
    def sums_up(values):
        return None if values["once"] == 6 else "not six"

    exercise = Exercise(
        "total",
        reference=lambda model: 0.0,
        cases=lambda rng: [Case("accuracy", AS_ARGUMENT[1].args, label="once", truth=6)],
        compare={"accuracy": lambda case, value, expected: None if value == case.truth else "wrong"},
        relations=(Relation("accuracy", sums_up),),
    )
    work = judge.Paper(exercise, 0)
    verdict = judge.judge(work, runner.run(total, work.cases))
    assert not verdict.passed and "no weights.safetensors" in verdict.finding.message
    save_file(GOOD, tmp_path / FILE)
    assert judge.judge(work, runner.run(total, work.cases)).passed


def test_a_seed_gives_start_values_and_leaves_torchs_own_stream_alone():
    case = Case("values", init=Init(seed=5), method="state_dict")
    torch.manual_seed(0)
    undisturbed = torch.rand(3)
    torch.manual_seed(0)
    first, second = runner.run(Toy, [case, case])
    assert np.array_equal(first["value"]["weight"], second["value"]["weight"])
    assert torch.equal(torch.rand(3), undisturbed)
