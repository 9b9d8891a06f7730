"""The card of a check: the same content as HTML and as text, words for every picture, nothing of a hidden case."""

import re

import numpy as np
import pytest
import torch

from helpers.desk import feedback, heatmaps
from helpers.desk.feedback import Desk
from helpers.judging import catalog, judge
from helpers.running import runner
from helpers.verdict import Diagnosis, Finding, Property, Verdict

WRONG = np.array([[1.0, 2.0, 3.0], [4.0, 5.5, 6.0]])
RIGHT = np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
TRIED = (Property("values", False), Property("batch axes", True))


def with_another_name(self, d_model, eps=1e-5):
    torch.nn.Module.__init__(self)
    self.gamma = torch.nn.Parameter(torch.ones(d_model))


def too_early(self, d_model, eps=1e-5):
    self.weight = torch.nn.Parameter(torch.ones(d_model))


def failed(finding, diagnosis=None, hidden=False):
    return Verdict("softmax", "failed", hidden, TRIED, finding, diagnosis, ("first step", "second step"))


def plain(html):
    """What a reader sees of HTML."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html))


def labels(html):
    return re.findall(r'role="img" aria-label="([^"]*)"', html)


def framed(html):
    return re.findall(r'border:2px solid currentColor[^"]*">([^<]*)<', html)


def test_passed_tells_what_was_tried_and_the_points():
    verdict = Verdict("softmax", "passed", properties=(Property("values", True), Property("batch axes", True)))
    for shown in (plain(feedback.as_html(verdict, 2, Desk())), feedback.as_text(verdict, 2, Desk())):
        assert "every property holds" in shown and "batch axes" in shown and "2 of 2 points" in shown


def test_a_try_at_the_desk_loses_no_points_and_a_graded_one_does():
    verdict = failed(Finding("values", "values", "wrong"))
    assert "0 of" not in feedback.as_html(verdict, 2, Desk()) and "2 points" in feedback.as_html(verdict, 2, Desk())
    assert "0 of 2 points" in feedback.as_html(verdict, 2)


def test_text_and_card_say_the_same():
    finding = Finding(
        "values",
        "values",
        "the message",
        "first wrong entry at [1, 1]: yours 5.5, expected 5",
        WRONG,
        RIGHT,
        "the call",
    )
    beside = Desk("the cell is newer", ["it printed"], "hint() tells more")
    card = plain(feedback.as_html(failed(finding, Diagnosis("the mistake", "the step")), 3, beside))
    text = feedback.as_text(failed(finding, Diagnosis("the mistake", "the step")), 3, beside)
    parts = (
        "softmax: the mistake",
        "3 points",
        "the message",
        "the call",
        "first wrong entry at [1, 1]",
        "the step",
        "the cell is newer",
        "it printed",
        "hint() tells more",
    )
    for part in (*parts, "yours", "expected", "difference", "5.5", "1 of 6 entries differs, by at most 0.5"):
        assert part in card and part in text, part
    assert text.index("the cell is newer") < text.index("the message"), (
        "that the check saw an older version comes first"
    )


def test_an_unrecognised_failure_shows_the_first_hint_and_claims_no_mistake():
    text = feedback.as_text(failed(Finding("values", "values", "wrong")))
    assert "first step" in text and "second step" not in text and "not right yet (values)" in text


def test_every_picture_says_in_words_what_is_to_be_seen():
    html = heatmaps.as_html(WRONG, RIGHT)
    assert labels(html) == [
        "yours: 2 rows and 3 columns, from 1 to 6",
        "expected: 2 rows and 3 columns, from 1 to 6",
        "difference: 2 rows and 3 columns, 1 of 6 entries differs, by at most 0.5",
    ]
    assert framed(html) == ["5.5", "5", "0.5"], "the first wrong entry is framed, not only coloured"


def test_other_shapes_are_told_in_words_and_have_no_difference():
    finding = Finding("values", "shape", "the result has shape (3, 2)", yours=RIGHT.T, expected=RIGHT)
    html = feedback.as_html(failed(finding))
    assert "yours has 3 rows and 2 columns; expected 2 rows and 3 columns" in html and len(labels(html)) == 2
    assert "yours has 3 rows and 2 columns" in feedback.as_text(failed(finding))
    assert "from 0 to 0 (shown: matrix [0])<" in heatmaps.as_html(np.zeros((2, 3, 4)), np.ones((3, 4)))


@pytest.mark.parametrize(
    ("shape", "words"),
    [
        ((), "a single number"),
        ((1,), "1 number"),
        ((3, 1), "3 rows and 1 column"),
        ((2, 4, 3, 5), "2 × 4 matrices of 3 rows and 5 columns"),
    ],
)
def test_shapes_in_words(shape, words):
    assert heatmaps.shape_in_words(shape) == words


def test_a_large_array_is_cut_around_the_first_wrong_entry():
    expected = np.zeros((2, 30, 40))
    yours = expected.copy()
    yours[1, 25, 37] = 7
    html = heatmaps.as_html(yours, expected)
    assert framed(html) == ["7", "0", "7"]
    assert "(shown: matrix [1], rows 21 to 28, columns 32 to 39)" in html
    assert html.count("<tr") == 3 * (1 + heatmaps.MAX_CELLS)
    assert "> 7" in "\n".join(heatmaps.as_text(yours, expected))


@pytest.mark.parametrize(
    ("yours", "expected"),
    [
        (np.full((2, 2), np.nan), np.ones((2, 2))),
        (np.array([np.inf, 1]), np.array([1.0, -np.inf])),
        (np.array([1, 2, 3]), np.array([1.5, 2, 3])),
        (np.array([[True, False]]), np.array([[True, True]])),
        (np.array([1.0, 0.0]), np.array([True, True])),
        (np.float32([3e38, -3e38]), np.float32([-3e38, 3e38])),
    ],
)
def test_odd_numbers_are_drawn_without_a_warning(yours, expected):
    html = heatmaps.as_html(yours, expected)
    assert len(labels(html)) == 3 and "difference: " in "\n".join(heatmaps.as_text(yours, expected))


@pytest.mark.parametrize(
    ("yours", "expected"),
    [
        (None, RIGHT),
        (np.array(1.0), np.array(2.0)),
        (np.zeros((0, 3)), np.ones((2, 3))),
        (np.array([1j]), np.array([1.0])),
    ],
)
def test_what_no_picture_helps_with_has_none(yours, expected):
    assert heatmaps.as_html(yours, expected) == "" and heatmaps.as_text(yours, expected) == []


def test_booleans_show_where_they_differ():
    html = heatmaps.as_html(np.array([[True, False]]), np.array([[True, True]]))
    assert framed(html) == ["F", "T", "≠"] and "1 of 2 are True" in html


def test_the_learners_own_line_is_shown_as_code():
    html = feedback.as_html(
        failed(Finding("values", "raised", "your code raised IndexError: x", "in softmax, line 3: return a[99] # a: b"))
    )
    assert re.search(r"in softmax, line 3:<pre[^>]*>return a\[99\] # a: b</pre>", html)


def test_code_in_a_sentence_is_set_as_code_and_stays_escaped():
    html = feedback.as_html(failed(Finding("values", "values", "use `a < b` <b>")))
    assert re.search(r"<code[^>]*>a &lt; b</code> &lt;b&gt;", html)


@pytest.mark.parametrize(
    ("name", "answer", "named", "told"),
    [
        ("similarity_matrix", lambda X: 1 / 0, "divides by zero", "Which of the arguments is 0 there"),
        (
            "similarity_matrix",
            lambda X: X + X[:, :2],
            "two arrays meet whose shapes do not fit: (4, 3) and (4, 2)",
            "Print the shape of each array",
        ),
        (
            "similarity_matrix",
            lambda X: nothing_of_that_name,  # noqa: F821
            "uses `nothing_of_that_name`, which is not there",
            "Is it spelt as where it was made?",
        ),
        (
            "similarity_matrix",
            lambda X: X.masked_fill(X > 0, 0),
            "`masked_fill` is a torch tensor's, and this is an array",
            "Print `type(x)`",
        ),
        ("similarity_matrix", lambda: None, "", "count the arguments"),
        ("similarity_matrix", lambda X: {}["key"], "asks for the key `key`, which is not there", "Print the keys"),
        (
            "similarity_matrix",
            lambda X: X.swapaxes(-1, -7),
            "names an axis that the array does not have",
            "count its axes",
        ),
        ("similarity_matrix", lambda X: "text", "returns a string where an array is asked", "Print `type(...)`"),
        ("similarity_matrix", lambda X: print("X"), "returns nothing", "`return print(...)`"),
        ("similarity_matrix", lambda X: (X,), "returns a tuple, not an array", "A comma after `return`"),
        ("attention_scores", lambda Q, K: np.exp(Q[..., :1] @ K[..., :1].swapaxes(-1, -2)), "", ""),
        (
            "project",
            lambda X, W_q, W_k, W_v: (X @ W_q, X @ W_k),
            "returns 2 results where 3 are asked",
            "Look at the `return` line",
        ),
        (
            "LayerNorm",
            type("LayerNorm", (torch.nn.LayerNorm,), {"__init__": with_another_name}),
            "the parameters are not those that the exercise names",
            "`self.name =",
        ),
        (
            "LayerNorm",
            type("LayerNorm", (torch.nn.Module,), {"__init__": too_early}),
            "`super().__init__()` is missing",
            "`super().__init__()`",
        ),
    ],
)
def test_what_has_nothing_to_do_with_the_mathematics_has_a_hint_of_its_own(name, answer, named, told):
    exercise = catalog.find(name)
    work = judge.paper(exercise)
    verdict = judge.judge(work, runner.run(answer, work.cases, exercise.forbidden))
    assert (verdict.diagnosis.name if verdict.diagnosis else "") == named, verdict.finding
    hint = feedback.first_hint(verdict)
    assert told in hint and (hint in exercise.hints) == (told == ""), (verdict.finding, hint)


def test_only_what_could_be_a_mistake_in_the_mathematics_has_the_exercises_hint():
    for kind in ("values", "shape", "compared", "relation", "gradients"):
        assert feedback.first_hint(failed(Finding("values", kind, "wrong"))) == "first step"
    for kind in ("no error", "type", "results", "keys", "dtype", "unanswered", "answers", "raised"):
        assert feedback.first_hint(failed(Finding("values", kind, "your code raised Strange: x"))) not in (
            "",
            "first step",
        )
    product = "your code raised ValueError: in `A @ B` the last axis of A has 3 entries and B has 2 rows; must be equal"
    assert "Two shapes do not fit" in feedback.first_hint(failed(Finding("values", "raised", product)))


def by_hand(values):
    exercise = catalog.find("encoding_by_hand")
    work = judge.paper(exercise)
    return judge.judge(work, runner.run(lambda: np.array(values), work.cases))


def test_an_answer_worked_by_hand_is_not_given_away_by_its_card():
    verdict = by_hand([0.9093, -0.4161, 0.02, 0.5])
    for shown in (
        feedback.as_html(verdict, 2, Desk()),
        feedback.as_text(verdict, 2, Desk()),
        feedback.as_html(verdict),
    ):
        assert (
            "1 of 4 entries is wrong" in shown
            and "1 of 4 entries differs from what is expected" in shown
            or "<" not in shown
        )
        assert "expected:" not in shown and "0.9998" not in shown and "difference" not in shown
    assert framed(feedback.as_html(verdict)) == ["0.5"]


def test_the_picture_has_the_tolerance_that_the_answer_is_judged_by():
    verdict = by_hand([0.9093, -0.4161, 0.5, 0.5])
    assert "2 of 4 entries are wrong" in verdict.finding.message
    assert framed(feedback.as_html(verdict)) == ["0.5", "0.5"], "the entries rounded to four places are right"
    assert "2 of 4 entries differ" in feedback.as_text(verdict, 2, Desk())
    assert len(framed(heatmaps.as_html(WRONG, RIGHT, tolerance=0.2))) == 0


def test_a_wrong_result_of_several_has_its_name():
    exercise = catalog.find("cached_attention_step")
    work = judge.paper(exercise)

    def cached_attention_step(q, k, v, cache):
        output, (K, V) = exercise.reference(q, k, v, cache)
        return output, (K, V + 1)

    verdict = judge.judge(work, runner.run(cached_attention_step, work.cases))
    assert verdict.finding.message.startswith("V of the new cache has the right shape")


def test_an_older_version_that_passes_has_no_tick():
    verdict = Verdict("softmax", "passed", properties=(Property("values", True),))
    html = feedback.as_html(verdict, 2, Desk("the cell is newer"))
    text = feedback.as_text(verdict, 2, Desk("the cell is newer"))
    assert text.startswith("○ softmax: an older version passes (2 points)") and "✓ softmax" not in plain(html)
    assert "every property holds" not in plain(html) and "2 of 2" not in plain(html)


def test_a_hidden_check_keeps_its_data_at_the_desk_too():
    finding = Finding("values", "values", "message 0.4711", "detail 0.4711", WRONG * 0.4711, RIGHT)
    for shown in (
        feedback.as_html(failed(finding, hidden=True), 2, Desk()),
        feedback.as_text(failed(finding, hidden=True), 2, Desk()),
    ):
        assert "4711" not in shown and "yours" not in shown and "values" in shown


def test_the_card_brings_its_own_colours_for_no_text():
    """Text takes the page's colour, so that it can be read in a light and in a dark theme."""
    html = feedback.as_html(failed(Finding("values", "values", "m", "d", WRONG, RIGHT)), 2, Desk("s", ["n"], "f"))
    assert not re.search(r"[;\"]\s*color:", html) and "<script" not in html and "http" not in html
