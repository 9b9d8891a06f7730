"""The references of unit 5 against torch's own modules, and at their edges."""

import itertools

import numpy as np
import pytest
import torch
from torch import nn

from helpers.reference import u4_multi_head as u4
from helpers.reference import u5_add_and_norm as u5

both_orders = pytest.mark.parametrize("norm_first", [False, True], ids=["post-norm", "pre-norm"])


def normal(*shape, seed=0):
    return np.random.default_rng([seed, *shape]).normal(size=shape)


def tokens(*shape, seed=0):
    return torch.from_numpy(normal(*shape, seed=seed).astype(np.float32))


def shake(module, seed=0):
    """Give every parameter a value that is neither 0 nor 1, so that none can be left out unnoticed."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, parameter in module.named_parameters():
            noise = torch.randn(parameter.shape, generator=generator)
            parameter.copy_(
                0.4 * noise
                if parameter.dim() > 1
                else (1 + 0.3 * noise if "norm" in name and "weight" in name else 0.3 * noise)
            )
    return module


def from_torch_layer(state):
    """A `nn.TransformerEncoderLayer` state dict under the names of `EncoderLayer`."""
    attention = {k.removeprefix("self_attn."): v for k, v in state.items() if k.startswith("self_attn.")}
    names = {
        "linear1": "feed_forward.linear_1",
        "linear2": "feed_forward.linear_2",
        "norm1": "norm_1",
        "norm2": "norm_2",
    }
    converted = {f"self_attention.{k}": v for k, v in u4.convert_torch_weights(attention).items()}
    return converted | {
        f"{names[k.split('.')[0]]}.{k.split('.')[1]}": v for k, v in state.items() if k.split(".")[0] in names
    }


def layer_pair(norm_first, d=12, heads=3, d_ff=20, seed=0):
    theirs = shake(
        nn.TransformerEncoderLayer(d, heads, d_ff, dropout=0.0, batch_first=True, norm_first=norm_first), seed
    )
    ours = u5.EncoderLayer(d, heads, d_ff, norm_first)
    ours.load_state_dict(from_torch_layer(theirs.state_dict()))
    return ours, theirs


def encoder_pair(norm_first, n_layers=3, d=12, heads=3, d_ff=20):
    layer = nn.TransformerEncoderLayer(d, heads, d_ff, dropout=0.0, batch_first=True, norm_first=norm_first)
    theirs = shake(
        nn.TransformerEncoder(layer, n_layers, nn.LayerNorm(d) if norm_first else None, enable_nested_tensor=False)
    )
    ours = u5.Encoder(n_layers, d, heads, d_ff, norm_first)
    state = {f"norm.{k}": v for k, v in theirs.norm.state_dict().items()} if norm_first else {}
    for i, one in enumerate(theirs.layers):
        state |= {f"layers.{i}.{k}": v for k, v in from_torch_layer(one.state_dict()).items()}
    ours.load_state_dict(state)
    return ours, theirs


def forbidden(allowed):
    """torch's encoder takes masks the other way round."""
    return ~allowed


@pytest.mark.parametrize("shape", [(4,), (3, 4), (2, 3, 5), (2, 3, 4, 6)])
@pytest.mark.parametrize("eps", [1e-5, 0.3])
def test_layer_norm_is_torchs_on_any_number_of_axes(shape, eps):
    x, gamma, beta = normal(*shape) * 3 + 1, normal(shape[-1], seed=1), normal(shape[-1], seed=2)
    expected = nn.functional.layer_norm(
        torch.from_numpy(x), shape[-1:], torch.from_numpy(gamma), torch.from_numpy(beta), eps
    )
    np.testing.assert_allclose(u5.layer_norm(x, gamma, beta, eps), expected, rtol=1e-12, atol=1e-12)


def test_layer_norm_of_the_four_numbers_worked_by_hand():
    unit = u5.layer_norm([-2, 4, 6, 12], np.ones(4), np.zeros(4), eps=0)
    np.testing.assert_allclose(unit, [-1.4, -0.2, 0.2, 1.4])
    np.testing.assert_allclose(u5.layer_norm([-2, 4, 6, 12], [1, 1, 2, 2], [0, 1, 0, 1], eps=0), [-1.4, 0.8, 0.4, 3.8])


