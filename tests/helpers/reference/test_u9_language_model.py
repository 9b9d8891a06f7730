"""Unit 9's references against torch's own operations, against earlier units, and at their edges."""

import math

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from helpers.reference import u8_modern_attention as u8
from helpers.reference import u9_language_model as u9
from helpers.reference.u6_masked_decoder import causal_mask


@pytest.fixture(autouse=True)
def seeded():
    torch.manual_seed(0)


def close(a, b, tolerance=1e-5):
    return torch.testing.assert_close(a, b, rtol=tolerance, atol=tolerance)


# --- GatedFeedForward ------------------------------------------------------------------------------------


def test_gated_feed_forward_equals_its_formula_with_the_sigmoid_written_out():
    net, x = u9.GatedFeedForward(5, 8), torch.randn(2, 3, 5)
    g = x @ net.gate.weight.T
    close(net(x), (g / (1 + torch.exp(-g)) * (x @ net.up.weight.T)) @ net.down.weight.T)
    assert set(dict(net.named_parameters())) == {"gate.weight", "up.weight", "down.weight"}


def test_a_closed_gate_lets_nothing_through():
    net = u9.GatedFeedForward(4, 6)
    nn.init.zeros_(net.gate.weight)
    assert not net(torch.randn(3, 4)).any()


# --- sliding_window_mask ---------------------------------------------------------------------------------


@pytest.mark.parametrize("window", [1, 2, 3, 5, 6, 9])
def test_sliding_window_mask_row_by_row(window):
    mask = u9.sliding_window_mask(6, 6, window)
    for i in range(6):
        assert [j for j in range(6) if mask[i, j]] == [j for j in range(6) if i - window < j <= i]


def test_a_wide_window_is_the_causal_mask_and_few_queries_are_the_last_rows():
    assert torch.equal(u9.sliding_window_mask(4, 7, 7), causal_mask(4, 7))
    assert torch.equal(u9.sliding_window_mask(3, 8, 4), u9.sliding_window_mask(8, 8, 4)[-3:])


@pytest.mark.parametrize(("arguments", "told"), [((3, 3, 0), "window is 0"), ((4, 3, 2), "4 queries.*3 keys")])
def test_sliding_window_mask_refuses_what_makes_no_sense(arguments, told):
    with pytest.raises(ValueError, match=told):
        u9.sliding_window_mask(*arguments)


# --- DecoderBlock ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("kv", [1, 2, 4])
def test_decoder_block_equals_torchs_own_norm_and_attention(kv):
    block, x, positions = u9.DecoderBlock(24, 4, kv, 10), torch.randn(2, 5, 24), torch.arange(3, 8)
    a = block.attention
    y = F.rms_norm(x, (24,), block.norm_1.weight, 1e-6)
    q, k, v = (layer(y).unflatten(-1, (-1, 6)).transpose(1, 2) for layer in (a.W_q, a.W_k, a.W_v))
    q, k = u8.apply_rotary(q, positions), u8.apply_rotary(k, positions)
    out = F.scaled_dot_product_attention(q, k, v, is_causal=True, enable_gqa=True)
    middle = x + a.W_o(out.transpose(1, 2).flatten(2))
    expected = middle + block.feed_forward(F.rms_norm(middle, (24,), block.norm_2.weight, 1e-6))
    got, cache = block(x, positions, causal_mask(5))
    close(got, expected)
    close(cache[0], k)
    close(cache[1], v)
    assert cache[0].shape == (2, kv, 5, 6)


def test_decoder_block_in_pieces_equals_the_whole_and_leaves_the_callers_cache():
    block, x = u9.DecoderBlock(16, 4, 2, 10), torch.randn(2, 7, 16)
    whole, full = block(x, torch.arange(7), causal_mask(7))
    first, cache = block(x[:, :4], torch.arange(4), causal_mask(4))
    kept = [part.clone() for part in cache]
    second, longer = block(x[:, 4:], torch.arange(4, 7), causal_mask(3, 7), cache)
    close(torch.cat([first, second], 1), whole)
    close(longer[0], full[0])
    assert all(torch.equal(a, b) for a, b in zip(cache, kept))


def test_only_differences_of_positions_count():
    block, x = u9.DecoderBlock(16, 4, 2, 10), torch.randn(1, 5, 16)
    close(block(x, torch.arange(5))[0], block(x, torch.arange(90, 95))[0], 1e-4)


@pytest.mark.parametrize(("sizes", "told"), [((24, 5, 1, 8), "24.*5 heads"), ((24, 4, 3, 8), "4 query heads.*3")])
def test_heads_that_do_not_divide_are_refused_by_number(sizes, told):
    with pytest.raises(ValueError, match=told):
        u9.DecoderBlock(*sizes)


# --- LanguageModel ---------------------------------------------------------------------------------------


def small(**changed):
    sizes = {"vocab": 11, "d_model": 16, "n_layers": 2, "n_heads": 4, "n_kv_heads": 2, "d_ff": 10}
    return u9.LanguageModel(**(sizes | changed))


