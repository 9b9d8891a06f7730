"""Unit 3's references against torch, and against the direct formulas written out entry by entry."""

import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from helpers.reference import u3_positional_encoding as u3

WIDTHS = (2, 4, 6, 10, 64, 512)


def torch_attention(tokens):
    tokens = torch.tensor(tokens)[None]
    return F.scaled_dot_product_attention(tokens, tokens, tokens)[0].numpy()


@pytest.mark.parametrize("seed", range(5))
def test_permutation_gap_equals_the_one_measured_with_torch(seed):
    rng = np.random.default_rng(seed)
    X, P, order = rng.normal(size=(6, 4)), rng.normal(size=(6, 4)), rng.permutation(6)
    with_positions = np.abs(torch_attention(X[order] + P) - torch_attention(X + P)[order]).max()
    assert u3.permutation_gap(X, P, order) == pytest.approx((0.0, with_positions), abs=1e-12)


def test_permutation_gap_without_positions_is_rounding_noise_even_for_large_scores():
    rng = np.random.default_rng(0)
    without, _ = u3.permutation_gap(30 * rng.normal(size=(40, 16)), np.zeros((40, 16)), rng.permutation(40))
    assert without < 1e-11


def test_permutation_gap_is_zero_with_positions_that_are_all_alike_because_they_mark_no_place():
    rng = np.random.default_rng(0)
    X, row = rng.normal(size=(5, 4)), rng.normal(size=4)
    assert max(u3.permutation_gap(X, np.tile(row, (5, 1)), rng.permutation(5))) < 1e-12


def test_permutation_gap_returns_plain_numbers_and_takes_lists_and_integers():
    result = u3.permutation_gap([[1, 0], [0, 1], [2, 1]], np.zeros((3, 2)), [2, 0, 1])
    assert [type(number) for number in result] == [float, float]


@pytest.mark.parametrize("shapes", [((4, 3), (5, 3), 4), ((4, 3), (4, 2), 4), ((4, 3), (4, 3), 3), ((4, 3), (1, 3), 4)])
def test_permutation_gap_names_the_shapes_that_do_not_fit(shapes):
    x, p, n = shapes
    with pytest.raises(ValueError, match=r"X has shape \(4, 3\), P"):
        u3.permutation_gap(np.zeros(x), np.zeros(p), np.arange(n))


def test_encoding_by_hand_is_the_numbers_of_the_curriculum_and_row_2_of_the_table():
    np.testing.assert_allclose(
        u3.encoding_by_hand(), [math.sin(2), math.cos(2), math.sin(0.02), math.cos(0.02)], rtol=1e-15
    )
    np.testing.assert_allclose(u3.encoding_by_hand(), u3.sinusoidal_encoding(3, 4)[2], rtol=1e-15)
    np.testing.assert_allclose(u3.encoding_by_hand(), [0.9093, -0.4161, 0.0200, 0.9998], atol=5e-5)


