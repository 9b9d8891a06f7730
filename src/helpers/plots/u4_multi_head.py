"""Figures of unit 4: the array split and merged, heads side by side, what they cost, and the flow chart.

Each figure computes what it shows in a line or two of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from .core import COLOURS, SEQUENTIAL, figure, grid, heatmap

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Light enough for black numbers on them; told apart with any kind of colour blindness.
_LIGHT = ("#9ecae9", "#fdd49e", "#a1d9b4", "#e5b5d3", "#d9d9d9", "#c7d7a0", "#c9b8e8", "#f2b8a0")
_FOUR = ("the", "cat", "sat", "down")


def _softmax(scores: np.ndarray) -> np.ndarray:
    e = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


# --- the array, cell by cell -----------------------------------------------------------------------------


def _canvas(width: float, height: float, size: float = 0.5, title: str = "") -> tuple[Figure, Axes]:
    """Axes without frame whose unit is one cell of `size` inches, y downwards."""
    drawn, axes = grid(width=width * size, height=height * size)
    ax = axes[0, 0]
    ax.set_xlim(0, width)
    ax.set_ylim(height, 0)
    ax.set_aspect("equal")
    ax.axis("off")
    if title:
        ax.set_title(title, fontsize=11)
    return drawn, ax


def _cells(
    ax: Axes,
    x: float,
    y: float,
    values: np.ndarray,
    colour: Callable[[int, int], str],
    rows: Sequence[str] = (),
    title: str = "",
    gap_after: int = 0,
) -> None:
    """A matrix as boxes with their numbers; `gap_after` leaves a gap after every so many columns."""
    from matplotlib.patches import Rectangle

    for (i, j), value in np.ndenumerate(values):
        left = x + j + (0.4 * (j // gap_after) if gap_after else 0)
        ax.add_patch(Rectangle((left, y + i), 1, 1, facecolor=colour(i, j), edgecolor="white", linewidth=1.5))
        ax.text(left + 0.5, y + i + 0.5, f"{value:02.0f}", ha="center", va="center", fontsize=10, family="monospace")
    for i, name in enumerate(rows):
        ax.text(x - 0.2, y + i + 0.5, name, ha="right", va="center", fontsize=9)
    if title:
        ax.text(x, y - 0.25, title, ha="left", va="bottom", fontsize=9.5)


def _arrow(ax: Axes, start: tuple[float, float], end: tuple[float, float], text: str = "", above: float = 0.3) -> None:
    ax.annotate(
        "",
        xy=end,
        xytext=start,
        arrowprops={"arrowstyle": "-|>", "color": "#333333", "linewidth": 1.6, "shrinkA": 0, "shrinkB": 0},
    )
    if text:
        ax.text((start[0] + end[0]) / 2, (start[1] + end[1]) / 2 - above, text, ha="center", va="bottom", fontsize=9)


def _places() -> np.ndarray:
    """Token t, column c holds 10 t + c: every number tells where it came from."""
    return 10 * np.arange(4)[:, None] + np.arange(6)


@figure
def split_picture() -> Figure:
    """X (4, 6) cut in two heads: the array before, between and after."""
    X = _places()
    by_head = lambda i, j: _LIGHT[j // 3]
    drawn, ax = _canvas(24.5, 12, 0.42, "Two heads: first cut the width, then give each head its slice of all tokens")
    _cells(ax, 1.6, 3.5, X, by_head, _FOUR, "X   (n, d) = (4, 6)")
    _arrow(ax, (7.9, 5.5), (9.3, 5.5), "cut")
    _cells(ax, 9.7, 3.5, X, by_head, (), "(n, h, d/h) = (4, 2, 3)", gap_after=3)
    _arrow(ax, (16.4, 5.5), (18.3, 5.5), "exchange\nn and h")
    _cells(ax, 20.4, 1, X[:, :3], lambda i, j: _LIGHT[0], _FOUR, "head 0   (4, 3)")
    _cells(ax, 20.4, 6.5, X[:, 3:], lambda i, j: _LIGHT[1], _FOUR, "head 1   (4, 3)")
    ax.text(18.9, 11.6, "together (h, n, d/h) = (2, 4, 3)", fontsize=9.5, va="bottom")
    return drawn


@figure
def bare_reshape() -> Figure:
    """The same array split rightly and by a bare reshape, coloured by the token a number belongs to."""
    X = _places()
    wrong = X.reshape(2, 4, 3)
    by_token = lambda values: lambda i, j: _LIGHT[int(values[i, j]) // 10]
    drawn, ax = _canvas(22, 12.2, 0.45, "One colour is one token. A bare reshape puts other tokens' numbers into a row")
    _cells(ax, 1.6, 4, X, by_token(X), _FOUR, "X   (4, 6)")
    for x, halves, title in (
        (11, (X[:, :3], X[:, 3:]), "right: a row is one token"),
        (18, tuple(wrong), "X.reshape(2, 4, 3): rows are mixed up"),
    ):
        ax.text(x - 1.5, 0.55, title, fontsize=10, weight="bold")
        for head, values in enumerate(halves):
            _cells(ax, x, 1.9 + 5.4 * head, values, by_token(values), _FOUR, f"head {head}")
    return drawn


@figure
def merge_picture() -> Figure:
    """Two heads merged rightly and by a bare reshape, coloured by token."""
    X = _places()
    heads = np.stack([X[:, :3], X[:, 3:]])
    by_token = lambda values: lambda i, j: _LIGHT[int(values[i, j]) // 10]
    drawn, ax = _canvas(
        26.5, 11, 0.42, "Merging walks back: exchange first, then join. Joined at once, every row is two tokens"
    )
    for head in range(2):
        _cells(ax, 1.6, 1.4 + 5 * head, heads[head], by_token(heads[head]), _FOUR, f"head {head}")
    _arrow(ax, (4.9, 5.8), (7, 4.2))
    ax.text(6.2, 6.2, "exchange h and n", fontsize=9, ha="left", va="center")
    _cells(ax, 7.7, 1.4, X, by_token(X), (), "(n, h, d/h) = (4, 2, 3)", gap_after=3)
    _arrow(ax, (14.4, 3.4), (17.2, 3.4), "join the last two")
    _cells(ax, 19.3, 1.4, X, by_token(X), _FOUR, "right   (4, 6)")
    wrong = heads.reshape(4, 6)
    _arrow(ax, (4.9, 7.6), (17.2, 8.6))
    ax.text(12, 7.9, "H.reshape(4, 6)", fontsize=9.5, family="monospace", ha="center", va="bottom")
    _cells(ax, 19.3, 6.6, wrong, by_token(wrong), _FOUR, "wrong   (4, 6): every row is mixed")
    return drawn


# --- what heads are for ----------------------------------------------------------------------------------

DRANK = ("the", "cat", "drank", "milk", "because", "it", "was", "thirsty")
_KINDS = {"cat": 0, "milk": 1, "thirsty": 2, "drank": 3}  # animal, food, state, deed
# What each word looks for: in head 0 who it is about, in head 1 what is told of it.
_WHO = {"the": 0, "cat": 0, "drank": 0, "milk": 1, "because": 3, "it": 0, "was": 0, "thirsty": 0}
_WHAT = {"the": 1, "cat": 3, "drank": 1, "milk": 3, "because": 2, "it": 2, "was": 2, "thirsty": 1}


def _drank() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Weights (n, n) of two heads of width 4 and of one head of width 8, from the same queries and keys."""
    keys, who, what = (np.zeros((len(DRANK), 4)) for _ in range(3))
    for i, word in enumerate(DRANK):
        if word in _KINDS:
            keys[i, _KINDS[word]] = 3.2
        who[i, _WHO[word]] = what[i, _WHAT[word]] = 3.2
    both, twice = np.hstack([who, what]), np.hstack([keys, keys])
    return _softmax(who @ keys.T / 2), _softmax(what @ keys.T / 2), _softmax(both @ twice.T / np.sqrt(8))


