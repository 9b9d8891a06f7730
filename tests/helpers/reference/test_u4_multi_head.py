"""The reference of unit 4 against torch, which knows nothing of it, and at its own edges."""

import numpy as np
import pytest
import torch
from torch import nn

from helpers.reference import u2_softmax_scaling as u2
from helpers.reference import u4_multi_head as u4


@pytest.fixture
def rng():
    return np.random.default_rng(4)


def _pair(d_model, n_heads, bias=True, dtype=torch.float32):
    """torch's layer with biases that are not zero, and ours with the same weights."""
    torch.manual_seed(0)
    theirs = nn.MultiheadAttention(d_model, n_heads, bias=bias, batch_first=True, dtype=dtype)
    if bias:
        nn.init.normal_(theirs.in_proj_bias)
        nn.init.normal_(theirs.out_proj.bias)
    ours = u4.MultiHeadAttention(d_model, n_heads, bias=bias).to(dtype)
    ours.load_state_dict(u4.convert_torch_weights(theirs.state_dict()))
    return ours, theirs


def _assert_equal(ours, theirs, tolerance=1e-6):
    for a, b in zip(ours, theirs, strict=True):
        assert a.shape == b.shape
        torch.testing.assert_close(a, b, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("n_heads", [1, 2, 4, 8])
def test_module_equals_torch_with_unequal_lengths(n_heads, bias):
    ours, theirs = _pair(8, n_heads, bias)
    query, key, value = torch.randn(3, 5, 8), torch.randn(3, 7, 8), torch.randn(3, 7, 8)
    _assert_equal(ours(query, key, value), theirs(query, key, value, average_attn_weights=False))


def test_module_equals_torch_without_a_batch_axis():
    ours, theirs = _pair(6, 3)
    query, key = torch.randn(4, 6), torch.randn(2, 6)
    _assert_equal(ours(query, key, key), theirs(query, key, key, average_attn_weights=False))


def test_module_equals_torch_with_a_mask_which_means_the_opposite_there():
    ours, theirs = _pair(8, 2)
    x = torch.randn(2, 5, 8)
    causal = torch.ones(5, 5, dtype=torch.bool).tril()
    _assert_equal(ours(x, x, x, causal), theirs(x, x, x, attn_mask=~causal, average_attn_weights=False))


def test_module_equals_torch_with_padding_and_unequal_lengths():
    ours, theirs = _pair(8, 4)
    query, key = torch.randn(3, 4, 8), torch.randn(3, 6, 8)
    word = torch.arange(6) < torch.tensor([6, 1, 4])[:, None]  # (b, n_k)
    _assert_equal(
        ours(query, key, key, word[:, None, None]),
        theirs(query, key, key, key_padding_mask=~word, average_attn_weights=False),
    )


def test_module_equals_torch_with_a_mask_for_every_head():
    ours, theirs = _pair(6, 3)
    query, key = torch.randn(2, 4, 6), torch.randn(2, 5, 6)
    mask = torch.rand(2, 3, 4, 5) < 0.5
    mask[..., 0] = True
    _assert_equal(
        ours(query, key, key, mask), theirs(query, key, key, attn_mask=~mask.flatten(0, 1), average_attn_weights=False)
    )


def test_gradients_equal_torchs_with_a_mask():
    ours, theirs = _pair(8, 2, dtype=torch.float64)
    x = torch.randn(2, 3, 8, dtype=torch.float64)
    y = torch.randn(2, 5, 8, dtype=torch.float64)
    word = torch.arange(5) < torch.tensor([5, 2])[:, None]
    ours(x, y, y, word[:, None, None])[0].square().sum().backward()
    theirs(x, y, y, key_padding_mask=~word)[0].square().sum().backward()
    expected = u4.convert_torch_weights({name: p.grad for name, p in theirs.named_parameters()})
    for name, parameter in ours.named_parameters():
        torch.testing.assert_close(parameter.grad, expected[name], rtol=1e-8, atol=1e-8)


def test_an_empty_row_has_zero_weights_and_finite_gradients_where_torch_gives_nan():
    ours, theirs = _pair(6, 2)
    x = torch.randn(2, 3, 6, requires_grad=True)
    mask = torch.ones(2, 1, 3, 3, dtype=torch.bool)
    mask[1, :, 2] = False
    output, weights = ours(x, x, x, mask)
    assert (weights[1, :, 2] == 0).all()
    torch.testing.assert_close(output[1, 2], ours.W_o.bias)
    output.sum().backward()
    assert x.grad.isfinite().all() and all(p.grad.isfinite().all() for p in ours.parameters())
    expected = theirs(x, x, x, attn_mask=~mask.expand(2, 2, 3, 3).flatten(0, 1))[0]
    assert expected[1, 2].isnan().all()
    torch.testing.assert_close(output[0], expected[0], rtol=1e-6, atol=1e-6)


def test_a_hidden_key_does_not_count_however_low_the_others_score():
    module = u4.MultiHeadAttention(4, 2)
    x = 1000 * torch.randn(5, 4)
    mask = torch.ones(5, 5, dtype=torch.bool)
    mask[:, 3] = False
    changed = x.clone()
    changed[3] = -7.0
    rows = [0, 1, 2, 4]
    torch.testing.assert_close(
        module(x, x, x, mask)[0][rows], module(x, changed, changed, mask)[0][rows], rtol=0, atol=0
    )


def test_an_ordinary_mask_leaves_the_mask_and_the_inputs_as_they_were():
    module, x, mask = u4.MultiHeadAttention(4, 2), torch.randn(3, 4), torch.eye(3, dtype=torch.bool)
    before = x.clone(), mask.clone()
    module(x, x, x, mask)
    assert torch.equal(x, before[0]) and torch.equal(mask, before[1])


def test_a_mask_of_numbers_is_refused_because_not_of_a_number_is_another_number():
    module, x = u4.MultiHeadAttention(4, 2), torch.randn(3, 4)
    with pytest.raises(ValueError, match=r"torch.int64.*\(3, 3\)"):
        module(x, x, x, torch.ones(3, 3, dtype=torch.int64))


@pytest.mark.parametrize("n_heads", [0, -1, -2, 4, 12])
def test_heads_that_do_not_divide_the_width_are_refused_everywhere(n_heads):
    X, W = np.ones((3, 6)), np.eye(6)
    for call in (
        lambda: u4.split_heads(X, n_heads),
        lambda: u4.multi_head_attention(X, W, W, W, W, n_heads),
        lambda: u4.count_parameters(6, n_heads, True),
        lambda: u4.MultiHeadAttention(6, n_heads),
    ):
        with pytest.raises(ValueError, match=f"width of 6 .* {n_heads} heads"):
            call()


@pytest.mark.parametrize("shape", [(4, 6), (2, 4, 6), (2, 3, 4, 6), (1, 6), (0, 6)])
@pytest.mark.parametrize("n_heads", [1, 2, 3, 6])
def test_merge_undoes_split(rng, shape, n_heads):
    X = rng.normal(size=shape)
    H = u4.split_heads(X, n_heads)
    assert H.shape == (*shape[:-2], n_heads, shape[-2], 6 // n_heads)
    np.testing.assert_array_equal(u4.merge_heads(H), X)


def test_head_i_is_the_ith_slice_of_neighbouring_columns(rng):
    X = rng.normal(size=(2, 5, 12))
    H = u4.split_heads(X, 4)
    for i in range(4):
        np.testing.assert_array_equal(H[:, i], X[:, :, 3 * i : 3 * i + 3])


@pytest.mark.parametrize("n_heads", [1, 2])
def test_split_and_merge_return_arrays_of_their_own_even_for_one_head(rng, n_heads):
    X = rng.normal(size=(3, 4))
    H = u4.split_heads(X, n_heads)
    assert not np.shares_memory(H, X)
    assert not np.shares_memory(u4.merge_heads(H), H)


def test_integers_are_computed_as_floats():
    X = np.arange(12).reshape(3, 4)
    assert u4.split_heads(X, 2).dtype == float
    output, _ = u4.multi_head_attention(X, np.eye(4), np.eye(4), np.eye(4), np.eye(4), 2)
    assert output.dtype == float


def test_shapes_that_do_not_fit_are_named(rng):
    with pytest.raises(ValueError, match=r"\(6,\).*two axes"):
        u4.split_heads(np.ones(6), 2)
    with pytest.raises(ValueError, match=r"\(4, 6\).*three axes"):
        u4.merge_heads(np.ones((4, 6)))
    with pytest.raises(ValueError, match=r"\(3, 6\) and W_k \(5, 6\)"):
        u4.multi_head_attention(np.ones((3, 6)), np.eye(6), np.ones((5, 6)), np.eye(6), np.eye(6), 2)


def test_numpy_and_torch_halves_of_the_unit_agree(rng):
    X = rng.normal(size=(2, 5, 6))
    W = {name: rng.normal(size=(6, 6)) for name in ("W_q", "W_k", "W_v", "W_o")}
    module = u4.MultiHeadAttention(6, 3, bias=False).double()
    # A Linear keeps its matrix as (out, in), so `X @ W` is a Linear with weight W.T.
    module.load_state_dict({f"{name}.weight": torch.from_numpy(w.T.copy()) for name, w in W.items()})
    x = torch.from_numpy(X)
    for a, b in zip(u4.multi_head_attention(X, *W.values(), 3), module(x, x, x), strict=True):
        np.testing.assert_allclose(a, b.detach().numpy(), rtol=1e-12, atol=1e-12)


def test_one_head_is_the_attention_of_unit_2_with_projections(rng):
    X, *W = (rng.normal(size=s) for s in ((4, 5), (5, 5), (5, 5), (5, 5), (5, 5)))
    output, weights = u4.multi_head_attention(X, *W, 1)
    expected, one = u2.scaled_dot_product_attention(X @ W[0], X @ W[1], X @ W[2])
    np.testing.assert_allclose(output, expected @ W[3])
    np.testing.assert_allclose(weights, one[None])


def test_large_scores_stay_finite(rng):
    X, W = 100 * rng.normal(size=(4, 6)), rng.normal(size=(6, 6))
    output, weights = u4.multi_head_attention(X, W, W, W, W, 2)
    assert np.isfinite(output).all()
    np.testing.assert_allclose(weights.sum(-1), 1)


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize(("d_model", "n_heads"), [(512, 8), (512, 1), (6, 3), (1, 1)])
def test_count_is_that_of_torchs_layer(d_model, n_heads, bias):
    layer = nn.MultiheadAttention(d_model, n_heads, bias=bias)
    assert u4.count_parameters(d_model, n_heads, bias) == sum(p.numel() for p in layer.parameters())
    assert u4.count_parameters(d_model, n_heads, bias) == sum(
        p.numel() for p in u4.MultiHeadAttention(d_model, n_heads, bias).parameters()
    )


@pytest.mark.parametrize("bias", [True, False])
def test_converted_keys_are_exactly_those_of_the_module(bias):
    state = u4.convert_torch_weights(nn.MultiheadAttention(6, 2, bias=bias).state_dict())
    assert state.keys() == u4.MultiHeadAttention(6, 2, bias=bias).state_dict().keys()


def test_layers_of_another_make_are_refused_and_their_keys_named():
    with pytest.raises(ValueError, match="bias_k"):
        u4.convert_torch_weights(nn.MultiheadAttention(6, 2, add_bias_kv=True).state_dict())
    with pytest.raises(ValueError, match="q_proj_weight"):
        u4.convert_torch_weights(nn.MultiheadAttention(6, 2, kdim=4).state_dict())
