"""Text in cells of a spreadsheet."""

from __future__ import annotations


def as_text(cell: str) -> str:
    """Return a cell that no spreadsheet takes for a formula, whatever a student is called."""
    return (
        f"'{cell}"
        if cell.lstrip(" \u00a0")[:1] in ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠") and cell.strip()
        else cell
    )
