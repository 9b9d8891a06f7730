"""Figures of unit 0: the map of the course, how a unit goes, what the axes of an array mean."""

from __future__ import annotations

from typing import TYPE_CHECKING

from helpers.language import told

from .core import COLOURS, describe, figure, grid

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

BLUE, ORANGE, GREEN, PINK = COLOURS[:4]
GREY = "#555555"

# number, title, what the learner builds there, the language of its exercises
UNITS = (
    ("0", "Start here", "how a unit works", ""),
    ("1", "Dot products", "who is like whom:\nthe scores $QK^T$", "NumPy"),
    ("2", "Softmax and scaling", "from scores to shares:\n" + r"softmax($QK^T/\sqrt{d_k}$) $V$", "NumPy"),
    ("3", "Positions", "a clock of sines:\nwhere each word stands", "NumPy"),
    ("4", "Multi-head attention", "several attentions\nside by side", "NumPy, torch"),
    ("5", "Add and norm", "residual roads:\nthe encoder", "torch"),
    ("6", "The masked decoder", "not looking ahead,\nlooking across", "torch"),
    ("7", "The Transformer", "trained by you: reads digits,\ntranslates number words", "torch"),
    ("8", "Modern attention", "what changed since 2017", "torch"),
    ("9", "A language model", "trained by you: continues\na text, and writes", "torch"),
)
_TONES = {"": GREY, "NumPy": BLUE, "NumPy, torch": PINK, "torch": ORANGE}


def _blank(ax: Axes, width: float, height: float) -> None:
    ax.set_xlim(0, width)
    ax.set_ylim(0, height)
    ax.axis("off")


def _box(
    ax: Axes, x: float, y: float, width: float, height: float, colour: str, thick: float = 1.4, strength: str = "1f"
) -> None:
    from matplotlib.patches import FancyBboxPatch

    corner = (x - width / 2, y - height / 2)
    shape = FancyBboxPatch(
        corner,
        width,
        height,
        boxstyle="round,pad=0,rounding_size=0.12",
        facecolor=colour + strength,
        edgecolor=colour,
        linewidth=thick,
    )
    ax.add_patch(shape)


def _arrow(
    ax: Axes, start: tuple[float, float], end: tuple[float, float], colour: str = GREY, bend: float = 0.0
) -> None:
    line = {"arrowstyle": "-|>", "color": colour, "linewidth": 1.8, "shrinkA": 0, "shrinkB": 0, "mutation_scale": 15}
    ax.annotate("", xy=end, xytext=start, arrowprops={**line, "connectionstyle": f"arc3,rad={bend}"})


def _plain(text: str) -> str:
    """A text of the map in one line and without LaTeX."""
    return " ".join(text.split()).replace("QK^T", "QKᵀ").replace(r"\sqrt{d_k}", "√d_k").replace("$", "")


