"""`check`, `hint` and `progress` as a learner meets them: what they print, when they raise, what they keep back."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest

from autograder.sandbox.outside import library
from helpers import CheckFailed, check, hint, progress
from helpers.desk import feedback
from helpers.judging import catalog, judge
from helpers.running import runner
from helpers.verdict import Verdict

from ..fresh_desk import fresh  # noqa: F401


def similarity_matrix(X):
    return X @ np.swapaxes(X, -1, -2)


def test_a_right_answer_passes_and_check_returns_nothing(capsys):
    assert check(similarity_matrix) is None
    told = capsys.readouterr()
    assert told.out.startswith("✓ similarity_matrix") and told.err == ""


def test_a_wrong_answer_is_named_with_its_hint(capsys):
    def similarity_matrix(X):
        return X @ X

    check(similarity_matrix)
    told = capsys.readouterr()
    assert "forgot the transpose: X @ X" in told.out and "hint:" in told.out and told.err == ""


def test_an_answer_of_any_callable_kind_is_found_by_its_name_in_the_notebook(capsys):
    names = {"check": check, "np": np}
    exec("attention_scores = lambda Q, K: Q @ np.swapaxes(K, -1, -2)\ncheck(attention_scores)", names)
    assert capsys.readouterr().out.startswith("✓ attention_scores")


def test_what_is_no_answer_is_told_so():
    def similarity(X):
        return X

    with pytest.raises(TypeError, match="similarity.*is the name of none"):
        check(similarity)


def test_an_unanswered_exercise_is_not_called_wrong(capsys):
    def similarity_matrix(X):
        raise NotImplementedError

    check(similarity_matrix)
    assert "not answered yet" in capsys.readouterr().out


@pytest.mark.parametrize("execution", ["validate", "autograde"])
def test_while_nbgrader_executes_a_wrong_answer_raises(monkeypatch, execution):
    monkeypatch.setenv("NBGRADER_EXECUTION", execution)

    def similarity_matrix(X):
        return X @ X

    with pytest.raises(CheckFailed, match="forgot the transpose"):
        check(similarity_matrix)


def verdict(answer, hidden):
    exercise = catalog.find("similarity_matrix")
    work = judge.paper(exercise, 7)
    return judge.judge(work, runner.run(answer, work.cases), hidden)


def test_a_hidden_check_shows_property_and_hint_and_no_number():
    def halved(X):
        return similarity_matrix(X) * 0.4711

    shown = verdict(halved, hidden=False)
    kept = verdict(halved, hidden=True)
    assert "0.4711" in feedback.as_text(shown) and "<table" in feedback.as_html(shown)
    assert "0.4711" not in feedback.as_text(kept) and "<table" not in feedback.as_html(kept)
    assert "values" in feedback.as_text(kept)


def test_a_verdict_survives_json():
    kept = verdict(lambda X: X @ X, hidden=True)
    assert Verdict.from_dict(kept.to_dict()).to_dict() == kept.to_dict()
    assert kept.diagnosis.name in str(kept.to_dict())


def test_text_from_a_learner_is_escaped_in_html():
    def similarity_matrix(X):
        raise RuntimeError("<script>alert(1)</script>")

    assert "<script" not in feedback.as_html(verdict(similarity_matrix, hidden=False))


def test_a_traceback_names_the_learners_own_line():
    def similarity_matrix(X):
        return X[99]

    assert "return X[99]" in feedback.as_text(verdict(similarity_matrix, hidden=False))


@pytest.mark.parametrize(
    "junk", [[], [1], [None] * 6, [{}] * 6, [{"status": "returned", "value": None}] * 6, "text", [{"status": 1}] * 6]
)
def test_answers_of_any_form_end_in_a_failed_verdict(junk):
    work = judge.paper(catalog.find("similarity_matrix"), 0)
    assert not judge.judge(work, junk).passed


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (np.ones(3), r"result \(of type ndarray\).*check\(softmax\), not check\(softmax\(x\)\)"),
        (lambda: None, "Was the function renamed"),
        (type("LayerNorn", (), {}), "Was it LayerNorm"),
        ("softmax", r"none called 'softmax' here. Run the answer cell of softmax first, then check\(softmax\)"),
        ("sofmax", r"then check\(softmax\)"),
        ("no name at all", r"none called 'no name at all' here.$"),
    ],
)
def test_what_is_no_answer_is_told_what_to_write(answer, told):
    with pytest.raises(TypeError, match=told):
        check(answer)


def test_a_check_computes_in_one_thread_and_leaves_the_number_as_it_was():
    import torch

    seen, before = [], torch.get_num_threads()

    def rms_norm(x, weight, eps=1e-6):
        seen.append(torch.get_num_threads())
        return weight * x * torch.rsqrt(x.square().mean(dim=-1, keepdim=True) + eps)

    try:
        torch.set_num_threads(2)
        check(rms_norm)
        assert set(seen) == {1}
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)


def test_importing_loads_no_heavy_library():
    code = (
        "import sys, helpers\n"
        "print([m for m in ('numpy', 'torch', 'matplotlib', 'jupyter_core', 'IPython') if m in sys.modules])"
    )
    assert (
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "[]"
    )


def test_hint_goes_on_where_the_card_stopped(capsys):
    def similarity_matrix(X):
        return X @ X

    check(similarity_matrix)
    assert "5 left" in capsys.readouterr().out
    hint()
    first = capsys.readouterr().out
    hint(similarity_matrix)
    second = capsys.readouterr().out
    assert (
        "similarity_matrix: hint 2 of 6" in first
        and "hint 3 of 6" in second
        and first.splitlines()[1:] == second.splitlines()[1:3]
    )


def test_hint_is_silent_about_what_needs_none(capsys):
    hint()
    assert "No check has failed" in capsys.readouterr().out
    check(similarity_matrix)
    capsys.readouterr()
    hint()
    assert "The last check passed" in capsys.readouterr().out
    hint("similarity_matrix")
    assert "Its check passes" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ("sofmax", 'hint("softmax")'),
        (3, "name of no exercise"),
        ("", "name of no exercise"),
        (np.ones(2), "no exercise"),
    ],
)
def test_hint_for_no_exercise_says_how_to_ask(asked, told, capsys):
    hint(asked)
    assert told in capsys.readouterr().out


def test_hint_by_name_needs_no_check_before(capsys):
    hint("softmax")
    assert "softmax: hint 1 of 5" in capsys.readouterr().out


def test_check_takes_a_name_as_hint_does(capsys):
    names = {"check": check, "np": np}
    exec("attention_scores = lambda Q, K: Q @ np.swapaxes(K, -1, -2)\ncheck('attention_scores')", names)
    assert capsys.readouterr().out.startswith("✓ attention_scores")


def test_hint_of_a_question_says_what_is_asked_and_comes_step_by_step(capsys):
    hint("why_not_counting")
    first = capsys.readouterr().out
    assert "why_not_counting: hint 1 of 4" in first and "With the first, what goes wrong" in first
    for _ in range(3):
        hint("why_not_counting")
    last = capsys.readouterr().out
    assert "hint 4 of 4" in last and "rests on the text above" in last and "last step" in last
    hint("why_not_count")
    assert 'hint("why_not_counting")' in capsys.readouterr().out


def test_the_example_is_one_that_the_last_answer_fails(capsys):
    def similarity_matrix(X):
        if X.dtype.kind == "i":
            raise IndexError("no")
        return X @ np.swapaxes(X, -1, -2)

    check(similarity_matrix)
    shown = capsys.readouterr().out
    assert "Your own line ends the call here" in shown, "an exception has the exception's hint"
    for _ in range(3):
        hint()
    assert "that your answer fails by hand (whole numbers in)" in capsys.readouterr().out


def test_a_class_that_leaves_the_puzzle_out_has_one_step_less(monkeypatch, tmp_path, capsys):
    notebook = tmp_path / "unit.ipynb"
    monkeypatch.setenv("JPY_SESSION_NAME", str(notebook))
    counts = {}
    for metadata in ({}, {"attention": {"parsons": False}}, {"attention": 3}, {"attention": {"parsons": "no"}}):
        notebook.write_text(json.dumps({"metadata": metadata, "cells": []}), encoding="utf-8")
        os.utime(notebook, ns=(len(counts) + 1, len(counts) + 1))
        hint("softmax")
        counts[str(metadata)] = capsys.readouterr().out.splitlines()[0].rpartition(" of ")[2]
    assert list(counts.values()) == ["5", "4", "5", "5"]
    hint("softmax")
    assert "puzzle" in capsys.readouterr().out
    notebook.write_text(json.dumps({"metadata": {"attention": {"parsons": False}}}), encoding="utf-8")
    hint("softmax")
    told = capsys.readouterr().out
    assert "hint 4 of 4" in told and "puzzle" not in told and "one line of code below each comment" in told
    notebook.write_text("no notebook", encoding="utf-8")
    hint("softmax")
    assert "hint 5 of 5" in capsys.readouterr().out


def test_the_card_says_how_to_get_hint_where_it_is_not_imported(capsys):
    exec("def project(X, W_q, W_k, W_v):\n    return X\ncheck(project)", {"check": check})
    assert "`from helpers import hint`, then `hint()`" in capsys.readouterr().out


def test_progress_knows_the_unit_that_is_named_and_says_so_otherwise(capsys):
    progress("u1")
    assert "Unit 1" in capsys.readouterr().out
    progress("u77")
    assert "no unit `u77`" in capsys.readouterr().out
    progress()
    assert "does not tell which unit" in capsys.readouterr().out
    check(similarity_matrix)
    capsys.readouterr()
    progress()
    assert "Unit 1" in capsys.readouterr().out


@pytest.mark.parametrize("execution", ["validate", "autograde"])
def test_hint_and_progress_are_silent_while_nbgrader_executes(monkeypatch, capsys, execution):
    monkeypatch.setenv("NBGRADER_EXECUTION", execution)
    hint()
    hint("softmax")
    progress("u2")
    assert capsys.readouterr().out == ""


def test_hint_and_progress_are_silent_where_nothing_is_known_of_exercises(tmp_path):
    """As in the sandbox, from the parts of `helpers` that are laid out there."""
    folder = library.lay_out("u2_softmax_scaling", tmp_path / "sandbox")
    assert not (folder / "helpers" / "judge.py").exists() and not (folder / "helpers" / "contents.json").exists()
    code = (
        "from helpers import check, hint,"
        " progress\nhint()\nhint('softmax')\nhint(print)\nprogress()\nprogress('u2')\nprint(check.__module__)"
    )
    environment = {**os.environ, "PYTHONPATH": str(folder), "ATTENTION_JUDGE_FD": "99"}
    ended = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True)
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "helpers.desk.commands\n", "")


SHELL = """
from types import SimpleNamespace
from IPython.core.interactiveshell import InteractiveShell

