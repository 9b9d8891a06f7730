"""Figures of unit 7: the data, the flow chart, training, attention drawn over digits and between words, the ablation."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from .core import COLOURS, chinese_font, figure, fonts, grid, heatmap

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

BLUE, ORANGE, GREEN, PINK = COLOURS[:4]
GREY, DARK = "#999999", "#333333"


def words_of(ids: Sequence[int]) -> list[str]:
    """Return the words of source ids as a figure can write them: in pinyin where no font has Chinese characters."""
    from helpers.data import tokens_of

    return tokens_of(ids, latin=chinese_font() is None)


def typed(sentence: str) -> tuple[list[int], str]:
    """Return the source ids of a typed number, and an empty text; or no ids and what is wrong with it."""
    from helpers.data import MAX_LENGTH, source_vocabulary, words

    known = {word: place for place, word in enumerate(source_vocabulary())}
    tokens = words(sentence.lower())
    strange = [token for token in tokens if token not in known]
    if not tokens:
        return [], "There is no word to read. Type a number in words and press Enter."
    if strange:
        return (
            [],
            f"The model has never seen “{strange[0][:40]}”. It knows number words, as in “seven hundred and five”, “семьсот пять” and “七百零五”.",
        )
    if len(tokens) > MAX_LENGTH:
        return [], f"The model reads at most {MAX_LENGTH} words; these are {len(tokens)}."
    return [known[token] for token in tokens], ""


def _use_fonts(ax: Axes) -> None:
    for label in (*ax.get_xticklabels(), *ax.get_yticklabels()):
        label.set_fontfamily(fonts())


# --- the data --------------------------------------------------------------------------------------------


def _picture(ax: Axes, image: np.ndarray) -> None:
    """Ink on paper, without axes."""
    ax.imshow(image, cmap="Greys", vmin=0, vmax=16)
    ax.set(xticks=[], yticks=[])


@figure
def ten_classes(images: np.ndarray, labels: np.ndarray) -> Figure:
    """One handwritten digit of each class."""
    drawn, axes = grid(1, 10, width=0.95, height=1.35)
    for label, ax in enumerate(axes[0]):
        _picture(ax, images[np.flatnonzero(labels == label)[1]])
        ax.set_title(f"class {label}", fontsize=9)
    drawn.suptitle("Ten classes: the model's ten logits stand for these", fontsize=11)
    return drawn


@figure
def rows_as_tokens(image: np.ndarray, label: int) -> Figure:
    """An image, and its eight rows as the eight tokens that the encoder reads."""
    drawn, axes = grid(1, 2, width=3.6, height=3.5, gridspec_kw={"width_ratios": [1, 1.25]})
    _picture(axes[0, 0], image)
    axes[0, 0].set_title(f"To us: a {label}", fontsize=10)
    ax = heatmap(
        image,
        rows=[f"token {row}" for row in range(8)],
        columns=[str(i) for i in range(8)],
        title="To the encoder: X, eight tokens of width 8",
        ax=axes[0, 1],
    )
    ax.set(xlabel="pixel of the row", ylabel="row of the image")
    for row in range(1, 8):
        ax.axhline(row - 0.5, color="white", linewidth=3)
    return drawn


@figure
def teacher_forcing(tgt: Sequence[str], tgt_in: Sequence[str]) -> Figure:
    """What the decoder has to say and what it reads, place by place.

    Args:
        tgt: names of the targets, with eos and padding.
        tgt_in: names of what is read.
    """
    drawn, axes = grid(1, 1, width=7.4, height=2.7)
    ax = axes[0, 0]
    ax.set(xlim=(-1.75, len(tgt) - 0.4), ylim=(-0.75, 2.75))
    ax.axis("off")
    for place, (reads, says) in enumerate(zip(tgt_in, tgt)):
        counted = says != "pad"
        _box(ax, place, 0.1, reads, ORANGE if reads != "pad" else GREY, 0.72, 0.5)
        _box(ax, place, 1.7, says, GREEN if counted else GREY, 0.72, 0.5)
        _arrow(ax, (place, 0.4), (place, 1.4), DARK if counted else GREY)
        if place:
            ax.annotate(
                "",
                xy=(place - 0.12, 0.38),
                xytext=(place - 0.88, 1.42),
                arrowprops={"arrowstyle": "-|>", "color": BLUE, "linewidth": 1, "linestyle": ":"},
            )
        ax.text(
            place, 2.2, "counts" if counted else "ignored", ha="center", fontsize=8, color=DARK if counted else GREY
        )
    ax.text(-0.62, 0.1, "reads", ha="right", va="center", fontsize=10)
    ax.text(-0.62, 1.7, "has to say", ha="right", va="center", fontsize=10)
    ax.text((len(tgt) - 1) / 2, -0.6, "dotted: the same tokens, one place later", ha="center", fontsize=9, color=BLUE)
    ax.set_title(
        "Teacher forcing: each place reads the right token before it, whatever the model would have said", fontsize=10
    )
    return drawn


# --- the flow chart --------------------------------------------------------------------------------------


def _box(
    ax: Axes, x: float, y: float, text: str, colour: str, width: float = 2.0, height: float = 0.55, size: float = 9
) -> None:
    """A rounded box with its centre at (x, y)."""
    from matplotlib.patches import FancyBboxPatch

    corner = (x - width / 2, y - height / 2)
    ax.add_patch(
        FancyBboxPatch(
            corner,
            width,
            height,
            boxstyle="round,pad=0,rounding_size=0.08",
            facecolor=colour + "33",
            edgecolor=colour,
            linewidth=1.4,
            zorder=3,
        )
    )
    ax.text(x, y, text, ha="center", va="center", fontsize=size, zorder=4)


def _arrow(ax: Axes, start: tuple[float, float], end: tuple[float, float], colour: str = DARK) -> None:
    ax.annotate(
        "",
        xy=end,
        xytext=start,
        arrowprops={
            "arrowstyle": "-|>",
            "color": colour,
            "linewidth": 1.2,
            "shrinkA": 0,
            "shrinkB": 0,
            "mutation_scale": 10,
        },
        zorder=2,
    )


def _line(ax: Axes, points: Sequence[tuple[float, float]], colour: str = DARK, arrow: bool = True) -> None:
    """A line with corners, with an arrow at its end."""
    corners = points[:-1] if arrow else points
    if len(corners) > 1:
        ax.plot(*zip(*corners), color=colour, linewidth=1.2, zorder=2, solid_capstyle="round")
    if arrow:
        _arrow(ax, points[-2], points[-1], colour)


def _sublayer(ax: Axes, x: float, y: float, text: str, colour: str, side: int) -> float:
    """A sublayer with its residual road and "add & norm" above it; returns the height of its top."""
    _box(ax, x, y, text, colour, 2.5, 0.72)
    _box(ax, x, y + 0.82, "add & norm", "#B8A000", 2.5, 0.42, 8.5)
    _arrow(ax, (x, y + 0.36), (x, y + 0.61))
    road = x + side * 1.65
    _line(ax, [(x, y - 0.72), (road, y - 0.72), (road, y + 0.82), (x + side * 1.25, y + 0.82)], GREY)
    return y + 1.03


@figure
def flow_chart() -> Figure:
    """The whole encoder-decoder, from the ids to the probabilities."""
    drawn, axes = grid(1, 1, width=8.6, height=9.0)
    ax = axes[0, 0]
    ax.set(xlim=(-4.3, 7.3), ylim=(-2.0, 10.15))
    ax.axis("off")
    left, right = 0.0, 4.4
    for x, source, note in (
        (left, "src: ids of the words", "forty two thousand ..."),
        (right, "tgt_in: ids so far", "bos 4 2 ..."),
    ):
        ax.text(x, -1.75, f"{source}\n{note}", ha="center", va="center", fontsize=9)
        _box(ax, x, -0.9, "embedding · √d_model", PINK, 2.5, 0.5)
        _box(ax, x, -0.05, "+ positions", BLUE, 1.5, 0.45)
        _arrow(ax, (x, -1.45), (x, -1.15))
        _arrow(ax, (x, -0.65), (x, -0.28))
    ax.text(left - 0.85, -0.05, "unit 3", ha="right", va="center", fontsize=8, color=GREY)

    def three_ways(x: float, y: float, middle: str = "KQV") -> None:
        """The road up splits into keys, queries and values."""
        for shift, name in zip((-0.7, 0.0, 0.7), middle):
            _line(ax, [(x, y - 0.62), (x + shift, y - 0.62), (x + shift, y - 0.36)])
            ax.text(x + shift + 0.08, y - 0.5, name, fontsize=8, color=DARK, va="center")

    # Encoder
    y = 1.55
    _line(ax, [(left, 0.18), (left, y - 0.6)], arrow=False)
    three_ways(left, y)
    top = _sublayer(ax, left, y, "multi-head\nself-attention", ORANGE, -1)
    _line(ax, [(left, top), (left, top + 0.81 - 0.36)])
    top = _sublayer(ax, left, top + 0.81, "feed-forward", GREEN, -1)
    _frame(ax, left, 0.62, top + 0.22, "n_layers ×\nencoder layer\n(unit 5)", -1)
    memory = top + 0.62
    _line(ax, [(left, top), (left, memory)], arrow=False)
    ax.text(left, memory + 0.12, "memory (b, n, d_model)", ha="center", va="bottom", fontsize=9)
    ax.text(left - 1.95, y - 0.2, "mask: no padding", ha="right", va="center", fontsize=8.5, color="#D55E00")
    _arrow(ax, (left - 1.9, y - 0.2), (left - 1.27, y - 0.2), "#D55E00")

    # Decoder
    _line(ax, [(right, 0.18), (right, y - 0.6)], arrow=False)
    three_ways(right, y)
    top = _sublayer(ax, right, y, "masked multi-head\nself-attention", ORANGE, 1)
    ax.text(right + 1.95, y - 0.2, "mask: not\nlooking ahead", ha="left", va="center", fontsize=8.5, color="#D55E00")
    _arrow(ax, (right + 1.9, y - 0.2), (right + 1.27, y - 0.2), "#D55E00")
    cross = top + 1.35
    _line(ax, [(right, top), (right, cross - 0.36)])
    ax.text(right + 0.1, cross - 0.5, "Q", fontsize=8, va="center")
    turn = 2.3
    _line(ax, [(left, memory), (turn, memory), (turn, cross + 0.15), (right - 1.25, cross + 0.15)])
    _line(ax, [(turn, cross + 0.15), (turn, cross - 0.15), (right - 1.25, cross - 0.15)])
    for name, height in (("K", 0.15), ("V", -0.15)):
        ax.text(right - 1.55, cross + height + 0.03, name, fontsize=8, va="bottom", ha="center")
    top = _sublayer(ax, right, cross, "multi-head\ncross attention", ORANGE, 1)
    ax.text(right + 1.95, cross - 0.2, "mask: no\npadding", ha="left", va="center", fontsize=8.5, color="#D55E00")
    _arrow(ax, (right + 1.9, cross - 0.2), (right + 1.27, cross - 0.2), "#D55E00")
    _line(ax, [(right, top), (right, top + 0.81 - 0.36)])
    top = _sublayer(ax, right, top + 0.81, "feed-forward", GREEN, 1)
    _frame(ax, right, 0.62, top + 0.22, "n_layers ×\ndecoder layer\n(unit 6)", 1)
    end = top + 0.8
    _arrow(ax, (right, top), (right, end - 0.25))
    _box(ax, right, end, "linear to tgt_vocab", PINK, 2.5, 0.5)
    _arrow(ax, (right, end + 0.25), (right, end + 0.68))
    ax.text(right, end + 0.75, "logits (b, m, tgt_vocab)", ha="center", va="bottom", fontsize=9)
    _arrow(ax, (right, end + 1.05), (right, end + 1.45))
    _box(ax, right, end + 1.7, "softmax", GREY, 2.5, 0.5)
    ax.text(right, end + 2.05, "probabilities of the next digit", ha="center", va="bottom", fontsize=9)
    ax.text(right + 1.4, end + 1.7, "inside cross entropy", ha="left", va="center", fontsize=8, color=GREY)
    ax.text(left, end + 1.2, "encode", ha="center", fontsize=15, color=DARK, alpha=0.6)
    ax.text(left, end + 0.8, "once a sentence", ha="center", fontsize=9, color=DARK, alpha=0.8)
    ax.text(right - 2.1, end + 1.2, "decode", ha="center", fontsize=15, color=DARK, alpha=0.6)
    ax.text(right - 2.1, end + 0.8, "once a digit", ha="center", fontsize=9, color=DARK, alpha=0.8)
    ax.set_title("The whole machine: the encoder reads, the decoder writes, cross attention is the bridge", fontsize=11)
    return drawn


def _frame(ax: Axes, x: float, bottom: float, top: float, text: str, side: int) -> None:
    from matplotlib.patches import FancyBboxPatch

    corner = (x - 1.85, bottom)
    ax.add_patch(
        FancyBboxPatch(
            corner,
            3.7,
            top - bottom,
            boxstyle="round,pad=0,rounding_size=0.15",
            facecolor="#F4F4F4",
            edgecolor=GREY,
            linewidth=1.2,
            zorder=0,
        )
    )
    ax.text(x + side * 2.0, top - 0.1, text, ha="right" if side < 0 else "left", va="top", fontsize=9)


# --- training --------------------------------------------------------------------------------------------


def _smooth(losses: Sequence[float]) -> np.ndarray:
    """A running mean over a twentieth of the steps so far."""
    losses = np.asarray(losses, dtype=float)
    width = max(1, len(losses) // 20)
    total = np.cumsum(np.concatenate([[0.0], losses]))
    ends = np.arange(1, len(losses) + 1)
    starts = np.maximum(0, ends - width)
    return (total[ends] - total[starts]) / (ends - starts)


@figure
def loss_curve(losses: Sequence[float], steps: int) -> Figure:
    """The loss so far, on the width that the whole run will have."""
    drawn, axes = grid(1, 1, width=5.6, height=2.5)
    ax = axes[0, 0]
    ax.plot(np.arange(1, len(losses) + 1), losses, color=BLUE, alpha=0.3, linewidth=0.8, label="each step")
    ax.plot(np.arange(1, len(losses) + 1), _smooth(losses), color=BLUE, linewidth=1.8, label="running mean")
    ax.set(xlim=(0, steps), xlabel="step", ylabel="loss")
    if np.isfinite(losses).all() and min(losses, default=0) > 0:
        ax.set_yscale("log")
    ax.grid(alpha=0.25)
    ax.legend(fontsize=8, loc="upper right")
    ax.set_title("Training loss", fontsize=10)
    return drawn


@figure
def misread(images: np.ndarray, labels: np.ndarray, guesses: np.ndarray) -> Figure | None:
    """The first held-out digits that the model gets wrong."""
    wrong = np.flatnonzero(labels != guesses)[:10]
    if not len(wrong):
        return None
    drawn, axes = grid(1, max(len(wrong), 5), width=1.0, height=1.6)
    for ax in axes[0]:
        ax.axis("off")
    for ax, place in zip(axes[0], wrong):
        ax.axis("on")
        _picture(ax, images[place])
        ax.set_title(f"is a {labels[place]},\nread as {guesses[place]}", fontsize=8)
    return drawn


# --- looking inside --------------------------------------------------------------------------------------


def attention_of(model: Any, call: Callable[[], Any]) -> dict[str, np.ndarray]:
    """Return the weights of all attentions of a model while it is called, in the order in which they were used.

    Every layer that returns a pair (output, weights), as the `MultiHeadAttention` of unit 4, is listened to.

    Args:
        model: the `nn.Module`.
        call: calls it.

    Returns:
        name of the layer → (heads, n_q, n_k), for the first of the batch.
    """
    import torch

    seen: dict[str, np.ndarray] = {}

    def listen(name: str) -> Callable:
        def hook(layer: Any, inputs: Any, output: Any) -> None:
            if isinstance(output, tuple) and len(output) == 2 and torch.is_tensor(output[1]) and output[1].ndim == 4:
                seen[name] = output[1][0].detach().cpu().numpy()

        return hook

    hooks = [layer.register_forward_hook(listen(name)) for name, layer in model.named_modules()]
    try:
        model.eval()
        with torch.no_grad():
            call()
    finally:
        for hook in hooks:
            hook.remove()
    return seen


def maps_of(model: Any, src_ids: Sequence[int], written: Sequence[int]) -> dict[str, list]:
    """Return the attention maps of every layer while a translator reads a source and writes some ids.

    Args:
        model: a `Transformer` of unit 7.
        src_ids: ids of one sentence.
        written: ids of its target, without bos and eos.

    Returns:
        "source" and "target", the words on the axes, and for "encoder", "decoder" and "cross" a list with (heads, n_q, n_k) for each layer.
    """
    import torch

    from helpers import data

    where = next(model.parameters()).device
    src = torch.tensor([list(src_ids)], device=where)
    tgt_in = torch.tensor([[data.BOS, *written]], device=where)
    encoder = list(attention_of(model, lambda: model.encode(src)).values())
    both = list(attention_of(model, lambda: model.decode(tgt_in, model.encode(src))).values())
    decoder = both[len(encoder) :]
    names = ["bos", *(data.target_vocabulary()[token] for token in written), "eos"]
    # In every decoder layer self-attention comes first, then cross attention.
    return {
        "source": words_of(src_ids),
        "target": [f"{reads}→{writes}" for reads, writes in zip(names, names[1:])],
        "encoder": encoder,
        "decoder": decoder[0::2],
        "cross": decoder[1::2],
    }


@figure
def heads_on_digit(image: np.ndarray, weights: np.ndarray, row: int, title: str) -> Figure:
    """What each head looks at when a row of an image asks: the rows are tinted by their weights.

    Args:
        image: (8, 8).
        weights: (heads, n, n); with a ninth token in front, as a learned summary, the image's rows are the last eight.
        row: the row that asks.
        title: what is shown.
    """
    heads = len(weights)
    drawn, axes = grid(1, heads, width=2.35, height=2.7)
    for head, ax in enumerate(axes[0]):
        given = weights[head][-8:, -8:][row]
        _picture(ax, image)
        for key, weight in enumerate(given):
            ax.axhspan(
                key - 0.5,
                key + 0.5,
                color="#E66100",
                alpha=float(0.85 * min(1.0, weight / max(given.max(), 1e-9))),
                linewidth=0,
            )
            ax.text(7.75, key, f"{weight:.2f}", va="center", fontsize=8)
        ax.add_patch(_rectangle(-0.5, row - 0.5, 8, 1, BLUE))
        ax.text(-0.75, row, "asks", ha="right", va="center", fontsize=8, color=BLUE)
        ax.set_title(f"head {head}", fontsize=10)
    drawn.suptitle(title, fontsize=11)
    return drawn


def heads_on_digit_told(label: int, weights: np.ndarray, row: int) -> str:
    """What there is to see in `heads_on_digit`: the row that each head looks at most."""
    most = ", ".join(
        f"head {head} at row {np.argmax(given)} with {given.max():.2f}"
        for head, given in enumerate(weights[:, -8:, -8:][:, row])
    )
    return f"A handwritten {label} once for each head, row {row} framed in blue because it asks, all rows tinted by their weight. It looks most: {most}."


def _rectangle(x: float, y: float, width: float, height: float, colour: str) -> Any:
    from matplotlib.patches import Rectangle

    return Rectangle((x, y), width, height, fill=False, edgecolor=colour, linewidth=2.2, clip_on=False, zorder=5)


@figure
def heads_received(image: np.ndarray, layers: Mapping[str, np.ndarray], title: str) -> Figure:
    """For each head of each layer, the image with its rows tinted by the attention that they receive from all rows together."""
    heads = max(len(weights) for weights in layers.values())
    drawn, axes = grid(len(layers), heads, width=1.75, height=1.95)
    for row_of_axes, (_, weights), layer in zip(axes, layers.items(), range(len(layers))):
        for head, ax in enumerate(row_of_axes):
            if head >= len(weights):
                ax.axis("off")
                continue
            received = weights[head][-8:, -8:].mean(axis=0)
            _picture(ax, image)
            for key, weight in enumerate(received):
                ax.axhspan(
                    key - 0.5,
                    key + 0.5,
                    color="#E66100",
                    alpha=float(0.85 * weight / max(received.max(), 1e-9)),
                    linewidth=0,
                )
                ax.text(7.7, key, f"{weight:.2f}", va="center", fontsize=7)
            ax.set_title(f"layer {layer}, head {head}", fontsize=9)
    drawn.suptitle(title, fontsize=11)
    return drawn


def _attention_map(
    ax: Axes,
    weights: np.ndarray,
    rows: Sequence[str],
    columns: Sequence[str],
    title: str,
    row_label: str = "",
    column_label: str = "",
    numbers: bool = False,
) -> None:
    heatmap(
        weights,
        rows=rows,
        columns=columns,
        title=title,
        ax=ax,
        signed=False,
        limits=(0.0, 1.0),
        numbers=numbers,
        row_label=row_label,
        column_label=column_label,
    )
    ax.tick_params(axis="x", rotation=55 if max(map(len, columns)) > 2 else 0, labelsize=8)
    ax.tick_params(axis="y", labelsize=8)
    if max(map(len, columns)) > 2:
        for label in ax.get_xticklabels():
            label.set(ha="right", rotation_mode="anchor")
    _use_fonts(ax)


@figure
def three_attentions(translations: Sequence[Mapping[str, Any]], title: str = "") -> Figure:
    """Encoder, decoder and cross attention, the mean of the heads, one row of maps for each sentence.

    Args:
        translations: "language", "source" and "target" (names of the tokens), and the maps "encoder", "decoder", "cross", (heads, n_q, n_k) each.
        title: what is shown.
    """
    drawn, axes = grid(len(translations), 3, width=3.5, height=3.2 if len(translations) > 1 else 4.0)
    if title:
        drawn.suptitle(title, fontsize=11)
    for row, (of, axes_of_row) in enumerate(zip(translations, axes)):
        source, target = of["source"], of["target"]
        panels = (
            ("encoder", source, source, "the words"),
            ("decoder", target, target, "read → to be written"),
            ("cross", target, source, "read → to be written"),
        )
        for ax, (kind, queries, keys, label) in zip(axes_of_row, panels):
            title = {
                "encoder": "Encoder: words to words",
                "decoder": "Decoder: only back",
                "cross": "Cross: digits to words",
            }[kind]
            _attention_map(
                ax,
                of[kind].mean(axis=0),
                queries,
                keys,
                title if row == 0 else "",
                label if kind != "encoder" else f"{of['language']}\n{label}",
            )
    drawn.colorbar(
        axes[0, 0].images[0],
        ax=axes,
        location="bottom",
        shrink=0.35,
        aspect=40,
        label="attention weight: each row sums to 1",
    )
    return drawn


@figure
def heads_of(weights: np.ndarray, rows: Sequence[str], columns: Sequence[str], title: str) -> Figure:
    """The map of every head of one attention, two beside each other so that the weights can be read.

    Args:
        weights: (heads, n_q, n_k).
        rows, columns: names of queries and keys.
        title: what is shown.
    """
    drawn, axes = grid(-(-len(weights) // 2), min(2, len(weights)), width=4.8, height=3.0)
    for ax in axes.flat[len(weights) :]:
        ax.axis("off")
    for head, (ax, map_of_head) in enumerate(zip(axes.flat, np.round(weights, 2))):
        below = head + axes.shape[1] >= len(weights)
        _attention_map(
            ax,
            map_of_head,
            rows,
            columns,
            f"head {head}",
            "queries" if head % 2 == 0 else "",
            "keys" if below else "",
            numbers=True,
        )
    drawn.suptitle(title, fontsize=11)
    return drawn


# --- the ablation ----------------------------------------------------------------------------------------


@figure
def ablation(results: Sequence[Any]) -> Figure:
    """How well each model does without one part, and how its loss fell.

    Args:
        results: records with `task`, `without`, `accuracy` and `losses`.
    """
    tasks = list(dict.fromkeys(one.task for one in results))
    parts = list(dict.fromkeys(one.without for one in results))
    colour = dict(zip(parts, ("#000000", *COLOURS[:2], COLOURS[5], COLOURS[2])))
    dashes = dict(zip(parts, ("-", "--", ":", "-.", (0, (6, 1, 1, 1, 1, 1)))))
    drawn, axes = grid(len(tasks), 2, width=4.6, height=2.9, gridspec_kw={"width_ratios": [1, 1.1]})
    for (bars, curves), task in zip(axes, tasks):
        own = [one for one in results if one.task == task]
        names = [_without(one.without) for one in own]
        bars.barh(names, [100 * one.accuracy for one in own], color=[colour[one.without] for one in own], alpha=0.85)
        for place, one in enumerate(own):
            bars.text(100 * one.accuracy + 1.5, place, f"{one.accuracy:.1%}", va="center", fontsize=9)
        bars.set(xlim=(0, 118), xticks=range(0, 101, 20), xlabel="held-out examples exactly right, %")
        bars.invert_yaxis()
        bars.set_title(f"{task}: what is left without a part", fontsize=10)
        for one in own:
            curves.plot(
                _smooth(one.losses),
                color=colour[one.without],
                linestyle=dashes[one.without],
                linewidth=1.5,
                label=_without(one.without),
            )
        curves.set(yscale="log", xlabel="step", ylabel="training loss")
        curves.grid(alpha=0.25)
        curves.legend(fontsize=7.5)
        curves.set_title(f"{task}: how the loss falls", fontsize=10)
    return drawn


def _without(part: str) -> str:
    return {"nothing": "complete", "all heads but one": "one head"}.get(part, f"no {part}")


@figure
def ablation_table(results: Sequence[Any]) -> None:
    """Show the ablation as a table: rows are parts, columns are tasks."""
    from IPython.display import display

    tasks = list(dict.fromkeys(one.task for one in results))
    parts = list(dict.fromkeys(one.without for one in results))
    found = {(one.task, one.without): one for one in results}
    head = "".join(f"<th>{task}: held-out right</th><th>last training loss</th>" for task in tasks)
    rows = ""
    for part in parts:
        cells = ""
        for task in tasks:
            one = found.get((task, part))
            cells += (
                f"<td>{one.accuracy:.1%}</td><td>{np.mean(one.losses[-20:]):.4f}</td>"
                if one
                else "<td>has none</td><td>–</td>"
            )
        rows += f'<tr><th style="text-align:left">{_without(part)}</th>{cells}</tr>'
    told = "; ".join(f"{one.task}, {_without(one.without)}: {one.accuracy:.1%}" for one in results)
    display({"text/html": f"<table><tr><th></th>{head}</tr>{rows}</table>", "text/plain": told}, raw=True)
