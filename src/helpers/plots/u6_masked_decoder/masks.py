"""Who may look at whom, and what a mask does to scores and weights."""

from __future__ import annotations


@figure
def views(words: Sequence[str]) -> Figure:
    """The sentence once for each of its words: what that word sees in an encoder, and in a decoder."""
    drawn, axes = grid(1, 2, width=4.6, height=0.46 * len(words) + 0.9)
    for ax, title, seen in (
        (axes[0, 0], "In the encoder each word sees the whole sentence", lambda i, j: True),
        (axes[0, 1], "In the decoder it sees itself and what came before", lambda i, j: j <= i),
    ):
        set_canvas(ax, len(words) + 1.3, len(words) + 0.2)
        ax.set_title(title, fontsize=10)
        for i, word in enumerate(words):
            y = len(words) - i - 0.4
            ax.text(1.05, y, word, ha="right", va="center", fontsize=9, fontweight="bold")
            ax.text(1.15, y, "sees", ha="left", va="center", fontsize=7, color=GREY)
            for j, other in enumerate(words):
                x = j + 2.05
                if seen(i, j):
                    draw_box(ax, x, y, other, BLUE, 0.9, 0.7, 8, bold=i == j)
                else:
                    draw_box(ax, x, y, "?", "#BBBBBB", 0.9, 0.7, 8)
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
    plain = softmax(scores)
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
        weights = softmax(scores)
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