@figure
def two_heads() -> Figure:
    """One sentence seen by two heads and by one head of their joint width."""
    drawn, axes = grid(1, 3, width=3.9, height=3.9)
    titles = (
        "head 0: who is it about?\n“it” looks at “cat”",
        "head 1: what is told of it?\n“it” looks at “thirsty”",
        "one head of double width:\n“it” has to share itself out",
    )
    for ax, weights, title in zip(axes[0], _drank(), titles):
        heatmap(
            weights, DRANK, DRANK, title, ax, row_label="queries", column_label="keys", numbers=False, limits=(0, 1)
        )
        row = DRANK.index("it")
        ax.add_patch(_frame(row, len(DRANK)))
    return drawn


def _frame(row: int, columns: int) -> Any:
    from matplotlib.patches import Rectangle

    return Rectangle((-0.5, row - 0.5), columns, 1, fill=False, edgecolor=COLOURS[5], linewidth=2.5)


@figure
def story() -> Figure:
    """Children with favourite toys: each looks at its own, and together they tell one story."""
    from matplotlib.patches import Circle, FancyBboxPatch, Rectangle

    drawn, ax = _canvas(22, 13.5, 0.44, "Each child watches its favourite toy. The stories side by side make one")
    toys = ("bear", "ball", "train", "doll", "drum")
    favourites = {
        "Ann": (0.7, 0.05, 0.05, 0.15, 0.05),
        "Ben": (0.05, 0.1, 0.75, 0.05, 0.05),
        "Cem": (0.05, 0.4, 0.05, 0.05, 0.45),
    }
    for j, toy in enumerate(toys):
        x = 3 + 4 * j
        ax.add_patch(
            FancyBboxPatch((x - 1.3, 0.5), 2.6, 1.2, boxstyle="round,pad=0.1", facecolor="#eeeeee", edgecolor="#888888")
        )
        ax.text(x, 1.1, toy, ha="center", va="center", fontsize=11)
    ax.text(0.0, 1.1, "tokens", va="center", fontsize=9, color="#555555")
    for i, (name, weights) in enumerate(favourites.items()):
        x = 5 + 6 * i
        for j, weight in enumerate(weights):
            ax.plot(
                [x, 3 + 4 * j], [5.7, 1.85], color=COLOURS[i], linewidth=9 * weight, alpha=0.75, solid_capstyle="round"
            )
        ax.add_patch(Circle((x, 6.3), 0.75, facecolor=_LIGHT[i], edgecolor=COLOURS[i], linewidth=2))
        ax.text(x, 6.3, name, ha="center", va="center", fontsize=10)
        ax.text(x + 0.9, 6.35, f"head {i}", va="center", fontsize=9, color="#555555")
        _arrow(ax, (x, 7.1), (8.5 + 2.5 * i, 8.85))
        ax.add_patch(Rectangle((7.25 + 2.5 * i, 8.95), 2.5, 1.1, facecolor=_LIGHT[i], edgecolor="white"))
        ax.text(8.5 + 2.5 * i, 9.5, f"{name}’s part", ha="center", va="center", fontsize=9)
    ax.text(6.9, 9.5, "side by side", ha="right", va="center", fontsize=9, color="#555555")
    _arrow(ax, (11, 10.15), (11, 11.55))
    ax.text(11.35, 10.85, "W_o: one teller who has heard all of them", va="center", fontsize=9, color="#555555")
    ax.add_patch(Rectangle((7.25, 11.65), 7.5, 1.1, facecolor="#dddddd", edgecolor="#888888"))
    ax.text(11, 12.2, "one story", ha="center", va="center", fontsize=11)
    return drawn


