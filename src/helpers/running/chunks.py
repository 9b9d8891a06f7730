"""Reads a text in pieces, as a caller with a cache does: each call gets what the call before returned for it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from .errors import NotRunnable

if TYPE_CHECKING:
    import torch


def read(function: Callable[..., Any], lengths: Sequence[int], whole: torch.Tensor, *others: Any, **named: Any) -> Any:
    """Call a function for one piece after the other and return its results, joined along the last axis but one.

    Args:
        function: `function(piece, *others, **named)` at first, and `function(piece, *others, cache, **named)` for every
            later piece; returns a pair, a tensor (..., n, d) for the n entries of the piece and the next cache.
        lengths: of the pieces.
        whole: what is cut, along its last axis.

    The last piece is read twice from the same cache, as a caller may who tries two ways to go on; the second result
    counts.

    Raises:
        NotRunnable: the function returns something else; the message is for the learner.
    """
    import torch

    pieces = whole.split(list(lengths), dim=-1)
    results: list[Any] = []
    cache: tuple[Any, ...] = ()
    before: tuple[Any, ...] = ()
    for piece in pieces:
        before = cache
        result, following = _pair(function(piece, *others, *before, **named))
        results.append(result)
        cache = (following,)
    results[-1], _ = _pair(function(pieces[-1], *others, *before, **named))
    return torch.cat(results, dim=-2)


def _pair(returned: Any) -> tuple[Any, Any]:
    import torch

    if not isinstance(returned, (tuple, list)) or len(returned) != 2:
        kind = f"{len(returned)} results" if isinstance(returned, (tuple, list)) else f"a {type(returned).__name__}"
        raise NotRunnable(f"the call returned {kind}; expected two: a tensor, and the cache for the next call")
    result, cache = returned
    if not torch.is_tensor(result) or result.ndim < 2:
        kind = f"a tensor of shape {tuple(result.shape)}" if torch.is_tensor(result) else f"a {type(result).__name__}"
        raise NotRunnable(f"the first result is {kind}; expected a tensor with one row for each token")
    return result, cache
