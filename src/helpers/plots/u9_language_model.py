"""Figures of unit 9: the decoder alone, the gate, windows, bits, cutting a distribution, clocks, caches, heads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from .core import COLOURS, describe, figure, grid, heatmap
from .wording import joined, named, number

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

BLUE, ORANGE, GREEN, PINK, SKY, VERMILION = COLOURS[:6]
GREY, PALE, DARK = "#6b7280", "#d1d5db", "#333333"


def _box(
    ax: Axes, x: float, y: float, width: float, height: float, words: str, colour: str, gone: bool = False
) -> None:
    from matplotlib.patches import FancyBboxPatch

    ax.add_patch(
        FancyBboxPatch(
            (x - width / 2, y - height / 2),
            width,
            height,
            boxstyle="round,pad=0,rounding_size=0.1",
            facecolor="#ffffff" if gone else colour + "26",
            edgecolor=PALE if gone else colour,
            linestyle="--" if gone else "-",
            linewidth=1.5,
        )
    )
    ax.text(x, y, words, ha="center", va="center", fontsize=9, color=GREY if gone else DARK)


def _arrow(ax: Axes, start: tuple[float, float], end: tuple[float, float], colour: str = GREY) -> None:
    ax.annotate("", xy=end, xytext=start, arrowprops={"arrowstyle": "-|>", "color": colour, "linewidth": 1.2})


def _stack(ax: Axes, x: float, rows: Sequence[tuple[str, str, bool]], width: float) -> None:
    """Boxes one above the other, from the bottom."""
    for row, (words, colour, gone) in enumerate(rows):
        _box(ax, x, row, width, 0.66, words, colour, gone)
        if row:
            _arrow(ax, (x, row - 0.67), (x, row - 0.34))


@figure
def flow_charts() -> Figure:
    """The encoder-decoder of unit 7 and a decoder alone, side by side; what goes is dashed."""
    drawn, axes = grid(1, 2, width=5.6, height=6.2, gridspec_kw={"width_ratios": [1.35, 1]})
    old, new = axes[0]
    for ax, title in ((old, "Unit 7: an encoder and a decoder"), (new, "Unit 9: a decoder alone")):
        ax.axis("off")
        ax.set_title(title, fontsize=11)
        ax.set_ylim(-0.6, 8.7)
    old.set_xlim(-1.8, 5.4)
    new.set_xlim(-2.3, 2.9)
    _stack(
        old,
        0.0,
        [
            ("embedding of the source", PINK, True),
            ("+ sines and cosines", BLUE, True),
            ("self-attention, biases", ORANGE, True),
            ("layer norm", SKY, True),
            ("feed-forward, ReLU", GREEN, True),
            ("layer norm", SKY, True),
        ],
        2.6,
    )
    _stack(
        old,
        3.6,
        [
            ("embedding of the target", PINK, False),
            ("+ sines and cosines", BLUE, True),
            ("masked self-attention", ORANGE, False),
            ("layer norm", SKY, True),
            ("cross attention", ORANGE, True),
            ("feed-forward, ReLU", GREEN, True),
            ("layer norm", SKY, True),
            ("linear to the logits", PINK, False),
        ],
        2.7,
    )
    old.plot([0, 0, 1.85, 1.85], [5.34, 5.75, 5.75, 4.0], color=PALE, linestyle="--")
    _arrow(old, (1.85, 4.0), (2.24, 4.0), PALE)
    old.text(1.0, 5.85, "memory", fontsize=8, color=GREY, ha="center")
    _stack(
        new,
        0.0,
        [
            ("embedding", PINK, False),
            ("RMS norm", SKY, False),
            ("masked self-attention:\nq, k turned; k, v shared and kept", ORANGE, False),
            ("+ what came in", GREY, False),
            ("RMS norm", SKY, False),
            ("gated feed-forward", GREEN, False),
            ("+ what came in", GREY, False),
            ("RMS norm, once at the end", SKY, False),
            ("linear to the logits", PINK, False),
        ],
        3.1,
    )
    new.plot([1.8, 2.0, 2.0, 1.8], [0.65, 0.65, 6.4, 6.4], color=GREY)
    new.text(2.1, 3.5, "n_layers ×", fontsize=9, color=DARK, va="center")
    return describe(
        drawn,
        "Two flow charts, read from the bottom. Left, unit 7's encoder (embedding, sines, self-attention with biases,"
        " layer"
        " norm, feed-forward with ReLU), whose memory goes into the cross attention of the decoder beside it. Dashed,"
        " for"
        " what is left out now: the whole encoder, cross attention, sines, layer norms, the feed-forward net with ReLU."
        " Right, the decoder alone: embedding; n_layers times RMS norm, masked self-attention with turned q and k and"
        " shared,"
        " kept k and v, what came in added, RMS norm, gated feed-forward, what came in added; then RMS norm once and a"
        " linear"
        " layer to the logits.",
    )


@figure
def gate() -> Figure:
    """The SiLU beside the ReLU, and how much of `up` a gate lets through."""
    z = np.linspace(-6, 6, 241)
    silu = z / (1 + np.exp(-z))
    drawn, axes = grid(1, 2, width=4.2, height=3.2)
    left, right = axes[0]
    left.plot(z, np.maximum(z, 0), color=ORANGE, linestyle="--", label="ReLU (unit 5)")
    left.plot(z, silu, color=BLUE, linewidth=2, label="SiLU: z · sigmoid(z)")
    left.set(xlabel="z", ylabel="value", ylim=(-1, 6))
    left.set_title("The SiLU is a ReLU with a soft corner", fontsize=10)
    left.legend(fontsize=8)
    gates = np.array([-4.0, -1.0, 0.0, 1.0, 4.0])
    passed = 2 * gates / (1 + np.exp(-gates))
    right.bar(range(5), passed, color=[GREY, GREY, GREY, BLUE, BLUE])
    right.axhline(0, color=DARK, linewidth=0.8)
    for place, value in enumerate(passed):
        right.text(place, max(value, 0) + 0.15, f"{value:.2f}", ha="center", fontsize=9)
    right.set_xticks(range(5), [f"{g:g}" for g in gates])
    right.set(xlabel="gate(x)", ylabel="what passes of up(x) = 2", ylim=(-1, 9))
    right.set_title("Closed below zero, open above", fontsize=10)
    return describe(
        drawn,
        "Left, two curves for z from -6 to 6: the ReLU with its corner at 0, and the SiLU, which follows it at both"
        " ends,"
        " dips to -0.28 near z = -1.3 and has no corner. Right, what passes of up(x) = 2 for a gate(x) of"
        f" {named([f'{g:g}' for g in gates], passed)}.",
    )


@figure
def windows(causal: np.ndarray, window: np.ndarray, width: int) -> Figure:
    """A causal mask beside a sliding window of the same tokens."""
    n = len(causal)
    drawn, axes = grid(1, 2, width=3.7, height=3.7)
    for ax, mask, title in zip(
        axes[0], (causal, window), ("Causal: the row grows", f"A window of {width}: the row stays short")
    ):
        heatmap(
            np.asarray(mask, dtype=float),
            title=title,
            ax=ax,
            numbers=False,
            limits=(0, 1),
            row_label="query",
            column_label="key",
        )
        ax.set_xticks(range(n))
        ax.set_yticks(range(n))
    seen = [int(sum(row)) for row in np.asarray(window)]
    return describe(
        drawn,
        f"Two masks of {n} by {n} tokens. Left, causal: row i may see keys 0 to i, a triangle. Right, a window of"
        f" {width}: a"
        f" band along the diagonal; the rows see {joined(seen)} keys.",
    )


@figure
def bits(measured: Mapping[str, float]) -> Figure:
    """Bits for a character of the held-out text, for everyone who tried; the learner's own model is the last."""
    drawn, axes = grid(1, 1, width=7.2, height=0.45 * len(measured) + 1.3)
    ax = axes[0, 0]
    for row, value in enumerate(measured.values()):
        ax.barh(row, value, color=BLUE if row == len(measured) - 1 else GREY, height=0.62)
        ax.text(value, row, f" {value:.2f}", va="center", fontsize=9)
    ax.set_yticks(range(len(measured)), list(measured))
    ax.invert_yaxis()
    ax.set_xlim(0, max(measured.values()) * 1.15)
    ax.set_xlabel("bits for a character of text that was held out")
    best = min(measured, key=measured.__getitem__)
    ax.set_title(f"The fewer bits, the better it knew what comes next: {best} is ahead", fontsize=10)
    return describe(
        drawn, f"Bars of the bits for one held-out character: {named(measured, list(measured.values()), 3)}."
    )


