"""The reference of unit 6 against torch, which knows nothing of it, and at its own edges."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from helpers.reference import u4_multi_head as u4
from helpers.reference import u6_masked_decoder as u6
from helpers.running import objects


@pytest.fixture(autouse=True)
def seeded():
    torch.manual_seed(6)


def _assert_equal(ours, theirs, tolerance=1e-5):
    assert ours.shape == theirs.shape
    torch.testing.assert_close(ours, theirs, rtol=tolerance, atol=tolerance)


# --- masks


@pytest.mark.parametrize("n", [1, 2, 7])
def test_causal_mask_is_what_torch_forbids_the_other_way_round(n):
    forbidden = nn.Transformer.generate_square_subsequent_mask(n) == -torch.inf
    assert torch.equal(u6.causal_mask(n), ~forbidden)
    assert u6.causal_mask(n).dtype == torch.bool


@pytest.mark.parametrize(("n_q", "n_k"), [(1, 1), (1, 6), (2, 6), (5, 6), (6, 6)])
def test_with_fewer_queries_the_mask_is_the_end_of_the_whole_one(n_q, n_k):
    assert torch.equal(u6.causal_mask(n_q, n_k), u6.causal_mask(n_k)[n_k - n_q :])


def test_more_queries_than_keys_have_no_causal_mask():
    with pytest.raises(ValueError, match="5 queries .* 3 keys"):
        u6.causal_mask(5, 3)


def test_padding_mask_is_torchs_key_padding_mask_the_other_way_round():
    query, lengths = torch.randn(3, 4, 8), torch.tensor([4, 1, 2])
    torch_layer = nn.MultiheadAttention(8, 2, batch_first=True)
    ours = u4.MultiHeadAttention(8, 2)
    ours.load_state_dict(u4.convert_torch_weights(torch_layer.state_dict()))
    mask = u6.padding_mask(lengths, 4)
    assert mask.shape == (3, 1, 1, 4) and mask.dtype == torch.bool
    theirs, _ = torch_layer(query, query, query, key_padding_mask=~mask[:, 0, 0])
    _assert_equal(ours(query, query, query, mask)[0], theirs)


def test_padding_mask_takes_full_and_empty_sentences():
    assert u6.padding_mask(torch.tensor([0, 3]), 3).sum(-1).flatten().tolist() == [0, 3]


@pytest.mark.parametrize("lengths", [[2, 4], [-1, 2], [[1, 2]]])
def test_padding_mask_refuses_lengths_that_make_no_sense(lengths):
    with pytest.raises(ValueError, match="length"):
        u6.padding_mask(torch.tensor(lengths), 3)


# --- masked_attention


@pytest.mark.parametrize("batch", [(), (2,), (2, 3)])
@pytest.mark.parametrize("n_q", [3, 5])
def test_masked_attention_equals_torch_in_values_and_gradients(batch, n_q):
    Q, K, V = (torch.randn(*batch, *shape, requires_grad=True) for shape in ((n_q, 6), (5, 6), (5, 2)))
    mask = torch.rand(*batch, n_q, 5) < 0.5
    mask[..., 0] = True
    theirs = F.scaled_dot_product_attention(Q, K, V, attn_mask=mask)
    output, weights = u6.masked_attention(Q, K, V, mask)
    _assert_equal(output, theirs)
    torch.testing.assert_close(weights.sum(-1), torch.ones(*batch, n_q))
    assert (weights[~mask] == 0).all()
    up = torch.randn_like(output)
    for ours, theirs_gradient in zip(
        torch.autograd.grad(output, (Q, K, V), up), torch.autograd.grad(theirs, (Q, K, V), up)
    ):
        _assert_equal(ours, theirs_gradient)


def test_causal_and_padding_masks_combine_with_and():
    Q = torch.randn(2, 3, 4, 6)
    mask = u6.causal_mask(4) & u6.padding_mask(torch.tensor([4, 2]), 4)
    assert mask.shape == (2, 1, 4, 4)
    _assert_equal(u6.masked_attention(Q, Q, Q, mask)[0], F.scaled_dot_product_attention(Q, Q, Q, attn_mask=mask))


def test_a_row_that_sees_nothing_is_zero_and_so_are_its_gradients():
    Q, K, V = (torch.randn(n, 6, requires_grad=True) for n in (3, 4, 4))
    mask = torch.ones(3, 4, dtype=torch.bool)
    mask[1] = False
    output, weights = u6.masked_attention(Q, K, V, mask)
    assert (weights[1] == 0).all() and (output[1] == 0).all()
    (output * torch.randn(3, 6)).sum().backward()
    assert all(torch.isfinite(X.grad).all() for X in (Q, K, V))
    assert (Q.grad[1] == 0).all() and (Q.grad[0] != 0).any()


@pytest.mark.parametrize("low", [-25.0, -1e4, -1e5, -1e30])
def test_a_hidden_word_gets_nothing_however_low_the_visible_ones_score(low):
    Q, K = torch.tensor([[low]]), torch.tensor([[1.0], [1.0], [0.0]])
    _, weights = u6.masked_attention(Q, K, torch.eye(3), torch.tensor([True, True, False]))
    assert weights.tolist() == [[0.5, 0.5, 0.0]]


def test_changing_a_later_word_does_not_move_an_earlier_output():
    X = torch.randn(5, 6)
    changed = X.clone()
    changed[3] += 1
    mask = u6.causal_mask(5)
    moved = (u6.masked_attention(X, X, X, mask)[0] != u6.masked_attention(changed, changed, changed, mask)[0]).any(-1)
    assert moved.tolist() == [False, False, False, True, True]


# --- shift_right


@pytest.mark.parametrize("shape", [(1,), (5,), (2, 4), (2, 2, 3)])
def test_shift_right_is_bos_and_all_but_the_last(shape):
    targets = torch.randint(5, 50, shape)
    shifted = u6.shift_right(targets, 2)
    assert shifted.dtype == targets.dtype and shifted.shape == targets.shape
    assert (shifted[..., 0] == 2).all() and torch.equal(shifted[..., 1:], targets[..., :-1])


def test_shift_right_of_nothing_is_nothing():
    assert u6.shift_right(torch.zeros(2, 0, dtype=torch.long), 1).shape == (2, 0)


# --- cross_entropy


@pytest.mark.parametrize("shape", [(4, 5), (2, 3, 5), (2, 3, 4, 6)])
@pytest.mark.parametrize("ignore_index", [-100, 0, 3])
@pytest.mark.parametrize("scale", [1, 1e4])
def test_cross_entropy_equals_torch_in_values_and_gradients(shape, ignore_index, scale):
    logits = (torch.randn(shape) * scale).requires_grad_()
    targets = torch.randint(shape[-1], shape[:-1])
    targets.view(-1)[1] = ignore_index
    theirs = F.cross_entropy(logits.flatten(0, -2), targets.flatten(), ignore_index=ignore_index)
    ours = u6.cross_entropy(logits, targets, ignore_index)
    _assert_equal(ours, theirs)
    _assert_equal(torch.autograd.grad(ours, logits)[0], torch.autograd.grad(theirs, logits)[0])


def test_cross_entropy_is_zero_when_every_target_is_ignored_where_torch_gives_nan():
    logits, targets = torch.randn(3, 4, requires_grad=True), torch.full((3,), -100)
    loss = u6.cross_entropy(logits, targets)
    loss.backward()
    assert loss.item() == 0 and (logits.grad == 0).all()
    assert F.cross_entropy(logits, targets).isnan()


def test_cross_entropy_of_equal_logits_is_the_logarithm_of_the_vocabulary():
    assert u6.cross_entropy(torch.zeros(3, 8), torch.tensor([0, 4, 7])).item() == pytest.approx(np.log(8))


def test_cross_entropy_of_one_token_without_any_other_axis():
    logits = torch.randn(5)
    _assert_equal(u6.cross_entropy(logits, torch.tensor(2)), F.cross_entropy(logits, torch.tensor(2)))


# --- DecoderLayer


def _pair(d_model, n_heads, d_ff, norm_first):
    """torch's layer with no parameter left at 0 or 1, and ours with the same weights."""
    theirs = nn.TransformerDecoderLayer(d_model, n_heads, d_ff, dropout=0.0, batch_first=True, norm_first=norm_first)
    for name, parameter in theirs.named_parameters():
        if parameter.ndim == 1:
            nn.init.normal_(parameter, mean=1.0 if "norm" in name and "weight" in name else 0.0, std=0.4)
    state = {}
    for our_name, their_name in (("self_attention", "self_attn"), ("cross_attention", "multihead_attn")):
        converted = u4.convert_torch_weights(getattr(theirs, their_name).state_dict())
        state |= {f"{our_name}.{key}": value for key, value in converted.items()}
    for our_name, their_name in (
        ("feed_forward.linear_1", "linear1"),
        ("feed_forward.linear_2", "linear2"),
        *((f"norm_{i}", f"norm{i}") for i in (1, 2, 3)),
    ):
        state |= {f"{our_name}.{key}": value for key, value in getattr(theirs, their_name).state_dict().items()}
    ours = u6.DecoderLayer(d_model, n_heads, d_ff, norm_first)
    ours.load_state_dict(state)
    return ours, theirs


