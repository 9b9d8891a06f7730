"""Training runs: the same seed, the same curve, stopped or not; what is saved, and when nothing happens."""

import signal
import subprocess
import sys

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from torch import nn

from helpers import data
from helpers.training import ablation
from helpers.training.run import Training


class Line(nn.Module):
    """A straight line with dropout, which draws from torch's own stream."""

    def __init__(self):
        super().__init__()
        self.layer, self.dropout = nn.Linear(3, 1), nn.Dropout(0.3)

    def forward(self, x):
        return self.layer(self.dropout(x))


def step(model, optimizer, rng):
    x = torch.from_numpy(rng.normal(size=(16, 3)).astype("f4"))
    loss = ((model.train()(x) - x.sum(dim=1, keepdim=True)) ** 2).mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.item()


def interrupted_at(number):
    """A step during which the stop button is pressed."""

    def pressed(model, optimizer, rng):
        pressed.done += 1
        if pressed.done == number:
            signal.raise_signal(signal.SIGINT)
        return step(model, optimizer, rng)

    pressed.done = 0
    return pressed


def run(seed=0, step=step, steps=30, make=Line):
    training = Training(make, step, steps, rate=0.05, seed=seed)
    training.go()
    return training


def test_same_seed_same_curve_and_another_seed_another(capsys):
    first, again, other = run(), run(), run(seed=1)
    assert first.losses == again.losses != other.losses
    assert first.finished and first.losses[-1] < first.losses[0]
    assert "finished" in capsys.readouterr().out


def test_a_stopped_run_goes_on_as_if_nothing_had_happened():
    whole, stopped = run(), run(step=interrupted_at(12))
    assert len(stopped.losses) == 12 and not stopped.finished
    torch.rand(5)  # what other cells draw in between
    stopped.go()
    assert stopped.losses == whole.losses
    assert torch.equal(stopped.model.layer.weight, whole.model.layer.weight)