def _name(character: str) -> str:
    return {" ": "space", "\n": "line"}.get(character, character)


@figure
def cutting(steps: Mapping[str, np.ndarray], characters: Sequence[str], prompt: str) -> Figure:
    """One distribution of the next character, and what each setting leaves of it.

    Args:
        steps: title → probabilities, (vocab,).
        characters: the vocabulary.
        prompt: what was read before.
    """
    first = next(iter(steps.values()))
    order = np.argsort(-first)[:12]
    drawn, axes = grid(1, len(steps), width=2.75, height=3.0, sharey=True)
    told = []
    for ax, (title, p) in zip(axes[0], steps.items()):
        ax.bar(range(len(order)), first[order], color=PALE)
        ax.bar(range(len(order)), p[order], color=BLUE, width=0.55)
        ax.set_xticks(range(len(order)), [_name(characters[i]) for i in order], fontsize=8, rotation=90)
        ax.set_title(f"{title}\n{int((p > 1e-9).sum())} characters left", fontsize=9)
        told.append(f"{title}: {named([_name(characters[i]) for i in order[:4]], p[order[:4]])}")
    axes[0, 0].set_ylabel("probability")
    drawn.suptitle(
        f"What may follow “…{prompt[-24:]}”: grey as the model says it, blue what is drawn from", fontsize=10
    )
    return describe(
        drawn,
        f"Bar charts of the probabilities of the next character after “{prompt[-24:]}”, the twelve most probable ones. "
        + "; ".join(told)
        + ".",
    )


