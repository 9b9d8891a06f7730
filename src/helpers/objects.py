"""Helper objects that a case may name and the runner builds in the learner's process from plain options.

An object may have `observe()`, which returns its state as plain arrays after the call.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np


class TableLanguageModel:
    """A next-token model that is a table: the logits depend on the last id and on how many ids there are.

    Called with a list of ids, it returns the row `logits[len(ids) - 1, last id]` as a torch tensor (vocab,).

    Args:
        logits: (steps, vocab, vocab); longer sentences use the last step again.
        bos_id: the id that every call must begin with; None does not look.
    """

    def __init__(self, logits: np.ndarray, bos_id: int | None = None) -> None:
        self.logits = np.array(logits)
        self.bos_id = bos_id

    def __call__(self, ids: list[int]) -> Any:
        """Return the logits of the next token.

        Raises:
            TypeError: `ids` is not a list of Python ints; the message is for the learner.
            ValueError: it is empty or does not begin with bos.
        """
        import torch

        if type(ids) is not list:
            raise TypeError(f"next_logits wants a list of ids, and was given a {type(ids).__name__}")
        odd = next((token for token in ids if type(token) is not int), None)
        if odd is not None:
            raise TypeError(f"next_logits wants a list of plain whole numbers, and one of these is a {type(odd).__name__}: int(...) makes a number of it")
        if not ids or (self.bos_id is not None and ids[0] != self.bos_id):
            raise ValueError(f"next_logits wants all ids so far, with bos (here {self.bos_id}) in front, and was given {'no ids' if not ids else f'a list that begins with {ids[0]}'}")
        step = min(len(ids), len(self.logits)) - 1
        return torch.from_numpy(self.logits[step, ids[-1]].copy())


_BUILDERS: dict[str, Callable[..., Any]] = {"table_language_model": TableLanguageModel}


def build(name: str, options: Mapping[str, Any]) -> Any:
    """Return the object of that name.

    Raises:
        ValueError: there is none of that name.
    """
    if name not in _BUILDERS:
        raise ValueError(f"there is no helper object {name!r}; there are {', '.join(sorted(_BUILDERS))}")
    return _BUILDERS[name](**options)
