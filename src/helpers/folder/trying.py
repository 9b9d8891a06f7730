"""What a fresh reader of a notebook will see: its cells run once, in order, in a process that knows nothing else.

The memory of a kernel hides a cell that was deleted, or one that was run before another. Here the files that were
packed are laid out in an empty folder and the notebook runs there as Validate runs it: without training and drawing.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .cells import TEST, marks_of, name_of, text_of

# A notebook that takes longer is cut off; the seconds of one cell in grading are fewer.
SECONDS = 240
_OPEN = "not answered yet"


@dataclass(frozen=True)
class Seen:
    """What came out of running a notebook.

    Attributes:
        passed, unanswered: names of exercises.
        failed: names of exercises with the first line of what their check said.
        stopped: other cells that stopped with an error: the beginning of the cell and the error.
        cut: whether time ran out, or the process ended, before the last cell.
    """

    passed: tuple[str, ...] = ()
    unanswered: tuple[str, ...] = ()
    failed: tuple[tuple[str, str], ...] = ()
    stopped: tuple[tuple[str, str], ...] = ()
    cut: bool = False


def run(packed: Path, unit: str, seconds: float = SECONDS) -> Seen:
    """Run the notebook of a packed unit.

    Args:
        packed: the zip.
        unit: its name.
        seconds: how long it may take.
    """
    with tempfile.TemporaryDirectory(prefix="attention-", ignore_cleanup_errors=True) as place:
        folder = Path(place) / unit
        with zipfile.ZipFile(packed) as archive:
            archive.extractall(folder)
        told = Path(place) / "told.jsonl"
        call = [sys.executable, "-m", f"{__package__}.fresh", f"{unit}.ipynb", str(told)]
        environment = os.environ | {"NBGRADER_EXECUTION": "validate", "MPLBACKEND": "agg", "IPYTHONDIR": place}
        # What belongs to the kernel that this may be called from is no business of the new process.
        for name in ("JPY_SESSION_NAME", "JPY_PARENT_PID", "ATTENTION_JUDGE_FD"):
            environment.pop(name, None)
        silent = subprocess.DEVNULL
        try:
            subprocess.run(
                call,
                cwd=folder,
                env=environment,
                stdin=silent,
                stdout=silent,
                stderr=silent,
                timeout=seconds,
                check=False,
            )
        except subprocess.TimeoutExpired:
            pass
        lines = told.read_text(encoding="utf-8").splitlines() if told.is_file() else []
        cells = json.loads((folder / f"{unit}.ipynb").read_text(encoding="utf-8-sig"))["cells"]
    return _seen(cells, [json.loads(line) for line in lines])


def _seen(cells: list[dict[str, Any]], told: list[dict[str, str]]) -> Seen:
    """Sort what the cells of code said, in their order."""
    code = [cell for cell in cells if cell.get("cell_type") == "code"]
    passed, unanswered, failed, stopped = [], [], [], []
    for cell, one in zip(code, told):
        name, error = name_of(cell), one["error"]
        if name.startswith(TEST) and marks_of(cell).get("grade"):
            exercise = name.removeprefix(TEST)
            if not error:
                passed.append(exercise)
            elif one["type"] == "CheckFailed":
                headline = error.partition("\n")[0].partition(": ")[2]
                if headline.startswith(_OPEN):
                    unanswered.append(exercise)
                else:
                    failed.append((exercise, headline))
            else:
                failed.append((exercise, f"{one['type']}: {error}"))
        elif error:
            begin = next((line for line in text_of(cell).splitlines() if line.strip()), "")
            stopped.append((begin.strip()[:60], f"{one['type']}: {error}".partition("\n")[0]))
    return Seen(tuple(passed), tuple(unanswered), tuple(failed), tuple(stopped), len(told) < len(code))


def told(seen: Seen) -> str:
    """Return what the learner reads."""
    total = len(seen.passed) + len(seen.unanswered) + len(seen.failed)
    lines = [f"Run once from the top, as a fresh reader will: {len(seen.passed)} of {total} checks pass."]
    lines += [f"  {name}: {why}" for name, why in seen.failed]
    if seen.stopped:
        lines.append("These cells stopped. What they need may be in a cell that is gone, or that stands further down:")
        lines += [f"  {begin}   {why}" for begin, why in seen.stopped]
    if seen.cut:
        lines.append("It did not come to its end in time: the last cell that ran takes too long, or ends the program.")
    return "\n".join(lines)