@figure
def clocks(without: Sequence[float], cached: Sequence[float]) -> Figure:
    """Milliseconds for one more character, reading everything again and with a cache.

    Drawn are medians of 15 characters: what else the machine has to do now and then is nobody's cost.
    """
    drawn, axes = grid(1, 1, width=6.8, height=3.0)
    ax = axes[0, 0]
    for seconds, colour, label in ((without, ORANGE, "everything read again"), (cached, BLUE, "with the cache")):
        parts = np.array_split(1000 * np.asarray(seconds), max(1, len(seconds) // 15))
        ends = np.cumsum([len(part) for part in parts])
        ax.plot(ends, [np.median(part) for part in parts], color=colour, marker=".", label=label)
    ax.set(xlabel="characters written", ylabel="milliseconds for one more", ylim=(0, None))
    ax.legend(fontsize=8)
    ax.set_title("Without a cache each character costs more than the one before", fontsize=10)
    last = [1000 * np.median(part[-10:]) for part in (without, cached)]
    return describe(
        drawn,
        f"Two curves over {len(cached)} characters. At the end one more character takes {number(last[0])} milliseconds"
        f" when everything is read again, and {number(last[1])} with the cache. In all {number(sum(without))} and"
        f" {number(sum(cached))} seconds.",
    )


@figure
def bits_by_place(curves: Mapping[str, Sequence[float]], step: int, trained: int) -> Figure:
    """Bits for a character against its place in a long text.

    Args:
        curves: name → mean bits of each `step` characters.
        trained: the longest text that the model was trained on.
    """
    drawn, axes = grid(1, 1, width=7.2, height=3.4)
    ax = axes[0, 0]
    styles = ((ORANGE, "-", "o"), (BLUE, "-", "s"), (GREEN, "--", "^"), (PINK, ":", "d"))
    for (name, values), (colour, line, marker) in zip(curves.items(), styles):
        places = step * (np.arange(len(values)) + 0.5)
        ax.plot(places, values, line, color=colour, marker=marker, markersize=5, label=name)
    ax.axvline(trained, color=GREY, linewidth=1)
    ax.text(trained + 4, ax.get_ylim()[1] * 0.97, f"trained on texts of {trained}", fontsize=8, color=GREY, va="top")
    ax.set(xlabel="place in the text", ylabel="bits for a character", ylim=(0, None))
    ax.legend(fontsize=8)
    ax.set_title("Beyond what it was trained on: all of the text, or a window of it", fontsize=10)
    told = "; ".join(f"{name}: {', '.join(f'{v:.2g}' for v in values)}" for name, values in curves.items())
    return describe(
        drawn,
        f"Bits for a character in steps of {step} characters, up to {step * len(next(iter(curves.values())))}. {told}.",
    )


@figure
def caches(lengths: Sequence[int], gigabytes: Mapping[str, Sequence[float]]) -> Figure:
    """Size of the cache as the text grows: 32, 8 and 1 heads, and latent attention."""
    drawn, axes = grid(1, 1, width=7.2, height=3.6)
    ax = axes[0, 0]
    styles = ((ORANGE, "-"), (BLUE, "--"), (GREEN, ":"), (PINK, "-."))
    for (name, sizes), (colour, line) in zip(gigabytes.items(), styles):
        ax.plot(
            lengths,
            sizes,
            line,
            color=colour,
            marker="o",
            markersize=4,
            linewidth=2,
            label=f"{name}: {sizes[-1]:.2g} GiB",
        )
    ax.set(xlabel="tokens in the cache", ylabel="GiB for one text", ylim=(0, None))
    ax.set_xticks(lengths, [f"{n:,}" for n in lengths])
    ax.legend(fontsize=8)
    ax.set_title("Latent attention keeps one short vector for all heads", fontsize=10)
    return describe(
        drawn,
        f"Straight lines of the size of the cache up to {lengths[-1]:,} tokens. There, in GiB:"
        f" {named(gigabytes, [sizes[-1] for sizes in gigabytes.values()])}.",
    )


def weights_of(model: Any, ids: Any) -> list[np.ndarray]:
    """Return the attention weights of every layer for one text, computed from what the layers project and keep.

    Args:
        model: a `LanguageModel`, with `layers` that have an `attention` with `W_q` and that return their cache.
        ids: (1, n).

    Returns:
        for each layer (heads, n, n).
    """
    import torch

    queries: list[Any] = []
    pairs: list[Any] = []
    hooks = []
    for layer in model.layers:
        hooks.append(layer.attention.W_q.register_forward_hook(lambda part, given, out: queries.append(out)))
        hooks.append(layer.register_forward_hook(lambda part, given, out: pairs.append(out[1])))
    try:
        model.eval()
        with torch.no_grad():
            model(ids)
    finally:
        for hook in hooks:
            hook.remove()
    maps = []
    for projected, (K, _) in zip(queries, pairs):
        n, d = K.shape[-2:]
        q = projected[0].unflatten(-1, (-1, d)).transpose(0, 1)  # (h, n, d)
        angles = torch.arange(n)[:, None] * 10000.0 ** (-torch.arange(0, d, 2) / d)  # (n, d/2)
        cos, sin = angles.cos().to(q), angles.sin().to(q)
        even, odd = q[..., 0::2], q[..., 1::2]
        q = torch.stack([even * cos - odd * sin, even * sin + odd * cos], dim=-1).flatten(-2)
        K = K[0].repeat_interleave(len(q) // K.shape[-3], dim=0)
        scores = q @ K.transpose(-2, -1) / d**0.5
        ahead = torch.ones(n, n, dtype=torch.bool, device=scores.device).triu(1)
        maps.append(torch.softmax(scores.masked_fill(ahead, -torch.inf), dim=-1).cpu().numpy())
    return maps


def habits(weights: np.ndarray) -> dict[str, float]:
    """Return how much of its attention a head gives, on average, to itself, to the token before, and to the first one.

    Args:
        weights: (n, n), one head; n at least 3.
    """
    rows = np.asarray(weights)
    return {
        "itself": float(np.diagonal(rows)[2:].mean()),
        "one back": float(np.diagonal(rows, -1)[1:].mean()),
        "the first": float(rows[2:, 0].mean()),
    }


@figure
def heads(weights: np.ndarray, characters: Sequence[str], title: str) -> Figure:
    """The map of each head of one layer over a line of text."""
    names = [_name(c) if c != " " else "␣" for c in characters]
    drawn, axes = grid(1, len(weights), width=3.3, height=3.7)
    told = []
    for head, (ax, one) in enumerate(zip(axes[0], weights)):
        share = habits(one)
        most = max(share, key=share.__getitem__)
        ax.imshow(one, cmap="cividis", vmin=0, vmax=1)
        ax.set_xticks(range(len(names)), names, fontsize=6)
        ax.set_yticks(range(len(names)), names, fontsize=6)
        ax.set_title(f"head {head}: {share[most]:.0%} to {most}", fontsize=9)
        told.append(f"head {head} gives {', '.join(f'{value:.0%} to {name}' for name, value in share.items())}")
    axes[0, 0].set_ylabel("asks")
    drawn.suptitle(title, fontsize=10)
    return describe(drawn, f"{title}: {len(weights)} maps over {len(names)} characters. On average {'; '.join(told)}.")
