"""The other notebooks of an assignment, as one of them finds them beside itself while it is run.

One notebook may run or read another. Beside nbgrader's graded notebooks, where it would be run by stock nbgrader, lie
those with hidden tests in them; so each is shown as its learner has it.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from nbformat import from_dict
from nbgrader.preprocessors import ClearHiddenTests, ClearMarkScheme
from traitlets.config import Config


def prepare(folder: Path, own: str, config: Config) -> None:
    """Take the notebook that is run out of a folder, and out of the others outputs, hidden tests and marking guides.

    Args:
        folder: a copy of the submission, which this changes.
        own: the name of the notebook that is run.
        config: the class's configuration, which may have other marks around hidden tests.
    """
    (folder / f"{own}.ipynb").unlink(missing_ok=True)
    for path in folder.glob("*.ipynb"):
        try:
            tree = json.loads(path.read_bytes())
            tree["cells"] = [_open(cell, config) for cell in tree["cells"]]
            path.write_text(json.dumps(tree), encoding="utf-8")
        except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError, RuntimeError):
            # What cannot be read as a notebook is none to its neighbour either.
            path.unlink(missing_ok=True)


def _open(cell: dict[str, Any], config: Config) -> dict[str, Any]:
    source = cell.get("source", "")
    read = from_dict(cell | {"source": source if isinstance(source, str) else "".join(source)})
    ClearHiddenTests(config=config)._remove_hidden_test_region(read)
    ClearMarkScheme(config=config)._remove_mark_scheme_region(read)
    if "outputs" in cell:
        read["outputs"], read["execution_count"] = [], None
    return dict(read)
