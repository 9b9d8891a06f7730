"""Shows what stands on the learner's own code; where that is not answered or wrong, a sentence comes instead."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

_LONGEST = 200


@contextlib.contextmanager
def trying(what: str) -> Iterator[None]:
    """Context manager for a demonstration cell: an error in it becomes a sentence and ends the cell's block.

    Args:
        what: what would be there, as the beginning of a sentence: "The clock".
    """
    try:
        yield
    except NotImplementedError:
        print(f"{what} appears here when the exercises before it are answered.")
    except Exception as error:
        told = " ".join(f"{type(error).__name__}: {error}".split())
        print(f"{what} cannot be shown yet, because your code raised {told[:_LONGEST]}")
        print("The check of the exercise above says more. When it passes, run this cell again.")
