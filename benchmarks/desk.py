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

import numpy as np
from rich.console import Console
from rich.table import Table

from helpers.desk import commands
from helpers.judging import catalog


def import_seconds(module: str, runs: int = 5) -> float:
    """Best time of importing a module in a fresh interpreter, the interpreter's own start taken off."""
    code = f"import time; t = time.perf_counter(); import {module}; print(time.perf_counter() - t)"
    return min(
        float(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout)
        for _ in range(runs)
    )


def check_seconds(name: str, answer: object) -> tuple[float, float]:
    """Time of the first check of an answer, and the best of the next ones."""
    times = []
    for _ in range(6):
        started = time.perf_counter()
        with contextlib.redirect_stdout(io.StringIO()):
            verdict = commands._judged(catalog.find(name), answer, False)
            assert verdict.status != "not answered"
        times.append(time.perf_counter() - started)
    return times[0], min(times[1:])


def main() -> None:
    base = import_seconds("numpy")
    table = Table("what", "first", "again", "ratio to importing NumPy")
    table.add_row("import numpy", f"{base:.3f} s", "", "1")
    seconds = import_seconds("helpers")
    table.add_row("import helpers", f"{seconds:.3f} s", "", f"{seconds / base:.2f}")
    for unit in catalog.units():
        for exercise in catalog.unit_exercises(unit).values():
            if any(case.init and case.init.weights_file for case in exercise.cases(np.random.default_rng(0))):
                continue  # needs trained weights beside the notebook
            wrong = exercise.mistakes[0].wrong
            for kind, answer in (("right", exercise.reference), ("wrong", wrong)):
                first, again = check_seconds(exercise.name, answer)
                table.add_row(
                    f"check({exercise.name}), {kind}", f"{first:.3f} s", f"{again:.3f} s", f"{again / base:.2f}"
                )
    Console().print(table)


if __name__ == "__main__":
    main()