@pytest.mark.parametrize("norm_first", [False, True], ids=["post-norm", "pre-norm"])
@pytest.mark.parametrize(("n_t", "n_s"), [(3, 5), (5, 3), (4, 4), (1, 6)])
@pytest.mark.parametrize("masked", ["nothing", "causal", "padding", "causal and both paddings"])
def test_decoder_layer_equals_torch(norm_first, n_t, n_s, masked):
    ours, theirs = _pair(12, 3, 20, norm_first)
    x, memory = torch.randn(2, n_t, 12, requires_grad=True), torch.randn(2, n_s, 12, requires_grad=True)
    causal = u6.causal_mask(n_t) if "causal" in masked else None
    source = u6.padding_mask(torch.tensor([n_s, max(1, n_s - 2)]), n_s) if "padding" in masked else None
    target = u6.padding_mask(torch.tensor([max(1, n_t - 1), n_t]), n_t) if "both" in masked else None
    self_mask = causal if target is None else causal & target
    expected = theirs(
        x,
        memory,
        tgt_mask=None if causal is None else ~causal,
        tgt_key_padding_mask=None if target is None else ~target[:, 0, 0],
        memory_key_padding_mask=None if source is None else ~source[:, 0, 0],
    )
    output = ours(x, memory, self_mask, source)
    _assert_equal(output, expected)
    up = torch.randn_like(output)
    for mine, other in zip(
        torch.autograd.grad(output, (x, memory), up), torch.autograd.grad(expected, (x, memory), up)
    ):
        _assert_equal(mine, other, 1e-4)