@pytest.mark.parametrize("d_model", WIDTHS)
def test_frequencies_equal_the_formula_entry_by_entry(d_model):
    assert u3.frequencies(d_model).shape == (d_model // 2,)
    np.testing.assert_allclose(
        u3.frequencies(d_model), [10000 ** (-2 * i / d_model) for i in range(d_model // 2)], rtol=1e-14
    )


def test_frequencies_equal_the_exp_of_log_form_of_the_torch_tutorial():
    expected = torch.exp(torch.arange(0, 512, 2, dtype=torch.float64) * (-math.log(10000.0) / 512))
    np.testing.assert_allclose(u3.frequencies(512), expected.numpy(), rtol=1e-13)


def test_frequencies_begin_with_exactly_one_and_never_reach_a_ten_thousandth():
    for d_model in WIDTHS:
        assert u3.frequencies(d_model)[0] == 1
        assert (u3.frequencies(d_model) > 1e-4).all()


@pytest.mark.parametrize("d_model", [1, 3, 7, 0, -2])
def test_half_a_pair_or_none_is_an_error_that_names_the_width(d_model):
    for call in (u3.frequencies, lambda d: u3.sinusoidal_encoding(4, d), lambda d: u3.shift_matrix(1, d)):
        with pytest.raises(ValueError, match=f"d_model is {d_model}"):
            call(d_model)


@pytest.mark.parametrize("d_model", WIDTHS)
def test_sinusoidal_encoding_equals_the_formula_entry_by_entry(d_model):
    expected = [
        [(math.sin, math.cos)[j % 2](p / 10000 ** (2 * (j // 2) / d_model)) for j in range(d_model)] for p in range(30)
    ]
    np.testing.assert_allclose(u3.sinusoidal_encoding(30, d_model), expected, rtol=1e-12, atol=1e-13)


def test_sinusoidal_encoding_equals_the_table_filled_by_slices_in_torch():
    position, table = torch.arange(200, dtype=torch.float64)[:, None], torch.zeros(200, 32, dtype=torch.float64)
    rate = torch.exp(torch.arange(0, 32, 2, dtype=torch.float64) * (-math.log(10000.0) / 32))
    table[:, 0::2], table[:, 1::2] = torch.sin(position * rate), torch.cos(position * rate)
    np.testing.assert_allclose(u3.sinusoidal_encoding(200, 32), table.numpy(), atol=1e-12)


def test_position_0_reads_zero_one_zero_one():
    np.testing.assert_array_equal(u3.sinusoidal_encoding(1, 6), [[0, 1, 0, 1, 0, 1]])


def test_a_row_does_not_depend_on_how_many_positions_there_are():
    np.testing.assert_array_equal(u3.sinusoidal_encoding(4, 8), u3.sinusoidal_encoding(50, 8)[:4])


def test_no_two_of_5000_positions_look_alike():
    table = u3.sinusoidal_encoding(5000, 16).astype(np.float32)
    assert len(np.unique(table, axis=0)) == 5000


def test_products_of_rows_depend_on_the_distance_alone():
    table = u3.sinusoidal_encoding(80, 32)
    products = table @ table.T
    for distance in range(80):
        assert np.ptp(np.diagonal(products, distance)) < 1e-11


def test_no_positions_is_an_empty_table_and_fewer_is_an_error():
    assert u3.sinusoidal_encoding(0, 4).shape == (0, 4)
    with pytest.raises(ValueError, match="n_positions is -1"):
        u3.sinusoidal_encoding(-1, 4)


def test_add_positions_brings_an_embedding_of_torch_to_the_size_of_the_positions():
    torch.manual_seed(0)
    embedding = torch.nn.Embedding(50, 512)
    torch.nn.init.normal_(embedding.weight, std=512**-0.5)
    X, P = embedding(torch.arange(20)).detach(), torch.from_numpy(u3.sinusoidal_encoding(40, 512)).float()
    np.testing.assert_allclose(u3.add_positions(X, P), (X * math.sqrt(512) + P[:20]).numpy(), rtol=1e-5, atol=1e-6)
    assert (X * math.sqrt(512)).std() == pytest.approx(1.0, abs=0.05)


def test_add_positions_gives_every_sentence_of_a_batch_the_same_positions():
    rng = np.random.default_rng(0)
    X, P = rng.normal(size=(7, 3, 4)), rng.normal(size=(5, 4))
    np.testing.assert_allclose(u3.add_positions(X, P), np.stack([2 * x + P[:3] for x in X]))


def test_add_positions_computes_integers_as_floats():
    np.testing.assert_allclose(u3.add_positions([[1, 2]], [[3, 4]]), [[3 + 2**0.5, 4 + 2 * 2**0.5]])


@pytest.mark.parametrize(
    ("x", "p"),
    [((4, 6), (3, 6)), ((4, 6), (1, 6)), ((3, 4), (5, 6)), ((3, 4), (5, 1)), ((3, 1), (5, 4)), ((4,), (3, 4))],
)
def test_add_positions_lets_nothing_spread_by_broadcasting(x, p):
    with pytest.raises(ValueError, match="X has shape"):
        u3.add_positions(np.zeros(x), np.zeros(p))


@pytest.mark.parametrize("d_model", WIDTHS)
@pytest.mark.parametrize("offset", [0, 1, 3, 17, -1, -5])
def test_shift_matrix_moves_every_position_by_the_offset(offset, d_model):
    table = u3.sinusoidal_encoding(60, d_model)
    here = np.arange(10, 40)
    np.testing.assert_allclose(table[here] @ u3.shift_matrix(offset, d_model).T, table[here + offset], atol=1e-12)


def test_shift_matrix_is_the_matrix_exponential_of_offset_times_the_generator():
    generator = torch.block_diag(
        *[torch.tensor([[0.0, w], [-w, 0.0]], dtype=torch.float64) for w in u3.frequencies(10)]
    )
    np.testing.assert_allclose(u3.shift_matrix(7, 10), torch.matrix_exp(7 * generator).numpy(), atol=1e-12)


def test_shift_matrices_are_rotations_that_add_up_and_undo_each_other():
    there, back, far = u3.shift_matrix(5, 8), u3.shift_matrix(-5, 8), u3.shift_matrix(12, 8)
    np.testing.assert_allclose(there @ there.T, np.eye(8), atol=1e-14)
    np.testing.assert_allclose(back @ there, np.eye(8), atol=1e-14)
    np.testing.assert_allclose(u3.shift_matrix(7, 8) @ there, far, atol=1e-14)
    np.testing.assert_array_equal(u3.shift_matrix(0, 8), np.eye(8))
