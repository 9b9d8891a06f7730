"""Training in a notebook: a progress bar, a live loss curve and samples; it can be stopped, and gone on with.

Step k of a run draws its batch from the seed and k alone. So the same seed gives the same curve, also when the run was
stopped in between. While nbgrader validates or grades, nothing is trained and nothing is saved.
"""

from __future__ import annotations

import contextlib
import inspect
import math
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from html import escape
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any

import numpy as np

from helpers.data import WEIGHTS
from helpers.language import told, typed
from helpers.plots.core import _image, alt_of, drawing

from .storage import keep_copy, read_entries, weights_of, write_entries
from .threads import one_thread

if TYPE_CHECKING:
    import torch
    from matplotlib.figure import Figure

REFRESH_SECONDS = 1.5
# The batches on which saved weights are compared with new ones.
TRIED_BATCHES = 4
LONGEST_ERROR = 300
SAMPLED_AT = (0.03, 0.06, 0.12, 0.25, 0.5, 1.0)


def device() -> torch.device:
    """Return the graphics card if torch can use one, else the processor."""
    import torch

    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


class StopButton:
    """Context manager that turns an interrupt (the ■ button, Ctrl-C) into `asked`, so that a step is never torn.

    A second one interrupts, except while `untouchable`.
    """

    def __init__(self) -> None:
        self.asked = False
        self._held = False

    def __enter__(self) -> StopButton:
        self._before: Any = None
        if threading.current_thread() is threading.main_thread():
            self._before = signal.signal(signal.SIGINT, self._ask)
        return self

    def __exit__(self, *error: Any) -> None:
        if self._before is not None:
            signal.signal(signal.SIGINT, self._before)

    def _ask(self, number: int, frame: FrameType | None) -> None:
        if self.asked and not self._held:
            raise KeyboardInterrupt
        self.asked = True

    @contextlib.contextmanager
    def untouchable(self) -> Iterator[None]:
        """Let no interrupt through, however often it comes: for work that cannot be repeated once it is torn."""
        self._held = True
        try:
            yield
        finally:
            self._held = False


def import_optimizers() -> None:
    """Import what torch leaves until the first optimizer is made: hundreds of modules, and seconds on a slow machine.

    An import that was interrupted half-way fails ever after in the same kernel, so `go` does this where ■ only asks.
    """
    import torch

    torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.0)