@figure
def bridge() -> Figure:
    """200 dimensions as two teams of 100, a bridge built from both ends; 512 as eight of 64."""
    from matplotlib.patches import Rectangle

    drawn, ax = _canvas(24, 12.5, 0.42, "Two teams of 100 build one bridge of 200")
    x = np.linspace(0, 1, 60)
    for team, (left, towards) in enumerate(((2, 1), (22, -1))):
        ax.add_patch(Rectangle((0 if team == 0 else 22, 3.2), 2, 3, facecolor="#bdbdbd"))
        ax.plot(left + towards * 10 * x, 3.2 - 1.7 * (1 - (1 - x) ** 2), color=COLOURS[team], linewidth=4)
        for post in np.linspace(0.1, 0.9, 5):
            ax.plot(
                [left + towards * 10 * post] * 2,
                [3.2, 3.2 - 1.7 * (1 - (1 - post) ** 2)],
                color=COLOURS[team],
                linewidth=1.2,
            )
        ax.text(
            left + towards * 4.4,
            3.5,
            f"team {team}: columns {100 * team} to {100 * team + 99},\nits own scores, its own softmax",
            ha="center",
            va="top",
            fontsize=9.5,
        )
    ax.plot([2, 22], [3.2, 3.2], color="#333333", linewidth=3)
    ax.plot([12], [1.5], "o", color="#333333", markersize=9)
    ax.text(12, 1.0, "they meet: concatenated (n, 200)", ha="center", va="bottom", fontsize=9.5)
    ax.text(12, 3.5, "the road over both:\nW_o (200, 200)", ha="center", va="top", fontsize=9.5)
    ax.text(12, 7.5, "The same with 512 dimensions: eight teams of 64", ha="center", va="bottom", fontsize=11)
    for i in range(8):
        ax.add_patch(Rectangle((2 + 2.5 * i, 7.8), 2.5, 1.2, facecolor=_LIGHT[i], edgecolor="white"))
        ax.text(3.25 + 2.5 * i, 8.4, f"{64 * i}–{64 * i + 63}", ha="center", va="center", fontsize=9)
    _arrow(ax, (12, 9.1), (12, 10.3))
    ax.text(12.3, 9.7, "W_o (512, 512)", va="center", fontsize=9.5)
    ax.add_patch(Rectangle((2, 10.4), 20, 1.2, facecolor="#dddddd"))
    ax.text(
        12, 11, "512 columns again, every one of them made from all eight heads", ha="center", va="center", fontsize=9.5
    )
    return drawn


