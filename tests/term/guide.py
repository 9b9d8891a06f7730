"""Reads the instructor's guide: its sections, the commands in them, and what they say one sees.

In docs/instructors.md a fence marked `sh` is typed; `text` after it is what appears, with `…` for anything; a table
whose first column is `student` is what then stands in report/grades.csv; `csv` is the content of a file; an unmarked
fence is not typed.
"""

import re
from dataclasses import dataclass, field
from pathlib import Path

GUIDE = Path(__file__).parents[2] / "docs" / "instructors.md"
_PART = re.compile(r"```(\w*)\n(.*?)```|^(\| student \|[^\n]*\n(?:\|[^\n]*\n)+)", re.DOTALL | re.MULTILINE)


@dataclass
class Step:
    """Commands that are typed together, the lines that appear, and rows of report/grades.csv: column → cell."""

    commands: str
    seen: list[str] = field(default_factory=list)
    rows: list[dict[str, str]] = field(default_factory=list)


@dataclass
class Section:
    """A section of the guide: its steps in order, and the files that it shows."""

    title: str
    steps: list[Step]
    files: list[str]


def sections() -> dict[str, Section]:
    """Return the sections by title, without their numbers."""
    parts = re.split(r"^## \d+\. (.*)$", GUIDE.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return {title: _section(title, text) for title, text in zip(parts[1::2], parts[2::2])}


def _section(title: str, text: str) -> Section:
    found = Section(title, [], [])
    for kind, body, table in _PART.findall(text):
        if kind == "sh":
            found.steps.append(Step(body))
        elif kind == "text":
            found.steps[-1].seen += body.splitlines()
        elif kind == "csv":
            found.files.append(body)
        elif table:
            head, _, *rows = ([cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines())
            found.steps[-1].rows += [dict(zip(head, row)) for row in rows]
    return found


def missing(seen: list[str], output: str) -> list[str]:
    """Return the lines that do not appear in the output in this order."""
    lines = iter(output.splitlines())
    patterns = {line: re.compile(".*".join(map(re.escape, line.split("…")))) for line in seen}
    return [line for line in seen if not any(patterns[line].match(one) for one in lines)]
