"""Weights into a learner's module: from arrays of a case, or from the file that the learner's training saved."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from helpers.language import typed

from .errors import NotRunnable

# Far more than any model of the course needs; a larger file is not even opened.
MAX_WEIGHTS_MB = 20


def load_file(
    module: Any, name: str, prefix: str, changed: Callable[[dict[str, np.ndarray]], dict[str, np.ndarray]] | None = None
) -> None:
    """Load the learner's trained weights into a module.

    Args:
        module: what they are for.
        name: the file beside the notebook.
        prefix: what the names of its weights begin with there.
        changed: what is to be done to the weights before.

    Raises:
        NotRunnable: they cannot be had or are of another model; the message is for the learner.
    """
    state = read_weights(name, prefix)
    own = {key: tuple(value.shape) for key, value in module.state_dict().items()}
    found = {key: value.shape for key, value in state.items()}
    if own != found:
        different = sorted(key for key in own.keys() | found.keys() if own.get(key) != found.get(key))
        told = [
            f"{key} is {found.get(key, 'not there')} in the file and {own.get(key, 'not there')} in your class"
            for key in different[:3]
        ]
        raise NotRunnable(
            f"{name} has weights of another model than your {type(module).__name__}, run the training cells again:"
            f" {'; '.join(told)}"
        )
    load_weights(module, state if changed is None else changed(state))


def read_weights(name: str, prefix: str = "") -> dict[str, np.ndarray]:
    """Return the arrays of a `.safetensors` file in the working directory whose names begin with `prefix`.

    Raises:
        NotRunnable: the file is missing, too large, cannot be read, or holds what is no number; the message is for the
            learner.
    """
    path = Path(name)
    if not path.is_file():
        raise NotRunnable(
            f"there is no {name} beside the notebook: run the training cells, which save it, and hand it in too"
        )
    size = path.stat().st_size
    if size > MAX_WEIGHTS_MB * 2**20:
        raise NotRunnable(
            f"{name} has {size / 2**20:.0f} MB; at most {MAX_WEIGHTS_MB} are read, and the models of this unit need"
            " less than 2"
        )
    from safetensors import SafetensorError
    from safetensors.numpy import load_file as read

    try:
        arrays = read(path)
    except (SafetensorError, OSError, ValueError, KeyError, TypeError, AttributeError, OverflowError) as error:
        raise NotRunnable(
            f"{name} is damaged or of another format and cannot be read ({type(error).__name__}): run the training"
            " cells again"
        ) from None
    chosen = {key[len(prefix) :]: value for key, value in arrays.items() if key.startswith(prefix)}
    if not chosen:
        raise NotRunnable(f"{name} has no weights whose names begin with {prefix!r}: run the training cells again")
    broken = sorted(key for key, value in chosen.items() if value.dtype.kind == "f" and not np.isfinite(value).all())
    if broken:
        raise NotRunnable(
            f"{name} has NaN or infinity in {prefix}{broken[0]}: the training went astray, run its cells again"
        )
    return chosen


def load_weights(module: Any, weights: dict[str, np.ndarray]) -> None:
    """Copy arrays into a module's parameters by name; raise `NotRunnable` naming what does not fit."""
    own = module.state_dict()
    missing, unexpected = sorted(set(own) - set(weights)), sorted(set(weights) - set(own))
    wrong = [
        f"{typed(k)} is {tuple(own[k].shape)}, expected {tuple(weights[k].shape)}"
        for k in own
        if k in weights and own[k].shape != weights[k].shape
    ]
    if missing or unexpected or wrong:
        parts = []
        if unexpected and missing:
            # One text, since what is typed may hold anything.
            lacking, surplus = ", ".join(unexpected[:6]), ", ".join(missing[:6])
            parts.append(f"it has no {typed(lacking)}; it should not have {typed(surplus)}")
        elif unexpected:
            parts.append(f"it has no {typed(', '.join(unexpected[:6]))}")
        elif missing:
            parts.append(f"it should not have {typed(', '.join(missing[:6]))}")
        parts += wrong[:4]
        raise NotRunnable(f"the parameters of your {typed(type(module).__name__)} differ: {'; '.join(parts)}")
    import torch

    module.load_state_dict({k: torch.from_numpy(np.array(v)).to(own[k].dtype) for k, v in weights.items()})
