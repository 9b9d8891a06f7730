"""The texts of units 5 to 8 for readers who do not see a figure: each follows what is drawn."""

import re
from pathlib import Path

import numpy as np
import pytest
import torch

from helpers import data, plots
from helpers.plots import u5_add_and_norm as u5
from helpers.plots import u6_masked_decoder as u6
from helpers.plots import u7_transformer as u7
from helpers.plots import u8_modern_attention as u8
from helpers.plots.u7_transformer import training
from helpers.reference.u7_transformer import DigitClassifier, Transformer
from helpers.training.ablation import Ablated

ROOT = Path(__file__).parents[3]
LONGEST = 600
RNG = np.random.default_rng(0)
DOG, BURGER = "the dog that lost its bone ran".split(), "tonight we eat a burger".split()


@pytest.fixture(autouse=True)
def drawn_figures(monkeypatch):
    monkeypatch.delenv("NBGRADER_EXECUTION", raising=False)


def weights(*shape):
    scores = RNG.exponential(size=shape)
    return scores / scores.sum(axis=-1, keepdims=True)


def measured(layers, shrink):
    ways = ("plain", "norm", "residual", "residual + norm")
    falling = {way: shrink ** (place * np.arange(layers + 1)) for place, way in enumerate(ways)}
    return {
        way: {"signal": one, "apart": one / 3, "gradient": one[::-1], "W_q": one[1:] / 7}
        for way, one in falling.items()
    }


def trained(seed):
    rng = np.random.default_rng(seed)
    return {
        kind: {
            "losses": rng.random(40) + place,
            "written": rng.integers(0, 10, size=(10, 8)),
            "weights": weights(8, 8),
            "left": rng.random((10, 2)),
        }
        for place, kind in enumerate(("no mask", "mask after the softmax", "mask before the softmax"))
    }


def translated(number, language, heads=4):
    source = u7.words_of(data.source_ids(number, language))
    digits = [*str(number), "eos"]
    target = [f"{reads}→{writes}" for reads, writes in zip(["bos", *digits], digits)]
    n, m = len(source), len(target)
    maps = {"encoder": weights(heads, n, n), "decoder": weights(heads, m, m), "cross": weights(heads, m, n)}
    return maps | {"language": language, "source": source, "read": ["bos", *digits[:-1]], "target": target}


def fared(better):
    parts = ("nothing", "positions", "scaling", "mask", "all heads but one")
    return [
        Ablated(task, part, place / 10 + better, tuple(RNG.random(30)))
        for task, own in (("digits", [part for part in parts if part != "mask"]), ("translation", parts))
        for place, part in enumerate(own)
    ]


CAUSAL, ODD = np.tri(5) == 1, np.array([[1, 0, 1, 1, 0], [0] * 5, [0] * 5, [1, 1, 0, 1, 1], [1] * 5])
IMAGES, LABELS = np.arange(30 * 64).reshape(30, 8, 8) % 17, np.arange(30) % 10
ENGLISH, OTHERS = translated(77_777, "English"), [translated(77_777, language) for language in data.LANGUAGES]
LENGTHS = [1024, 2048, 4096, 8192, 16384]

