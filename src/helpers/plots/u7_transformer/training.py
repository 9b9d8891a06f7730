"""The loss while a model trains, and the digits that it gets wrong."""

from __future__ import annotations


def running_mean(losses: Sequence[float]) -> np.ndarray:
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
    ax.plot(np.arange(1, len(losses) + 1), running_mean(losses), color=BLUE, linewidth=1.8, label="running mean")
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
        draw_picture(ax, images[place])
        ax.set_title(f"is a {labels[place]},\nread as {guesses[place]}", fontsize=8)
    return drawn