@pytest.fixture
def interruptible():
    """Ctrl-C as Python has it, also where the tests were started with it switched off, as in a shell's background."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def test_the_second_interrupt_is_one(interruptible):
    def twice(model, optimizer, rng):
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        run(step=twice)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_a_finished_run_does_nothing_more():
    training = run(steps=5)
    training.go()
    assert len(training.losses) == 5


def test_a_loss_that_is_no_number_ends_the_run(capsys):
    training = run(step=lambda model, optimizer, rng: float("nan"))
    assert len(training.losses) == 1
    assert "no number any more" in capsys.readouterr().out


def test_nothing_is_trained_or_saved_while_nbgrader_executes(monkeypatch, tmp_path):
    monkeypatch.setenv("NBGRADER_EXECUTION", "autograde")
    training = run()
    training.save("line", str(tmp_path / "w.safetensors"))
    assert training.model is None and not list(tmp_path.iterdir())


def test_an_unanswered_part_is_named_and_nothing_is_saved(capsys, tmp_path):
    class Answer(nn.Module):
        def __init__(self):
            super().__init__()
            raise NotImplementedError

    def train_step():
        raise NotImplementedError

    run(make=Answer).save("line", str(tmp_path / "w.safetensors"))
    assert "Answer is not answered" in capsys.readouterr().out
    run(step=lambda *given: train_step())
    assert "train_step is not answered" in capsys.readouterr().out
    assert not list(tmp_path.iterdir())


def test_a_wrong_answer_is_told_with_its_line_and_stops_no_cell(capsys):
    class TooNarrow(Line):
        def forward(self, x):
            return self.layer(x[:, :2])

    training = run(make=TooNarrow)
    told = capsys.readouterr().out
    assert "The training stopped at step 0. RuntimeError" in told
    assert "in forward, line" in told and "self.layer(x[:, :2])" in told
    assert training.model is None


def test_a_model_without_parameters_is_told_without_a_line_of_a_library(capsys):
    run(make=nn.Identity)
    told = capsys.readouterr().out
    assert "your Identity has no parameters to train" in told and ", line" not in told


def test_a_model_that_cannot_compute_yet_is_none():
    class HalfAnswered(Line):
        def forward(self, x):
            raise NotImplementedError

    assert run(make=HalfAnswered).model is None


def test_saving_one_model_keeps_the_other_and_replaces_a_broken_file(tmp_path):
    path = str(tmp_path / "w.safetensors")
    training = run(steps=2)
    training.save("a", path)
    training.save("b", path)
    training.save("a", path)
    assert set(load_file(path)) == {"a.layer.weight", "a.layer.bias", "b.layer.weight", "b.layer.bias"}
    (tmp_path / "w.safetensors").write_bytes(b"broken")
    training.save("a", path)
    assert set(load_file(path)) == {"a.layer.weight", "a.layer.bias"}


def trained_and_saved(tmp_path, **options):
    path = str(tmp_path / "w.safetensors")
    training = run(**options)
    training.save("line", path)
    return training, path


def test_a_run_stopped_early_leaves_better_weights_in_the_file(tmp_path, capsys):
    good, path = trained_and_saved(tmp_path)
    before = (tmp_path / "w.safetensors").read_bytes()
    stopped = run(seed=1, step=interrupted_at(2))
    stopped.save("line", path)
    assert "Kept the line weights" in capsys.readouterr().out
    assert (tmp_path / "w.safetensors").read_bytes() == before
    stopped.save("line", path, replace=True)
    assert "in the place of earlier ones" in capsys.readouterr().out
    torch.testing.assert_close(load_file(path)["line.layer.weight"], stopped.model.layer.weight.detach())


def test_better_weights_replace_those_in_the_file(tmp_path):
    _, path = trained_and_saved(tmp_path, step=interrupted_at(2))
    better, _ = trained_and_saved(tmp_path)
    torch.testing.assert_close(load_file(path)["line.layer.weight"], better.model.layer.weight.detach())


def test_weights_that_do_not_fit_the_class_any_more_are_replaced_and_kept(tmp_path, capsys):
    class Wider(Line):
        def __init__(self):
            super().__init__()
            self.further = nn.Linear(1, 1)

        def forward(self, x):
            return self.further(super().forward(x))

    _, path = trained_and_saved(tmp_path)
    before = (tmp_path / "w.safetensors").read_bytes()
    trained_and_saved(tmp_path, make=Wider, step=interrupted_at(1))
    assert "line.further.weight" in load_file(path)
    assert "are of another model than your Wider is now" in capsys.readouterr().out
    assert (tmp_path / "w-before-1.safetensors").read_bytes() == before
    trained_and_saved(tmp_path, step=interrupted_at(1))
    assert "line.further.weight" in load_file(tmp_path / "w-before-2.safetensors")


@pytest.mark.parametrize("stopped", [None, 2])
@pytest.mark.parametrize("change", ["forward", "width"])
def test_a_run_of_a_class_that_has_changed_says_so_and_goes_no_further(change, stopped, tmp_path, capsys):
    def cell():
        class Line(nn.Module):
            def __init__(self):
                super().__init__()
                self.layer, self.dropout = nn.Linear(3, 1), nn.Dropout(0.3)

            def forward(self, x):
                return self.layer(self.dropout(x))

        return Line

    class Changed(nn.Module):
        def __init__(self):
            super().__init__()
            self.layer, self.dropout = nn.Linear(3, 1, bias=change != "width"), nn.Dropout(0.3)

        def forward(self, x):
            return self.dropout(self.layer(x))

    classes = [cell()]
    training = Training(lambda: classes[-1](), step if stopped is None else interrupted_at(stopped), 4, rate=0.05)
    training.go()
    classes.append(cell())  # the same cell, run again
    training.go()
    assert training.finished and "has changed" not in capsys.readouterr().out
    training = Training(lambda: classes[-1](), step if stopped is None else interrupted_at(stopped), 4, rate=0.05)
    training.go()
    done = len(training.losses)
    classes.append(Changed)
    training.go()
    assert "Your Line has changed" in capsys.readouterr().out and len(training.losses) == done
    path = tmp_path / "w.safetensors"
    training.save("line", str(path))
    assert ("Nothing is saved" in capsys.readouterr().out) == (change == "width") == (not path.exists())


def test_weights_that_have_become_no_number_replace_nothing(tmp_path):
    def astray(model, optimizer, rng):
        loss = step(model, optimizer, rng)
        if optimizer.param_groups[0]["lr"]:
            model.layer.weight.data.fill_(float("nan"))
        return loss

    good, path = trained_and_saved(tmp_path)
    trained_and_saved(tmp_path, step=astray)
    torch.testing.assert_close(load_file(path)["line.layer.weight"], good.model.layer.weight.detach())


def test_comparing_weights_changes_neither_the_model_nor_the_run(tmp_path):
    whole = run()
    trained_and_saved(tmp_path)
    stopped, _ = trained_and_saved(tmp_path, step=interrupted_at(12))
    stopped.go()
    assert stopped.losses == whole.losses
    assert torch.equal(stopped.model.layer.weight, whole.model.layer.weight)


def test_a_saved_model_is_loaded_without_training(tmp_path, capsys):
    trained, path = trained_and_saved(tmp_path)
    fresh = Training(Line, step, 30, rate=0.05)
    fresh.load("line", path)
    x = torch.ones(2, 3)
    assert torch.equal(fresh.model(x), trained.model.eval()(x))
    fresh.go()
    assert not fresh.losses and "To train anew" in capsys.readouterr().out


@pytest.mark.parametrize("why", ["has no weights", "of another model", "Answer is not answered"])
def test_what_cannot_be_loaded_is_told_and_changes_nothing(why, tmp_path, capsys):
    class Answer(nn.Module):
        def __init__(self):
            super().__init__()
            raise NotImplementedError

    _, path = trained_and_saved(tmp_path)
    make = {"of another model": lambda: nn.Linear(2, 2), "Answer is not answered": Answer}.get(why, Line)
    training = Training(make, step, 30, rate=0.05)
    training.load("other" if why == "has no weights" else "line", path)
    assert why in capsys.readouterr().out and training.model is None


def test_an_impatient_stop_does_not_tear_an_import(monkeypatch, capsys):
    imported = []

    def slow_import():
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)
        imported.append(True)

    monkeypatch.setattr("helpers.training.run.import_optimizers", slow_import)
    training = run()
    assert imported and not training.losses
    assert "stopped before the first step" in capsys.readouterr().out
    monkeypatch.setattr("helpers.training.run.import_optimizers", lambda: None)
    training.go()
    assert training.losses == run().losses


def test_an_optimizer_imports_nothing_more_after_the_course_has_imported_it():
    program = (
        "import sys, torch; from helpers.training.run import import_optimizers; import_optimizers();"
        "before = set(sys.modules); torch.optim.Adam([torch.zeros(1, requires_grad=True)]);"
        "late = set(sys.modules) - before; assert len(late) < 5, sorted(late)"
    )
    subprocess.run([sys.executable, "-W", "error", "-c", program], check=True, timeout=120)


def test_samples_are_taken_on_the_way_and_at_the_end():
    taken = []
    Training(Line, step, 40, rate=0.05, samples=lambda model: taken.append(1) or [("given", "wanted", "got")]).go()
    assert len(taken) == 6


def test_in_a_notebook_the_loss_curve_brings_its_text(monkeypatch):
    shown = []

    class Shell:
        kernel = object()

        def update(self, bundle, raw):
            shown.append(bundle)

    def display(bundle, raw, display_id):
        shown.append(bundle)
        return Shell()

    monkeypatch.setattr("IPython.get_ipython", Shell)
    monkeypatch.setattr("IPython.display.display", display)
    losses = run(steps=5).losses
    told = f"The training loss against the step, after 5 of 5 steps: {losses[-1]:.4f}."
    assert f'<img alt="{told}"' in shown[-1]["text/html"] and f"[figure: {told}]" in shown[-1]["text/plain"]


@pytest.mark.parametrize("error", [NotImplementedError, ZeroDivisionError])
def test_samples_that_need_an_unanswered_or_wrong_exercise_are_left_out(error):
    def samples(model):
        raise error

    training = Training(Line, step, 10, rate=0.05, samples=samples)
    training.go()
    assert training.finished


# --- the ablation ----------------------------------------------------------------------------------------


def logits(without):
    torch.manual_seed(0)
    model = ablation.build("translation", without).eval()
    with torch.no_grad():
        return model, model(torch.tensor([[4, 9, 30], [30, 9, 4]]), torch.tensor([[1, 5, 7], [1, 5, 8]]))


def test_each_ablation_takes_out_what_its_name_says():
    _, complete = logits("nothing")
    _, orderless = logits("positions")
    torch.testing.assert_close(orderless[0, 0], orderless[1, 0])
    assert not torch.allclose(complete[0, 0], complete[1, 0])
    model, unmasked = logits("mask")
    same_source = torch.tensor([[4, 9, 30]] * 2)
    ahead = model(same_source, torch.tensor([[1, 5, 7], [1, 5, 8]]))
    assert not torch.allclose(ahead[0, 0], ahead[1, 0])
    model, _ = logits("scaling")
    layer = model.decoder[0].self_attention
    x = torch.randn(1, 3, 32)
    torch.testing.assert_close(layer.W_q(x), (x @ layer.W_q.weight.T + layer.W_q.bias) * 8**0.5)
    model, _ = logits("all heads but one")
    assert {part.n_heads for part in model.modules() if hasattr(part, "n_heads")} == {1}


def test_the_digit_reader_has_no_mask_to_take_out():
    with pytest.raises(ValueError):
        ablation.build("digits", "mask")


def test_the_study_can_be_stopped_and_gone_on_with(monkeypatch):
    monkeypatch.setattr(ablation, "STEPS", {"digits": 3, "translation": 2})
    monkeypatch.setattr(ablation, "TESTED", 3)
    whole = ablation.Study()
    whole.go()
    assert [(one.task, one.without) for one in whole.results] == [
        (task, part) for task, parts in ablation.TASKS.items() for part in parts
    ]
    stopped = ablation.Study()
    calls = iter(range(100))
    original = ablation._STEP["digits"]
    monkeypatch.setitem(
        ablation._STEP,
        "digits",
        lambda *given: (signal.raise_signal(signal.SIGINT) if next(calls) == 4 else None) or original(*given),
    )
    stopped.go()
    assert len(stopped.results) == 1
    stopped.go()
    assert stopped.results == whole.results


def test_held_out_numbers_are_measured_in_all_languages():
    assert ablation.TESTED % len(data.LANGUAGES) == 0
    assert np.isclose(ablation._translation_accuracy(logits("nothing")[0]), 0, atol=0.05)