# Each figure that shows what it is given, with two things to show.
FIGURES = [
    (u5.roads, (measured(24, 0.7),), (measured(6, 0.9),)),
    (u5.norm_steps, ([-2, 4, 6, 12], [1, 1, 2, 2], [0, 1, 0, 1]), ([-2, 4, 6, 12], [1, 1, 2, 2], [0, 1, 0, 2])),
    (u5.norm_forgets, (2, 0), (2, 5)),
    (u5.sum_then_norm, (BURGER,), (DOG,)),
    (u5.who_moves, (BURGER,), (DOG,)),
    (
        u5.training_curves,
        ({"post-norm": [2.3, 2.3], "pre-norm": [2.3, 0.1]}, "Two stacks", 2.3),
        ({"post-norm": [2.3, 2.3], "pre-norm": [2.3, 2.2]}, "Two stacks", 2.3),
    ),
    (u5.layer_maps, *(([weights(7, 7)], DOG, DOG, ("layer 1",), [range(7)]) for _ in range(2))),
    (u6.views, (BURGER,), (DOG,)),
    (u6.last_words, (BURGER, 2), (BURGER, 1)),
    (u6.both_masks, (["we", "eat", "<pad>", "<pad>"], 2), (["we", "eat", "<pad>", "<pad>"], 3)),
    (u6.masks, ([(CAUSAL, BURGER, BURGER, "mine")],), ([(ODD, BURGER, BURGER, "mine")],)),
    (
        u6.one_row,
        (BURGER, [1, 0, 2, 1.5, 3], [True, True, True, False, False], "eat"),
        (BURGER, [1, 0, 2, 1.5, 3], [True, True, False, False, False], "we"),
    ),
    (u6.leaks, (BURGER,), (BURGER, 4)),
    (u6.cheaters, (trained(0),), (trained(1),)),
    (u6.cheaters_look, (trained(0),), (trained(1),)),
    (u6.across, *((weights(3, 4), DOG[:3], BURGER[:4], "Across") for _ in range(2))),
    (u6.final_layer, *(([1.0, -0.5, 2.0] @ np.eye(3), RNG.normal(size=(3, 5)), BURGER) for _ in range(2))),
    (u6.teacher_forcing, (["<s>", *BURGER[:4]], BURGER), (["<s>", *DOG[:6]], DOG)),
    (u6.surprise, (["nous", "un", "burger"], [0, 2, 1], 2), (["nous", "un", "burger"], [0, 2, 1], 0)),
    (u6.steps, *(([BURGER[:i] for i in range(1, 7)], weights(6, 5), BURGER, "Step by step") for _ in range(2))),
    (u7.ten_classes, (IMAGES, LABELS), (IMAGES[:20], LABELS[:20])),
    (u7.rows_as_tokens, (IMAGES[0], 0), (IMAGES[1], 0)),
    (u7.misread, (IMAGES, LABELS, LABELS % 3), (IMAGES, LABELS, LABELS % 4)),
    (u7.heads_received, *((IMAGES[0], {"a": weights(4, 8, 8), "b": weights(4, 8, 8)}, "A 3") for _ in range(2))),
    (u7.heads_on_digit, *((IMAGES[0], weights(4, 9, 9), 4, "A 3: row 4 asks, layer 0") for _ in range(2))),
    (u7.teacher_forcing, (["4", "eos", "pad"], ["bos", "4", "eos"]), (["4", "0", "eos"], ["bos", "4", "0"])),
    (u7.three_attentions, (OTHERS,), ([ENGLISH | {"language": ""}], "It writes 77777; layer 1, head 0")),
    (u7.heads_of, *((weights(4, 9, 9), [*DOG, "a", "b"], [*DOG, "a", "b"], "English, layer 1") for _ in range(2))),
    (u7.ablation, (fared(0),), (fared(0.1),)),
    (u7.loss_curve, ([2.0, 1.0], 10), ([2.0, 1.5], 10)),
    (u8.norm_times, ({"layer norm": 2.0, "your RMS norm": 1.0},), ({"layer norm": 2.0, "your RMS norm": 3.0},)),
    (u8.turning, (3,), (100,)),
    (u8.neighbours_or_halves, (8,), (4,)),
    (u8.offset_maps, *((RNG.normal(size=(24, 24)), RNG.normal(size=(24, 24))) for _ in range(2))),
    (u8.scores_by_offset, (range(-2, 3), {50: [1, 2, 3, 4, 5]}), (range(-2, 3), {50: [1, 2, 3, 4, 6]})),
    (u8.recomputed, (BURGER,), (DOG,)),
    (u8.generation, (np.arange(1, 65) / 99, np.ones(64) / 99), (np.arange(1, 65) / 9, np.ones(64) / 99)),
    (u8.sharing, (8, (8, 2, 1)), (8, (8, 4, 1))),
    (u8.cache_sizes, ([0, 8], {32: [0, 18], 1: [0, 0.6]}, 15.3), ([0, 8], {32: [0, 18], 1: [0, 0.7]}, 15.3)),
    (u8.memory, (LENGTHS, [8, 32, 128, 512, None], [2, 5, 9, 18, 36], 1024), (LENGTHS, [8] * 5, [None] * 5, 1024)),
    (u8.memory, (LENGTHS, [8, 32, 128, 512, None], [], 1024), (LENGTHS, [8, 32, 128, 500, None], [], 1024)),
    (u8.memory, *((LENGTHS, [8] * 5, [2] * 5, 1024, [9, 38, last, 589, None]) for last in (148, 149))),
]  # fmt: skip