shell = InteractiveShell.instance()
shell.kernel = SimpleNamespace()
for cell, source in {cells!r}:
    shell.run_cell(source, store_history=True, cell_id=cell)
    print("====")
"""


def in_a_kernel(*cells):
    """Run cells, each (id, source), in a fresh IPython; return what each printed."""
    environment = {**os.environ, "HOME": os.getcwd(), "IPYTHONDIR": os.path.join(os.getcwd(), ".ipython")}
    ended = subprocess.run(
        [sys.executable, "-c", SHELL.format(cells=cells)], env=environment, capture_output=True, text=True, check=True
    )
    assert ended.stderr == ""
    return ended.stdout.split("====\n")[:-1]


IMPORT = ("setup", "import numpy as np\nfrom helpers import check, hint, progress")
ANSWER = "def similarity_matrix(X):\n    return X @ np.swapaxes(X, -1, -2)"
CHECK = ("check", "check(similarity_matrix)")


def test_a_restart_keeps_the_progress_and_forgets_the_hints():
    told = in_a_kernel(IMPORT, ("answer", ANSWER), CHECK)
    assert told[2].startswith("✓ similarity_matrix: every property holds (2 of 2 points)")
    told = in_a_kernel(
        IMPORT, ("last", "progress('u1')"), ("answer", ANSWER + " + 0"), ("last", "progress('u1')"), ("hint", "hint()")
    )
    assert "1 of 6 exercises passes" in told[1] and "(2 of " in told[1]
    assert "changed since its check" in told[3] and "No check has failed" in told[4]


def test_traps_of_a_kernel_are_told():
    told = in_a_kernel(
        IMPORT,
        CHECK,
        ("answer", ANSWER),
        CHECK,
        ("answer", ANSWER.replace("return", "retrun")),
        CHECK,
        ("answer", ANSWER.replace("def similarity_matrix", "def similarities")),
        CHECK,
        ("own", "del similarity_matrix"),
        CHECK,
        ("own", "check(similarities)"),
    )
    assert "NameError" in told[1] and "run its answer cell first" in told[1]
    assert "note:" not in told[3]
    assert "stopped with an error" in told[5] and told[5].startswith("○ similarity_matrix: an older version passes")
    assert "it now defines `similarities`" in told[7]
    assert "has to be called `similarity_matrix`" in told[9]
    assert (
        "'similarities' is the name of none" in told[10]
        and "check(similarity_matrix)" in told[10]
        and "Traceback" not in told[10]
    )
