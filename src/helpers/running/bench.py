"""Builds what a case names: its arguments, helper objects, and the object of a learner's class."""

from __future__ import annotations

import contextlib
import functools
import inspect
import sys
from collections.abc import Iterator
from typing import Any

import numpy as np

from helpers.exercise import Built, Init, Tensor

from . import renaming
from .errors import NotRunnable
from .renaming import Renamed
from .weights import load_file, load_weights


class Bench:
    """What the cases of one run share: the learner's own names, and objects of the learner's classes, which are slow
    to load."""

    def __init__(self, target: Any) -> None:
        # A decorator's wrapper has the names of the decorator's module; the function below it has the notebook's.
        self._names = getattr(inspect.unwrap(target), "__globals__", {})
        self._made: dict[str, Any] = {}

    def build(self, item: Built, built: dict[str, Any]) -> Any:
        if item.name != "notebook_class":
            from . import objects

            return objects.build(item.name, dict(item.options), built)
        key = repr(sorted(item.options.items()))
        if key not in self._made:
            try:
                self._made[key] = self._of_notebook(**item.options)
            except NotRunnable as error:
                self._made[key] = error
        if isinstance(self._made[key], NotRunnable):
            raise NotRunnable(str(self._made[key]))
        self._made[key].train(False)
        return self._made[key]

    def _of_notebook(
        self,
        name: str,
        weights_file: str,
        prefix: str,
        args: Any = (),
        kwargs: Any = None,
        renamed: Renamed | None = None,
    ) -> Any:
        target = self._names.get(name, getattr(sys.modules.get("__main__"), name, None))
        if target is None:
            raise NotRunnable(f"there is no {name} in the notebook: this exercise needs yours")
        try:
            module = target(*args, **(kwargs or {}))
        except NotImplementedError:
            raise NotRunnable(f"this exercise needs your {name}, which is not answered yet") from None
        if not hasattr(module, "state_dict"):
            raise NotRunnable(f"your {name} is no nn.Module, so it cannot be given weights")
        load_file(module, weights_file, prefix, _renaming(target, args, kwargs or {}, renamed))
        return module


def build(item: Any, place: str, built: dict[str, Any], bench: Bench) -> Any:
    """Turn a case's argument into what the learner's code receives, and list the objects by their place."""

    def inner(part: Any, name: Any) -> Any:
        return build(part, f"{place}.{name}" if place else str(name), built, bench)

    if isinstance(item, np.ndarray):
        item = built[place] = item.copy()
    elif isinstance(item, Tensor):
        import torch

        item = built[place] = torch.from_numpy(np.array(item.array)).requires_grad_(item.gradient)
    elif isinstance(item, Built):
        item = built[place] = bench.build(item, built)
    elif isinstance(item, dict):
        item = {name: inner(part, name) for name, part in item.items()}
    elif isinstance(item, (list, tuple)):
        item = type(item)(inner(part, index) for index, part in enumerate(item))
    return item


def instantiate(target: Any, init: Init) -> Any:
    """Return an object of the learner's class, with the weights that the case names.

    Raises:
        NotRunnable: there is no class, or its parameters are not those of the exercise; the message is for the learner.
    """
    if not inspect.isclass(target) and not callable(target):
        raise NotRunnable("this exercise asks for a class")
    with _seeded(init.seed):
        module = target(*init.args, **dict(init.kwargs))
    if init.weights is not None:
        load_weights(module, dict(init.weights))
    elif init.weights_file is not None:
        load_file(module, init.weights_file, init.prefix, _renaming(target, init.args, init.kwargs, init.renamed))
    if hasattr(module, "train"):
        module.train(init.training)
    return module


def _renaming(target: Any, args: Any, kwargs: Any, new_ids: Renamed | None) -> Any:
    """What is done to the weights of a file where tokens have other ids."""
    return (
        functools.partial(renaming.renamed, make=target, args=args, kwargs=kwargs, new_ids=new_ids) if new_ids else None
    )


@contextlib.contextmanager
def _seeded(seed: int | None) -> Iterator[None]:
    """Let torch draw from a seed, and go on afterwards as if nothing had been drawn."""
    if seed is None:
        yield
        return
    import torch

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        yield
