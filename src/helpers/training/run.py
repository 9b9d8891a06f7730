"""Training in a notebook: a progress bar, a live loss curve and samples; it can be stopped, and gone on with.

Step k of a run draws its batch from the seed and k alone. So the same seed gives the same curve, also when the run was
stopped in between. While nbgrader validates or grades, nothing is trained and nothing is saved.
"""

from __future__ import annotations

import contextlib
import math
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Sequence
from html import escape
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any

import numpy as np

from helpers.data import WEIGHTS
from helpers.plots.core import _image, alt_of, drawing

from .threads import one_thread

if TYPE_CHECKING:
    import torch
    from matplotlib.figure import Figure

REFRESH_SECONDS = 1.5
SAMPLED_AT = (0.03, 0.06, 0.12, 0.25, 0.5, 1.0)


def device() -> torch.device:
    """Return the graphics card if torch can use one, else the processor."""
    import torch

    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


class StopButton:
    """Context manager that turns an interrupt (the ■ button, Ctrl-C) into `asked`, so that a step is never torn.

    A second one interrupts.
    """

    def __init__(self) -> None:
        self.asked = False

    def __enter__(self) -> StopButton:
        self._before: Any = None
        if threading.current_thread() is threading.main_thread():
            self._before = signal.signal(signal.SIGINT, self._ask)
        return self

    def __exit__(self, *error: Any) -> None:
        if self._before is not None:
            signal.signal(signal.SIGINT, self._before)

    def _ask(self, number: int, frame: FrameType | None) -> None:
        if self.asked:
            raise KeyboardInterrupt
        self.asked = True


class Board:
    """What is shown while something trains: one display that is renewed in place.

    Where there is no notebook, it is a line now and then.
    """

    def __init__(self) -> None:
        shell = sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None
        self._handle: Any = None
        self._live = shell is not None and hasattr(shell, "kernel")
        self._told = -1

    def show(self, done: int, of: int, words: str, figure: Figure | None = None, below: str = "") -> None:
        """Show how far it is.

        Args:
            done, of: steps.
            words: a line beside the bar.
            figure: a picture, which brings its alt text.
            below: HTML under it.
        """
        if not self._live:
            tenth = 10 * done // of
            if tenth != self._told:
                self._told = tenth
                print(f"{done} of {of}: {words}")
            return
        from IPython.display import display

        share = 100 * done / of
        bar = (
            f'<div role="progressbar" aria-valuenow="{share:.0f}" aria-valuemin="0" aria-valuemax="100" '
            'style="width:100%;max-width:32em;height:.8em;border:1px solid #0072B2;border-radius:.4em;overflow:hidden">'
            f'<div style="width:{share:.1f}%;height:100%;background:#0072B2"></div></div>'
        )
        alt = alt_of(figure) if figure is not None else ""
        picture = _image(figure, alt) if figure is not None else ""
        html = f"<div>{bar}<div>{escape(words)}</div>{picture}{below}</div>"
        bundle = {"text/html": html, "text/plain": f"{done} of {of}: {words}" + (f" [figure: {alt}]" if alt else "")}
        if self._handle is None:
            self._handle = display(bundle, raw=True, display_id=True)
        else:
            self._handle.update(bundle, raw=True)


