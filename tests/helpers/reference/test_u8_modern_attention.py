"""Unit 8's references against torch's own operations, against earlier units, and at their edges."""

import math

import pytest
import torch
import torch.nn.functional as F

from helpers.reference import u2_softmax_scaling as u2
from helpers.reference import u6_masked_decoder as u6
from helpers.reference import u8_modern_attention as u8
from helpers.running.memory import Peak


@pytest.fixture(autouse=True)
def seeded():
    torch.manual_seed(0)


def close(a, b, tolerance=1e-6):
    return torch.testing.assert_close(a, b, rtol=tolerance, atol=tolerance)


# --- rms_norm --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", [(3, 4), (2, 3, 5), (2, 3, 4, 8), (6,)])
@pytest.mark.parametrize("eps", [1e-6, 0.3])
def test_rms_norm_equals_torch_with_its_gradients(shape, eps):
    x, weight = torch.randn(shape, requires_grad=True), torch.randn(shape[-1], requires_grad=True)
    ours, theirs = u8.rms_norm(x, weight, eps), F.rms_norm(x, shape[-1:], weight, eps)
    close(ours, theirs)
    for a, b in zip(
        torch.autograd.grad(ours.square().sum(), (x, weight)), torch.autograd.grad(theirs.square().sum(), (x, weight))
    ):
        close(a, b, 1e-5)


def test_rms_norm_of_a_zero_token_is_zero_with_a_finite_gradient():
    x = torch.zeros(2, 4, requires_grad=True)
    y = u8.rms_norm(x, torch.ones(4))
    y.sum().backward()
    assert not y.any() and torch.isfinite(x.grad).all()


def test_rms_norm_forgets_the_size_of_a_token_but_not_its_mean():
    x, ones = torch.randn(3, 8, dtype=torch.float64) + 5, torch.ones(8, dtype=torch.float64)
    close(u8.rms_norm(100 * x, ones), u8.rms_norm(x, ones))
    assert (u8.rms_norm(x, ones).mean(-1) > 0.5).all()


def test_rms_norm_names_the_shapes_of_a_weight_that_does_not_fit():
    with pytest.raises(ValueError, match=r"\(2, 4\).*\(3,\)"):
        u8.rms_norm(torch.ones(2, 4), torch.ones(3))


# --- apply_rotary ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("base", [10000.0, 50.0])
def test_apply_rotary_is_a_product_with_a_complex_number_of_length_one(base):
    x, positions = torch.randn(2, 3, 5, 8, dtype=torch.float64), torch.tensor([4, 0, 17, 2, 300])
    angles = positions[:, None] * base ** (-torch.arange(4, dtype=torch.float64) / 4)
    turned = torch.view_as_complex(x.unflatten(-1, (4, 2))) * torch.polar(torch.ones_like(angles), angles)
    close(u8.apply_rotary(x, positions, base), torch.view_as_real(turned).flatten(-2), 1e-12)


def test_apply_rotary_turns_a_pair_as_a_rotation_matrix_does():
    a = 3.0
    matrix = torch.tensor([[math.cos(a), -math.sin(a)], [math.sin(a), math.cos(a)]])
    x = torch.randn(1, 2)
    close(u8.apply_rotary(x, torch.tensor([3])), x @ matrix.T)


def test_apply_rotary_leaves_lengths_and_position_zero_as_they_are():
    x = torch.randn(4, 6)
    close(u8.apply_rotary(x, torch.arange(4)).norm(dim=-1), x.norm(dim=-1))
    close(u8.apply_rotary(x, torch.zeros(4)), x)


def test_scores_of_rotated_queries_and_keys_depend_on_the_offset_alone_even_far_out():
    q, k = torch.randn(1, 64, dtype=torch.float64), torch.randn(1, 64, dtype=torch.float64)

    def score(i, j):
        return (u8.apply_rotary(q, torch.tensor([i])) * u8.apply_rotary(k, torch.tensor([j]))).sum()

    for offset in (-7, 0, 1, 30):
        for start in (10, 1_000, 100_000):
            close(score(start + offset, start), score(10 + offset, 10), 1e-8)
    assert abs(score(0, 0) - score(1, 0)) > 1e-3


def test_rotary_of_float32_far_out_equals_that_of_float64():
    x = torch.randn(1, 64)
    far = torch.tensor([123_456])
    close(u8.apply_rotary(x, far), u8.apply_rotary(x.double(), far).float())


