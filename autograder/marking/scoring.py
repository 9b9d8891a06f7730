"""From an executed notebook and its outcome to points and comments, the same for every way of grading."""

from __future__ import annotations

import re
from dataclasses import dataclass

from nbformat import NotebookNode
from nbgrader import utils

from helpers.folder.cells import TEST
from helpers.verdict import Verdict

from .outcomes import Outcome

# A piece set as code: between single backticks in which, and before which, nothing else gives them another meaning.
_CODE = re.compile(r"(?<![`\\])`[^`\n]+`(?!`)")
_MARKUP = re.compile(r"[\\<>\[\]&]")


@dataclass(frozen=True)
class Score:
    """Points of one cell.

    Attributes:
        name: the cell's grade_id.
        points: automatic points; None when only a person can tell.
        settled: whether a person's look is not needed even where one has graded the cell before.
    """

    name: str
    points: float | None
    settled: bool = False

    def by_hand(self, manual: float | None) -> bool:
        """Whether the cell waits for a person, given the points that a person gave it before."""
        return not self.settled and (self.points is None or manual is not None)


def score(cell: NotebookNode, outcome: Outcome | None) -> Score:
    """Return the points of a graded cell: the judge's verdict where there is one, else nbgrader's own rule."""
    name = cell.metadata["nbgrader"]["grade_id"]
    verdict = outcome.final.get(name[len(TEST) :]) if outcome is not None and name.startswith(TEST) else None
    if verdict is not None:
        return Score(name, verdict.share * float(cell.metadata.nbgrader["points"]))
    if outcome is not None and outcome.ungradable:
        return Score(name, 0.0, settled=True)
    return Score(name, _by_outputs(cell))


def _by_outputs(cell: NotebookNode) -> float | None:
    """nbgrader's own rule, for whatever a learner's code can put under a cell."""
    manual = utils.is_solution(cell) or cell.cell_type != "code"
    if not manual and any(output.output_type == "error" for output in cell.outputs):
        # Also behind a number that was shown first, which the rule would take for the points.
        return 0.0
    try:
        points: float | None = utils.determine_grade(cell)[0]
    except (ValueError, KeyError):
        # A number above the most, or a result without text: nbgrader gives up the whole submission. What is no number
        # of points gives all points by its rule.
        return float(cell.metadata.nbgrader["points"])
    return points


def comment(cell: NotebookNode, outcome: Outcome | None) -> str | None:
    """Return the automatic comment on an answer: what the judge found, or that there is no response, or None."""
    verdict = outcome.final.get(cell.metadata["nbgrader"]["grade_id"]) if outcome is not None else None
    if verdict is not None and not verdict.passed:
        # What a diagnosis says is the course's own; all else may quote the learner's code.
        return told(verdict) if verdict.diagnosis is not None else plain(told(verdict))
    unchanged = cell.metadata.nbgrader.get("checksum") == utils.compute_checksum(cell)
    return "No response." if unchanged and not utils.is_task(cell) else None


def plain(text: str) -> str:
    """Return a text that is markdown for itself: nbgrader renders comments, and an exception's text is the learner's.

    Outside of `code`, the signs that begin a tag, a reference or a link get a backslash. All in one line: so no other
    line can change what a backtick means.
    """
    text = " ".join(text.split())
    pieces = _CODE.split(text)
    codes = [*_CODE.findall(text), ""]
    return "".join(_MARKUP.sub(r"\\\g<0>", piece) + code for piece, code in zip(pieces, codes))


def told(verdict: Verdict) -> str:
    """What a learner reads about a verdict in the gradebook and in feedback: no data of any case."""
    if verdict.status == "not answered":
        return "No response."
    if verdict.diagnosis is not None:
        return f"{verdict.diagnosis.name}. {verdict.diagnosis.hint}"
    finding = verdict.finding
    if finding is None:
        return "not right yet"
    return f"The hidden check found that “{finding.property}” does not hold." if verdict.hidden else finding.message
