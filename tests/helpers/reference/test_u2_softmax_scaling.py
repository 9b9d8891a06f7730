"""The references of unit 2 against torch, and at their own edges."""

import numpy as np
import pytest
import torch

from helpers.reference import u2_softmax_scaling as unit


def normal(seed, *shape):
    return np.random.default_rng(seed).normal(size=shape)


def attend_by_torch(Q, K, V, mask=None):
    mask = None if mask is None else torch.from_numpy(mask)
    return torch.nn.functional.scaled_dot_product_attention(*map(torch.from_numpy, (Q, K, V)), attn_mask=mask).numpy()


@pytest.mark.parametrize("axis", [-1, 0, 1, 2, -2])
def test_softmax_equals_torch_along_every_axis(axis):
    x = normal(0, 2, 3, 4)
    np.testing.assert_allclose(unit.softmax(x, axis), torch.softmax(torch.from_numpy(x), axis).numpy(), rtol=1e-12)


@pytest.mark.parametrize("shift", [1e4, -1e4])
def test_softmax_of_large_scores_equals_torch_because_the_maximum_is_taken_off(shift):
    x = normal(1, 3, 5) + shift
    np.testing.assert_allclose(unit.softmax(x), torch.softmax(torch.from_numpy(x), -1).numpy(), rtol=1e-12)


def test_softmax_takes_the_maximum_of_each_row_so_that_no_row_underflows():
    x = np.array([[1e4, 1e4 + 1], [-1e4, -1e4 + 1]])
    np.testing.assert_allclose(unit.softmax(x)[0], unit.softmax(x)[1])


def test_softmax_gives_minus_infinity_weight_zero_and_a_row_of_it_zeros_without_a_warning():
    x = np.array([[0.0, -np.inf, 0.0], [-np.inf] * 3])
    np.testing.assert_array_equal(unit.softmax(x), [[0.5, 0, 0.5], [0, 0, 0]])


def test_softmax_computes_integers_as_float_and_keeps_float32():
    np.testing.assert_allclose(unit.softmax([0, 0, 0, 0]), [0.25] * 4)
    assert unit.softmax(np.zeros(3, dtype="f4")).dtype == np.float32
    assert unit.softmax(np.full((2, 3), -np.inf, dtype="f4")).dtype == np.float32


def test_softmax_over_no_keys_at_all_is_empty():
    assert unit.softmax(np.zeros((2, 0))).shape == (2, 0)


def test_softmax_refuses_an_axis_that_is_not_there():
    with pytest.raises(ValueError):
        unit.softmax(np.zeros((2, 3)), axis=2)


def test_weighted_sum_equals_the_sum_written_out():
    weights, V = normal(2, 2, 3, 4), normal(3, 2, 4, 5)
    expected = sum(weights[:, :, j, None] * V[:, None, j, :] for j in range(4))
    np.testing.assert_allclose(unit.weighted_sum(weights, V), expected)


def test_score_variance_grows_like_the_width():
    for d_k in (1, 10, 100):
        assert unit.score_variance(d_k, 20_000, 0) == pytest.approx(d_k, rel=6 * np.sqrt((2 + 6 / d_k) / 20_000))


def test_score_variance_depends_on_the_seed_alone():
    assert unit.score_variance(8, 100, 3) == unit.score_variance(8, 100, 3) != unit.score_variance(8, 100, 4)
    assert type(unit.score_variance(8, 100, 3)) is float


def test_score_variance_of_scaled_scores_is_one_whatever_the_width():
    for d_k in (4, 256):
        rng = np.random.default_rng(0)
        scores = unit.attention_scores(rng.normal(size=(200, d_k)), rng.normal(size=(200, d_k)))
        assert np.var(unit.scale_scores(scores, d_k)) == pytest.approx(1, rel=0.1)


def test_softmax_jacobian_equals_the_derivative_that_torch_takes():
    x = torch.from_numpy(normal(4, 5))
    expected = torch.autograd.functional.jacobian(lambda s: torch.softmax(s, -1), x).numpy()
    np.testing.assert_allclose(unit.softmax_jacobian(torch.softmax(x, -1).numpy()), expected, atol=1e-12)


def test_softmax_jacobian_keeps_batch_axes_and_its_rows_sum_to_zero():
    p = unit.softmax(normal(5, 2, 3, 4))
    J = unit.softmax_jacobian(p)
    assert J.shape == (2, 3, 4, 4)
    np.testing.assert_allclose(J[1, 2], unit.softmax_jacobian(p[1, 2]))
    np.testing.assert_allclose(J.sum(-1), 0, atol=1e-15)