def test_pairing_with_the_second_half_is_the_same_with_the_features_in_another_order():
    d, positions = 8, torch.tensor([3, 11, 40])
    q, k = torch.randn(3, d, dtype=torch.float64), torch.randn(3, d, dtype=torch.float64)
    angles = positions[:, None] * 10000 ** (-torch.arange(d // 2, dtype=torch.float64) / (d // 2))

    def halves(x):
        cos, sin = torch.cat([angles.cos()] * 2, -1), torch.cat([angles.sin()] * 2, -1)
        return x * cos + torch.cat([-x[:, d // 2 :], x[:, : d // 2]], -1) * sin

    order = torch.arange(d).reshape(2, d // 2).T.flatten()  # 0, 4, 1, 5, ...
    close(
        halves(q) @ halves(k).T,
        u8.apply_rotary(q[:, order], positions) @ u8.apply_rotary(k[:, order], positions).T,
        1e-12,
    )


@pytest.mark.parametrize(("shape", "positions", "told"), [((3, 5), 3, "5 is odd"), ((3, 4), 2, r"\(3, 4\).*\(2,\)")])
def test_apply_rotary_refuses_odd_widths_and_wrong_numbers_of_positions(shape, positions, told):
    with pytest.raises(ValueError, match=told):
        u8.apply_rotary(torch.ones(shape), torch.arange(positions))


# --- grouped_query_attention -----------------------------------------------------------------------------


@pytest.mark.parametrize("heads", [(8, 8), (8, 4), (8, 2), (8, 1), (6, 3)])
@pytest.mark.parametrize("masked", [False, True])
def test_grouped_query_attention_equals_torch_with_its_gradients(heads, masked):
    h, h_kv = heads
    Q, K, V = (
        torch.randn(2, h, 5, 4, requires_grad=True),
        torch.randn(2, h_kv, 7, 4, requires_grad=True),
        torch.randn(2, h_kv, 7, 3, requires_grad=True),
    )
    mask = u6.causal_mask(5, 7) if masked else None
    ours, theirs = (
        u8.grouped_query_attention(Q, K, V, mask),
        F.scaled_dot_product_attention(Q, K, V, attn_mask=mask, enable_gqa=True),
    )
    close(ours, theirs, 1e-5)
    for a, b in zip(
        torch.autograd.grad(ours.square().sum(), (Q, K, V)), torch.autograd.grad(theirs.square().sum(), (Q, K, V))
    ):
        close(a, b, 1e-5)


def test_grouped_query_attention_with_as_many_heads_is_unit_six_head_by_head():
    Q, K, V, mask = (
        torch.randn(2, 3, 4, 5),
        torch.randn(2, 3, 6, 5),
        torch.randn(2, 3, 6, 2),
        torch.rand(2, 3, 4, 6) > 0.4,
    )
    close(u8.grouped_query_attention(Q, K, V, mask), u6.masked_attention(Q, K, V, mask)[0])


def test_grouped_query_attention_needs_no_batch_axis_and_takes_several():
    Q, K, V = torch.randn(2, 3, 4, 5, 6), torch.randn(2, 3, 2, 7, 6), torch.randn(2, 3, 2, 7, 6)
    close(u8.grouped_query_attention(Q, K, V)[1, 2], u8.grouped_query_attention(Q[1, 2], K[1, 2], V[1, 2]))


def test_a_query_that_may_see_nothing_gives_zeros_and_finite_gradients():
    Q, K, V = (torch.randn(shape, requires_grad=True) for shape in ((4, 3, 2), (2, 3, 2), (2, 3, 2)))
    mask = torch.tensor([[True, False, True], [False, False, False], [True, True, True]])
    output = u8.grouped_query_attention(Q, K, V, mask)
    output.sum().backward()
    assert not output[:, 1].any() and output[:, 0].any()
    assert all(torch.isfinite(t.grad).all() for t in (Q, K, V))


@pytest.mark.parametrize(("h", "h_kv", "h_v"), [(4, 3, 3), (2, 4, 4), (4, 2, 4), (4, 0, 0)])
def test_heads_that_do_not_divide_are_refused_by_number(h, h_kv, h_v):
    with pytest.raises(ValueError, match=f"{h} query heads.*{h_kv} heads of keys and {h_v}"):
        u8.grouped_query_attention(torch.ones(h, 3, 2), torch.ones(h_kv, 3, 2), torch.ones(h_v, 3, 2))


# --- cached_attention_step -------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", [(6, 4), (3, 6, 4), (2, 3, 6, 4)])
def test_one_token_at_a_time_equals_causal_attention_over_all(shape):
    Q, K, V = torch.randn(shape), torch.randn(shape), torch.randn(*shape[:-1], 5)
    cache, rows = None, []
    for t in range(shape[-2]):
        row, cache = u8.cached_attention_step(*(x[..., t : t + 1, :] for x in (Q, K, V)), cache)
        rows.append(row)
    close(torch.cat(rows, -2), F.scaled_dot_product_attention(Q, K, V, is_causal=True), 1e-5)
    close(torch.cat(rows, -2), u6.masked_attention(Q, K, V, u6.causal_mask(shape[-2]))[0], 1e-5)
    assert torch.equal(cache[0], K) and torch.equal(cache[1], V)


def test_the_callers_cache_stays_as_it_was_and_the_new_one_shares_no_memory():
    k, v, old = torch.randn(1, 2), torch.randn(1, 2), (torch.randn(3, 2), torch.randn(3, 2))
    kept = [x.clone() for x in old]
    _, new = u8.cached_attention_step(torch.randn(1, 2), k, v, old)
    _, first = u8.cached_attention_step(torch.randn(1, 2), k, v, None)
    for cache in (new, first):
        for x in cache:
            x.zero_()
    assert all(torch.equal(a, b) for a, b in zip(old, kept)) and k.any() and v.any()


# --- online_softmax_attention ----------------------------------------------------------------------------


@pytest.mark.parametrize("block_size", [1, 2, 3, 7, 100])
def test_online_softmax_attention_equals_full_attention_with_its_gradients_for_every_block_size(block_size):
    Q, K, V = (
        torch.randn(2, 3, 5, 4, requires_grad=True),
        torch.randn(2, 3, 7, 4, requires_grad=True),
        torch.randn(2, 3, 7, 6, requires_grad=True),
    )
    ours, theirs = u8.online_softmax_attention(Q, K, V, block_size), F.scaled_dot_product_attention(Q, K, V)
    close(ours, theirs, 1e-5)
    for a, b in zip(
        torch.autograd.grad(ours.square().sum(), (Q, K, V)), torch.autograd.grad(theirs.square().sum(), (Q, K, V))
    ):
        close(a, b, 1e-5)


def test_online_softmax_attention_equals_unit_two():
    Q, K, V = (
        torch.randn(5, 4, dtype=torch.float64),
        torch.randn(9, 4, dtype=torch.float64),
        torch.randn(9, 3, dtype=torch.float64),
    )
    expected, _ = u2.scaled_dot_product_attention(Q.numpy(), K.numpy(), V.numpy())
    close(u8.online_softmax_attention(Q, K, V, 4), torch.from_numpy(expected), 1e-12)


@pytest.mark.parametrize("levels", [(-1e4, 0.0, 1e4), (1e4, 0.0, -1e4), (-1e4, -1e4, -1e4), (0.0, 1e4, 0.0)])
def test_online_softmax_attention_is_stable_whichever_block_has_the_largest_score(levels):
    Q, V = torch.ones(2, 1), torch.randn(6, 3)
    K = torch.tensor(levels).repeat_interleave(2)[:, None] + torch.randn(6, 1)
    output = u8.online_softmax_attention(Q, K, V, 2)
    close(output, F.scaled_dot_product_attention(Q, K, V), 1e-5)
    assert torch.isfinite(output).all()


def test_online_softmax_attention_without_keys_gives_zeros():
    assert not u8.online_softmax_attention(torch.ones(2, 3), torch.ones(0, 3), torch.ones(0, 4), 2).any()


def test_online_softmax_attention_holds_a_small_part_of_the_scores():
    n = 512
    x = torch.randn(n, 8)
    with Peak() as blocked:
        u8.online_softmax_attention(x, x, x, 16)
    with Peak() as full:
        u6.masked_attention(x, x, x, torch.ones(1, 1, dtype=torch.bool))
    assert blocked.elements < n * n / 5 and full.elements >= n * n


@pytest.mark.parametrize("block_size", [0, -3])
def test_a_block_without_keys_is_refused(block_size):
    with pytest.raises(ValueError, match="at least one"):
        u8.online_softmax_attention(torch.ones(2, 2), torch.ones(2, 2), torch.ones(2, 2), block_size)
