"""Figures of unit 9: their texts follow what is drawn, and what they compute of a learner's model is right."""

import re
from pathlib import Path

import numpy as np
import pytest
import torch

from helpers import plots, text
from helpers.plots import u9_language_model as u9
from helpers.reference.u6_masked_decoder import causal_mask, masked_attention
from helpers.reference.u8_modern_attention import apply_rotary
from helpers.reference.u9_language_model import LanguageModel, sliding_window_mask

ROOT = Path(__file__).parents[3]
RNG = np.random.default_rng(0)
LONGEST = 900


def distribution():
    return RNG.dirichlet(np.ones(96) / 4)


def maps(n):
    return RNG.dirichlet(np.ones(n), size=(4, n))


def mask(window):
    return sliding_window_mask(8, 8, window).numpy()


# Each figure with arguments, and two lists of them that draw something else.
FIGURES = [
    (u9.windows, (mask(8), mask(3), 3), (mask(8), mask(2), 2)),
    (u9.bits, ({"zlib": 2.4, "your model": 1.9},), ({"zlib": 2.4, "your model": 3.9},)),
    (u9.cutting, *(({"as it is": distribution()}, text.CHARACTERS, "If the ") for _ in range(2))),
    (u9.clocks, ([0.1, 0.2], [0.1, 0.1]), ([0.1, 0.3], [0.1, 0.1])),
    (u9.bits_by_place, ({"all": [2.0, 6.0]}, 64, 128), ({"all": [2.0, 2.1]}, 64, 128)),
    (u9.caches, ([0, 10], {"8 heads": [0, 1.5]}), ([0, 10], {"8 heads": [0, 2.5]})),
    (u9.heads, *((maps(7), "a class", "Layer 0") for _ in range(2))),
]
FIXED = [u9.flow_charts, u9.gate]
NO_FIGURES = {"weights_of", "habits"}


@pytest.mark.parametrize(("draw", "one", "other"), FIGURES, ids=lambda value: getattr(value, "__name__", ""))
def test_the_text_follows_what_is_drawn(draw, one, other):
    told = [plots.alt_of(draw(*given)) for given in (one, other)]
    assert told[0] != told[1]
    for alt in told:
        assert 40 < len(alt) <= LONGEST and "nan" not in alt and "  " not in alt, alt


@pytest.mark.parametrize("draw", FIXED, ids=lambda value: value.__name__)
def test_a_figure_that_is_always_the_same_says_what_is_in_it(draw):
    assert 40 < len(plots.alt_of(draw())) <= LONGEST


def test_no_figure_of_the_unit_is_forgotten_here_and_no_cell_has_an_alt_text():
    solution = (ROOT / "solutions/u9_language_model/u9_language_model.py").read_text()
    tried = {draw.__name__ for draw, *_ in FIGURES} | {draw.__name__ for draw in FIXED}
    assert set(re.findall(r"figures\.(\w+)\(?", solution)) - NO_FIGURES == tried
    assert "alt=" not in solution


def test_the_weights_of_a_models_heads_are_those_that_it_attends_with():
    torch.manual_seed(0)
    model = LanguageModel(11, 16, 2, 4, 2, 10)
    ids = torch.randint(11, (1, 6))
    found = u9.weights_of(model, ids)
    attention, y = model.layers[0].attention, model.layers[0].norm_1(model.embedding(ids))
    q, k, v = (
        layer(y).unflatten(-1, (-1, 4)).transpose(1, 2) for layer in (attention.W_q, attention.W_k, attention.W_v)
    )
    q, k = apply_rotary(q, torch.arange(6)), apply_rotary(k, torch.arange(6)).repeat_interleave(2, 1)
    _, expected = masked_attention(q, k, v.repeat_interleave(2, 1), causal_mask(6))
    np.testing.assert_allclose(found[0], expected[0].detach().numpy(), atol=1e-5)
    assert len(found) == 2


def test_habits_of_heads_that_have_one():
    n = 5
    assert u9.habits(np.eye(n)) == {"itself": 1, "one back": 0, "the first": 0}
    assert u9.habits(np.eye(n, k=-1)) == {"itself": 0, "one back": 1, "the first": 0}
    first = np.zeros((n, n))
    first[:, 0] = 1
    assert u9.habits(first)["the first"] == 1
