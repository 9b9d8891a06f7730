"""Positions as turns: pairs of features, and scores by offset."""

from __future__ import annotations


@figure
def turning(position: int = 3, width: int = 8) -> Figure:
    """Where the hand of every pair points at a position, and the way it came from position 0."""
    pairs = width // 2
    drawn, axes = grid(1, pairs, width=2.3, height=2.6)
    for i, ax in enumerate(axes[0]):
        speed = 10000 ** (-2 * i / width)
        turn = np.linspace(0, position * speed, 400)
        ax.plot(np.cos(np.linspace(0, 2 * np.pi, 200)), np.sin(np.linspace(0, 2 * np.pi, 200)), color=PALE)
        spiral = 0.30 + 0.012 * turn
        ax.plot(spiral * np.cos(turn), spiral * np.sin(turn), color=ORANGE, linewidth=1.6)
        draw_arrow(ax, (0, 0), (1, 0), PALE)
        draw_arrow(ax, (0, 0), (float(np.cos(turn[-1])), float(np.sin(turn[-1]))), BLUE)
        ax.set_title(f"features {2 * i} and {2 * i + 1}\n{speed:g} radian{'s' * (speed < 1)} a token", fontsize=9)
        ax.set_xlim(-1.15, 1.15)
        ax.set_ylim(-1.15, 1.15)
        ax.set_aspect("equal")
        ax.axis("off")
    drawn.suptitle(f"Position {position}: early pairs have turned far, late pairs hardly", fontsize=10)
    return drawn


@figure
def neighbours_or_halves(width: int = 8) -> Figure:
    """Which two features turn together: neighbours, as here, or one from each half, as in many published models."""
    from matplotlib.patches import Rectangle

    drawn, axes = grid(1, 1, width=7.6, height=2.3)
    ax = axes[0, 0]
    partners = ([i // 2 for i in range(width)], [i % (width // 2) for i in range(width)])
    for row, (pair_of, name) in enumerate(zip(partners, ("here: neighbours", "elsewhere: halves"))):
        y = 1 - row * 1.0
        for feature, pair in enumerate(pair_of):
            ax.add_patch(
                Rectangle(
                    (feature, y), 0.94, 0.6, facecolor=COLOURS[pair] + "55", edgecolor=COLOURS[pair], linewidth=1.4
                )
            )
            ax.text(feature + 0.47, y + 0.3, f"pair {pair}", ha="center", va="center", fontsize=8)
        ax.text(-0.15, y + 0.3, name, ha="right", va="center", fontsize=9)
    for feature in range(width):
        ax.text(feature + 0.47, 1.72, str(feature), ha="center", fontsize=9)
    ax.text(-0.15, 1.72, "feature", ha="right", fontsize=9)
    ax.set_xlim(-2.1, width)
    ax.set_ylim(-0.1, 2.0)
    ax.axis("off")
    ax.set_title("Same pairs, same turns, another order of the features", fontsize=10)
    return drawn


@figure
def offset_maps(added: np.ndarray, turned: np.ndarray) -> Figure:
    """Scores of one query against one key at all pairs of positions: positions added, and positions as turns."""
    drawn, axes = grid(1, 2, width=4.2, height=3.7)
    for ax, scores, title in zip(
        axes[0],
        (added, turned),
        ("Sines and cosines added:\nevery place scores differently", "Rotary: along a diagonal\nall scores are equal"),
    ):
        heatmap(
            scores,
            title=title,
            ax=ax,
            row_label="position of the query",
            column_label="position of the key",
            numbers=False,
            signed=False,
            limits=(scores.min(), scores.max()),
        )
        drawn.colorbar(ax.images[0], ax=ax, label="score", shrink=0.85)
    return drawn


@figure
def scores_by_offset(offsets: Sequence[int], curves: Mapping[int, Sequence[float]]) -> Figure:
    """Score against the offset between query and key, one curve for each position of the key: they lie on each other."""
    drawn, axes = grid(1, 1, width=6.8, height=3.1)
    ax = axes[0, 0]
    styles = (("-", 7, SKY), ("-", 3.5, ORANGE), ("--", 1.5, COLOURS[7]))
    for (start, scores), (line, width, colour) in zip(curves.items(), styles):
        ax.plot(offsets, scores, line, linewidth=width, color=colour, label=f"key at position {start:,}")
    ax.set_xlabel("offset: position of the query minus position of the key")
    ax.set_ylabel("score")
    ax.set_title("Three places in the text, one curve: the offset alone counts", fontsize=10)
    ax.legend(fontsize=8)
    return drawn
