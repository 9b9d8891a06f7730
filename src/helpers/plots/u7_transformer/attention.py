"""Attention between words: the maps of a model's layers, listened to while it is called."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..core import describe, figure, grid, heatmap
from ..phrases import counted, looks, strongest
from .shapes import use_fonts
from .words import words_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


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

    def listen(name: str) -> Callable[[Any, Any, Any], None]:
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


def maps_of(model: Any, src_ids: Sequence[int], written: Sequence[int]) -> dict[str, list[Any]]:
    """Return the attention maps of every layer while a translator reads a source and writes some ids.

    Args:
        model: a `Transformer` of unit 7.
        src_ids: ids of one sentence.
        written: ids of its target, without bos and eos.

    Returns:
        "source", "read" and "target", the names on the axes, and for "encoder", "decoder" and "cross" a list with
        (heads, n_q, n_k) for each layer.
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
        "read": names[:-1],
        "target": [f"{reads}→{writes}" for reads, writes in zip(names, names[1:])],
        "encoder": encoder,
        "decoder": decoder[0::2],
        "cross": decoder[1::2],
    }


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
    use_fonts(ax)


@figure
def three_attentions(translations: Sequence[Mapping[str, Any]], title: str = "") -> Figure:
    """Encoder, decoder and cross attention, the mean of the heads, one row of maps for each sentence.

    Args:
        translations: "language", "source", "read" and "target" (names of the tokens), and the maps "encoder",
            "decoder", "cross", (heads, n_q, n_k) each.
        title: what is shown.
    """
    drawn, axes = grid(len(translations), 3, width=3.5, height=3.2 if len(translations) > 1 else 4.0)
    if title:
        drawn.suptitle(title, fontsize=11)
    for row, (of, axes_of_row) in enumerate(zip(translations, axes)):
        source, read, target = of["source"], of["read"], of["target"]
        panels = (
            ("encoder", source, source, "the words"),
            ("decoder", target, read, "read → to be written"),
            ("cross", target, source, "read → to be written"),
        )
        for ax, (kind, queries, keys, label) in zip(axes_of_row, panels):
            heading = {
                "encoder": "Encoder: words to words",
                "decoder": "Decoder: only back",
                "cross": "Cross: digits to words",
            }[kind]
            _attention_map(
                ax,
                of[kind].mean(axis=0),
                queries,
                keys,
                heading if row == 0 else "",
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
    one = len(translations) == 1
    told = " ".join(_translation_told(of, most=18 // len(translations), whole=one) for of in translations)
    about = f"{title}. Three" if title else f"{3 * len(translations)}"
    return describe(
        drawn, f"{about} attention maps, the mean of the heads: encoder, decoder and cross attention. {told}"
    )


def _translation_told(of: Mapping[str, Any], most: int, whole: bool) -> str:
    """Where the digits of one sentence look; with `whole`, also where its words look."""
    maps = {kind: np.asarray(of[kind]).mean(axis=0) for kind in ("encoder", "decoder", "cross")}
    written = [name.split("→")[-1] for name in of["target"]]
    told = [
        f"{of['language'] or 'Cross'}: {looks(maps['cross'], written, of['source'], most)}",
        f"in the decoder at most {np.triu(maps['decoder'], 1).max():.2f} looks ahead",
    ]
    if whole:
        told.append(f"strongest between the words: {strongest(maps['encoder'], of['source'], of['source'])}")
    return "; ".join(told) + "."


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
    told = "; ".join(
        f"head {head}: {strongest(map_of_head, rows, columns, most=2)}"
        for head, map_of_head in enumerate(np.asarray(weights)[:6])
    )
    return describe(
        drawn,
        f"{title}. An attention map for each of {counted(len(weights), 'head')}, with its weights; rows are the tokens "
        f"that ask, columns the tokens that are looked at. The strongest looks, {told}.",
    )
