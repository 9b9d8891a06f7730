"""Traps around an answer: what is certain is said in a sentence, and nothing else is."""

import json
import linecache
import os

import numpy as np
import pytest

from helpers.desk import guards
from helpers.desk.guards import Log
from helpers.judging import catalog, judge
from helpers.running import runner

FIRST = "def softmax(x):\n    return x"
NAMES = ("softmax", "attention_scores", "similarity_matrix", "LayerNorm", "layer_norm")


class Kernel:
    """Runs cells as IPython does: the text of each in `linecache`, and what happened in a log."""

    def __init__(self):
        self.log, self.names = Log(), {}

    def run(self, source, cell=None):
        self.log.before(source, source, cell)
        name = f"<cell {id(self)} {len(self.log.runs)}>"
        linecache.cache[name] = (len(source), None, source.splitlines(True), name)
        try:
            exec(compile(source, name, "exec"), self.names)
        except Exception:
            self.log.after(failed=True)
        else:
            self.log.after(failed=False)

    def stale(self, notebook=None):
        return guards.stale("softmax", self.names["softmax"], self.log, notebook)


@pytest.fixture
def kernel():
    kernel = Kernel()
    kernel.run(FIRST, "answer")
    return kernel


def test_nothing_is_said_while_cell_and_kernel_agree(kernel):
    kernel.run("soft = 3", "other")
    kernel.run("check = softmax(1)", "check")
    assert kernel.stale() == ""
    kernel.run("def softmax(x):\n    return x + 1", "answer")
    kernel.run("x = 1", "scratch")
    assert kernel.stale() == ""


@pytest.mark.parametrize(
    "newer", ["def softmax(x):\n    retrun x", "import nothing_like_it\ndef softmax(x):\n    return 2 * x"]
)
def test_a_newer_version_that_stopped_with_an_error_is_told(kernel, newer):
    kernel.run(newer, "answer")
    kernel.run("x = 1", "scratch")
    assert "no longer in the cell" in kernel.stale() and "stopped with an error" in kernel.stale()
    kernel.run(FIRST, "answer")
    assert kernel.stale() == ""


def test_a_renamed_function_is_told_with_both_names(kernel):
    kernel.run("def soft_max(x):\n    return x", "answer")
    assert "it now defines `soft_max`" in kernel.stale() and "has to stay `softmax`" in kernel.stale()


@pytest.mark.parametrize(
    "source", ["softmax = lambda x: x", "from math import sqrt as softmax", "if True:\n    def softmax(x): ..."]
)
def test_another_way_of_defining_is_no_renaming(source):
    assert "softmax" in guards.Run(source, source, None, 0).defines()


def test_a_cell_changed_and_saved_but_not_run_is_told(kernel, tmp_path):
    def save(source, when):
        path = tmp_path / "unit.ipynb"
        path.write_text(json.dumps({"cells": [{"id": "answer", "source": source.splitlines(True)}]}), encoding="utf-8")
        os.utime(path, (when, when))
        return path

    ran = kernel.log.runs[0].when
    changed = FIRST.replace("return x", "return 2 * x")
    assert "changed and saved after it last ran" in kernel.stale(save(changed, ran + 5))
    assert kernel.stale(save(changed, ran - 5)) == "", "an older file says nothing"
    assert kernel.stale(save(FIRST, ran + 5)) == ""
    path = save("", ran + 5)
    path.write_text("no notebook", encoding="utf-8")
    assert kernel.stale(path) == kernel.stale(tmp_path / "none.ipynb") == ""


def test_an_answer_from_elsewhere_is_left_alone(kernel):
    kernel.run("from statistics import mean as softmax", "answer")
    assert kernel.stale() == "" and guards.stale("softmax", 3, kernel.log) == ""


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("soft_max", "softmax"),
        ("sofmax", "softmax"),
        ("Softmax2", "softmax"),
        ("layernorm", "layer_norm"),
        ("similarity", "similarity_matrix"),
        ("main", ""),
        ("plot_it", ""),
    ],  # fmt: skip
)
def test_a_name_that_is_none_is_traced_to_the_exercise_it_was_meant_for(name, meant):
    assert guards.renamed(name, NAMES) == meant


def test_a_missing_answer_is_told_with_what_was_run_instead():
    kernel = Kernel()

    def told():
        kernel.log.before("check(softmax)", "check(softmax)", None)
        return guards.missing("softmax", kernel.log, kernel.names)

    assert "run its answer cell first" in told()
    kernel.run("def soft_max(x):\n    return x")
    assert "defines `soft_max`" in told() and "has to be called `softmax`" in told()
    kernel.run("def softmax(x):\n    retrun x")
    assert "stopped with an error" in told()


def notes(answer, name="cosine_similarity"):
    exercise = catalog.find(name)
    work = judge.paper(exercise)
    answers = runner.run(answer, work.cases, exercise.forbidden)
    # Without variants of the reference: what is tried of them depends on the time it takes.
    verdict = judge.judge(work, answers, more=judge.More(trials=0))
    return " ".join(guards.notes(verdict, answers))


def right(X):
    return catalog.find("cosine_similarity").reference(X)


def test_a_right_and_quiet_answer_has_no_note():
    assert notes(right) == ""


def test_prints_are_counted_and_not_shown(capsys):
    def little(X):
        print(X.shape)
        return right(X)

    def much(X):
        for number in range(2000):
            print(number)
        return right(X)

    assert "printed" in notes(little) and "call the function yourself" in notes(little)
    assert "A print in a loop" in notes(much)
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (lambda X: right(X) * np.nan, "NaN comes from"),
        (lambda X: right(X).astype(int), "whole numbers (int64)"),
        (lambda X: right(X).astype(object), "array of objects"),
        (lambda X: right(X).astype(str), "text"),
    ],
)
def test_kinds_of_numbers_that_cannot_be_right_are_told(answer, told):
    assert told in notes(answer)


def test_an_array_of_another_kind_is_named_by_its_dtype():
    exercise = catalog.find("cosine_similarity")
    work = judge.paper(exercise)
    verdict = judge.judge(work, runner.run(lambda X: right(X).astype(object), work.cases))
    assert "NumPy array of dtype object" in verdict.finding.message


def test_a_list_is_named_by_the_check_itself():
    exercise = catalog.find("cosine_similarity")
    work = judge.paper(exercise)
    assert (
        judge.judge(work, runner.run(lambda X: right(X).tolist(), work.cases)).diagnosis.name
        == "returns a list, not an array"
    )


def test_an_unanswered_exercise_has_no_note():
    def stub(X):
        print("here")
        raise NotImplementedError

    assert notes(stub) == ""