# Each figure that is always the same.
FIXED = [
    u5.encoder_map, u5.averaged_together, u5.norm_orders, u6.leaking_fills, u6.three_attentions, u6.decoder_layers,
    u7.flow_chart, u8.then_and_now, u8.three_families, u8.norm_clouds, u8.blocks_by_hand,
]  # fmt: skip

NO_FIGURES = {"train_cheaters", "typed", "attention_of", "maps_of", "words_of", "ablation_table"}


def name_of(value):
    return f"{value.__module__.split('.')[2][:2]}-{value.__name__}" if callable(value) else ""


@pytest.mark.parametrize(("draw", "one", "other"), FIGURES, ids=name_of)
def test_the_text_follows_what_is_drawn(draw, one, other):
    told = [plots.alt_of(draw(*given)) for given in (one, other)]
    assert told[0] != told[1]
    for alt in told:
        assert 40 < len(alt) <= LONGEST, f"{len(alt)}: {alt}"
        assert "nan" not in alt and "  " not in alt


@pytest.mark.parametrize("draw", FIXED, ids=name_of)
def test_a_figure_that_is_always_the_same_says_what_is_in_it(draw):
    assert 40 < len(plots.alt_of(draw())) <= LONGEST


@pytest.mark.parametrize("unit", [u5, u6, u7, u8], ids=lambda unit: unit.__name__.split(".")[-1])
def test_no_figure_of_a_unit_is_forgotten_here_and_no_cell_has_an_alt_text(unit):
    name = unit.__name__.split(".")[-1]
    solution = (ROOT / f"solutions/{name}/{name}.py").read_text()
    tried = {draw.__name__ for draw, *_ in FIGURES if draw.__module__.startswith(unit.__name__)}
    tried |= {draw.__name__ for draw in FIXED if draw.__module__.startswith(unit.__name__)}
    assert set(re.findall(r"figures\.(\w+)\(?", solution)) - NO_FIGURES <= tried
    assert set(unit.__all__) - NO_FIGURES == tried
    assert "alt=" not in solution


# --- a learner's own models and functions ----------------------------------------------------------------


def digit_reader(seed):
    torch.manual_seed(seed)
    model, image = DigitClassifier(), data.digits().test_images[9]
    # Of start values every head looks everywhere alike.
    for table in model.parameters():
        torch.nn.init.normal_(table, std=0.3)
    return image, u7.attention_of(model, lambda: model(torch.tensor(image[None])))


def test_where_the_heads_of_a_digit_reader_look_is_told_from_its_weights():
    told = []
    for seed in (0, 1):
        image, layers = digit_reader(seed)
        first = next(iter(layers.values()))
        alt = plots.alt_of(u7.heads_on_digit(image, first, 4, "A held-out 3"))
        for head, given in enumerate(first[:, 4]):
            assert f"head {head} at row {given.argmax()} with {given.max():.2f}" in alt
        received = plots.alt_of(u7.heads_received(image, layers, "A held-out 3"))
        for layer, maps in enumerate(layers.values()):
            for head, given in enumerate(maps.mean(axis=1)):
                assert f"layer {layer}, head {head}: row {given.argmax()} with {given.max():.2f}" in received
        told += [alt, received]
    assert len(set(told)) == 4


