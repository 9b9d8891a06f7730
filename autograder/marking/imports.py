"""Which modules the notebooks of an assignment import, to tell before grading what is not there."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath

# Lines that are IPython's and not Python's.
_MAGIC = re.compile(r"^\s*[%!?].*$", re.MULTILINE)
# After any of these nobody can tell from outside what is there.
_CHANGED = ("sys.path", "importlib", "%cd", "os.chdir")
_WRITTEN = re.compile(r"^%%(?:writefile|file)\s+(?:-a\s+)?(\S+)", re.MULTILINE)


def code_of(source: Path, notebooks: Iterable[str]) -> Iterator[str]:
    """Yield the code cells of notebooks in a folder as they were written; of what cannot be read, none."""
    for name in notebooks:
        try:
            cells = json.loads((source / f"{name}.ipynb").read_bytes())["cells"]
            texts = [cell["source"] for cell in cells if cell["cell_type"] == "code"]
            yield from ("".join(text) for text in texts)
        except (OSError, ValueError, KeyError, TypeError):
            continue


def imported(sources: Iterable[str], files: Iterable[str]) -> tuple[str, ...]:
    """Return the top-level names of modules that cells import outside of any `try`, `if` or function.

    Args:
        sources: of the code cells.
        files: paths of the files beside the notebooks, whose modules are left out, as are those that a cell writes.
    """
    cells = [*sources]
    if any(word in cell for cell in cells for word in _CHANGED):
        return ()
    beside = {PurePosixPath(path).parts[0].partition(".")[0] for path in files}
    beside |= {PurePosixPath(path).stem for cell in cells for path in _WRITTEN.findall(cell)}
    found = {name for cell in cells if not cell.startswith("%%") for name in _names(cell)}
    return tuple(sorted(found - beside))


def _names(cell: str) -> Iterable[str]:
    try:
        statements = ast.parse(_MAGIC.sub("", cell)).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return
    for one in statements:
        if isinstance(one, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in one.names)
        elif isinstance(one, ast.ImportFrom) and not one.level and one.module:
            yield one.module.partition(".")[0]
