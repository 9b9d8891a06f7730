"""Measures how much memory a piece of code newly holds in torch tensors at one time.

A dispatch mode follows every storage that an operation makes until it is let go. Views (a transpose, a slice,
`expand`) make no storage and count nothing; neither does scratch space inside a single operation.
"""

from __future__ import annotations

import weakref
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves


class Peak(TorchDispatchMode):
    """Context manager that notes the most memory in new tensors that is held at one time while it is entered.

    Args:
        budget: in bytes; as soon as more is held, the code is stopped with a `MemoryError`. None: no budget.

    Attributes:
        bytes: the most bytes of new tensors held at one time.
        elements: the most entries of new tensors held at one time, whatever their dtype.
    """

    def __init__(self, budget: int | None = None) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # torch leaves its modes untyped
        self.budget = budget
        self.bytes = 0
        self.elements = 0
        self._held: dict[int, tuple[int, int]] = {}

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        # Nothing is compiled under this mode; guarding against it would import the compiler, for seconds.
        return False

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        known = {tensor.untyped_storage()._cdata for tensor in _tensors((args, kwargs or {}))}
        for tensor in _tensors(result):
            storage = tensor.untyped_storage()
            if storage.nbytes() and storage._cdata not in known and storage._cdata not in self._held:
                self._held[storage._cdata] = storage.nbytes(), storage.nbytes() // tensor.element_size()
                weakref.finalize(storage, self._held.pop, storage._cdata, None).atexit = False
                self._note()
        return result

    def _note(self) -> None:
        held, elements = (sum(sizes) for sizes in zip(*self._held.values()))
        self.bytes, self.elements = max(self.bytes, held), max(self.elements, elements)
        if self.budget is not None and held > self.budget:
            raise MemoryError(f"{held:,} bytes are held at one time; the budget is {self.budget:,}")


def _tensors(values: Any) -> list[torch.Tensor]:
    return [leaf for leaf in tree_leaves(values) if isinstance(leaf, torch.Tensor) and leaf.layout == torch.strided]
