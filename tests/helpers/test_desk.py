"""`check` as a learner meets it: what it prints, when it raises, and what a hidden check keeps to itself."""

import numpy as np
import pytest

from helpers import CheckFailed, catalog, check, feedback, judge, runner
from helpers.verdict import Verdict


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


@pytest.mark.parametrize("junk", [[], [1], [None] * 6, [{}] * 6, [{"status": "returned", "value": None}] * 6, "text", [{"status": 1}] * 6])
def test_answers_of_any_form_end_in_a_failed_verdict(junk):
    work = judge.paper(catalog.find("similarity_matrix"), 0)
    assert not judge.judge(work, junk).passed
