"""Runs an answer with other pieces in place of the notebook's own ones that it builds on."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from helpers.exercise import Case

from . import reading, runner


def own_pieces(target: Any, names: Iterable[str]) -> dict[str, Any]:
    """The notebook's own functions and classes among some names that an answer calls."""
    wanted = set(names)
    return {name: value for name, value in reading.used(target).items() if name in wanted}


def run(
    target: Any, cases: Iterable[Case], pieces: Mapping[str, Any], forbidden: Iterable[str] = ()
) -> list[runner.Answer]:
    """Call `target` as `runner.run` does, with `pieces` in place of what the notebook has under these names."""
    with _replaced(reading.global_names(target), pieces):
        return runner.run(target, cases, forbidden)


@contextlib.contextmanager
def _replaced(names: dict[str, Any], pieces: Mapping[str, Any]) -> Iterator[None]:
    before = {name: names[name] for name in pieces if name in names}
    names.update({name: pieces[name] for name in before})
    try:
        yield
    finally:
        names.update(before)
