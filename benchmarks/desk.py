"""How long a learner waits: importing helpers, and a check of a right and of a wrong answer, beside importing NumPy.

Each figure is the best of several runs in this one process or in fresh ones, side by side; the ratio is to importing
NumPy, which every notebook does anyway.
"""

from __future__ import annotations

import contextlib
import io
import subprocess
import sys
import time
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from helpers.desk import commands
from helpers.exercise import Exercise
from helpers.judging import catalog, judge


def import_seconds(module: str, runs: int = 5) -> float:
    """Best time of importing a module in a fresh interpreter, the interpreter's own start taken off."""
    code = f"import time; t = time.perf_counter(); import {module}; print(time.perf_counter() - t)"
    return min(
        float(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout)
        for _ in range(runs)
    )


def check_seconds(name: str, answer: object) -> tuple[float, float]:
    """Processor time of the first check of an answer, and the best of the next ones."""
    times = []
    for _ in range(6):
        started = time.process_time()
        with contextlib.redirect_stdout(io.StringIO()):
            verdict, _ = commands._judged(catalog.find(name), answer, False)
            assert verdict.status != "not answered"
        times.append(time.process_time() - started)
    return times[0], min(times[1:])


def disturbed(exercise: Exercise) -> Any:
    """A wrong answer that no mistake, variant or relation explains, so that every step is gone through; None where the
    result is not one of numbers."""
    reference: Any = exercise.reference
    if isinstance(reference, type):

        class Disturbed(reference):  # type: ignore[misc]
            def forward(self, *args: Any, **kwargs: Any) -> Any:
                return _other_numbers(super().forward(*args, **kwargs))

        return Disturbed
    value = judge.paper(exercise).expected[0]["value"]
    first = value[0] if isinstance(value, tuple) else value
    if not isinstance(first, (np.ndarray, float)):
        return None
    return lambda *args, **kwargs: _other_numbers(reference(*args, **kwargs))


def _other_numbers(result: Any) -> Any:
    if isinstance(result, tuple):
        return (_other_numbers(result[0]), *result[1:])
    return result * 1.01 + 0.003


def main() -> None:
    base = import_seconds("numpy")
    table = Table("what", "first", "again", "ratio to importing NumPy")
    table.add_row("import numpy", f"{base:.3f} s", "", "1")
    failing: list[float] = []
    seconds = import_seconds("helpers")
    table.add_row("import helpers", f"{seconds:.3f} s", "", f"{seconds / base:.2f}")
    for unit in catalog.units():
        for exercise in catalog.unit_exercises(unit).values():
            if any(case.init and case.init.weights_file for case in exercise.cases(np.random.default_rng(0))):
                continue  # needs trained weights beside the notebook
            known = exercise.mistakes[0].wrong
            for kind, answer in (
                ("right", exercise.reference),
                ("a known mistake", known),
                ("wrong, and nothing fits", disturbed(exercise)),
            ):
                if answer is None:
                    continue
                judge.paper.cache_clear()
                first, again = check_seconds(exercise.name, answer)
                if kind != "right":
                    failing.append(first)
                table.add_row(
                    f"check({exercise.name}), {kind}", f"{first:.3f} s", f"{again:.3f} s", f"{again / base:.2f}"
                )
    failing.sort()
    table.add_row(
        "first failing check, median and 95th of a hundred",
        f"{failing[len(failing) // 2]:.3f} s",
        f"{failing[int(len(failing) * 0.95)]:.3f} s",
        "",
    )
    Console().print(table)


if __name__ == "__main__":
    main()
