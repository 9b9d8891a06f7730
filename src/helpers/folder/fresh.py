"""Runs a notebook's cells of code in this process, in order, and writes a line on each: `python -m ... NOTEBOOK TOLD`.

A cell that stops does not stop those below it.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from IPython.core.interactiveshell import InteractiveShell

from .cells import text_of


def main(notebook: Path, told: Path) -> None:
    """Run a notebook.

    Args:
        notebook: it.
        told: the file for what the cells said, a line of JSON for each: the error's type and text, "" where none was.
    """
    cells = json.loads(notebook.read_text(encoding="utf-8-sig"))["cells"]
    sys.path.insert(0, "")
    shell = InteractiveShell.instance()
    with open(told, "w", encoding="utf-8") as file:
        for cell in cells:
            if cell.get("cell_type") != "code":
                continue
            result = shell.run_cell(text_of(cell), store_history=True)
            error = result.error_before_exec or result.error_in_exec
            kind = type(error).__name__ if error is not None else ""
            file.write(json.dumps({"type": kind, "error": str(error or "") or kind}) + "\n")
            file.flush()


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:3]))
