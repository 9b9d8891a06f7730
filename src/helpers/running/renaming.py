"""Gives the tokens of a trained model other ids, and its weights the other order that goes with them.

A row of an embedding is one token's, and so is a column of the layer that scores tokens. Exchanged together with the
ids, they leave the model what it was: all that it learned is in them. An answer that knows texts or numbers by their
ids knows nothing any more.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from .errors import NotRunnable

# By the argument of the constructor that says how many tokens there are: the new id of each.
Renamed = Mapping[str, Sequence[int]]


def renamed(
    state: Mapping[str, np.ndarray],
    make: Callable[..., Any],
    args: Sequence[Any],
    kwargs: Mapping[str, Any],
    new_ids: Renamed,
) -> dict[str, np.ndarray]:
    """Return weights in which each token has its row at its new id.

    Args:
        state: the weights by name.
        make: the class that they belong to.
        args, kwargs: the arguments that it is made with; those in `new_ids` are among `kwargs`.
        new_ids: by argument.

    Raises:
        NotRunnable: the class cannot be made for another number of tokens, or no weights have a row for each; the
            message is for the learner.
    """
    result = dict(state)
    for argument, ids in new_ids.items():
        axes = _axes(state, make, args, kwargs, argument)
        if not any(axes.values()):
            raise NotRunnable(
                f"no weights of your {make.__name__} have a row for each of its tokens (`{argument}`), so nothing can"
                " be learned of them"
            )
        for name, places in axes.items():
            for axis in places:
                moved = result[name].copy()
                np.moveaxis(moved, axis, 0)[list(ids)] = np.moveaxis(result[name], axis, 0)[: len(ids)]
                result[name] = moved
    return result


def _axes(
    state: Mapping[str, np.ndarray],
    make: Callable[..., Any],
    args: Sequence[Any],
    kwargs: Mapping[str, Any],
    argument: str,
) -> dict[str, list[int]]:
    """The axes that grow by one when there is one token more, by the name of the weights."""
    count = kwargs[argument]
    try:
        larger = make(*args, **{**kwargs, argument: count + 1}).state_dict()
    except Exception as error:
        raise NotRunnable(
            f"your {make.__name__} cannot be made with {argument}={count + 1}: {type(error).__name__}: {error}"
        ) from error
    shapes = {name: tuple(value.shape) for name, value in larger.items()}
    return {
        name: [
            axis
            for axis, (now, then) in enumerate(zip(array.shape, shapes.get(name, ())))
            if then == now + 1 and now >= count
        ]
        for name, array in state.items()
    }