@figure
def course_map(here: int = 0) -> Figure:
    """The units on one road, what is built in each, and where the reader stands."""
    drawn, axes = grid(1, 1, width=9.4, height=6.8)
    ax = axes[0, 0]
    _blank(ax, 12.4, 9.3)
    # The road turns at the end of each line, so that neighbours on it are neighbours in the picture.
    places = [
        (2.1 + 4.1 * (i % 3 if (i // 3) % 2 == 0 else 2 - i % 3), 8.05 - 2.3 * (i // 3)) for i in range(len(UNITS))
    ]
    for (x, y), (number, title, builds, language) in zip(places, UNITS):
        colour, now = _TONES[language], int(number) == here
        _box(ax, x, y, 3.5, 1.7, colour, thick=3 if now else 1.4, strength="40" if now else "1a")
        ax.text(x - 1.6, y + 0.55, f"{number}  {title}", fontsize=11, fontweight="bold", va="center")
        ax.text(x, y - 0.1, builds, fontsize=10, ha="center", va="center")
        ax.text(
            x + 1.62,
            y - 0.68,
            "you are here" if now else language,
            fontsize=8.5,
            ha="right",
            va="center",
            color=GREY,
            style="italic",
        )
    for (x, y), (to_x, to_y) in zip(places, places[1:]):
        if y == to_y:
            side = 1 if to_x > x else -1
            _arrow(ax, (x + side * 1.78, y), (to_x - side * 1.78, to_y))
        else:
            _arrow(ax, (x, y - 0.88), (to_x, to_y + 0.88))
    ax.set_title("From a dot product to a Transformer that you trained yourself", fontsize=12)
    units = "; ".join(
        f"{number}, {title}" + (f", in {language}" if language else "") + f": {_plain(told(builds))}"
        for number, title, builds, language in UNITS
    )
    return describe(drawn, f"The {len(UNITS)} units in order, on one road. {units}. You are at unit {here}.")


STEPS = (
    ("1  Read", "an idea, a picture,\na few numbers by hand"),
    ("2  Answer", "write the body\nof the function"),
    ("3  Check", "run the cell below:\nwhat holds and what fails"),
    ("5  Validate", "the whole notebook,\nafresh from the top"),
    ("6  Submit", "as often as you like;\nthe last one counts"),
)


@figure
def how_a_unit_goes() -> Figure:
    """Read, answer, check, hint and answer again; then validate and submit."""
    drawn, axes = grid(1, 1, width=9.6, height=3.0)
    ax = axes[0, 0]
    _blank(ax, 14.2, 4.3)
    y = 3.1
    for i, (name, does) in enumerate(STEPS):
        x = 1.35 + 2.87 * i
        colour = BLUE if i < 3 else GREEN
        _box(ax, x, y, 2.3, 1.5, colour)
        ax.text(x, y + 0.42, name, ha="center", va="center", fontsize=11, fontweight="bold")
        ax.text(x, y - 0.22, does, ha="center", va="center", fontsize=8)
        if i:
            _arrow(ax, (x - 1.68, y), (x - 1.19, y), GREEN if i == 3 else GREY)
            if i == 3:
                ax.text(x - 1.44, y + 0.2, "✓", ha="center", va="bottom", fontsize=12, color=GREEN)
    hint = 1.35 + 2.87 * 1.5
    _box(ax, hint, 0.8, 2.9, 1.2, ORANGE)
    ax.text(hint, 1.08, "4  Hint", ha="center", va="center", fontsize=11, fontweight="bold")
    ax.text(hint, 0.6, "the mistake by its name,\nand a step that leads on", ha="center", va="center", fontsize=8.5)
    _arrow(ax, (1.35 + 2.87 * 2, y - 0.78), (hint + 1.48, 0.8), ORANGE, bend=-0.3)
    ax.text(1.35 + 2.87 * 2 + 0.5, 1.65, "✗", fontsize=13, color="#b3541e", va="center")
    _arrow(ax, (hint - 1.48, 0.8), (1.35 + 2.87, y - 0.78), ORANGE, bend=-0.3)
    ax.set_title("The round of one exercise (1 to 4), and what comes after the last one (5 and 6)", fontsize=11)
    step = {name[0]: f"{told(name).lstrip('0123456789 ')}: {_plain(told(does))}" for name, does in STEPS}
    alt = (
        f"Steps in a row. {step['1']}. {step['2']}. {step['3']}. If the check fails, step 4 is a hint, the mistake by "
        f"its name and a step that leads on, and back to the answer. If it passes, go on; at the end {step['5']}; "
        f"{step['6']}."
    )
    return describe(drawn, alt)


@figure
def axes_of_an_array() -> Figure:
    """A batch of two sentences as two sheets: rows are tokens, columns are features."""
    from matplotlib.patches import Rectangle

    drawn, axes = grid(1, 1, width=7.4, height=3.6)
    ax = axes[0, 0]
    _blank(ax, 10.2, 4.3)
    ax.set_ylim(-0.4, 4.3)
    cell, tokens, width = 0.62, 4, 6
    for sheet, (x, y, words) in enumerate(((3.9, 1.0, ()), (2.6, 0.3, told("we eat a burger").split()))):
        for row in range(tokens):
            for column in range(width):
                shade = BLUE + ("59" if row == 1 and sheet == 1 else "26")
                corner = (x + cell * column, y + cell * (tokens - 1 - row))
                ax.add_patch(Rectangle(corner, cell, cell, facecolor="white", edgecolor="none", zorder=2 * sheet))
                ax.add_patch(
                    Rectangle(corner, cell, cell, facecolor=shade, edgecolor=BLUE, linewidth=0.8, zorder=2 * sheet + 1)
                )
            if sheet == 1:
                ax.text(x - 0.15, y + cell * (tokens - 0.5 - row), words[row], ha="right", va="center", fontsize=10.5)
    ax.text(2.6 + 0.08, 0.3 + cell * tokens - 0.1, "X[0]", ha="left", va="top", fontsize=9, color=GREY, zorder=6)
    ax.text(
        3.9 + cell * width - 0.08,
        1.0 + cell * tokens - 0.1,
        "X[1]",
        ha="right",
        va="top",
        fontsize=9,
        color=GREY,
        zorder=6,
    )
    line = {"arrowstyle": "<->", "color": GREY, "linewidth": 1.3, "shrinkA": 0, "shrinkB": 0}
    ax.annotate("", xy=(1.2, 0.3), xytext=(1.2, 0.3 + cell * tokens), arrowprops=line)
    ax.text(1.05, 0.3 + cell * tokens / 2, "axis −2\ntokens\nn = 4", ha="right", va="center", fontsize=10)
    ax.annotate("", xy=(2.6, 0.12), xytext=(2.6 + cell * width, 0.12), arrowprops=line)
    ax.text(2.6 + cell * width / 2, -0.02, r"axis −1: features, $d_{model}$ = 6", ha="center", va="top", fontsize=10)
    ax.annotate("", xy=(2.75, 2.98), xytext=(3.75, 3.52), arrowprops=line)
    ax.text(2.95, 3.55, "axis 0\nsentences\nbatch = 2", ha="right", va="center", fontsize=10)
    # The words stand below the sheet behind, so that nobody reads them as those of a row of X[1].
    ax.text(7.1, 0.4, "X[0, 1]\nis the vector\nof “eat”", ha="left", va="center", fontsize=10)
    _arrow(ax, (7.0, 0.55), (2.6 + cell * width - 0.1, 0.3 + cell * 2.4), BLUE, bend=0.0)
    ax.set_title("X has shape (2, 4, 6): two sentences of four tokens with six features each", fontsize=11)
    alt = (
        f"An array X of shape (2, {tokens}, {width}) drawn as two sheets, one for each sentence. On a sheet the rows "
        f"are the {tokens} tokens, axis minus 2, and the columns the {width} features, axis minus 1. Marked: X[0, 1] "
        "is the row of the token “eat” in the first sentence."
    )
    return describe(drawn, alt)