def _say(text: str) -> None:
    """Print a sentence in the language that is spoken."""
    print(told(text))


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
                _say(f"{done} of {of}: {words}")
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
        html = f"<div>{bar}<div>{escape(told(words))}</div>{picture}{below}</div>"
        bundle = {
            "text/html": html,
            "text/plain": told(f"{done} of {of}: {words}") + (f" [figure: {alt}]" if alt else ""),
        }
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
        samples: `samples(model) -> [(given, wanted, got), ...]` to show on the way; None shows none. Where nothing is
            wanted, "", nothing is marked as right or wrong.

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
        self._loaded = False
        self._sampled: dict[int, list[tuple[str, str, str]]] = {}

    @property
    def finished(self) -> bool:
        """Whether all steps are done."""
        return len(self.losses) == self._steps

    def go(self) -> None:
        """Train to the end, or until the stop button is pressed; call it again to go on.

        Where an answer that it needs is not given yet, or the class of its model has changed since, it says so and does
        nothing; where one is wrong, it says what stopped it and where, in a sentence, so that the cells below still
        run.
        """
        if not drawing():
            return
        if self._loaded:
            _say("These weights were loaded from the file. To train anew, first run the cell that makes this run.")
            return
        if not self.losses:
            self.model = None
        elif self._has_changed():
            _say(
                f"Your {type(self.model).__name__} has changed, and this run goes on with the old one. First run the "
                "cell that makes this run, then the one that trains."
            )
            return
        try:
            with StopButton() as stop, one_thread():
                with stop.untouchable():
                    import_optimizers()
                self._start()
                self._train(stop)
        except NotImplementedError as error:
            # A model whose forward is not written is none: what looks at it later would run into the same stub.
            if not self.losses:
                self.model = None
            _say(f"Nothing is trained yet: {_unanswered(error)} is not answered.")
        except Exception as error:  # whatever a half-written answer may do
            if not self.losses:
                self.model = None
            _say(f"✗ The training stopped at step {len(self.losses)}. {typed(told_error(error))}")

    def _start(self) -> None:
        import torch

        if self.model is None:
            torch.manual_seed(self._seed)
            model = self._make().to(device())
            if not any(True for _ in model.parameters()):
                raise ValueError(
                    f"your {type(model).__name__} has no parameters to train; make its layers in __init__ and keep "
                    "them on self"
                )
            self._optimizer = torch.optim.Adam(model.parameters(), lr=self._rate, betas=(0.9, 0.98))
            self.model = model

    def _train(self, stop: StopButton) -> None:
        import torch

        board = Board()
        began, shown = time.monotonic() - self.seconds, 0.0
        while not self.finished and not stop.asked:
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
        self._show(board)

    def _take_samples(self) -> None:
        if self._samples is None:
            return
        # An answer of which the samples are made may be missing or wrong; its own check says that, and says it better.
        with contextlib.suppress(Exception):
            self._sampled[len(self.losses)] = list(self._samples(self.model))

    def _show(self, board: Board) -> None:
        done, loss = len(self.losses), (self.losses or [math.nan])[-1]
        words = f"step {done} of {self._steps}, loss {loss:.4f}, {self.seconds:.0f} s"
        if not self.losses:
            return board.show(0, self._steps, "stopped before the first step; run the cell again to begin")
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
        if not any(wanted for taken in self._sampled.values() for _, wanted, _ in taken):
            lines = [
                f"<tr>{cell}{told(f'step {step}')}</td>{cell}<b>{escape(given)}</b>{escape(got)}</td></tr>"
                for step, taken in self._sampled.items()
                for given, _, got in taken
            ]
            return f"<table>{''.join(lines)}</table>"
        times = "".join(f"<th>{told(f'step {step}')}</th>" for step in self._sampled)
        rows = []
        for place, (given, wanted, _) in enumerate(next(iter(self._sampled.values()))):
            written = [taken[place][2] for taken in self._sampled.values()]
            marked = "".join(f"{cell}{escape(one) or '–'}&nbsp;{'✓' if one == wanted else '✗'}</td>" for one in written)
            rows.append(f"<tr>{cell}{escape(given)}</td>{cell}<b>{escape(wanted)}</b></td>{marked}</tr>")
        return f"<table><tr><th>{told('given')}</th><th>{told('wanted')}</th>{times}</tr>{''.join(rows)}</table>"

    def save(self, name: str, path: str = WEIGHTS, replace: bool = False) -> None:
        """Write the model's weights as `name.…` into the weights file beside the notebook; what else is in it stays.

        Where the file has weights of this name already, both are tried on the same batches with the model as its class
        is now, and the better ones stay: a run that was stopped early destroys nothing. Weights of another model than
        the class makes now cannot be tried; they are replaced, and a copy of the file is kept. It says which.
        Nothing happens while nothing is trained yet, or where this run's own weights are of another model.

        Args:
            name: of the model in the file.
            path: the weights file.
            replace: write this run's weights even if those in the file are better.
        """
        if not drawing() or not self.losses:
            return
        now = self._made_now()
        if now is not None and not _fit(now, self.model.state_dict()):
            return _say(
                f"Nothing is saved: your {type(self.model).__name__} has changed, and this run has trained the old one."
                " First run the cell that makes this run, then the one that trains."
            )
        entries = read_entries(path)
        earlier = weights_of(name, entries)
        other_model = bool(earlier) and not _fit(self.model, earlier)
        if earlier and not replace:
            before, now = self._loss_with(earlier), self._loss_with(self.model.state_dict())
            if before < now:
                _say(
                    f"Kept the {name} weights that were in {path}: on the same batches their loss is {before:.4f}, and "
                    f"{now:.4f} after these {len(self.losses)} of {self._steps} steps. "
                    f'To write these all the same: save("{name}", replace=True).'
                )
                return
        others = {key: value for key, value in entries.items() if not key.startswith(f"{name}.")}
        copy = keep_copy(path) if other_model else ""
        write_entries(path, others, name, self.model)
        instead = " in the place of earlier ones" if earlier and not other_model else ""
        _say(
            f"Saved the weights of the {name} model after {len(self.losses)} of {self._steps} steps in {path}"
            f"{instead} ({Path(path).stat().st_size / 1e6:.1f} MB)."
        )
        if other_model:
            _say(
                f"The {name} weights that were there are of another model than your {type(self.model).__name__} is now."
                f" The file with them is kept as {copy}."
            )

    def load(self, name: str, path: str = WEIGHTS) -> None:
        """Bring the saved model back without training, as after a restart of the kernel: `model` is ready to be used.

        Where the file or the class does not allow it, it says why, and nothing is changed.

        Args:
            name: of the model in the file, as it was saved.
            path: the weights file.
        """
        if not drawing():
            return
        saved = weights_of(name, read_entries(path))
        if not saved:
            return _say(f'Nothing is loaded: {path} has no weights called "{name}". Train, and save("{name}"), first.')
        try:
            model = self._make()
        except NotImplementedError as error:
            return _say(f"Nothing is loaded: {_unanswered(error)} is not answered.")
        if not _fit(model, saved):
            return _say(
                f'Nothing is loaded: the weights "{name}" in {path} are of another model than your '
                f"{type(model).__name__}, perhaps from before you changed it. Train again."
            )
        model.load_state_dict(saved)
        self.model, self._loaded = model.to(device()).eval(), True
        _say(f'Loaded the weights "{name}" from {path}.')

    def _made_now(self) -> Any:
        """A model as its class makes it now; None where it makes none."""
        try:
            return self._make()
        except Exception:  # whatever a half-written answer may do
            return None

    def _has_changed(self) -> bool:
        """Whether the class makes another model now than the one that this run trains."""
        now = self._made_now()
        return now is not None and not (
            _fit(now, self.model.state_dict()) and _code_of(type(now)) == _code_of(type(self.model))
        )

    def _loss_with(self, weights: dict[str, torch.Tensor]) -> float:
        """Mean loss of this model with these weights on a few batches; infinite where they are not of this model."""
        import torch

        model = self._make().to(device())
        if not _fit(model, weights):
            return math.inf
        losses = []
        for batch in range(TRIED_BATCHES):
            # A step moves the weights even at rate 0 where a layer counts for itself, so each batch begins with them.
            model.load_state_dict(weights)
            torch.manual_seed(batch)
            unmoved = torch.optim.SGD(model.parameters(), lr=0.0)
            losses.append(float(self._step(model, unmoved, np.random.default_rng([self._seed, self._steps + batch]))))
        mean = float(np.mean(losses))
        return mean if math.isfinite(mean) else math.inf


