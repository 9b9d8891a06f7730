"""Three small models that differ in the mask alone: how they learn, what they write, where they look."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from ..core import COLOURS, describe, figure, grid, heatmap
from .shapes import BLUE, GREY, ORANGE, draw_box, set_canvas

if TYPE_CHECKING:
    from matplotlib.figure import Figure

DIGITS, LENGTH, SLIP = 10, 8, 0.25


BOS = DIGITS

# The place in the middle at which the late mask's message is read.
PLACE = LENGTH // 2


_RIGHT, _OTHER = 1 - SLIP + SLIP / DIGITS, SLIP / DIGITS


FLOOR = (np.log(DIGITS) + (LENGTH - 1) * -(_RIGHT * np.log(_RIGHT) + (DIGITS - 1) * _OTHER * np.log(_OTHER))) / LENGTH


@figure
def train_cheaters(steps: int = 300, seed: int = 0) -> dict[str, dict[str, Any]]:
    """Train three small decoders that differ in nothing but the mask, on digits that count up and sometimes slip.

    Each next digit is the last one plus 1 (after 9 comes 0), except that with probability `SLIP` it is any digit.

    Returns:
        for "no mask", "mask after the softmax" and "mask before the softmax": the loss at each step, what the model
        writes when it is given each digit to begin with (10, LENGTH), its attention weights (LENGTH, LENGTH), and as
        "left" the mean weight that each head leaves on <s> at place `PLACE`, by the digit to be said there (10, 2).
    """
    import torch
    from torch import nn

    class Decoder(nn.Module):
        """Embedding and position, one attention with two heads, a feed-forward net, a linear layer to ten digits."""

        def __init__(self, kind: str, d: int = 32) -> None:
            super().__init__()
            self.kind, self.weights = kind, torch.empty(0)
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
            logits: torch.Tensor = self.final(x + self.feed_forward(self.norm_2(x)))
            return logits

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
                on_start = model.weights[:, :, PLACE, 0]  # (200, 2)
                left = torch.stack([on_start[example[:, PLACE] == digit].mean(0) for digit in range(DIGITS)]).numpy()
                written = torch.stack([torch.full((DIGITS,), BOS), torch.arange(DIGITS)], 1)
                while written.shape[1] <= LENGTH:
                    token = model(written)[:, -1].argmax(-1, keepdim=True)
                    written = torch.cat([written, token], 1)
            results[kind] = {
                "losses": np.array(losses),
                "written": written[:, 1:].numpy(),
                "weights": weights,
                "left": left,
            }
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
        # The mean of ten steps stands in their middle, not at their end.
        ax.plot(
            np.arange(len(smooth)) + 5.5,
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
    ax.set(xlabel="training step", ylabel="loss (cross entropy)", ylim=(0, 2.5))
    ax.set_title("Two losses are too good to be true ...", fontsize=10)
    ax.legend(fontsize=8, loc="upper right")

    ax = axes[0, 1]
    set_canvas(ax, LENGTH, 4.15)
    ends, writes = [], []
    for row, (kind, result) in enumerate(results.items()):
        y = 3.2 - 1.3 * row
        written = result["written"][start]
        kept = (result["written"][:, 1:] == (result["written"][:, :-1] + 1) % DIGITS).mean()
        ends.append(f"{kind} {np.mean(result['losses'][-10:]):.2f}")
        writes.append(f"{kind}, {' '.join(map(str, written))}, {kept:.0%}")
        ax.text(
            0.05,
            y + 0.52,
            f"{kind}: {kept:.0%} of the steps right, from all {DIGITS} starts",
            fontsize=8.5,
            color="black",
            va="bottom",
        )
        for j, digit in enumerate(written):
            right = j == 0 or digit == (written[j - 1] + 1) % DIGITS
            draw_box(
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
    return describe(
        drawn,
        f"Left, three training losses, and a dotted line at {FLOOR:.2f}: nobody can do better without looking ahead. "
        f"Losses at the end: {', '.join(ends)}. Right, what each model writes after a {start}, and how many of its "
        f"steps are right from all {DIGITS} starts: {'; '.join(writes)}.",
    )


@figure
def cheaters_look(results: Mapping[str, Mapping[str, Any]]) -> Figure:
    """Where the three models look, averaged over sentences and heads, and what the late mask leaves on <s>."""
    drawn, axes = grid(2, 2, width=4.6, height=3.7)
    says = [f"$d_{i}$" for i in range(LENGTH)]
    reads = ["<s>", *says[:-1]]
    for ax, (kind, result) in zip(axes.flat, results.items()):
        heatmap(
            result["weights"], rows=says, columns=reads, title=kind, ax=ax, signed=False, numbers=False, limits=(0, 1)
        )
        ax.plot(
            [-0.5, *np.repeat(np.arange(LENGTH - 1) + 0.5, 2), LENGTH - 0.5],
            np.repeat(np.arange(LENGTH) - 0.5, 2),
            color=COLOURS[5],
            linewidth=2,
        )
        ax.set_xlabel("looks at the input")
        ax.set_ylabel("has to say")
        ax.tick_params(labelsize=8)
        drawn.colorbar(ax.images[0], ax=ax, label="weight")
    left = results["mask after the softmax"]["left"]
    ax = axes[1, 1]
    for digit, (x, y) in enumerate(left):
        ax.plot(x, y, "o", color=BLUE, markersize=15, alpha=0.25)
        ax.text(x, y, str(digit), ha="center", va="center", fontsize=10, fontweight="bold")
    ax.set(xlim=(-0.1, 1.1), ylim=(-0.1, 1.1), xlabel="weight left on <s> by head 0", ylabel="... and by head 1")
    ax.set_title(
        f"mask after the softmax, where $d_{PLACE}$ has to be said:\na dot for each digit that it can be", fontsize=10
    )
    ax.grid(alpha=0.3)
    upper = np.triu(np.ones((LENGTH, LENGTH)), 1)
    told = "; ".join(
        f"{kind}: {(result['weights'] * upper).sum(axis=1).mean():.2f} of a row's "
        f"{result['weights'].sum(axis=1).mean():.2f}"
        for kind, result in results.items()
    )
    code = ", ".join(f"{digit}: {x:.1f} and {y:.1f}" for digit, (x, y) in enumerate(left))
    return describe(
        drawn,
        f"Attention weights of the three models in sentences of {LENGTH} digits, a row for each digit that has to be "
        f"said, a column for each input, averaged. Mean weight of a row above the diagonal, the future: {told}. "
        f"Fourth panel, late mask: the weight that its two heads leave on <s>, by the digit that has to be said and is "
        f"hidden, {code}.",
    )
