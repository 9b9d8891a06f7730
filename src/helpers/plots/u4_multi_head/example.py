"""A layer of eight heads made by hand, each with a favourite, and its maps."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..core import SEQUENTIAL

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def softmax(scores: np.ndarray) -> np.ndarray:
    e = np.exp(scores - scores.max(axis=-1, keepdims=True))
    weights: np.ndarray = e / e.sum(axis=-1, keepdims=True)
    return weights


DOG = ("the", "small", "cat", "saw", "the", "big", "dog", "and", "ran")
FAVOURITES = (
    "the word before",
    "the word after",
    "itself",
    "the first word",
    "the same word",
    "animals",
    "what was done",
    "everything alike",
)
_CLASSES = {"small": 0, "big": 0, "cat": 1, "dog": 1, "saw": 2, "ran": 2, "the": 3, "and": 3}


def example_layer() -> tuple[tuple[str, ...], np.ndarray, tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]]:
    """A sentence of 9 words and weights, made by hand, in which each of 8 heads has a favourite.

    Returns:
        tokens, X (9, 64), and (W_q, W_k, W_v, W_o), each (64, 64).
    """
    n = len(DOG)
    turns = 2 * np.pi * np.arange(1, 5) / 12
    clock = np.stack([part(np.arange(n)[:, None] * turns) for part in (np.sin, np.cos)], axis=-1).reshape(n, 8)
    words = np.eye(8)[[sorted(set(DOG)).index(word) for word in DOG]]
    classes = np.eye(4)[[_CLASSES[word] for word in DOG]]
    features = np.zeros((n, 64))
    features[:, :8], features[:, 8:16], features[:, 16:20], features[:, 20] = clock, words, classes, 1
    Q, K = np.zeros((64, 8, 8)), np.zeros((64, 8, 8))

    def turned(offset: int) -> np.ndarray:
        """The clock hands turned by some positions, as in unit 3."""
        blocks = np.zeros((8, 8))
        for i, a in enumerate(offset * turns):
            blocks[2 * i : 2 * i + 2, 2 * i : 2 * i + 2] = [[np.cos(a), -np.sin(a)], [np.sin(a), np.cos(a)]]
        return blocks

    for head, offset in ((0, -1), (1, 1), (2, 0)):
        Q[:8, head], K[:8, head] = 5 * turned(offset), np.eye(8)
    Q[20, 3], K[:8, 3] = 5 * clock[0], np.eye(8)
    Q[8:16, 4], K[8:16, 4] = 14 * np.eye(8), np.eye(8)
    for head, wanted in ((5, 1), (6, 2)):
        Q[20, head, wanted], K[16:20, head, :4] = 10, np.eye(4)
    # Turned at random, the features are spread over all 64 columns, as in a trained layer.
    rng = np.random.default_rng(4)
    turn, W_v, W_o = (np.linalg.qr(rng.normal(size=(64, 64)))[0] for _ in range(3))
    return DOG, features @ turn, (turn.T @ Q.reshape(64, 64), turn.T @ K.reshape(64, 64), W_v, W_o)


def example_weights() -> np.ndarray:
    _, X, (W_q, W_k, _, _) = example_layer()
    slices = [slice(8 * i, 8 * i + 8) for i in range(8)]
    return np.stack([softmax((X @ W_q[:, part]) @ (X @ W_k[:, part]).T / np.sqrt(8)) for part in slices])


def small_map(ax: Axes, weights: np.ndarray, title: str) -> None:
    """A map of the example sentence where there is little room."""
    ax.imshow(weights, cmap=SEQUENTIAL, vmin=0, vmax=1)
    ax.set_title(title, fontsize=9.5)
    ax.set_xticks(range(len(DOG)), DOG, rotation=90, fontsize=8)
    ax.set_yticks(range(len(DOG)), DOG, fontsize=8)
    ax.set_xlabel("keys", fontsize=8)
    ax.set_ylabel("queries", fontsize=8)
