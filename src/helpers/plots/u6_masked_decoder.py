"""Figures of unit 6: what each word may see, models that cheat, looking across, the loss, writing word by word."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from .core import COLOURS, figure, grid, heatmap

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

BLUE, ORANGE, GREEN, PINK = COLOURS[:4]
QUERY, KEY, VALUE = BLUE, "#B87A00", GREEN
GREY, HIDDEN = "#555555", "#E4E4E4"


def _blank(ax: Axes, width: float, height: float) -> None:
    ax.set_xlim(0, width)
    ax.set_ylim(0, height)
    ax.axis("off")


def _box(
    ax: Axes,
    x: float,
    y: float,
    text: str,
    colour: str,
    width: float = 1.0,
    height: float = 0.5,
    size: float = 9,
    bold: bool = False,
) -> None:
    """A rounded box with its centre at (x, y)."""
    from matplotlib.patches import FancyBboxPatch

    shape = FancyBboxPatch(
        (x - width / 2, y - height / 2),
        width,
        height,
        boxstyle="round,pad=0,rounding_size=0.08",
        facecolor=colour + "26",
        edgecolor=colour,
        linewidth=1.3,
    )
    ax.add_patch(shape)
    ax.text(x, y, text, ha="center", va="center", fontsize=size, fontweight="bold" if bold else "normal")


def _arrow(
    ax: Axes,
    start: tuple[float, float],
    end: tuple[float, float],
    colour: str = GREY,
    width: float = 1.3,
    bend: float = 0.0,
) -> None:
    style = {
        "arrowstyle": "-|>",
        "color": colour,
        "linewidth": width,
        "shrinkA": 0,
        "shrinkB": 0,
        "mutation_scale": 9 + 2 * width,
    }
    ax.annotate("", xy=end, xytext=start, arrowprops={**style, "connectionstyle": f"arc3,rad={bend}"})


def _road(ax: Axes, points: Sequence[tuple[float, float]], colour: str = GREY, width: float = 1.3) -> None:
    """A line with corners that ends in an arrow."""
    if len(points) > 2:
        ax.plot(*zip(*points[:-1]), color=colour, linewidth=width, solid_capstyle="butt")
    _arrow(ax, points[-2], points[-1], colour, width)


def _softmax(x: np.ndarray) -> np.ndarray:
    e = np.exp(x - x.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


# --- masks -----------------------------------------------------------------------------------------------


@figure
def views(words: Sequence[str]) -> Figure:
    """The sentence once for each of its words: what that word sees in an encoder, and in a decoder."""
    drawn, axes = grid(1, 2, width=4.6, height=0.46 * len(words) + 0.9)
    for ax, title, seen in (
        (axes[0, 0], "In the encoder each word sees the whole sentence", lambda i, j: True),
        (axes[0, 1], "In the decoder it sees itself and what came before", lambda i, j: j <= i),
    ):
        _blank(ax, len(words) + 1.3, len(words) + 0.2)
        ax.set_title(title, fontsize=10)
        for i, word in enumerate(words):
            y = len(words) - i - 0.4
            ax.text(1.05, y, word, ha="right", va="center", fontsize=9, fontweight="bold")
            ax.text(1.15, y, "sees", ha="left", va="center", fontsize=7, color=GREY)
            for j, other in enumerate(words):
                x = j + 2.05
                if seen(i, j):
                    _box(ax, x, y, other, BLUE, 0.9, 0.7, 8, bold=i == j)
                else:
                    _box(ax, x, y, "?", "#BBBBBB", 0.9, 0.7, 8)
        ax.set_xlim(-0.1, len(words) + 1.6)
    return drawn


@figure
def masks(
    panels: Sequence[tuple[Any, Sequence[str], Sequence[str], str]],
    frame_rows: int = 0,
    signs: Sequence[str] = (),
    row_label: str = "who looks (query)",
) -> Figure:
    """Boolean masks side by side: blue with a dot is True, may attend; pale is False.

    Args:
        panels: for each mask (rows, columns), the names of the rows and of the columns, and a title.
        frame_rows: frame this many rows at the end of the first mask.
        signs: what stands between the panels, as "and", "=".
        row_label: what the rows are.
    """
    from matplotlib.colors import ListedColormap
    from matplotlib.patches import Rectangle

    shapes = [np.asarray(panel[0]).shape for panel in panels]
    widths = [max(0.36 * columns + 1.5, 2.1) for _, columns in shapes]
    drawn, axes = grid(
        1,
        len(panels),
        width=sum(widths) / len(widths) + 0.25,
        height=0.34 * max(rows for rows, _ in shapes) + 1.5,
        gridspec_kw={"width_ratios": widths},
    )
    for k, (ax, (mask, rows, columns, title)) in enumerate(zip(axes[0], panels)):
        mask = np.asarray(mask).astype(bool)
        ax.imshow(mask, cmap=ListedColormap([HIDDEN, BLUE]), vmin=0, vmax=1, aspect="equal")
        for i, j in np.argwhere(mask):
            ax.plot(j, i, "o", color="white", markersize=3.5)
        ax.set_xticks(np.arange(mask.shape[1] + 1) - 0.5, minor=True)
        ax.set_yticks(np.arange(mask.shape[0] + 1) - 0.5, minor=True)
        ax.grid(which="minor", color="white", linewidth=1.5)
        ax.tick_params(which="minor", length=0)
        ax.set_yticks(range(mask.shape[0]), rows, fontsize=8)
        ax.set_xticks(range(mask.shape[1]), columns, fontsize=8, rotation=45, ha="right", rotation_mode="anchor")
        ax.set_title(title, fontsize=9.5)
        ax.set_xlabel("may look at (key)", fontsize=8)
        if k == 0:
            ax.set_ylabel(row_label, fontsize=8)
        if k == 0 and frame_rows:
            start = mask.shape[0] - frame_rows - 0.5
            ax.add_patch(
                Rectangle(
                    (-0.5, start),
                    mask.shape[1],
                    frame_rows,
                    fill=False,
                    edgecolor=COLOURS[5],
                    linewidth=2.6,
                    clip_on=False,
                    zorder=5,
                )
            )
        if k < len(signs):
            ax.text(1.04, 0.5, signs[k], transform=ax.transAxes, ha="left", va="center", fontsize=11, fontweight="bold")
    return drawn


@figure
def last_words(words: Sequence[str], last: int) -> Figure:
    """The causal mask of a whole sentence, and of its last words alone."""
    before = np.arange(len(words))
    whole = before <= before[:, None]
    panels = [
        (whole, words, words, "the whole sentence asks"),
        (whole[-last:], words[-last:], words, f"only the last {last} words ask"),
    ]
    return masks(panels, frame_rows=last)


@figure
def both_masks(words: Sequence[str], length: int) -> Figure:
    """Causal mask and padding mask of one padded sentence, and what is left when both have to allow."""
    place = np.arange(len(words))
    causal, real = place <= place[:, None], np.tile(place < length, (len(words), 1))
    panels = [
        (causal, words, words, "causal: not ahead"),
        (real, words, words, "padding: only real words"),
        (causal & real, words, words, "both"),
    ]
    return masks(panels, signs=("and", "="))


@figure
def one_row(words: Sequence[str], scores: Sequence[float], seen: Sequence[bool], asking: str) -> Figure:
    """The scores of one query, the same with the hidden ones at -∞, and the weights that the softmax makes of them."""
    scores, seen = np.asarray(scores, dtype=float), np.asarray(seen)
    weights = np.where(seen, np.exp(scores), 0)
    weights /= weights.sum()
    plain = _softmax(scores)
    drawn, axes = grid(1, 4, width=2.55, height=2.7)
    colours = [BLUE if s else "#B8B8B8" for s in seen]
    low, high = min(scores.min(), 0) - 1.6, max(scores.max(), 0) + 0.9
    for ax, title, values, limits in (
        (axes[0, 0], "1  scores", scores, (low, high)),
        (axes[0, 1], "2  hidden scores to −∞", np.where(seen, scores, np.nan), (low, high)),
        (axes[0, 2], "3  softmax: these sum to 1", weights, (0, 1.12)),
        (axes[0, 3], "without the mask", plain, (0, 1.12)),
    ):
        ax.bar(range(len(words)), np.nan_to_num(values), color=colours)
        for j, value in enumerate(values):
            if np.isnan(value):
                ax.plot(j, low, "v", color="#8A8A8A", markersize=9, clip_on=False)
                ax.plot([j, j], [0, low], color="#8A8A8A", linewidth=1.4, linestyle=":")
                ax.text(j, 0.1, "−∞", ha="center", va="bottom", fontsize=9)
            else:
                ax.text(
                    j,
                    max(value, 0) + 0.02 * (limits[1] - limits[0]),
                    f"{value:.2f}".replace("-", "−"),
                    ha="center",
                    va="bottom",
                    fontsize=8,
                )
        ax.axhline(0, color="black", linewidth=0.8)
        ax.set(ylim=limits)
        ax.set_title(title, fontsize=9.5)
        ax.set_xticks(range(len(words)), words, fontsize=8, rotation=45, ha="right", rotation_mode="anchor")
        ax.tick_params(axis="y", labelsize=7)
    axes[0, 0].set_ylabel(f"“{asking}” asks", fontsize=9)
    drawn.suptitle(f"“{asking}” must not see the grey words: their scores go before the softmax", fontsize=10.5)
    return drawn


@figure
def leaking_fills() -> Figure:
    """How much weight a hidden word gets, by the number that was filled in for its score."""
    drawn, axes = grid(1, 1, width=6.6, height=3.1)
    ax = axes[0, 0]
    visible = np.logspace(0, 6, 400)
    for fill, label, colour, style in (
        (-20, "fill −20", ORANGE, "-"),
        (-1e4, "fill −10 000", PINK, "--"),
        (-1e9, "fill −10⁹, or −∞", BLUE, "-"),
    ):
        with np.errstate(over="ignore"):
            ax.plot(
                visible,
                1 / (1 + np.exp(np.clip(-visible - fill, -700, 700))),
                color=colour,
                linewidth=2.4,
                linestyle=style,
                label=label,
            )
    ax.set_xscale("log")
    ax.set_xticks([10.0**k for k in range(7)], ["−1", "−10", "−100", "−1000", "−10 000", "−100 000", "−10⁶"])
    ax.set(xlabel="score of the visible word", ylabel="weight of the hidden word", ylim=(-0.05, 1.1))
    ax.set_title("One visible word, one hidden: the hidden one wins where its fill is the higher score", fontsize=10)
    ax.legend(fontsize=8, loc="center right")
    return drawn


@figure
def leaks(words: Sequence[str], seed: int = 3) -> Figure:
    """How much the output at each word moves when another word is changed: without a mask, masked late, masked in time."""
    rng = np.random.default_rng(seed)
    n, d = len(words), 8
    X = rng.normal(size=(n, d))
    W_q, W_k, W_v = rng.normal(size=(3, d, d)) / np.sqrt(d) * 1.3
    triangle = np.tri(n)

    def attend(X: np.ndarray, kind: str) -> np.ndarray:
        scores = (X @ W_q) @ (X @ W_k).T / np.sqrt(d)
        if kind == "right":
            scores = np.where(triangle == 1, scores, -np.inf)
        weights = _softmax(scores)
        return (weights * triangle if kind == "late" else weights) @ (X @ W_v)

    drawn, axes = grid(1, 3, width=3.3, height=3.2)
    for ax, kind, title in zip(
        axes[0],
        ("absent", "late", "right"),
        (
            "no mask:\nthe future shines through",
            "mask after the softmax:\nit still does",
            "mask before the softmax:\nnothing above the diagonal",
        ),
    ):
        moved = np.zeros((n, n))
        for j in range(n):
            changed = X.copy()
            changed[j] = rng.normal(size=d)
            moved[:, j] = np.linalg.norm(attend(changed, kind) - attend(X, kind), axis=-1)
        heatmap(moved, rows=words, columns=words, title=title, ax=ax, signed=False, numbers=False, limits=(0, 2))
        for (i, j), value in np.ndenumerate(moved):
            ax.text(
                j,
                i,
                f"{value:.2f}" if value else "0",
                ha="center",
                va="center",
                fontsize=8,
                color="black" if value > 1.1 else "white",
            )
        ax.plot(
            [-0.5, *np.repeat(np.arange(n - 1) + 0.5, 2), n - 0.5],
            np.repeat(np.arange(n) - 0.5, 2),
            color=COLOURS[5],
            linewidth=2,
        )
        ax.set_xlabel("word that is changed")
    axes[0, 0].set_ylabel("output that moves")
    return drawn


# --- models that cheat -----------------------------------------------------------------------------------

DIGITS, LENGTH, SLIP = 10, 8, 0.25
BOS = DIGITS
# Nats a digit, for a perfect guesser that does not see the future: log 10 for the first, then the entropy of one step.
_RIGHT, _OTHER = 1 - SLIP + SLIP / DIGITS, SLIP / DIGITS
FLOOR = (np.log(DIGITS) + (LENGTH - 1) * -(_RIGHT * np.log(_RIGHT) + (DIGITS - 1) * _OTHER * np.log(_OTHER))) / LENGTH


@figure
def train_cheaters(steps: int = 300, seed: int = 0) -> dict[str, dict[str, Any]]:
    """Train three small decoders that differ in nothing but the mask, on digits that count up and sometimes slip.

    Each next digit is the last one plus 1 (after 9 comes 0), except that with probability `SLIP` it is any digit at all.

    Returns:
        for "no mask", "mask after the softmax" and "mask before the softmax": the loss at each step, what the model
        writes when it is given each digit to begin with (10, LENGTH), and its attention weights (LENGTH, LENGTH).
    """
    import torch
    from torch import nn

    class Decoder(nn.Module):
        """Embedding and position, one attention with two heads, a feed-forward net, a linear layer to ten digits."""

        def __init__(self, kind: str, d: int = 32) -> None:
            super().__init__()
            self.kind, self.weights = kind, None
            self.embedding, self.position = nn.Embedding(DIGITS + 1, d), nn.Embedding(LENGTH, d)
            self.qkv, self.back = nn.Linear(d, 3 * d), nn.Linear(d, d)
            self.norm_1, self.norm_2 = nn.LayerNorm(d), nn.LayerNorm(d)
            self.feed_forward = nn.Sequential(nn.Linear(d, 2 * d), nn.ReLU(), nn.Linear(2 * d, d))
            self.final = nn.Linear(d, DIGITS)

        def forward(self, ids: torch.Tensor) -> torch.Tensor:
            n = ids.shape[-1]
            x = self.embedding(ids) + self.position.weight[:n]  # (b, n, d)
            Q, K, V = (
                part.unflatten(-1, (2, -1)).transpose(1, 2) for part in self.qkv(self.norm_1(x)).chunk(3, -1)
            )  # (b, 2, n, d/2)
            scores = Q @ K.mT / Q.shape[-1] ** 0.5  # (b, 2, n, n)
            future = torch.from_numpy(np.tri(n) == 0)
            if self.kind == "mask before the softmax":
                scores = scores + torch.zeros(n, n).masked_fill(future, -torch.inf)
            self.weights = torch.softmax(scores, -1)
            if self.kind == "mask after the softmax":
                self.weights = self.weights * ~future
            x = x + self.back((self.weights @ V).transpose(1, 2).flatten(-2))
            return self.final(x + self.feed_forward(self.norm_2(x)))

    def sentences(generator: torch.Generator, count: int) -> torch.Tensor:
        digits = torch.randint(DIGITS, (count, LENGTH), generator=generator)
        slips = torch.rand(count, LENGTH, generator=generator) < SLIP
        for i in range(1, LENGTH):
            digits[:, i] = torch.where(slips[:, i], digits[:, i], (digits[:, i - 1] + 1) % DIGITS)
        return digits

    results = {}
    with torch.random.fork_rng():
        for kind in ("no mask", "mask after the softmax", "mask before the softmax"):
            torch.manual_seed(seed)
            model, generator, losses = Decoder(kind), torch.Generator().manual_seed(seed + 1), []
            optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
            begin = torch.full((32, 1), BOS)
            for _ in range(steps):
                targets = sentences(generator, 32)
                logits = model(torch.cat([begin, targets[:, :-1]], 1))
                loss = nn.functional.cross_entropy(logits.flatten(0, 1), targets.flatten())
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                losses.append(loss.item())
            with torch.no_grad():
                example = sentences(generator, 200)
                model(torch.cat([torch.full((200, 1), BOS), example[:, :-1]], 1))
                weights = model.weights.mean((0, 1)).numpy()
                written = torch.stack([torch.full((DIGITS,), BOS), torch.arange(DIGITS)], 1)
                while written.shape[1] <= LENGTH:
                    token = model(written)[:, -1].argmax(-1, keepdim=True)
                    written = torch.cat([written, token], 1)
            results[kind] = {"losses": np.array(losses), "written": written[:, 1:].numpy(), "weights": weights}
    return results


@figure
def cheaters(results: Mapping[str, Mapping[str, Any]], start: int = 3) -> Figure:
    """The losses of the three models, and what each of them writes."""
    drawn, axes = grid(1, 2, width=4.9, height=3.5, gridspec_kw={"width_ratios": [1.15, 1]})
    ax = axes[0, 0]
    styles = {
        "no mask": (COLOURS[5], "-"),
        "mask after the softmax": (ORANGE, "--"),
        "mask before the softmax": (BLUE, "-"),
    }
    for kind, result in results.items():
        smooth = np.convolve(result["losses"], np.ones(10) / 10, mode="valid")
        ax.plot(
            np.arange(len(smooth)) + 10,
            smooth,
            color=styles[kind][0],
            linestyle=styles[kind][1],
            linewidth=2,
            label=kind,
        )
    ax.axhline(FLOOR, color="black", linestyle=":", linewidth=1.4)
    ax.text(
        len(smooth) + 9,
        FLOOR - 0.1,
        "dotted: nobody can do better\nwithout looking ahead",
        fontsize=8,
        ha="right",
        va="top",
    )
    ax.set(xlabel="training step", ylabel="loss (nats a digit)", ylim=(0, 2.5))
    ax.set_title("Two losses are too good to be true ...", fontsize=10)
    ax.legend(fontsize=8, loc="upper right")

    ax = axes[0, 1]
    _blank(ax, LENGTH, 4.15)
    for row, (kind, result) in enumerate(results.items()):
        y = 3.2 - 1.3 * row
        written = result["written"][start]
        kept = (result["written"][:, 1:] == (result["written"][:, :-1] + 1) % DIGITS).mean()
        ax.text(0.05, y + 0.52, f"{kind}: {kept:.0%} of its steps are right", fontsize=8.5, color="black", va="bottom")
        for j, digit in enumerate(written):
            right = j == 0 or digit == (written[j - 1] + 1) % DIGITS
            _box(
                ax,
                j + 0.5,
                y,
                str(digit),
                GREY if j == 0 else BLUE if right else COLOURS[5],
                0.8,
                0.72,
                11,
                bold=not right,
            )
            if not right:
                ax.text(j + 0.5, y - 0.4, "✗", fontsize=8, color=COLOURS[5], ha="center", va="top")
    ax.set_title(f"... and those models cannot count on from {start}", fontsize=10)
    return drawn


@figure
def cheaters_look(results: Mapping[str, Mapping[str, Any]]) -> Figure:
    """Where the three models look, averaged over sentences and heads."""
    drawn, axes = grid(1, 3, width=3.2, height=3.3)
    names = ["<s>", *(f"{i}." for i in range(1, LENGTH))]
    for ax, (kind, result) in zip(axes[0], results.items()):
        heatmap(
            result["weights"], rows=names, columns=names, title=kind, ax=ax, signed=False, numbers=False, limits=(0, 1)
        )
        ax.plot(
            [-0.5, *np.repeat(np.arange(LENGTH - 1) + 0.5, 2), LENGTH - 0.5],
            np.repeat(np.arange(LENGTH) - 0.5, 2),
            color=COLOURS[5],
            linewidth=2,
        )
        ax.set_xlabel("looks at input ...")
        ax.tick_params(labelsize=8)
    axes[0, 0].set_ylabel("place that predicts")
    return drawn


# --- the decoder -----------------------------------------------------------------------------------------


@figure
def three_attentions() -> Figure:
    """The encoder beside the decoder, with the sources of Q, K and V of all three attentions as arrows."""
    drawn, axes = grid(1, 1, width=9.2, height=5.6)
    ax = axes[0, 0]
    _blank(ax, 10, 8.3)

    def attention(x: float, y: float, name: str, colour: str) -> None:
        _box(ax, x, y, name, colour, 2.9, 0.8, 10, bold=True)

    def three_from_below(x: float, y: float) -> None:
        """One stream that splits into Q, K and V."""
        for dx, letter, colour in ((-0.95, "Q", QUERY), (0, "K", KEY), (0.95, "V", VALUE)):
            _road(
                ax,
                [(x, y - 1.0), (x + dx, y - 1.0), (x + dx, y - 0.42)] if dx else [(x, y - 1.0), (x, y - 0.42)],
                colour,
                2,
            )
            ax.text(x + dx + 0.1, y - 0.72, letter, color=colour, fontsize=11, fontweight="bold", va="center")

    left, right = 2.1, 7.3
    # The encoder.
    _box(ax, left, 0.7, "we   eat   a   burger", GREY, 2.9, 0.55)
    ax.text(left, 0.22, "source sentence", ha="center", va="center", fontsize=8, color=GREY)
    ax.plot([left, left], [0.98, 1.6], color=GREY, linewidth=1.3)
    three_from_below(left, 2.6)
    attention(left, 2.6, "self-attention", BLUE)
    _arrow(ax, (left, 3.02), (left, 3.68))
    _box(ax, left, 4.0, "feed forward", GREY, 2.9, 0.6)
    _road(ax, [(left, 4.32), (left, 5.0)])
    _box(ax, left, 5.3, "memory: one vector a source word", KEY, 3.3, 0.6)
    ax.text(left, 8.0, "Encoder", ha="center", fontsize=12, fontweight="bold")
    # The decoder.
    _box(ax, right, 0.7, "<s>   nous   mangeons", GREY, 2.9, 0.55)
    ax.text(right, 0.22, "what has been written so far", ha="center", va="center", fontsize=8, color=GREY)
    ax.plot([right, right], [0.98, 1.6], color=GREY, linewidth=1.3)
    three_from_below(right, 2.6)
    attention(right, 2.6, "masked self-attention", BLUE)
    _arrow(ax, (right + 0.95, 3.02), (right + 0.95, 4.98), QUERY, 2)
    ax.text(right + 1.07, 4.0, "Q  from below", color=QUERY, fontsize=11, fontweight="bold", va="center")
    attention(right, 5.4, "cross attention", COLOURS[5])
    for y, dx, letter, colour in ((5.42, -0.95, "K", KEY), (5.18, 0.0, "V", VALUE)):
        turn = 4.35 if letter == "K" else 4.0
        _road(
            ax,
            [
                (left + 1.66, y),
                (4.75 if letter == "K" else 4.5, y),
                (4.75 if letter == "K" else 4.5, turn),
                (right + dx, turn),
                (right + dx, 4.98),
            ],
            colour,
            2,
        )
        ax.text(right + dx + 0.1, 4.72, letter, color=colour, fontsize=11, fontweight="bold", va="center")
    ax.text(4.4, 5.75, "K and V from the encoder", color=KEY, fontsize=9.5, fontweight="bold", ha="center", va="center")
    _arrow(ax, (right, 5.82), (right, 6.28))
    _box(ax, right, 6.58, "feed forward", GREY, 2.9, 0.55)
    _arrow(ax, (right, 6.87), (right, 7.18))
    _box(ax, right, 7.45, "final linear layer, softmax: un?", GREY, 2.9, 0.5)
    ax.text(right, 8.0, "Decoder", ha="center", fontsize=12, fontweight="bold")
    ax.set_title(
        "Self-attention asks and answers itself; cross attention asks below and gets its answers from the encoder",
        fontsize=10.5,
    )
    return drawn


@figure
def decoder_layers() -> Figure:
    """One decoder layer as a road with three side roads, post-norm beside pre-norm."""
    drawn, axes = grid(1, 2, width=4.3, height=5.4)
    sublayers = (
        ("self_attention", "self_mask", BLUE),
        ("cross_attention", "memory_mask", COLOURS[5]),
        ("feed_forward", "", GREEN),
    )
    for ax, norm_first in zip(axes[0], (False, True)):
        _blank(ax, 7.3, 9.8)
        ax.set_title(
            "norm_first=True: pre-norm, x + sublayer(norm(x))"
            if norm_first
            else "norm_first=False: post-norm, norm(x + sublayer(x))",
            fontsize=9.5,
        )
        x, side = 1.6, 4.2
        ax.text(x, 0.12, "x from the layer below", ha="center", va="bottom", fontsize=9)
        y = 0.6
        for i, (name, mask, colour) in enumerate(sublayers, 1):
            end = y + 2.9
            _arrow(ax, (x, y), (x, end - (0.78 if not norm_first else 0.28)), "black", 1.8)
            enter, sum_y = y + 0.35, end - (1.0 if not norm_first else 0.5)
            body = (enter + sum_y) / 2
            _road(ax, [(x, enter), (side, enter), (side, body - (0.62 if norm_first else 0.3))])
            if norm_first:
                _box(ax, side, body - 0.36, f"norm_{i}", GREY, 2.4, 0.46)
                _arrow(ax, (side, body - 0.13), (side, body + 0.08))
                _box(ax, side, body + 0.32, name, colour, 2.4, 0.5)
                _road(ax, [(side, body + 0.57), (side, sum_y), (x + 0.24, sum_y)])
                right = body + 0.32
            else:
                _box(ax, side, body, name, colour, 2.4, 0.56)
                _road(ax, [(side, body + 0.28), (side, sum_y), (x + 0.24, sum_y)])
                right = body
            if mask:
                _arrow(
                    ax,
                    (7.15, right),
                    (side + 1.22, right),
                    KEY if name == "cross_attention" else GREY,
                    2 if name == "cross_attention" else 1.3,
                )
                if name == "cross_attention":
                    ax.text(7.2, right + 0.1, "memory", color=KEY, fontsize=8.5, ha="right", va="bottom")
                ax.text(7.2, right - 0.12, mask, color=GREY, fontsize=7.5, ha="right", va="top")
            ax.plot(x, sum_y, "o", color="white", markeredgecolor="black", markersize=15, zorder=4)
            ax.text(x, sum_y, "+", ha="center", va="center", fontsize=12, zorder=5)
            if not norm_first:
                _box(ax, x, end - 0.5, f"norm_{i}", GREY, 1.6, 0.42)
            y = end - (0.29 if not norm_first else 0.28)
            if i < 3:
                y = end - 0.29
        _arrow(ax, (x, y), (x, 9.35), "black", 1.8)
        ax.text(x, 9.4, "x to the layer above", ha="center", va="bottom", fontsize=9)
    return drawn


@figure
def across(weights: np.ndarray, target: Sequence[str], source: Sequence[str], title: str) -> Figure:
    """Cross attention: a row for each target word, a column for each source word."""
    drawn, axes = grid(1, 1, width=5.6, height=3.0)
    ax = axes[0, 0]
    names = {"row_label": "target words ask (Q)", "column_label": "source words answer (K, V)"}
    heatmap(
        weights, rows=target, columns=source, title=title, ax=ax, limits=(0, 1), signed=False, numbers=False, **names
    )
    for (i, j), value in np.ndenumerate(weights):
        ax.text(j, i, f"{value:.2f}", ha="center", va="center", fontsize=9, color="black" if value > 0.5 else "white")
    return drawn


# --- predicting ------------------------------------------------------------------------------------------


@figure
def teacher_forcing(inputs: Sequence[str], targets: Sequence[str]) -> Figure:
    """Input and target of the decoder place by place, and the shift that makes one of the other."""
    n = len(targets)
    drawn, axes = grid(1, 1, width=1.35 * n + 2.2, height=2.9)
    ax = axes[0, 0]
    _blank(ax, n + 1.5, 3.1)
    for y, label in ((2.55, "target: to be predicted"), (1.55, "the decoder"), (0.55, "input: read")):
        ax.text(1.35, y, label, ha="right", va="center", fontsize=9)
    for j in range(n):
        x = j + 2
        _box(ax, x, 2.55, targets[j], GREEN, 0.84, 0.46, 9)
        _box(ax, x, 0.55, inputs[j], ORANGE if j == 0 else GREEN, 0.84, 0.46, 9, bold=j == 0)
        _arrow(ax, (x, 0.8), (x, 2.3), GREY, 1.4)
        if j < n - 1:
            ax.plot([x + 0.18, x + 0.82], [2.3, 0.8], color=GREEN, linewidth=1.2, linestyle=":")
    from matplotlib.patches import Rectangle

    ax.add_patch(Rectangle((1.5, 1.3), n, 0.5, facecolor="white", edgecolor=BLUE, linewidth=1.3, zorder=3))
    ax.text(
        1.5 + n / 2,
        1.55,
        "place i may look at inputs 0 ... i",
        ha="center",
        va="center",
        fontsize=9,
        color=BLUE,
        zorder=4,
    )
    ax.set_xlim(-0.3, n + 1.6)
    ax.set_title(
        "Each target is also what the next place reads (dotted), so all places are trained at once", fontsize=10
    )
    return drawn


@figure
def final_layer(x: np.ndarray, W: np.ndarray, words: Sequence[str]) -> Figure:
    """One decoder output, the final linear layer, the logits and the probabilities of the vocabulary."""
    logits = x @ W
    top = float(max(np.abs(x).max(), np.abs(W).max()))
    drawn, axes = grid(
        3, 2, width=3.6, height=1.5, gridspec_kw={"height_ratios": [len(x), 1.1, 1.1], "width_ratios": [0.2, 1]}
    )
    heatmap(
        x[:, None],
        title="x, written\nas a column",
        ax=axes[0, 0],
        columns=[""],
        row_label="feature",
        signed=True,
        limits=(-top, top),
    )
    heatmap(
        W,
        columns=[""] * len(words),
        title="W of the final linear layer: one column for each word",
        ax=axes[0, 1],
        signed=True,
        limits=(-top, top),
    )
    heatmap(
        logits[None],
        columns=[""] * len(words),
        rows=[""],
        title="logits = x W: one score for each word",
        ax=axes[1, 1],
        signed=True,
    )
    heatmap(
        _softmax(logits)[None],
        columns=words,
        rows=[""],
        title="softmax: one probability for each word",
        ax=axes[2, 1],
        limits=(0, 1),
        signed=False,
    )
    for ax in (axes[1, 0], axes[2, 0]):
        ax.axis("off")
    for ax in axes.flat:
        ax.tick_params(length=0)
    return drawn


@figure
def surprise(words: Sequence[str], logits: Sequence[float], right: int) -> Figure:
    """Logits, probabilities, and the surprise at the right word on the curve -log p."""
    logits = np.asarray(logits, dtype=float)
    p = _softmax(logits)
    drawn, axes = grid(1, 3, width=3.1, height=2.9)
    colours = [GREEN if j == right else "#9FB8CC" for j in range(len(words))]
    for ax, values, title in ((axes[0, 0], logits, "1  logits"), (axes[0, 1], p, "2  softmax: probabilities")):
        ax.bar(range(len(words)), values, color=colours)
        span = values.max() - min(values.min(), 0)
        for j, value in enumerate(values):
            ax.text(
                j, max(value, 0) + 0.02 * span, f"{value:.2f}".replace("-", "−"), ha="center", va="bottom", fontsize=8
            )
        ax.axhline(0, color="black", linewidth=0.8)
        ax.set_ylim(top=values.max() + 0.15 * span)
        ax.set_title(title, fontsize=10)
        ax.set_xticks(range(len(words)), words, fontsize=8, rotation=45, ha="right", rotation_mode="anchor")
    ax = axes[0, 2]
    line = np.linspace(0.01, 1, 200)
    ax.plot(line, -np.log(line), color=BLUE, linewidth=2)
    ax.plot(p[right], -np.log(p[right]), "o", color=GREEN, markersize=9)
    ax.annotate(
        f"{words[right]}: p = {p[right]:.2f}\n−log p = {-np.log(p[right]):.2f}",
        (p[right], -np.log(p[right])),
        (0.36, 2.3),
        fontsize=9,
        arrowprops={"arrowstyle": "-", "color": GREY},
    )
    ax.set(xlabel="probability of the right word", ylabel="surprise −log p (nats)", ylim=(0, 4.7))
    ax.set_title("3  the rarer, the more surprising", fontsize=10)
    return drawn


@figure
def steps(
    prefixes: Sequence[Sequence[str]], probabilities: Sequence[np.ndarray], words: Sequence[str], title: str
) -> Figure:
    """The distribution of the next word at each step, with the word that is taken in another colour.

    Args:
        prefixes: for each step the words that the model has read.
        probabilities: for each step the probability of every word (vocab,).
        words: the vocabulary.
        title: what to see.
    """
    columns = max(len(prefixes), 1)
    drawn, axes = grid(1, columns, width=max(1.95, 5.0 / columns), height=3.0, sharey=True, sharex=True)
    for number, (ax, prefix, p) in enumerate(zip(axes[0], prefixes, probabilities), 1):
        best = int(np.argmax(p))
        ax.barh(range(len(words)), p, color=[COLOURS[5] if j == best else "#9FB8CC" for j in range(len(words))])
        for j, value in enumerate(p):
            ax.text(
                value + 0.02, j, f"{value:.2f}", va="center", fontsize=7.5, fontweight="bold" if j == best else "normal"
            )
        ax.set_yticks(range(len(words)), words, fontsize=9)
        ax.set(xlim=(0, 1.22), xticks=[0, 0.5, 1])
        half = len(prefix) if len(prefix) <= 3 else (len(prefix) + 1) // 2
        read = " ".join(prefix[:half]) + "\n" * (half < len(prefix)) + " ".join(prefix[half:])
        ax.set_title(f"step {number}, reads:\n{read}" + ("" if "\n" in read else "\n"), fontsize=8.5)
        ax.set_xlabel(f"takes “{words[best]}”", fontsize=9, color=COLOURS[5], fontweight="bold")
    axes[0, 0].invert_yaxis()
    axes[0, 0].set_ylabel("next word")
    drawn.suptitle(title, fontsize=10.5)
    return drawn