def test_where_a_translator_looks_is_told_from_its_weights():
    told = []
    for seed in (0, 1):
        torch.manual_seed(seed)
        model = Transformer(**data.TRANSLATOR | {"d_model": 32, "d_ff": 64, "n_layers": 1})
        maps = u7.maps_of(model, data.source_ids(40_721, "English"), data.target_ids(40_721)[:-1])
        one = {kind: maps[kind][0] for kind in ("encoder", "decoder", "cross")}
        alt = plots.alt_of(u7.three_attentions([maps | one | {"language": "English"}]))
        place = one["cross"].mean(axis=0)[0]
        assert f"English: 4 at {maps['source'][place.argmax()]} {place.max():.2f}, 0 at" in alt
        assert "in the decoder at most 0.00 looks ahead" in alt
        heads = plots.alt_of(u7.heads_of(one["cross"], maps["target"], maps["source"], "Cross attention"))
        for head, given in enumerate(one["cross"]):
            row, column = np.unravel_index(given.argmax(), given.shape)
            assert f"head {head}: {maps['target'][row]} at {maps['source'][column]} {given.max():.2f}" in heads
        told += [alt, heads]
    assert len(set(told)) == 4


def test_the_maps_of_a_typed_number_begin_with_what_was_written():
    alone = plots.alt_of(u7.three_attentions([ENGLISH | {"language": ""}], "It writes 77777; layer 0, head 1"))
    assert alone.startswith("It writes 77777; layer 0, head 1. Three attention maps")
    assert plots.alt_of(u7.three_attentions(OTHERS)).startswith("9 attention maps")


def test_a_decoder_that_looks_ahead_is_told():
    ahead = ENGLISH | {"decoder": np.roll(np.eye(6), 1, axis=1)[None]}
    assert "in the decoder at most 1.00 looks ahead" in plots.alt_of(u7.three_attentions([ahead]))


def test_the_ablation_tells_what_was_measured():
    results = [Ablated("digits", "nothing", 0.953, (1.0,) * 25), Ablated("digits", "positions", 0.5, (2.5,) * 25)]
    assert "digits: complete 95.3% (1), no positions 50.0% (2.5)." in plots.alt_of(u7.ablation(results))
    assert u7.ablation([]) is None


def test_a_learners_own_mask_is_told_row_by_row():
    alt = plots.alt_of(u6.masks([(ODD, BURGER, BURGER, "your mask")]))
    assert alt.endswith(
        "your mask, 5 by 5: tonight sees tonight, eat and a; we and eat see nothing; "
        "a sees tonight, we, a and burger; burger sees all."
    )


def test_a_decoder_that_never_asked_has_no_steps():
    assert "which is taken: none yet" in plots.alt_of(u6.steps([], [], BURGER, "Your greedy_decode"))


def test_all_that_is_read_right_has_no_picture():
    assert u7.misread(IMAGES, LABELS, LABELS) is None


def test_the_running_mean_of_a_loss_does_not_lag():
    falling = np.linspace(2, 0, 900)
    means = training.running_mean(falling)
    np.testing.assert_allclose(means[22:-22], falling[22:-22], atol=1e-12)
    assert len(training.running_mean([])) == 0


def test_the_running_mean_of_a_loss_is_no_single_step_at_either_end():
    losses = np.ones(400)
    losses[[0, -1]] = 1000
    means = training.running_mean(losses)
    assert np.nanmax(means) < 100 and np.isnan(means[:10]).all() and np.isnan(means[-10:]).all()


def test_a_loss_within_one_power_of_ten_has_plain_numbers_beside_it():
    axes = u7.loss_curve(np.linspace(4, 1.1, 30), 30).axes[0]
    axes.figure.canvas.draw()
    labels = [label.get_text() for label in axes.get_yticklabels(which="both")]
    assert {"2", "3", "4"} <= set(labels)


def test_a_key_of_the_decoder_is_named_by_what_was_read_alone():
    drawn = u7.three_attentions([ENGLISH])
    decoder = drawn.axes[1]
    assert [label.get_text() for label in decoder.get_xticklabels()] == ["bos", "7", "7", "7", "7", "7"]
    assert decoder.get_yticklabels()[0].get_text() == "bos→7"