class Training:
    """One training run. `go()` starts it, and goes on with it after it was stopped.

    Args:
        make: makes the model, as its class does.
        step: `step(model, optimizer, rng) -> loss`, one step on a batch that it draws with `rng`.
        steps: how many.
        rate: the learning rate, which rises at the beginning and falls in the second half.
        seed: of start values and batches.
        samples: `samples(model) -> [(given, wanted, got), ...]` to show on the way; None shows none.

    Attributes:
        model: None before the first `go()`.
        losses: of every step so far.
        seconds: spent so far.
    """

    def __init__(
        self,
        make: Callable[[], Any],
        step: Callable[[Any, Any, np.random.Generator], float],
        steps: int,
        rate: float,
        seed: int = 0,
        samples: Callable[[Any], Sequence[tuple[str, str, str]]] | None = None,
    ) -> None:
        self.model: Any = None
        self.losses: list[float] = []
        self.seconds = 0.0
        self._make, self._step, self._steps, self._rate, self._seed, self._samples = (
            make,
            step,
            steps,
            rate,
            seed,
            samples,
        )
        self._optimizer: Any = None
        self._sampled: dict[int, list[tuple[str, str, str]]] = {}

    @property
    def finished(self) -> bool:
        """Whether all steps are done."""
        return len(self.losses) == self._steps

    def go(self) -> None:
        """Train to the end, or until the stop button is pressed; call it again to go on.

        Where an answer that it needs is not given yet, it says so and does nothing.
        """
        if not drawing():
            return
        try:
            self._start()
            self._train()
        except NotImplementedError as error:
            # A model whose forward is not written is none: what looks at it later would run into the same stub.
            if not self.losses:
                self.model = None
            print(f"Nothing is trained yet: {_unanswered(error)} is not answered.")

    def _start(self) -> None:
        import torch

        if self.model is None:
            torch.manual_seed(self._seed)
            model = self._make().to(device())
            self._optimizer = torch.optim.Adam(model.parameters(), lr=self._rate, betas=(0.9, 0.98))
            self.model = model

    def _train(self) -> None:
        import torch

        board = Board()
        began, shown = time.monotonic() - self.seconds, 0.0
        with StopButton() as stop, one_thread():
            while not self.finished:
                done = len(self.losses)
                for group in self._optimizer.param_groups:
                    group["lr"] = self._rate * min(1.0, (done + 1) / (0.1 * self._steps), 2 * (1 - done / self._steps))
                # Dropout draws from torch's own stream, which other cells use too.
                torch.manual_seed(1_000_003 * (self._seed + 1) + done)
                loss = float(self._step(self.model, self._optimizer, np.random.default_rng([self._seed, done])))
                self.losses.append(loss)
                self.seconds = time.monotonic() - began
                if not math.isfinite(loss):
                    break
                if done + 1 in {max(1, round(share * self._steps)) for share in SAMPLED_AT}:
                    self._take_samples()
                if self.seconds - shown > REFRESH_SECONDS:
                    shown = self.seconds
                    self._show(board)
                if stop.asked:
                    break
        self._show(board)

    def _take_samples(self) -> None:
        if self._samples is None:
            return
        with contextlib.suppress(NotImplementedError):
            self._sampled[len(self.losses)] = list(self._samples(self.model))

    def _show(self, board: Board) -> None:
        done, loss = len(self.losses), self.losses[-1] if self.losses else math.nan
        words = f"step {done} of {self._steps}, loss {loss:.4f}, {self.seconds:.0f} s"
        if self.finished:
            words = f"finished: {words}"
        elif not math.isfinite(loss):
            words += (
                ": the loss is no number any more. Look for a division by zero or a softmax of an empty row, "
                "make the run again and train anew"
            )
        else:
            left = self.seconds / max(done, 1) * (self._steps - done)
            words += f", about {left:.0f} s to go; stopped runs go on when the cell is run again"
        if not board._live:
            return board.show(done, self._steps, words)
        from helpers.plots import u7_transformer as figures

        board.show(done, self._steps, words, figures.loss_curve(self.losses, self._steps), self._table())

    def _table(self) -> str:
        """The samples, one column for each time they were taken."""
        if not self._sampled:
            return ""
        cell = '<td style="text-align:left;padding:1px 10px">'
        times = "".join(f"<th>step {step}</th>" for step in self._sampled)
        rows = []
        for place, (given, wanted, _) in enumerate(next(iter(self._sampled.values()))):
            written = [taken[place][2] for taken in self._sampled.values()]
            marked = "".join(f"{cell}{escape(one) or '–'}&nbsp;{'✓' if one == wanted else '✗'}</td>" for one in written)
            rows.append(f"<tr>{cell}{escape(given)}</td>{cell}<b>{escape(wanted)}</b></td>{marked}</tr>")
        return f"<table><tr><th>given</th><th>wanted</th>{times}</tr>{''.join(rows)}</table>"

    def save(self, name: str, path: str = WEIGHTS) -> None:
        """Write the model's weights as `name.…` into the weights file beside the notebook; what else is in it stays.

        Nothing happens while nothing is trained yet.
        """
        if not drawing() or not self.losses:
            return
        from safetensors import SafetensorError
        from safetensors.torch import load_file, save_file

        try:
            kept = {key: value for key, value in load_file(path).items() if not key.startswith(f"{name}.")}
        except (OSError, SafetensorError):
            kept = {}
        # Tied weights share memory, which the format does not know, so each entry gets its own.
        own = {
            f"{name}.{key}": value.detach().cpu().clone().contiguous() for key, value in self.model.state_dict().items()
        }
        save_file(kept | own, f"{path}.new")
        os.chmod(f"{path}.new", 0o644)
        os.replace(f"{path}.new", path)
        print(f"Saved {len(own)} arrays as {name}.… in {path} ({Path(path).stat().st_size / 1e6:.1f} MB).")


def _unanswered(error: NotImplementedError) -> str:
    """Name of the function or class whose body is still the stub."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    code = trace.tb_frame.f_code if trace is not None else None
    own = trace.tb_frame.f_locals.get("self") if trace is not None else None
    return type(own).__name__ if own is not None else getattr(code, "co_name", "an exercise")