# --- a layer with eight hand-made heads ------------------------------------------------------------------

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


def _example_weights() -> np.ndarray:
    _, X, (W_q, W_k, _, _) = example_layer()
    slices = [slice(8 * i, 8 * i + 8) for i in range(8)]
    return np.stack([_softmax((X @ W_q[:, part]) @ (X @ W_k[:, part]).T / np.sqrt(8)) for part in slices])


@figure
def one_head(weights: np.ndarray, tokens: Sequence[str], head: int, title: str = "") -> Figure:
    """One head of a layer: its map, and the same as lines from each word to those it looks at.

    Args:
        weights: (h, n, n).
        tokens: n words.
        head: which one.
        title: what to see; by default the head's number.
    """
    n = len(tokens)
    drawn, axes = grid(1, 2, width=4.4, height=4.2)
    left, right = axes[0]
    heatmap(
        weights[head],
        tokens,
        tokens,
        title or f"head {head} (they are numbered 0 to {len(weights) - 1})",
        left,
        row_label="queries",
        column_label="keys",
        numbers=False,
        limits=(0, 1),
    )
    for i in range(n):
        for j in range(n):
            if weights[head][i, j] > 0.02:
                right.plot(
                    [0, 1],
                    [i, j],
                    color=COLOURS[head % 7],
                    linewidth=5 * weights[head][i, j],
                    alpha=0.8,
                    solid_capstyle="round",
                )
        right.text(-0.06, i, tokens[i], ha="right", va="center", fontsize=10)
        right.text(1.06, i, tokens[i], ha="left", va="center", fontsize=10)
    right.set_xlim(-0.45, 1.45)
    right.set_ylim(n - 0.4, -0.9)
    right.axis("off")
    right.set_title("who looks (left) at whom (right); thick is much", fontsize=10)
    return drawn


def one_head_told(weights: np.ndarray, tokens: Sequence[str], head: int) -> str:
    """What there is to see in `one_head`: whom each word looks at most."""
    most = ", ".join(
        f"{token} at {tokens[place]} {row[place]:.2f}"
        for token, row in zip(tokens, weights[head])
        for place in [int(np.argmax(row))]
    )
    return f"Head {head} (they are numbered 0 to {len(weights) - 1}) as a map, and as lines from each word to those it looks at. In order, each word looks most: {most}."


def _small_map(ax: Axes, weights: np.ndarray, title: str) -> None:
    """A map of the example sentence where there is little room."""
    ax.imshow(weights, cmap=SEQUENTIAL, vmin=0, vmax=1)
    ax.set_title(title, fontsize=9.5)
    ax.set_xticks(range(len(DOG)), DOG, rotation=90, fontsize=7)
    ax.set_yticks(range(len(DOG)), DOG, fontsize=7)
    ax.set_xlabel("keys", fontsize=8)
    ax.set_ylabel("queries", fontsize=8)