def _fit(model: torch.nn.Module, weights: dict[str, torch.Tensor]) -> bool:
    """Whether the weights are those of a model by name and shape."""
    own = {key: value.shape for key, value in model.state_dict().items()}
    return own == {key: value.shape for key, value in weights.items()}


def _code_of(model_class: type) -> dict[str, Any]:
    """The compiled methods of a class: the same again where its cell was run again as it was."""
    return {name: method.__code__ for name, method in vars(model_class).items() if inspect.isfunction(method)}


def told_error(error: Exception) -> str:
    """Return what went wrong, and in which line of which function, in one line."""
    frames = list(traceback.extract_tb(error.__traceback__))
    # The learner's own line is the last one that is neither the course's nor a library's, which may raise far below it.
    foreign = ("site-packages", str(Path(__file__).parents[1]))
    own = [frame for frame in frames if not any(place in frame.filename for place in foreign)]
    what = " ".join(f"{type(error).__name__}: {error}".split())
    what = what if len(what) <= LONGEST_ERROR else f"{what[:LONGEST_ERROR]} …"
    return f"{what}, in {typed(own[-1].name)}, line {own[-1].lineno}: {typed(own[-1].line)}" if own else what


def _unanswered(error: NotImplementedError) -> str:
    """Name of the function or class whose body is still the stub."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    code = trace.tb_frame.f_code if trace is not None else None
    own = trace.tb_frame.f_locals.get("self") if trace is not None else None
    return type(own).__name__ if own is not None else getattr(code, "co_name", "an exercise")
