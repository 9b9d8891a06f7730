"""How truly a check says what is wrong: the wrong answers of `tests/helpers/judging/measured`, judged as at the desk.

Run from the repository's root as `python -m benchmarks.naming [unit or exercise ...]`. Every answer goes through the
visible and the hidden check. Printed is, for each, what is really wrong and what the check says, then a table by unit:
how many are caught, how many are named, and what a person judged of the names. A name that differs from the one that
was judged counts as not judged; write the new judgement beside the answer.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
import warnings
from collections import Counter
from dataclasses import dataclass
from statistics import quantiles

import torch
from rich.console import Console
from rich.table import Table

from helpers.data import WEIGHTS
from helpers.desk import commands
from helpers.judging import catalog
from helpers.verdict import Verdict
from tests.helpers.judging import measured


@dataclass(frozen=True)
class Outcome:
    """What came of one answer: the two verdicts, and the seconds of processor time that the visible check took."""

    answer: measured.Answer
    visible: Verdict
    hidden: Verdict
    seconds: float

    @property
    def said(self) -> str:
        """The name that a learner reads first; "" where only the certain is said."""
        verdict = self.hidden if self.visible.passed else self.visible
        if verdict.status == "not answered":
            return "not answered yet"
        return verdict.diagnosis.name if verdict.diagnosis is not None else ""

    @property
    def hint(self) -> str:
        """The hint that comes with the name."""
        diagnosis = (self.hidden if self.visible.passed else self.visible).diagnosis
        return "" if diagnosis is None else diagnosis.hint

    @property
    def certain(self) -> str:
        """What is said of the first failure, whether or not it has a name."""
        finding = (self.hidden if self.visible.passed else self.visible).finding
        return "" if finding is None else f"{finding.message} [{finding.note}]"

    @property
    def state(self) -> str:
        """What the table counts: "passing", "certain", a judgement of the name, or "open".

        Where nothing but the trained weights is missing, which none of the answers has, the answer passes.
        """
        findings = [verdict.finding for verdict in (self.visible, self.hidden) if not verdict.passed]
        if all(finding is not None and WEIGHTS in finding.message for finding in findings):
            return "passing"
        if not self.said:
            return measured.CERTAIN
        return self.answer.judged if self.answer.said == self.said else "open"


def try_answer(answer: measured.Answer, number: int) -> Outcome:
    """Run an answer's cell and put it to the visible and the hidden check."""
    exercise = catalog.find(answer.exercise)
    assert exercise is not None
    torch.manual_seed(0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        target = measured.run(answer, number)
        started = time.process_time()
        visible, _ = commands._judged(exercise, target, False)
        seconds = time.process_time() - started
        hidden, _ = commands._judged(exercise, target, True)
        return Outcome(answer, visible, hidden, seconds)


def show(outcome: Outcome) -> str:
    """Return an outcome as five lines."""
    only = " (caught by the hidden check alone)" if outcome.visible.passed and not outcome.hidden.passed else ""
    return (
        f"{outcome.answer.exercise} [{outcome.state}]{only}\n  truth: {outcome.answer.truth}\n"
        f"  said:  {outcome.said or '-'}\n  hint:  {outcome.hint or '-'}\n  found: {outcome.certain}\n"
    )


def main(chosen: list[str]) -> None:
    columns = ("passing", measured.TRUE, measured.FALSE, measured.CERTAIN, "open")
    table = Table("unit", "answers", "caught", "by the hidden check alone", *columns[1:], "seconds: median", "p95")
    whole: list[Outcome] = []
    for path in sorted(measured.FOLDER.glob("*.toml")):
        answers = [
            (number, answer)
            for number, answer in enumerate(measured.load(path))
            if not chosen or path.stem in chosen or answer.exercise in chosen
        ]
        outcomes = []
        with tempfile.TemporaryDirectory() as folder:
            before = os.getcwd()
            os.chdir(folder)  # no weights of anyone's lie beside the answers
            try:
                for number, answer in answers:
                    outcomes.append(try_answer(answer, number))
                    print(show(outcomes[-1]), flush=True)
            finally:
                os.chdir(before)
        if outcomes:
            table.add_row(path.stem, *_row(outcomes, columns))
            whole += outcomes
    if whole:
        table.add_row("all", *_row(whole, columns))
        Console(width=140).print(table)


def _row(outcomes: list[Outcome], columns: tuple[str, ...]) -> list[str]:
    counts = Counter(outcome.state for outcome in outcomes)
    alone = sum(one.visible.passed and not one.hidden.passed for one in outcomes)
    seconds = sorted(one.seconds for one in outcomes)
    last = quantiles(seconds, n=20)[-1] if len(seconds) > 1 else seconds[0]
    caught = len(outcomes) - counts["passing"]
    shown = [str(counts[name]) for name in columns[1:]]
    return [str(len(outcomes)), str(caught), str(alone), *shown, f"{seconds[len(seconds) // 2]:.2f}", f"{last:.2f}"]


if __name__ == "__main__":
    main(sys.argv[1:])
