"""Results as values that the wire carries, and what can be seen of them: sameness, shared memory, gradients."""

from __future__ import annotations

import itertools
import sys
from collections.abc import Iterable
from typing import Any

import numpy as np

from .errors import NotRunnable


def is_tensor(value: Any) -> bool:
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(value, torch.Tensor)


def to_array(tensor: Any) -> np.ndarray:
    tensor = tensor.detach().cpu()
    if str(tensor.dtype) == "torch.bfloat16":
        tensor = tensor.float()
    return np.array(tensor.resolve_conj().resolve_neg().numpy())


def snapshot(item: Any) -> np.ndarray | None:
    if isinstance(item, np.ndarray):
        return item.copy()
    return to_array(item) if is_tensor(item) else None


def outline(item: Any) -> Any:
    """The lists and dicts among the arguments with their keys and plain entries, to see whether the call changed
    them."""
    if isinstance(item, dict):
        return {name: outline(part) for name, part in item.items()}
    if isinstance(item, (list, tuple)):
        return [outline(part) for part in item]
    return item if isinstance(item, (bool, int, float, str)) else None


def plain(value: Any, depth: int = 0) -> Any:
    """Return the result as values that the wire carries; raise `NotRunnable` when there is no such form."""
    if depth > 20:
        raise NotRunnable("nested too deeply")
    if is_tensor(value):
        return to_array(value)
    if isinstance(value, np.ma.MaskedArray):
        raise NotRunnable("masked array")
    if isinstance(value, np.ndarray):
        if value.dtype.kind not in "biufc" or value.dtype.itemsize > 16 or value.dtype.str[1:] == "f16":
            raise NotRunnable("dtype")
        return np.array(value)
    if isinstance(value, np.generic):
        return plain(np.asarray(value), depth)
    if value is None:
        return None
    if isinstance(value, (bool, int, float, str)):
        return _base(value)
    if isinstance(value, dict):
        if len(value) > 10_000 or any(type(key) is not str for key in value):
            raise NotRunnable("dict")
        return {key: plain(item, depth + 1) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        if len(value) > 100_000:
            raise NotRunnable("too long")
        kind = tuple if isinstance(value, tuple) else list
        return kind(plain(item, depth + 1) for item in value)
    raise NotRunnable(type(value).__name__)


def kind(result: Any) -> str:
    """The name of a result's type, and of what it consists of where that is one type: "tuple of Tensor"."""
    name = type(result).__name__
    parts = {type(leaf).__name__ for leaf in leaves(result)} if isinstance(result, (tuple, list)) else set()
    return f"{name} of {parts.pop()}" if len(parts) == 1 else name


def opaque(result: Any) -> str:
    """What a result that cannot be passed on is called; for an array its dtype is what is wrong with it."""
    plain = isinstance(result, np.ndarray) and not isinstance(result, np.ma.MaskedArray)
    return f"NumPy array of dtype {result.dtype}"[:100] if plain else type(result).__name__


def _base(value: Any) -> Any:
    for kind in (bool, int, float, str):
        if isinstance(value, kind):
            return kind(value)
    raise NotRunnable(type(value).__name__)


def leaves(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return list(itertools.chain.from_iterable(leaves(v) for v in value.values()))
    if isinstance(value, (list, tuple)):
        return list(itertools.chain.from_iterable(leaves(v) for v in value))
    return [value]


def _storage(item: Any) -> np.ndarray | None:
    if isinstance(item, np.ndarray):
        return item
    if is_tensor(item) and item.device.type == "cpu" and str(item.dtype) != "torch.bfloat16" and not item.is_sparse:
        return np.asarray(item.detach().resolve_conj().resolve_neg().numpy())
    return None


def shares_memory(result: Any, inputs: Iterable[Any]) -> bool:
    outputs = [s for s in map(_storage, leaves(result)) if s is not None and s.size]
    sources = [s for s in map(_storage, inputs) if s is not None and s.size]
    return any(np.may_share_memory(a, b) for a in outputs for b in sources)


def same(a: Any, b: Any) -> bool:
    """Exact equality of two plain values; NaN equals NaN."""
    if isinstance(a, np.ndarray) and isinstance(b, np.ndarray):
        return a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()
    if type(a) is not type(b):
        return False
    if isinstance(a, dict):
        return list(a) == list(b) and all(same(a[k], b[k]) for k in a)
    if isinstance(a, (list, tuple)):
        return len(a) == len(b) and all(map(same, a, b))
    return bool(a == b or (a != a and b != b))


def gradients(result: Any, built: dict[str, Any], module: Any) -> dict[str, np.ndarray | None]:
    """Gradients of sum(output * w) for fixed weights w that depend on the output's place and size only."""
    import torch

    total = None
    for index, leaf in enumerate(leaves(result)):
        if is_tensor(leaf) and leaf.is_floating_point():
            weights = torch.cos(torch.arange(leaf.numel(), dtype=torch.float64) * 1.7 + index).to(leaf.dtype)
            part = (leaf * weights.reshape(leaf.shape)).sum()
            total = part if total is None else total + part
    sources = {f"argument {place}": item for place, item in built.items() if is_tensor(item) and item.requires_grad}
    if module is not None and hasattr(module, "named_parameters"):
        sources.update({name: item for name, item in module.named_parameters() if item.requires_grad})
    if total is None or not total.requires_grad:
        return dict.fromkeys(sources)
    total.backward()
    return {name: None if item.grad is None else to_array(item.grad) for name, item in sources.items()}
