"""Cells that nbgrader's own rule gives points, in a plain assignment or beside checks: what never ran has none.

That rule gives a test cell all its points unless an error stands under it. Nothing stands under a cell that was never
run, so whoever ended the kernel in the first answer would have passed every test after it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from jupyter_client.kernelspec import NoSuchKernel
from nbformat import NotebookNode
from nbgrader import utils

from . import named_kernels
from .cell_errors import failed_cell

NOT_RUN = "NotExecuted"
# So many cells are named.
_MOST = 10


def need_python(nb: NotebookNode) -> None:
    """Fail as nbgrader does when the notebook's kernel is not Python's.

    Raises:
        NoSuchKernel: it is not; the message says which it is.
    """
    reason = named_kernels.refused(nb.metadata.get("kernelspec"))
    if reason:
        raise NoSuchKernel(reason)


def mark_not_run(
    nb: NotebookNode, ends: Mapping[int, str], stopped: str, judged: Callable[[NotebookNode], bool]
) -> list[str]:
    """Put an error into each test cell that was not run to its end, and return a note that names them, or nothing.

    Args:
        nb: the executed notebook.
        ends: why each cell that was begun is not to be trusted, "" where it came to its end.
        stopped: why the notebook was stopped, or "".
        judged: whether a cell's points come from the judge and not from its outputs.
    """
    names = []
    for index, cell in enumerate(nb.cells):
        if cell.cell_type != "code" or not utils.is_grade(cell) or utils.is_solution(cell) or judged(cell):
            continue
        reason = ends.get(index, stopped or "the notebook ended before it")
        if reason:
            names.append(cell.metadata.nbgrader["grade_id"])
            # In front: the rule takes the first number that it finds for the points.
            cell.outputs.insert(0, failed_cell(NOT_RUN, f"this cell was not run to its end: {reason}"))
    if not names:
        return []
    more = f" and {len(names) - _MOST} more" if len(names) > _MOST else ""
    return [f"0 points for what was not run to its end: {', '.join(names[:_MOST])}{more}"]


def tagged_to_be_skipped(cell: NotebookNode) -> bool:
    """Whether a cell has nbclient's tag that it is not run: as in stock nbgrader, but for one that gives points, where
    who hands in could have put it.
    """
    return not utils.is_grade(cell) and "skip-execution" in cell.metadata.get("tags", ())