def test_layer_norm_variance_is_biased_so_the_result_has_mean_square_one():
    unit = u5.layer_norm(normal(5, 7) * 4 - 2, np.ones(7), np.zeros(7), eps=0)
    np.testing.assert_allclose((unit**2).mean(-1), 1)


def test_layer_norm_does_not_see_scale_or_shift_of_a_token():
    x, gamma, beta = normal(3, 6), normal(6, seed=1), normal(6, seed=2)
    np.testing.assert_allclose(u5.layer_norm(5 * x - 3, gamma, beta, eps=0), u5.layer_norm(x, gamma, beta, eps=0))


def test_layer_norm_of_equal_features_is_beta_because_eps_is_in_the_root():
    beta = normal(5, seed=2)
    np.testing.assert_array_equal(
        u5.layer_norm(np.full((2, 5), 7.0), normal(5, seed=1), beta), np.broadcast_to(beta, (2, 5))
    )


def test_layer_norm_keeps_float32_and_computes_integers_as_float():
    ones, zeros = np.ones(4, dtype=np.float32), np.zeros(4, dtype=np.float32)
    assert u5.layer_norm(normal(2, 4).astype(np.float32), ones, zeros).dtype == np.float32
    np.testing.assert_allclose(u5.layer_norm(np.arange(4), ones, zeros), u5.layer_norm(np.arange(4.0), ones, zeros))


def test_layer_norm_leaves_its_input_alone():
    x = normal(3, 4)
    before = x.copy()
    u5.layer_norm(x, np.ones(4), np.zeros(4))
    np.testing.assert_array_equal(x, before)


@pytest.mark.parametrize(("gamma", "beta"), [((3,), (4,)), ((4,), (5,)), ((1,), (4,)), ((4, 4), (4,))])
def test_layer_norm_refuses_gamma_and_beta_of_another_width_and_names_the_shapes(gamma, beta):
    with pytest.raises(ValueError, match=r"\(2, 4\).*(gamma|beta)"):
        u5.layer_norm(normal(2, 4), np.ones(gamma), np.ones(beta))


def test_add_and_norm_is_the_norm_of_the_sum():
    x, s, gamma, beta = normal(2, 3, 4), normal(2, 3, 4, seed=1), normal(4, seed=2), normal(4, seed=3)
    norm = nn.LayerNorm(4, eps=0.1, dtype=torch.float64)
    norm.load_state_dict({"weight": torch.from_numpy(gamma), "bias": torch.from_numpy(beta)})
    np.testing.assert_allclose(
        u5.add_and_norm(x, s, gamma, beta, 0.1), norm(torch.from_numpy(x + s)).detach(), rtol=1e-12
    )


def test_add_and_norm_refuses_to_broadcast_and_names_the_shapes():
    with pytest.raises(ValueError, match=r"\(3, 4\).*\(1, 4\)"):
        u5.add_and_norm(normal(3, 4), normal(1, 4), np.ones(4), np.zeros(4))


@pytest.mark.parametrize("eps", [1e-5, 0.3])
def test_layer_norm_module_has_torchs_values_and_gradients(eps):
    ours, theirs = u5.LayerNorm(5, eps), nn.LayerNorm(5, eps)
    theirs.load_state_dict({"weight": tokens(5, seed=1), "bias": tokens(5, seed=2)})
    ours.load_state_dict(theirs.state_dict())
    x, y = (tokens(2, 3, 5).requires_grad_() for _ in range(2))
    a, b = ours(x), theirs(y)
    torch.testing.assert_close(a, b)
    (a * tokens(2, 3, 5, seed=3)).sum().backward()
    (b * tokens(2, 3, 5, seed=3)).sum().backward()
    torch.testing.assert_close(x.grad, y.grad)
    for (name, p), (other, q) in zip(ours.named_parameters(), theirs.named_parameters()):
        assert name == other
        torch.testing.assert_close(p.grad, q.grad)


def test_layer_norm_module_starts_as_torchs():
    torch.testing.assert_close(dict(u5.LayerNorm(6).state_dict()), dict(nn.LayerNorm(6).state_dict()))


