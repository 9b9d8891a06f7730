"""What each part of a Transformer buys: small models with one part taken out, trained and measured alike.

The models are the course's own, so the outcome does not hang on anybody's answers. Parts are taken out from
outside, and nothing else is changed: the same start values, the same examples in the same order.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from helpers import data
from helpers.reference import u7_transformer as reference
from helpers.reference.u4_multi_head import MultiHeadAttention
from helpers.reference.u5_add_and_norm import Encoder

from .run import Board, StopButton, import_optimizers
from .threads import one_thread

PARTS = ("nothing", "positions", "scaling", "mask", "all heads but one")
TASKS = {"digits": ("nothing", "positions", "scaling", "all heads but one"), "translation": PARTS}
BATCH = 64
STEPS = {"digits": 400, "translation": 500}
RATE = 3e-3
TESTED = 300


@dataclass(frozen=True)
class Ablated:
    """How one model fared.

    Attributes:
        task: "digits" or "translation".
        without: the part that was taken out, one of `PARTS`.
        accuracy: share of held-out examples that it gets exactly right.
        losses: training loss of every step.
    """

    task: str
    without: str
    accuracy: float
    losses: tuple[float, ...]


class Unmasked(reference.Transformer):
    """A Transformer whose decoder sees the whole target, also what it is to predict."""

    @staticmethod
    def target_mask(tgt_in: Tensor) -> Tensor:
        return torch.ones(tgt_in.shape[-1], tgt_in.shape[-1], dtype=torch.bool, device=tgt_in.device)


def build(task: str, without: str) -> nn.Module:
    """Return an untrained model for a task, without one part.

    Raises:
        ValueError: the task has no such part.
    """
    if without not in TASKS[task]:
        raise ValueError(f"{task} has no {without} to take out; it has {', '.join(TASKS[task][1:])}")
    n_heads = 1 if without == "all heads but one" else 4
    if task == "digits":
        model: nn.Module = reference.DigitClassifier()
        if n_heads == 1:
            model.encoder = Encoder(n_layers=2, d_model=32, n_heads=1, d_ff=64, norm_first=True)
    else:
        make = Unmasked if without == "mask" else reference.Transformer
        model = make(**data.TRANSLATOR | {"d_model": 32, "d_ff": 64, "n_layers": 1, "n_heads": n_heads})
    if without == "positions":
        model.get_buffer("positions").zero_()
    if without == "scaling":
        for layer in model.modules():
            if isinstance(layer, MultiHeadAttention):
                # Queries √d_k times as long undo the division by √d_k.
                layer.W_q.register_forward_hook(
                    lambda linear, inputs, Q, root=(layer.W_q.out_features / layer.n_heads) ** 0.5: Q * root
                )
    return model


def train(task: str, without: str, seed: int = 0) -> Generator[float, None, Ablated]:
    """Train a model, one loss a step; the generator returns the `Ablated` record at its end."""
    torch.manual_seed(seed)
    model = build(task, without)
    optimizer = torch.optim.Adam(model.parameters(), lr=RATE)
    losses = []
    for step in range(STEPS[task]):
        for group in optimizer.param_groups:
            group["lr"] = RATE * min(1.0, (step + 1) / 50, 2 * (1 - step / STEPS[task]))
        losses.append(_STEP[task](model, optimizer, np.random.default_rng([seed, step])))
        yield losses[-1]
    model.eval()
    return Ablated(task, without, _ACCURACY[task](model), tuple(losses))


def _digits_step(model: nn.Module, optimizer: torch.optim.Optimizer, rng: np.random.Generator) -> float:
    digits = data.digits()
    chosen = rng.integers(0, len(digits.train_labels), size=BATCH)
    loss = nn.functional.cross_entropy(
        model(torch.from_numpy(digits.train_images[chosen])), torch.from_numpy(digits.train_labels[chosen])
    )
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.item()


def _translation_step(model: nn.Module, optimizer: torch.optim.Optimizer, rng: np.random.Generator) -> float:
    src, tgt = map(torch.from_numpy, data.number_batch(rng, BATCH))
    return reference.train_step(model, optimizer, src, tgt, data.PAD, data.BOS)


@torch.no_grad()
def _digits_accuracy(model: nn.Module) -> float:
    digits = data.digits()
    guessed = model(torch.from_numpy(np.array(digits.test_images))).argmax(dim=-1).numpy()
    return float((guessed == digits.test_labels).mean())


@torch.no_grad()
def _translation_accuracy(model: reference.Transformer) -> float:
    """Share of held-out numbers that come out exactly right; all are written at once, quicker than one by one."""
    _, held = data.numbers()
    chosen = np.random.default_rng(0).choice(held, size=TESTED, replace=False)
    src = torch.from_numpy(
        data.padded([data.source_ids(number, data.LANGUAGES[i % 3]) for i, number in enumerate(chosen)])
    )
    memory, mask = model.encode(src), model.source_mask(src)
    ids = torch.full((len(src), 1), data.BOS)
    for _ in range(6):
        ids = torch.cat([ids, model.decode(ids, memory, mask)[:, -1:].argmax(dim=-1)], dim=-1)
    right = [row[: len(want)] == want for row, want in zip(ids[:, 1:].tolist(), map(data.target_ids, chosen))]
    return float(np.mean(right))


_STEP: dict[str, Callable[..., float]] = {"digits": _digits_step, "translation": _translation_step}
_ACCURACY: dict[str, Callable[[Any], float]] = {"digits": _digits_accuracy, "translation": _translation_accuracy}


class Study:
    """All models of the ablation, one after the other. `go()` starts it, and goes on with it after it was stopped.

    Attributes:
        results: the records of the models that are finished.
    """

    def __init__(self, seed: int = 0) -> None:
        self.results: list[Ablated] = []
        self._waiting = [(task, without) for task, parts in TASKS.items() for without in parts]
        self._total = sum(STEPS[task] for task, _ in self._waiting)
        self._done = 0
        self._seed = seed
        self._running: Generator[float, None, Ablated] | None = None

    def go(self) -> None:
        """Train what is left, or until the stop button is pressed."""
        board, shown = Board(), time.monotonic()
        with StopButton() as stop, one_thread():
            with stop.untouchable():
                import_optimizers()
            while self._waiting and not stop.asked:
                task, without = self._waiting[0]
                self._running = self._running or train(task, without, self._seed)
                try:
                    loss = next(self._running)
                except StopIteration as end:
                    self.results.append(end.value)
                    self._running = None
                    del self._waiting[0]
                    continue
                self._done += 1
                if time.monotonic() - shown > 0.5:
                    shown = time.monotonic()
                    board.show(
                        self._done,
                        self._total,
                        f"model {len(self.results) + 1} of {self._models}: {task} without {without}, loss {loss:.4f}",
                    )
        words = "finished" if not self._waiting else "stopped; run the cell again to go on"
        board.show(self._done, self._total, f"{words}: {len(self.results)} of {self._models} models are trained")

    @property
    def _models(self) -> int:
        return len(self.results) + len(self._waiting)