def test_softmax_jacobian_of_a_certain_choice_is_zero_which_is_why_saturation_stops_learning():
    np.testing.assert_array_equal(unit.softmax_jacobian([0, 1, 0]), np.zeros((3, 3)))


@pytest.mark.parametrize("batch", [(), (2,), (2, 3)])
def test_scaled_dot_product_attention_equals_torch(batch):
    Q, K, V = normal(6, *batch, 2, 4), normal(7, *batch, 5, 4), normal(8, *batch, 5, 3)
    output, weights = unit.scaled_dot_product_attention(Q, K, V)
    np.testing.assert_allclose(output, attend_by_torch(Q, K, V), rtol=1e-10)
    assert weights.shape == (*batch, 2, 5)
    np.testing.assert_allclose(weights.sum(-1), 1)


@pytest.mark.parametrize(("n_q", "n_k", "window"), [(5, 5, 0), (5, 5, 1), (3, 6, 2), (6, 4, 2), (4, 4, 10)])
def test_local_attention_equals_torch_with_the_same_mask(n_q, n_k, window):
    Q, K, V = normal(9, n_q, 4), normal(10, n_k, 4), normal(11, n_k, 3)
    mask = np.array([[abs(i - j) <= window for j in range(n_k)] for i in range(n_q)])
    output, weights = unit.local_attention(Q, K, V, window)
    np.testing.assert_allclose(output, attend_by_torch(Q, K, V, mask), rtol=1e-10)
    assert not weights[~mask].any()


def test_local_attention_of_queries_behind_the_last_key_is_zeros_and_not_nan():
    output, weights = unit.local_attention(normal(12, 5, 2), normal(13, 2, 2), normal(14, 2, 3), window=1)
    assert not output[3:].any() and not weights[3:].any()
    np.testing.assert_allclose(weights[:3].sum(-1), 1)


def test_local_attention_with_the_smallest_window_returns_the_values_themselves():
    V = normal(15, 4, 3)
    np.testing.assert_allclose(unit.local_attention(normal(16, 4, 2), normal(17, 4, 2), V, 0)[0], V)


def test_additive_scores_equal_a_small_torch_network_on_every_pair():
    Q, K, W_q, W_k, v = normal(18, 2, 3), normal(19, 4, 5), normal(20, 3, 6), normal(21, 5, 6), normal(22, 6)
    first = torch.nn.Linear(8, 6, bias=False, dtype=torch.float64)
    last = torch.nn.Linear(6, 1, bias=False, dtype=torch.float64)
    first.load_state_dict({"weight": torch.from_numpy(np.concatenate([W_q, W_k]).T.copy())})
    last.load_state_dict({"weight": torch.from_numpy(v[None])})
    network = torch.nn.Sequential(first, torch.nn.Tanh(), last)
    pairs = np.array([[np.concatenate([q, k]) for k in K] for q in Q])
    expected = network(torch.from_numpy(pairs))[..., 0].detach().numpy()
    np.testing.assert_allclose(unit.additive_scores(Q, K, W_q, W_k, v), expected, rtol=1e-10)


@pytest.mark.parametrize(
    ("call", "told"),
    [
        (lambda: unit.weighted_sum(np.zeros((2, 3)), np.zeros((4, 5))), r"\(2, 3\).*\(4, 5\)"),
        (
            lambda: unit.scaled_dot_product_attention(np.zeros((2, 3)), np.zeros((4, 5)), np.zeros((4, 1))),
            r"\(2, 3\).*\(4, 5\)",
        ),
        (
            lambda: unit.scaled_dot_product_attention(np.zeros((2, 3)), np.zeros((4, 3)), np.zeros((5, 1))),
            r"\(2, 4\).*\(5, 1\)",
        ),
        (lambda: unit.local_attention(np.zeros((2, 3)), np.zeros((4, 3)), np.zeros((4, 1)), -1), "-1"),
        (
            lambda: unit.additive_scores(
                np.zeros((2, 3)), np.zeros((4, 5)), np.zeros((4, 6)), np.zeros((5, 6)), np.zeros(6)
            ),
            r"Q .*\(2, 3\).*W_q \(4, 6\)",
        ),
        (
            lambda: unit.additive_scores(
                np.zeros((2, 3)), np.zeros((4, 5)), np.zeros((3, 6)), np.zeros((5, 6)), np.zeros(7)
            ),
            r"v \(7,\)",
        ),
        (lambda: unit.scale_scores(np.zeros((2, 3)), 0), "0"),
        (lambda: unit.score_variance(0, 5, 0), "0"),
        (lambda: unit.softmax_jacobian(0.5), "single number"),
    ],
)
def test_arguments_that_do_not_fit_raise_an_error_that_names_the_shapes(call, told):
    with pytest.raises(ValueError, match=told):
        call()