def test_layer_norm_module_has_a_finite_gradient_where_all_features_are_equal():
    x = torch.full((2, 4), 3.0, requires_grad=True)
    u5.LayerNorm(4)(x).pow(2).sum().backward()
    assert torch.isfinite(x.grad).all()


def test_feed_forward_is_linear_relu_linear():
    ours = shake(u5.FeedForward(4, 7))
    theirs = nn.Sequential(nn.Linear(4, 7), nn.ReLU(), nn.Linear(7, 4))
    theirs.load_state_dict(
        {k.replace("linear_1", "0").replace("linear_2", "2"): v for k, v in ours.state_dict().items()}
    )
    torch.testing.assert_close(ours(tokens(2, 3, 4)), theirs(tokens(2, 3, 4)))


def test_feed_forward_treats_every_token_alone():
    network, x = u5.FeedForward(4, 7), tokens(5, 4)
    changed = x.clone()
    changed[2] += 1
    moved = (network(x) != network(changed)).any(dim=-1)
    assert moved.tolist() == [False, False, True, False, False]


@both_orders
@pytest.mark.parametrize("training", [False, True], ids=["evaluating", "training"])
def test_encoder_layer_is_torchs_with_copied_weights(norm_first, training):
    # In evaluation mode torch takes its fused path, in training mode the plain one.
    ours, theirs = layer_pair(norm_first)
    ours.train(training), theirs.train(training)
    with torch.no_grad():
        torch.testing.assert_close(ours(tokens(2, 5, 12)), theirs(tokens(2, 5, 12)), rtol=1e-4, atol=1e-5)


@both_orders
def test_encoder_layer_has_torchs_gradients(norm_first):
    ours, theirs = layer_pair(norm_first)
    x, y = (tokens(2, 5, 12).requires_grad_() for _ in range(2))
    (ours(x) * tokens(2, 5, 12, seed=4)).sum().backward()
    (theirs(y) * tokens(2, 5, 12, seed=4)).sum().backward()
    torch.testing.assert_close(x.grad, y.grad, rtol=1e-4, atol=1e-4)
    expected = from_torch_layer({name: p.grad for name, p in theirs.named_parameters()})
    assert expected.keys() == dict(ours.named_parameters()).keys()
    for name, p in ours.named_parameters():
        torch.testing.assert_close(p.grad, expected[name], rtol=1e-3, atol=1e-4)


@both_orders
def test_encoder_layer_with_a_causal_mask_is_torchs(norm_first):
    ours, theirs = layer_pair(norm_first)
    allowed = torch.ones(5, 5, dtype=torch.bool).tril()
    torch.testing.assert_close(
        ours(tokens(2, 5, 12), allowed), theirs(tokens(2, 5, 12), src_mask=forbidden(allowed)), rtol=1e-4, atol=1e-5
    )


@both_orders
def test_encoder_layer_with_padding_is_torchs_on_the_tokens_that_count(norm_first):
    ours, theirs = layer_pair(norm_first)
    kept = torch.arange(5) < torch.tensor([[3], [5]])  # (2, 5)
    got = ours(tokens(2, 5, 12), kept[:, None, None, :])
    want = theirs(tokens(2, 5, 12), src_key_padding_mask=forbidden(kept))
    torch.testing.assert_close(got[kept], want[kept], rtol=1e-4, atol=1e-5)


@both_orders
def test_encoder_layer_with_a_mask_for_every_head_is_torchs(norm_first):
    ours, theirs = layer_pair(norm_first)
    allowed = torch.from_numpy(np.random.default_rng(0).random((2, 3, 5, 5)) < 0.6) | torch.eye(5, dtype=torch.bool)
    want = theirs(tokens(2, 5, 12), src_mask=forbidden(allowed).flatten(0, 1))
    torch.testing.assert_close(ours(tokens(2, 5, 12), allowed), want, rtol=1e-4, atol=1e-5)