def test_decoder_layer_takes_any_number_of_batch_axes():
    layer = u6.DecoderLayer(8, 2, 12)
    x, memory = torch.randn(2, 3, 4, 8), torch.randn(2, 3, 5, 8)
    output = layer(x, memory)
    assert output.shape == x.shape
    _assert_equal(output[1, 2], layer(x[1, 2], memory[1, 2]))


def test_decoder_layer_with_an_empty_source_has_finite_gradients():
    layer = u6.DecoderLayer(8, 2, 12)
    x, memory = torch.randn(2, 3, 8, requires_grad=True), torch.randn(2, 4, 8, requires_grad=True)
    layer(x, memory, u6.causal_mask(3), u6.padding_mask(torch.tensor([0, 4]), 4)).sum().backward()
    gradients = [x.grad, memory.grad, *(parameter.grad for parameter in layer.parameters())]
    assert all(torch.isfinite(gradient).all() for gradient in gradients)
    assert (memory.grad[0] == 0).all()


def test_decoder_layer_has_the_weights_that_it_says():
    layer = u6.DecoderLayer(8, 2, 12)
    parts = {name.split(".")[0] for name in layer.state_dict()}
    assert parts == {"self_attention", "cross_attention", "feed_forward", "norm_1", "norm_2", "norm_3"}
    assert all(norm.eps == 1e-5 for norm in (layer.norm_1, layer.norm_2, layer.norm_3))


@pytest.mark.parametrize("n_heads", [0, -1, 3])
def test_heads_that_do_not_divide_the_width_are_refused(n_heads):
    with pytest.raises(ValueError, match="8"):
        u6.DecoderLayer(8, n_heads, 12)


# --- greedy_decode and the table that it is tried on


def _table(rows, bos=0):
    """At step i the best id is rows[i], whatever was written; tied ids are given as a tuple."""
    logits = np.zeros((len(rows), 6, 6), dtype="f4")
    for step, best in enumerate(rows):
        logits[step][:, list(best) if isinstance(best, tuple) else best] = 1
    return objects.build("table_language_model", {"logits": logits, "bos_id": bos})


@pytest.mark.parametrize(
    ("rows", "max_length", "written"),
    [
        ([2, 3, 1, 4], 10, [2, 3]),
        ([1, 2, 3], 10, []),
        ([2, 3, 4, 5], 3, [2, 3, 4]),
        ([2, 3, 1], 2, [2, 3]),
        ([2, 3], 0, []),
        ([(3, 5), (2, 4), 1], 10, [3, 2]),
        ([(1, 2), 3], 10, []),
    ],
    ids=[
        "stops at eos",
        "eos at once",
        "stops at max_length",
        "eos after the last word allowed",
        "nothing asked",
        "ties go to the lowest id",
        "eos in a tie",
    ],
)
def test_greedy_decode(rows, max_length, written):
    result = u6.greedy_decode(_table(rows), bos_id=0, eos_id=1, max_length=max_length)
    assert result == written and all(type(token) is int for token in result)


def test_the_table_gives_a_tensor_for_the_last_id_and_the_number_of_ids():
    logits = np.random.default_rng(0).normal(size=(2, 4, 4)).astype("f4")
    model = objects.build("table_language_model", {"logits": logits, "bos_id": 3})
    for ids, row in (([3], logits[0, 3]), ([3, 1], logits[1, 1]), ([3, 1, 2], logits[1, 2])):
        answer = model(ids)
        assert isinstance(answer, torch.Tensor) and answer.shape == (4,)
        assert (
            int(torch.argmax(answer)) == int(answer.argmax()) == int(np.argmax(np.asarray(answer))) == int(row.argmax())
        )
        answer.zero_()
        assert torch.equal(model(ids), torch.from_numpy(row))


@pytest.mark.parametrize(
    ("ids", "error", "told"),
    [
        (torch.tensor([3]), TypeError, "given a Tensor"),
        ([3, torch.tensor(1)], TypeError, "one of these is a Tensor"),
        ([3, np.int64(1)], TypeError, "one of these is a int64"),
        ([1, 3], ValueError, "begins with 1"),
        ([], ValueError, "empty"),
    ],
)
def test_the_table_refuses_what_is_not_a_list_of_ids_from_bos_on(ids, error, told):
    model = objects.build("table_language_model", {"logits": np.zeros((2, 4, 4)), "bos_id": 3})
    with pytest.raises(error, match=told):
        model(ids)