@pytest.mark.parametrize("pieces", [(7,), (4, 3), (1, 5, 1), (1,) * 7])
def test_language_model_in_any_pieces_gives_the_logits_of_the_whole(pieces):
    model, ids = small(), torch.randint(11, (2, 7))
    rows, cache = [], None
    for piece in ids.split(list(pieces), dim=1):
        logits, cache = model(piece, cache)
        rows.append(logits)
    close(torch.cat(rows, 1), model(ids)[0])


def test_language_model_does_not_look_ahead():
    model, ids = small(), torch.randint(11, (1, 6))
    other = ids.clone()
    other[0, 4] = (other[0, 4] + 1) % 11
    a, b = model(ids)[0], model(other)[0]
    assert torch.equal(a[:, :4], b[:, :4]) and not torch.allclose(a[:, 4:], b[:, 4:])


def test_language_model_without_blocks_is_a_table_of_pairs():
    model = small(n_layers=1)
    for name in ("attention.W_o", "feed_forward.down"):
        nn.init.zeros_(model.get_parameter(f"layers.0.{name}.weight"))
    ids = torch.randint(11, (2, 5))
    close(model(ids)[0], model.head(model.norm(model.embedding(ids))))


def test_no_layer_has_a_bias_and_layers_begin_differently():
    model = small()
    assert not any("bias" in name for name, _ in model.named_parameters())
    assert not torch.equal(model.layers[0].attention.W_q.weight, model.layers[1].attention.W_q.weight)


# --- next_probabilities ----------------------------------------------------------------------------------

SHARES = torch.tensor([0.10, 0.40, 0.05, 0.30, 0.15])


def test_next_probabilities_by_itself_is_the_softmax():
    logits = torch.randn(2, 3, 7)
    close(u9.next_probabilities(logits), torch.softmax(logits, -1))
    close(u9.next_probabilities(logits, 0.5), torch.softmax(2 * logits, -1))


@pytest.mark.parametrize(
    ("cut", "stay"),
    [
        ({"top_k": 2}, [1, 3]),
        ({"top_k": 99}, [0, 1, 2, 3, 4]),
        ({"top_p": 0.39}, [1]),
        ({"top_p": 0.41}, [1, 3]),
        ({"top_p": 0.69}, [1, 3]),
        ({"top_p": 0.86}, [0, 1, 3, 4]),
        ({"top_p": 1.0}, [0, 1, 2, 3, 4]),
        ({"top_p": 1e-9}, [1]),
        ({"top_k": 2, "top_p": 0.5}, [1]),
        ({"top_k": 3, "top_p": 0.5}, [1, 3]),
    ],
)
def test_what_stays_keeps_its_proportions_and_adds_up_to_one(cut, stay):
    expected = torch.zeros(5)
    expected[stay] = SHARES[stay] / SHARES[stay].sum()
    close(u9.next_probabilities(SHARES.log(), **cut), expected)


def test_temperature_zero_takes_the_first_of_the_largest():
    logits = torch.tensor([[1.0, 3.0, 3.0], [0.0, 0.0, 0.0]])
    assert u9.next_probabilities(logits, 0).tolist() == [[0, 1, 0], [1, 0, 0]]
    assert u9.next_probabilities(logits.long(), 0).is_floating_point()


def test_next_probabilities_is_stable_and_finite_with_impossible_tokens():
    logits = torch.tensor([1e4, 1e4 - 1, -math.inf])
    close(u9.next_probabilities(logits, top_p=0.99), torch.softmax(torch.tensor([1.0, 0.0, -math.inf]), -1))


@pytest.mark.parametrize(
    "bad", [{"temperature": -1}, {"temperature": math.nan}, {"top_k": 0}, {"top_p": 0}, {"top_p": 1.01}]
)
def test_bad_values_are_refused(bad):
    with pytest.raises(ValueError, match=r"at least|share"):
        u9.next_probabilities(SHARES.log(), **bad)


# --- generate --------------------------------------------------------------------------------------------


def test_generate_writes_what_the_model_says_when_it_reads_everything_again():
    model = small()
    ids, prompt = [3, 1, 4, 1], [3, 1, 4, 1]
    written = u9.generate(model, prompt, 6, lambda p: int(p.argmax()))
    for token in written:
        assert token == int(model(torch.tensor([ids]))[0][0, -1].argmax())
        ids.append(token)
    assert prompt == [3, 1, 4, 1] and not model.training


def test_generate_reads_the_prompt_in_one_pass_and_then_one_token_a_pass():
    model, lengths = small(), []
    model.register_forward_pre_hook(lambda module, args: lengths.append(args[0].shape[-1]))
    assert len(u9.generate(model, [1, 2, 3, 4, 5], 4, lambda p: int(p.argmax()))) == 4
    assert lengths == [5, 1, 1, 1]
    assert u9.generate(model, [1], 0, lambda p: 0) == [] and len(lengths) == 4