@both_orders
def test_encoder_layer_ignores_what_padding_holds(norm_first):
    ours, _ = layer_pair(norm_first)
    x = tokens(1, 5, 12)
    changed = x.clone()
    changed[:, 3:] = 100.0
    mask = (torch.arange(5) < 3)[None, None, None, :]
    torch.testing.assert_close(ours(x, mask)[:, :3], ours(changed, mask)[:, :3])


@both_orders
def test_encoder_layer_stays_finite_where_a_token_may_attend_to_nothing(norm_first):
    ours, _ = layer_pair(norm_first)
    mask = torch.ones(4, 4, dtype=torch.bool)
    mask[1] = False
    x = tokens(4, 12).requires_grad_()
    result = ours(x, mask)
    result.sum().backward()
    assert torch.isfinite(result).all() and torch.isfinite(x.grad).all()


def test_encoder_layer_takes_one_sentence_as_it_takes_a_batch():
    ours, _ = layer_pair(False)
    torch.testing.assert_close(ours(tokens(2, 5, 12))[0], ours(tokens(2, 5, 12)[0]))


def test_encoder_layer_knows_nothing_of_order():
    ours, _ = layer_pair(True)
    order = torch.tensor([3, 0, 4, 1, 2])
    torch.testing.assert_close(ours(tokens(5, 12))[order], ours(tokens(5, 12)[order]))


def test_encoder_layer_names_its_sixteen_parameters():
    linears = [
        "self_attention.W_q",
        "self_attention.W_k",
        "self_attention.W_v",
        "self_attention.W_o",
        "feed_forward.linear_1",
        "feed_forward.linear_2",
    ]
    parts = [*linears, "norm_1", "norm_2"]
    assert set(u5.EncoderLayer(6, 2, 8).state_dict()) == {
        f"{part}.{kind}" for part, kind in itertools.product(parts, ("weight", "bias"))
    }


@pytest.mark.parametrize("heads", [0, -2, 5])
def test_heads_that_do_not_divide_the_width_are_refused(heads):
    with pytest.raises(ValueError, match="12"):
        u5.EncoderLayer(12, heads, 20)
    with pytest.raises(ValueError, match="12"):
        u5.Encoder(2, 12, heads, 20)


@both_orders
def test_encoder_is_torchs_with_copied_weights(norm_first):
    ours, theirs = encoder_pair(norm_first)
    torch.testing.assert_close(ours(tokens(2, 5, 12)), theirs(tokens(2, 5, 12)), rtol=1e-4, atol=1e-4)


@both_orders
def test_encoder_hands_the_mask_to_every_layer_as_torchs_does(norm_first):
    ours, theirs = encoder_pair(norm_first)
    kept = torch.arange(5) < torch.tensor([[2], [5]])  # (2, 5)
    allowed = kept[:, None, None, :] & torch.ones(5, 5, dtype=torch.bool).tril()
    got = ours(tokens(2, 5, 12), allowed)
    want = theirs(
        tokens(2, 5, 12),
        mask=forbidden(torch.ones(5, 5, dtype=torch.bool).tril()),
        src_key_padding_mask=forbidden(kept),
    )
    torch.testing.assert_close(got[kept], want[kept], rtol=1e-4, atol=1e-4)


def test_encoder_layers_are_objects_with_start_weights_of_their_own():
    encoder = u5.Encoder(3, 8, 2, 12)
    for a, b in itertools.combinations(encoder.layers, 2):
        assert a is not b
        for (name, p), q in zip(a.named_parameters(), b.parameters()):
            assert p is not q
            assert p.dim() == 1 or not torch.equal(p, q), name


def test_encoder_has_a_final_norm_with_pre_norm_only():
    assert not any(name.startswith("norm.") for name in u5.Encoder(2, 8, 2, 12).state_dict())
    assert {"norm.weight", "norm.bias"} <= set(u5.Encoder(2, 8, 2, 12, norm_first=True).state_dict())


def test_encoder_of_the_paper_has_its_number_of_parameters():
    attention, network, norm = 4 * 512**2 + 4 * 512, 2 * 512 * 2048 + 2048 + 512, 2 * 512
    encoder = u5.Encoder(6, 512, 8, 2048)
    assert sum(p.numel() for p in encoder.parameters()) == 6 * (attention + network + 2 * norm) == 18_914_304