@figure
def filters() -> Figure:
    """Filters of a convolution on an image, and heads on a sentence: one input, several maps."""
    image = np.zeros((9, 9))
    image[1, 1:8] = image[2, 1:8] = 1
    for step in range(6):
        image[2 + step, 6 - step // 2 - 1 : 6 - step // 2 + 1] = 1
    kernels = {
        "level lines": [[1, 1, 1], [0, 0, 0], [-1, -1, -1]],
        "upright lines": [[1, 0, -1]] * 3,
        "everything, blurred": np.full((3, 3), 1 / 3),
    }
    windows = np.lib.stride_tricks.sliding_window_view(np.pad(image, 1), (3, 3))
    weights = _example_weights()
    drawn, axes = grid(2, 4, width=3.0, height=2.8)
    axes[0, 0].imshow(image, cmap=SEQUENTIAL)
    axes[0, 0].set_title("one image", fontsize=10)
    for ax, (name, kernel) in zip(axes[0, 1:], kernels.items()):
        ax.imshow(np.abs((windows * np.array(kernel)).sum(axis=(-1, -2))), cmap=SEQUENTIAL)
        ax.set_title(f"a filter for {name}", fontsize=10)
    axes[1, 0].set_title("one sentence", fontsize=10)
    for row, token in enumerate(DOG):
        axes[1, 0].text(
            0.5,
            1 - (row + 0.5) / len(DOG),
            token,
            ha="center",
            va="center",
            fontsize=10,
            transform=axes[1, 0].transAxes,
        )
    for ax, head in zip(axes[1, 1:], (0, 5, 7)):
        _small_map(ax, weights[head], f"a head for {FAVOURITES[head]}")
    for ax in (*axes[0], axes[1, 0]):
        ax.set_xticks([])
        ax.set_yticks([])
    drawn.suptitle("Filters look for different things in one image; heads do so in one sentence", fontsize=11)
    return drawn


# --- costs and flow --------------------------------------------------------------------------------------


@figure
def costs(n: int = 50, d_model: int = 512) -> Figure:
    """One head of the full width against eight: parameters, multiplications, exponentials, maps."""
    drawn, axes = grid(1, 4, width=2.6, height=3.0)
    products = 4 * n * d_model**2 + 2 * n * n * d_model
    bars = (
        ("parameters\nthe same", (4 * (d_model**2 + d_model),) * 2, lambda v: f"{v / 1e6:.2f} million"),
        (f"multiplications, n = {n}\nthe same", (products,) * 2, lambda v: f"{v / 1e6:.1f} million"),
        (f"exponentials, n = {n}\neight times as many", (n * n, 8 * n * n), lambda v: f"{v:,}"),
        ("different pictures of a sentence\neight times as many", (1, 8), str),
    )
    for ax, (title, values, written) in zip(axes[0], bars):
        ax.bar((f"1 × {d_model}", f"8 × {d_model // 8}"), values, color=COLOURS[:2], width=0.6)
        for place, value in enumerate(values):
            ax.text(place, value, written(value), ha="center", va="bottom", fontsize=8.5)
        ax.set_title(title, fontsize=10)
        ax.set_ylim(0, 1.18 * max(values))
        ax.set_yticks([])
        ax.spines[["top", "right", "left"]].set_visible(False)
    return drawn


@figure
def one_picture_or_eight() -> Figure:
    """The one map of a full-width head, which averages all wishes, over the eight maps of narrow heads."""
    _, X, (W_q, W_k, _, _) = example_layer()
    one = _softmax((X @ W_q) @ (X @ W_k).T / np.sqrt(64))
    drawn, axes = grid(2, 5, width=2.5, height=2.75)
    maps = [
        (one, "1 × 64: one map,\nall wishes in one"),
        *((w, f"head {i}:\n{name}") for i, (w, name) in enumerate(zip(_example_weights(), FAVOURITES))),
    ]
    places = [axes[0, 0], *axes[0, 1:], *axes[1, 1:]]
    for ax, (weights, title) in zip(places, maps):
        _small_map(ax, weights, title)
    axes[1, 0].axis("off")
    axes[1, 0].text(
        0.5,
        0.5,
        "same X, same W_q, same W_k:\nthe only difference is\nwhere the products\nare added up",
        ha="center",
        va="center",
        fontsize=9.5,
    )
    return drawn


def _box(
    ax: Axes, x: float, y: float, width: float, height: float, text: str, colour: str, sheets: int = 1, size: float = 10
) -> None:
    """A box of a flow chart, its centre at (x, y); several sheets behind each other stand for several heads."""
    from matplotlib.patches import FancyBboxPatch

    for sheet in reversed(range(sheets)):
        left, top = x - width / 2 + 0.22 * sheet, y - height / 2 - 0.22 * sheet
        ax.add_patch(
            FancyBboxPatch(
                (left, top),
                width,
                height,
                boxstyle="round,pad=0.04,rounding_size=0.15",
                facecolor=colour,
                edgecolor="#444444",
                linewidth=1.2,
            )
        )
    ax.text(x, y, text, ha="center", va="center", fontsize=size)


@figure
def flow_chart(d_model: int = 512, n_heads: int = 8) -> Figure:
    """Multi-head attention from the three inputs up to the output, with the shape on every arrow."""
    d_k = d_model // n_heads
    drawn, ax = _canvas(
        21, 23.5, 0.36, f"Multi-head attention, read from the bottom up (d_model = {d_model}, h = {n_heads})"
    )
    columns = {"query": 4.0, "key": 10.0, "value": 16.0}
    n = {"query": "n_q", "key": "n_k", "value": "n_k"}
    for (name, x), letter in zip(columns.items(), "qkv"):
        ax.text(x, 22.9, name, ha="center", va="center", fontsize=11, weight="bold")
        _arrow(ax, (x, 22.4), (x, 20.6))
        ax.text(x + 0.3, 21.5, f"({n[name]}, {d_model})", va="center", fontsize=9)
        _box(ax, x, 19.8, 4.4, 1.4, f"Linear W_{letter}", _LIGHT[0])
        _arrow(ax, (x, 19.0), (x, 17.5))
        _box(ax, x, 16.7, 4.4, 1.4, "split into heads", _LIGHT[1], sheets=3)
        _arrow(ax, (x, 15.3), (x, 13.4))
        ax.text(x + 0.3, 14.4, f"({n_heads}, {n[name]}, {d_k})", va="center", fontsize=9)
    _box(
        ax,
        10,
        11.6,
        16.4,
        3.2,
        f"in every head:\nweights = softmax(Q Kᵀ / √{d_k}), with the mask\nweights · V",
        _LIGHT[2],
        sheets=3,
        size=11,
    )
    _arrow(ax, (10, 9.3), (10, 7.7))
    ax.text(10.3, 8.5, f"({n_heads}, n_q, {d_k})", va="center", fontsize=9)
    _box(ax, 10, 6.9, 7.0, 1.4, "merge: side by side", _LIGHT[1])
    _arrow(ax, (10, 6.1), (10, 4.7))
    ax.text(10.3, 5.4, f"(n_q, {d_model})", va="center", fontsize=9)
    _box(ax, 10, 3.9, 7.0, 1.4, "Linear W_o", _LIGHT[0])
    _arrow(ax, (10, 3.1), (10, 1.5))
    ax.text(10.3, 2.3, f"(n_q, {d_model})", va="center", fontsize=9)
    ax.text(10, 0.9, "output", ha="center", va="center", fontsize=11, weight="bold")
    _arrow(ax, (17.2, 9.4), (17.2, 7.7))
    ax.text(17.2, 6.9, f"weights\n({n_heads}, n_q, n_k)", ha="center", va="center", fontsize=10, weight="bold")
    return drawn


@figure
def side_by_side(d: int = 512, h: int = 8) -> Figure:
    """Self-attention and multi-head attention step by step: what each computes and what it costs."""
    drawn, ax = _canvas(
        28, 17.8, 0.36, "The same steps and the same bill; only the attention itself is done h times in narrow slices"
    )
    for x, text in (
        (4.2, "self-attention, one head"),
        (13.6, f"multi-head attention, {h} heads"),
        (23.2, "multiplications, both alike"),
    ):
        ax.text(x, 0.7, text, ha="center", va="center", fontsize=11, weight="bold")
    steps = (
        (f"X  (n, {d})", f"X  (n, {d})", ""),
        (f"Q, K, V  (n, {d})", f"Q, K, V  (n, {d})", f"3 · n · {d} · {d}"),
        (None, f"split  ({h}, n, {d // h})", "none: numbers change places"),
        (
            f"softmax(Q Kᵀ / √{d})  (n, n)",
            f"softmax(Q Kᵀ / √{d // h})  ({h}, n, n)",
            f"n · n · {d}  =  {h} · n · n · {d // h}",
        ),
        (f"weights · V  (n, {d})", f"weights · V  ({h}, n, {d // h})", f"n · n · {d}  =  {h} · n · n · {d // h}"),
        (None, f"merge  (n, {d})", "none: numbers change places"),
        (f"W_o  (n, {d})", f"W_o  (n, {d})", f"n · {d} · {d}"),
    )
    colours = ("#eeeeee", _LIGHT[0], _LIGHT[1], _LIGHT[2], _LIGHT[2], _LIGHT[1], _LIGHT[0])
    for row, (one, many, cost) in enumerate(steps):
        y = 2.4 + 2.35 * row
        for x, text in ((4.2, one), (13.6, many)):
            sheets = 3 if x > 5 and 2 <= row <= 4 else 1
            if row:
                # Above a step that only the other side has, the arrow comes from further up.
                from_row = row - 2 if x < 5 and steps[row - 1][0] is None else row - 1
                if text is not None:
                    _arrow(ax, (x, 2.4 + 2.35 * from_row + 0.72), (x, y - 0.72 - 0.22 * (sheets - 1)))
            if text is not None:
                _box(ax, x, y, 7.4, 1.3, text, colours[row], sheets, size=9.5)
        ax.text(23.2, y, cost, ha="center", va="center", fontsize=9.5)
    return drawn


# --- masks and torch's weights ---------------------------------------------------------------------------


@figure
def masks() -> Figure:
    """Three masks and the weights they leave: looking back only, padding, and a row that may see nothing."""
    words = ("we", "eat", "rice", "<pad>")
    scores = np.array([[1.0, 0.4, -0.3, 0.8], [0.2, 1.2, 0.9, 0.6], [-0.5, 0.8, 1.1, 0.3], [0.4, 0.1, 0.2, 0.9]])
    padding = np.tile([True, True, True, False], (4, 1))
    nothing = padding.copy()
    nothing[3] = False
    cases = (
        (np.tri(4, dtype=bool), "itself and what came before"),
        (padding, "no one sees the padding"),
        (nothing, "the last row sees nothing"),
    )
    drawn, axes = grid(2, 3, width=3.4, height=2.7)
    for column, (mask, title) in enumerate(cases):
        heatmap(
            mask.astype(float),
            words,
            words,
            f"mask: {title}",
            axes[0, column],
            row_label="queries" if column == 0 else "",
            numbers=False,
            limits=(0, 1),
        )
        for (i, j), allowed in np.ndenumerate(mask):
            axes[0, column].text(
                j,
                i,
                "True" if allowed else "False",
                ha="center",
                va="center",
                fontsize=8,
                color="black" if allowed else "white",
            )
        e = np.exp(scores) * mask
        total = e.sum(axis=-1, keepdims=True)
        heatmap(
            e / np.where(total == 0, 1, total),
            words,
            words,
            "weights: rows sum to 1" + (", or to 0" if column == 2 else ""),
            axes[1, column],
            row_label="queries" if column == 0 else "",
            column_label="keys",
            limits=(0, 1),
        )
    return drawn


@figure
def stacked_weights() -> Figure:
    """`in_proj_weight` of torch's layer: three matrices below each other."""
    import torch
    from matplotlib.patches import Rectangle

    torch.manual_seed(4)
    state = torch.nn.MultiheadAttention(6, 2).state_dict()
    stack = state["in_proj_weight"].numpy()
    drawn, axes = grid(1, 2, width=3.6, height=5.0, gridspec_kw={"width_ratios": [1, 1]})
    limits = (-1.0, 1.0)
    heatmap(
        stack,
        None,
        None,
        "in_proj_weight (18, 6):\nthree matrices below each other",
        axes[0, 0],
        signed=True,
        numbers=False,
        limits=limits,
    )
    axes[0, 0].set_yticks([0, 5, 6, 11, 12, 17])
    for part, letter in enumerate("qkv"):
        axes[0, 0].add_patch(
            Rectangle((-0.45, 6 * part - 0.45), 5.9, 5.9, fill=False, edgecolor=COLOURS[part], linewidth=3)
        )
        axes[0, 0].text(
            6.0, 6 * part + 2.5, f"W_{letter}", va="center", fontsize=13, color=COLOURS[part], weight="bold"
        )
    heatmap(
        state["out_proj.weight"].numpy(),
        None,
        None,
        "out_proj.weight (6, 6):\nW_o, as it is",
        axes[0, 1],
        signed=True,
        numbers=False,
        limits=limits,
    )
    # The same number of rows, most of them empty, so that a cell is as large as on the left.
    axes[0, 1].set_ylim(17.5, -0.5)
    axes[0, 1].set_yticks(range(6))
    axes[0, 1].spines[:].set_visible(False)
    axes[0, 1].tick_params(axis="x", labeltop=True, labelbottom=False, top=False, bottom=False)
    for ax in axes[0]:
        ax.set_aspect("equal")
    return drawn
