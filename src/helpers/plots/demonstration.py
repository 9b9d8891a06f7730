"""Cells that show what the learner's own functions do: unanswered or wrong, they say so and never stop *Run All*."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from html import escape

from helpers.language import told

from .wording import joined

_LONGEST_ERROR = 200


@contextmanager
def demonstration(*needed: str) -> Iterator[None]:
    """Run a block that calls the learner's functions; where it cannot, a sentence stands in its place.

    Args:
        needed: names of the exercises that the block calls.
    """
    try:
        yield
    except Exception as error:  # whatever a half-written answer may do
        _tell(*_sentence(needed, error))


def _sentence(needed: tuple[str, ...], error: Exception) -> tuple[str, str]:
    """A mark and a sentence on why the block stopped."""
    names, several = joined(needed), len(needed) > 1
    # Torch raises the same class, with a text, where a module has no `forward`: such an answer was begun.
    if isinstance(error, NotImplementedError) and not error.args:
        return "○", f"This cell needs {names}. Answer {'them' if several else 'it'}, then run this cell again."
    what = " ".join(f"{type(error).__name__}: {error}".split())
    what = what if len(what) <= _LONGEST_ERROR else f"{what[:_LONGEST_ERROR]} …"
    checks = "their checks pass" if several else "its check passes"
    return "✗", (
        f"This cell needs {names}, and with what stands there now it stops. If {checks}, a cell above was run in"
        f" another order: Kernel → Restart Kernel and Run All Cells. {what}"
    )


def _tell(mark: str, sentence: str) -> None:
    from IPython.display import display

    sentence = told(sentence)
    html = f'<div role="status" style="padding:.35em 0">{mark} {escape(sentence)}</div>'
    display({"text/html": html, "text/plain": f"{mark} {sentence}"}, raw=True)
