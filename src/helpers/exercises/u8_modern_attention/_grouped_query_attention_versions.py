"""Wrong versions of `grouped_query_attention`: a right one in steps, and other ways to share the heads."""

from __future__ import annotations

from typing import Any

import torch

from helpers.exercise import in_parts
from helpers.reference import u8_modern_attention as reference

from ..attention import Scale, root_of_width, transposed
from ..common import Answer, Step
from ..masking import Weigh, masked_softmax


def interleaved(X: Any, h: int) -> Any:
    return X.repeat_interleave(h // X.shape[-3], dim=-3)


def tiled(X: Any, h: int) -> Any:
    return torch.cat([X] * (h // X.shape[-3]), dim=-3)


def repeated_too_often(X: Any, h: int) -> Any:
    return X.repeat_interleave(X.shape[-3], dim=-3)


def by_shared_heads(X: Any, h: int) -> Any:
    return X[..., torch.arange(h) // X.shape[-3], :, :]


def by_shared_heads_clamped(X: Any, h: int) -> Any:
    return X[..., (torch.arange(h) // X.shape[-3]).clamp(max=X.shape[-3] - 1), :, :]


def groups(X: Any, h_kv: int) -> Any:
    """The query heads of each shared head on an axis of their own: (..., h_kv, h / h_kv, n, d)."""
    return X.reshape(*X.shape[:-3], h_kv, -1, *X.shape[-2:])


@in_parts
def grouped(
    weigh: Weigh = masked_softmax,
    repeat_k: Step = interleaved,
    repeat_v: Step = interleaved,
    scale: Scale = root_of_width,
) -> Answer:
    """Grouped attention with some of its steps replaced."""

    def wrong(Q: Any, K: Any, V: Any, mask: Any = None) -> Any:
        h = Q.shape[-3]
        if h % K.shape[-3]:
            raise ValueError("heads do not divide")
        K, V = repeat_k(K, h), repeat_v(V, h)
        return weigh(Q @ transposed(K) / scale(Q, K, V), mask) @ V

    return wrong


def four_axes_only(Q: Any, K: Any, V: Any, mask: Any = None) -> Any:
    b, h, n, d = Q.shape
    return reference.grouped_query_attention(Q, K, V, mask)


def with_weights(Q: Any, K: Any, V: Any, mask: Any = None) -> Any:
    output = reference.grouped_query_attention(Q, K, V, mask)
    return output, masked_softmax(Q @ transposed(interleaved(K, Q.shape[-3])) / Q.shape[-1] ** 0.5, mask)


def heads_stretched(Q: Any, K: Any, V: Any, mask: Any = None) -> Any:
    h, h_kv = Q.shape[-3], K.shape[-3]
    share = torch.arange(h) * h_kv // h
    return grouped()(Q, K[..., share, :, :], V[..., share, :, :], mask)


def groups_averaged(Q: Any, K: Any, V: Any, mask: Any = None) -> Any:
    output = reference.grouped_query_attention(Q, K, V, mask)
    return groups(output, K.shape[-3]).mean(dim=-3)


def _one_query_a_group(choose: Step) -> Answer:
    """Grouped attention in which `choose` makes one head of queries of each group (..., h_kv, h / h_kv, n, d)."""

    def wrong(Q: Any, K: Any, V: Any, mask: Any = None) -> Any:
        h, h_kv = Q.shape[-3], K.shape[-3]
        if h % h_kv:
            raise ValueError("heads do not divide")
        return grouped()(choose(groups(Q, h_kv)).repeat_interleave(h // h_kv, dim=-3), K, V, mask)

    return wrong


queries_averaged = _one_query_a_group(lambda Q: Q.mean(dim=-3))
queries_summed = _one_query_a_group(lambda Q: Q.sum(dim=-3))
first_queries = _one_query_a_group(lambda Q: Q[..., 0, :, :])


def keys_for_values(Q: Any, K: Any, V: Any, mask: Any = None) -> Any:
    return grouped()(Q, V, K, mask)


def mask_on_groups(Q: Any, K: Any, V: Any, mask: Any = None) -> Any:
    h_kv = K.shape[-3]
    if Q.shape[-3] % h_kv:
        raise ValueError("heads do not divide")
    scores = groups(Q, h_kv) @ transposed(K.unsqueeze(-3)) / Q.shape[-1] ** 0.5
    return (masked_softmax(scores, mask) @ V.unsqueeze(-3)).flatten(-4, -3)
