"""The clocks of the encoding: what a hand says, how fast the hands are, how far they turn."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from ..core import COLOURS, describe, figure, grid
from ..wording import number, numbers

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


BLUE, ORANGE, GREEN = COLOURS[:3]
VERMILION = COLOURS[5]
GREY = "#6b7280"
# A colour for each of eight clocks; the yellow is too pale for a hand on white.
HANDS = (*COLOURS[:6], COLOURS[7], GREY)


def _dial(ax: Axes) -> None:
    from matplotlib.patches import Circle

    ax.add_patch(Circle((0, 0), 1, fill=False, edgecolor=GREY, linewidth=1))
    ax.plot([-1, 1], [0, 0], color="#d1d5db", linewidth=0.8, zorder=0)
    ax.plot([0, 0], [-1, 1], color="#d1d5db", linewidth=0.8, zorder=0)
    ax.set_xlim(-1.25, 1.25)
    ax.set_ylim(-1.25, 1.25)
    ax.set_aspect("equal")
    ax.set_xticks([])
    ax.set_yticks([])
    for side in ax.spines.values():
        side.set_visible(False)


def _hand(ax: Axes, angle: float, colour: str, **style: float) -> None:
    """A hand that starts at the top and turns clockwise: its tip is (sin, cos) of the angle."""
    ax.annotate(
        "",
        (np.sin(angle), np.cos(angle)),
        (0, 0),
        arrowprops={"arrowstyle": "-|>", "color": colour, "linewidth": 2, "shrinkA": 0, "shrinkB": 0, **style},
    )


@figure
def reading_a_hand(angle: float = 1.0) -> Figure:
    """One dial with a hand: how far right is the sine, how far up is the cosine; a second hand has the same sine."""
    from matplotlib.patches import Arc

    drawn, axes = grid(1, 1, width=5.2, height=3.7)
    ax = axes[0, 0]
    _dial(ax)
    x, y = np.sin(angle), np.cos(angle)
    ax.plot([0, x], [y, y], color=ORANGE, linewidth=2.5)
    ax.plot([x, x], [0, y], color=GREEN, linewidth=2.5)
    _hand(ax, angle, BLUE)
    _hand(ax, np.pi - angle, GREY, linewidth=1.2)
    ax.plot([0, x], [-y, -y], color=ORANGE, linewidth=1.2, linestyle="--")
    ax.text(
        x + 0.12,
        -y,
        f"angle {np.pi - angle:.2f}: the same sine,\nthe cosine is {-y:.4f}".replace("-", "−"),
        va="center",
        fontsize=9,
        color=GREY,
    )
    ax.add_patch(Arc((0, 0), 0.6, 0.6, theta1=90 - np.degrees(angle), theta2=90, color=GREY))
    ax.text(0.12, 0.36, "angle 1", fontsize=9, color=GREY)
    ax.text(x / 2 - 0.06, y + 0.06, f"sin 1 = {x:.4f}", ha="center", fontsize=9)
    ax.text(1.05, y / 2, f"cos 1 = {y:.4f}", va="center", fontsize=9)
    ax.set_xlim(-1.2, 2.4)
    ax.set_title("How far right: sine. How far up: cosine", fontsize=10)
    alt = (
        f"A dial with a hand turned clockwise by an angle of {angle:g} radian from the top. Its tip is {x:.4f}, the "
        f"sine, to the right of the centre and {y:.4f}, the cosine, above it. A grey hand at the angle "
        f"{np.pi - angle:.2f} is as far to the right, and its cosine is {-y:.4f}."
    )
    return describe(drawn, alt)


@figure
def clock_strip(positions: Sequence[int] = (0, 1, 2, 3, 50, 100, 157)) -> Figure:
    """The two clocks of a 4-vector at several positions: one whirls, one creeps."""
    drawn, axes = grid(2, len(positions), width=1.35, height=1.65)
    for row, (rate, colour, name) in enumerate(
        ((1.0, BLUE, "fast clock\n$\\omega_0 = 1$"), (0.01, ORANGE, "slow clock\n$\\omega_1 = 0.01$"))
    ):
        for ax, position in zip(axes[row], positions):
            _dial(ax)
            _hand(ax, position * rate, colour)
            ax.set_xlabel(f"angle {position * rate:g}", fontsize=8)
            if row == 0:
                ax.set_title(f"position {position}", fontsize=9)
        axes[row, 0].set_ylabel(name, fontsize=9)
    drawn.suptitle(
        "Two hands tell the position: the fast one sees each step, the slow one how far we have come", fontsize=10
    )
    alt = (
        f"Two rows of dials at the positions {numbers(positions)}. The hand of the fast clock has turned by as many "
        f"radians, and points everywhere; that of the slow clock by {numbers(0.01 * np.array(positions), 3)}, a "
        "quarter turn being 1.57."
    )
    return describe(drawn, alt)


@figure
def speeds(widths: Sequence[int] = (8, 32, 128)) -> Figure:
    """Frequencies of several widths on a logarithmic scale: straight lines from 1 towards 1/10000."""
    drawn, axes = grid(1, len(widths), width=3.0, height=3.0, sharey=True)
    for ax, width, colour in zip(axes[0], widths, COLOURS):
        pair = np.arange(width // 2)
        ax.semilogy(pair, 1e4 ** (-pair / len(pair)), "o", color=colour, markersize=5 if width < 100 else 3)
        ax.axhline(1e-4, color=GREY, linestyle="--", linewidth=1)
        ax.set_title(f"d_model = {width}: {width // 2} clocks", fontsize=10)
        ax.set_xlabel("clock i")
        ax.set_ylim(5e-5, 2)
    axes[0, 0].set_ylabel("frequency $\\omega_i$, radians per position")
    axes[0, 0].text(0, 1.15e-4, "1/10000: never reached", fontsize=8, color=GREY)
    drawn.suptitle(
        "Each clock is slower than the one before by the same factor, from 1 down towards 1/10000", fontsize=10
    )
    told = "; ".join(
        f"width {width}, {width // 2} clocks, the slowest {number(1e4 ** (2 / width - 1))}" for width in widths
    )
    alt = (
        "Frequencies on a logarithmic scale against the number of the clock: in each panel points on a straight line "
        f"that begins at 1 and stays above 1/10000, drawn dashed. {told}."
    )
    return describe(drawn, alt)


@figure
def clocks_at(position: int, width: int = 16) -> Figure:
    """All clocks of one position, and its encoding as bars beneath them."""
    from matplotlib.gridspec import GridSpec

    pairs = width // 2
    angles = position * 1e4 ** (-np.arange(pairs) / pairs)
    drawn, axes = grid(1, 1, width=9.2, height=3.2)
    axes[0, 0].remove()
    spec = GridSpec(2, pairs, figure=drawn, height_ratios=(1, 1.25))
    for i, angle in enumerate(angles):
        ax = drawn.add_subplot(spec[0, i])
        _dial(ax)
        _hand(ax, angle, HANDS[i % len(HANDS)])
        ax.set_title(f"clock {i}", fontsize=8)
    bars = drawn.add_subplot(spec[1, :])
    heights = np.stack([np.sin(angles), np.cos(angles)], axis=1).ravel()
    bars.bar(
        range(width),
        heights,
        color=[HANDS[j // 2 % len(HANDS)] for j in range(width)],
        hatch=["" if j % 2 == 0 else "///" for j in range(width)],
        edgecolor="white",
    )
    bars.axhline(0, color=GREY, linewidth=0.8)
    bars.set_ylim(-1.1, 1.1)
    bars.set_xlim(-0.6, width - 0.4)
    bars.set_xticks(range(width))
    bars.set_xlabel("column (plain: sine, striped: cosine)")
    drawn.suptitle(f"Position {position}: {pairs} hands, read off as {width} numbers", fontsize=10)
    hands = "; ".join(f"clock {i} {angle % (2 * np.pi):.2f}" for i, angle in enumerate(angles))
    alt = (
        f"Position {position}: {pairs} dials. From the top, clockwise, their hands stand at, in radians without full "
        f"turns: {hands}. Beneath them the {width} sines and cosines as bars: {numbers(heights)}."
    )
    return describe(drawn, alt)


@figure
def rotating_pairs(offset: int, position: int, width: int = 8) -> Figure:
    """Each pair of a position and of the position `offset` later: the turn between them, on every dial."""
    pairs = width // 2
    rates = 1e4 ** (-np.arange(pairs) / pairs)
    drawn, axes = grid(1, pairs, width=2.35, height=3.4)
    for i, (ax, rate) in enumerate(zip(axes[0], rates)):
        _dial(ax)
        before, turn = position * rate, offset * rate
        sweep = np.linspace(before, before + turn, 400)
        # Beyond a full turn the arc winds outwards, so that every round is seen.
        rounds = np.abs(sweep - before) / (2 * np.pi)
        radius = 0.35 + 0.08 * rounds if abs(turn) > 2 * np.pi else 0.45 + 0 * rounds
        ax.plot(radius * np.sin(sweep), radius * np.cos(sweep), color=VERMILION, linewidth=1.5)
        # The grey hand is wide, so that it is seen beneath a blue one that has hardly turned.
        _hand(ax, before, "#b6bbc4", linewidth=6, mutation_scale=24)
        _hand(ax, before + turn, BLUE)
        if abs(turn) > 0.3:
            end = radius[-1]
            ahead = before + turn + np.sign(turn) * 0.02
            ax.annotate(
                "",
                (end * np.sin(ahead), end * np.cos(ahead)),
                (end * np.sin(ahead - np.sign(turn) * 0.2), end * np.cos(ahead - np.sign(turn) * 0.2)),
                arrowprops={"arrowstyle": "-|>", "color": VERMILION, "linewidth": 1.5, "shrinkA": 0, "shrinkB": 0},
            )
        ax.set_title(f"clock {i}", fontsize=9)
        ax.set_xlabel(f"turned by {offset} · {rate:g}\n= {turn:.4g} radians", fontsize=9)
    drawn.suptitle(
        f"From position {position} (grey) to position {position + offset} (blue): each clock turns by its own angle",
        fontsize=10,
    )
    turns = "; ".join(f"clock {i} by {number(offset * rate, 3)}" for i, rate in enumerate(rates))
    alt = (
        f"{pairs} dials. On each a grey hand shows position {position}, a blue one position {position + offset}, and "
        f"an arc the turn between them, in radians: {turns}."
    )
    return describe(drawn, alt)
