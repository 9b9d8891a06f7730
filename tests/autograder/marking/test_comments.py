"""Automatic comments: nbgrader renders them as markdown with HTML, and an exception's text is the learner's."""

import pytest
from nbconvert.filters import markdown2html
from nbformat import NotebookNode

from autograder.marking import scoring
from autograder.marking.outcomes import Outcome
from autograder.marking.scoring import plain
from helpers.verdict import FAILED, Diagnosis, Finding, Verdict

from .hostile import LINKS, MARKUP, dangers

AROUND = (
    "{}",
    "a``{}`",
    "`x\n`{}`",
    "\\`{}`",
    "```\n{}\n```",
    "`` ` `` {} `",
    "> {}",
    "    {}",
    "\n\n{}\n\n",
    "a `b` {} `c`",
)


def comment(finding=None, diagnosis=None):
    outcome = Outcome("ada", "u")
    outcome.final["f"] = Verdict("f", FAILED, finding=finding, diagnosis=diagnosis)
    cell = NotebookNode(cell_type="code", source="x", metadata=NotebookNode(nbgrader=NotebookNode(grade_id="f")))
    return scoring.comment(cell, outcome)


@pytest.mark.parametrize("hostile", [*MARKUP, *LINKS])
def test_nothing_of_an_exceptions_text_is_markup(hostile):
    """By nbgrader's own renderer, without our filters."""
    for around in AROUND:
        text = comment(Finding("values", "raised", f"your code raised ValueError: {around.format(hostile)}"))
        assert not dangers(markdown2html(text)), text


def test_an_honest_message_reads_as_before():
    told = "your code raised ValueError: shapes (3,4) and (5,6) not aligned, in `A @ B` of `x < y`"
    assert comment(Finding("values", "raised", told)) == told
    assert "<code>x &lt; y</code>" in markdown2html(comment(Finding("values", "raised", told)))


def test_what_the_course_says_itself_keeps_its_code_and_brackets():
    diagnosis = Diagnosis("forgot the transpose: Q @ K", "Count axes from the end (`x.shape[-1]`): [3, 4] < [5].")
    assert comment(Finding("values", "values", "x"), diagnosis) == f"{diagnosis.name}. {diagnosis.hint}"


def test_signs_that_mean_something_are_shown_as_they_are():
    assert "a &lt;b&gt; [c](d) &amp;lt; e\\f" in markdown2html(plain("a <b> [c](d) &lt; e\\f"))
