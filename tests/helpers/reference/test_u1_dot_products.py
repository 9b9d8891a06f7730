"""The references of unit 1 against torch, and at their own edges."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from helpers.reference import u1_dot_products as reference

SHAPES = [(4, 3), (3, 3), (1, 5), (2, 4, 3), (2, 3, 5, 4)]


@pytest.fixture
def rng():
    return np.random.default_rng(11)


def tensor(array):
    return torch.from_numpy(np.asarray(array, dtype=float))


@pytest.mark.parametrize("shape", SHAPES)
def test_similarity_matrix_is_torchs_matmul_with_the_transpose(rng, shape):
    X = rng.normal(size=shape)
    np.testing.assert_allclose(reference.similarity_matrix(X), (tensor(X) @ tensor(X).mT).numpy(), rtol=1e-12)


@pytest.mark.parametrize("shape", SHAPES)
def test_cosine_similarity_is_torchs(rng, shape):
    X = rng.normal(size=shape) * rng.uniform(0.1, 10, size=(*shape[:-1], 1))
    expected = F.cosine_similarity(tensor(X)[..., :, None, :], tensor(X)[..., None, :, :], dim=-1)
    np.testing.assert_allclose(reference.cosine_similarity(X), expected.numpy(), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("size", [1e-300, 1e-160, 1e-7, 1.0, 1e160, 1e300])
def test_cosine_similarity_does_not_depend_on_length_even_where_squares_leave_the_range_of_floats(rng, size):
    X = rng.normal(size=(4, 3))
    np.testing.assert_allclose(reference.cosine_similarity(X * size), reference.cosine_similarity(X), rtol=1e-9)


@pytest.mark.filterwarnings("error")
def test_cosine_similarity_of_zero_tokens_is_zero_without_a_warning(rng):
    X = rng.normal(size=(4, 3))
    X[2] = 0
    C = reference.cosine_similarity(X)
    assert (C[2] == 0).all() and (C[:, 2] == 0).all()
    np.testing.assert_allclose(np.diag(C), [1, 1, 0, 1])
    assert (reference.cosine_similarity(np.zeros((2, 3))) == 0).all()


@pytest.mark.filterwarnings("error")
def test_cosine_similarity_of_tokens_without_features_is_zero_because_an_empty_sum_is():
    np.testing.assert_array_equal(reference.cosine_similarity(np.zeros((2, 0))), np.zeros((2, 2)))


def test_project_is_torchs_linear_with_transposed_weights_because_linear_stores_them_as_out_by_in(rng):
    X, weights = rng.normal(size=(2, 4, 3)), [rng.normal(size=(3, out)) for out in (2, 2, 5)]
    for result, W in zip(reference.project(X, *weights), weights):
        np.testing.assert_allclose(result, F.linear(tensor(X), tensor(W).T).numpy(), rtol=1e-12)


def test_project_takes_one_token_without_a_sequence_axis(rng):
    x, W = rng.normal(size=3), rng.normal(size=(3, 2))
    np.testing.assert_allclose(reference.project(x, W, W, W)[0], tensor(x) @ tensor(W))


def test_scores_for_query_is_torchs_mv(rng):
    q, K = rng.normal(size=3), rng.normal(size=(5, 3))
    np.testing.assert_allclose(reference.scores_for_query(q, K), torch.mv(tensor(K), tensor(q)).numpy(), rtol=1e-12)


@pytest.mark.parametrize(
    ("batch", "n_q", "n_k", "d"), [((), 2, 4, 3), ((), 3, 3, 3), ((2,), 3, 4, 5), ((2, 3), 2, 4, 5)]
)
def test_attention_scores_are_torchs_einsum(rng, batch, n_q, n_k, d):
    Q, K = rng.normal(size=(*batch, n_q, d)), rng.normal(size=(*batch, n_k, d))
    np.testing.assert_allclose(
        reference.attention_scores(Q, K), torch.einsum("...qd,...kd->...qk", tensor(Q), tensor(K)).numpy(), rtol=1e-12
    )


def test_attention_scores_are_what_torchs_attention_scales_and_softmaxes(rng):
    Q, K = rng.normal(size=(2, 3, 4)), rng.normal(size=(2, 5, 4))
    identity = torch.eye(5, dtype=torch.float64).expand(2, 5, 5)  # with V = I the output of attention is its weights
    weights = F.scaled_dot_product_attention(tensor(Q), tensor(K), identity, scale=1.0)
    np.testing.assert_allclose(torch.softmax(tensor(reference.attention_scores(Q, K)), -1), weights, rtol=1e-9)


def test_attention_scores_of_one_query_are_scores_for_query(rng):
    Q, K = rng.normal(size=(2, 3)), rng.normal(size=(5, 3))
    for q, row in zip(Q, reference.attention_scores(Q, K)):
        np.testing.assert_allclose(row, reference.scores_for_query(q, K))


def test_attention_scores_of_a_token_do_not_depend_on_the_other_queries(rng):
    Q, K = rng.normal(size=(4, 3)), rng.normal(size=(5, 3))
    np.testing.assert_allclose(reference.attention_scores(Q[1:2], K)[0], reference.attention_scores(Q, K)[1])


def test_columns_are_the_transpose_of_rows(rng):
    Q, K = rng.normal(size=(3, 2)), rng.normal(size=(3, 4))
    expected = torch.einsum("dk,dq->kq", tensor(K), tensor(Q))
    np.testing.assert_allclose(reference.attention_scores_columns(Q, K), expected, rtol=1e-12)
    np.testing.assert_allclose(
        reference.attention_scores_columns(Q, K), reference.attention_scores(Q.T, K.T).T, rtol=1e-12
    )


def test_integers_are_computed_as_floats_so_that_small_integer_types_do_not_overflow():
    X = np.full((2, 3), 100, dtype=np.int8)
    assert reference.similarity_matrix(X).dtype == float
    assert (reference.similarity_matrix(X) == 30_000).all()
    assert (reference.attention_scores(X, X) == 30_000).all()
    assert (reference.attention_scores_columns(X, X) == 20_000).all()
    assert (reference.scores_for_query(X[0], X) == 30_000).all()


def test_float32_stays_float32_because_a_caller_who_chose_it_wants_it(rng):
    X = rng.normal(size=(4, 3)).astype("f4")
    for result in (reference.similarity_matrix(X), reference.cosine_similarity(X), reference.attention_scores(X, X)):
        assert result.dtype == np.float32


def test_inputs_are_left_as_they_are_and_shared_with_no_result(rng):
    X, W = rng.normal(size=(3, 3)), np.eye(3)
    before = X.copy()
    results = [
        reference.similarity_matrix(X),
        reference.cosine_similarity(X),
        *reference.project(X, W, W, W),
        reference.attention_scores(X, X),
    ]
    results += [reference.scores_for_query(X[0], X), reference.attention_scores_columns(X, X)]
    np.testing.assert_array_equal(X, before)
    assert not any(np.shares_memory(X, result) for result in results)


@pytest.mark.parametrize(
    ("call", "shapes"),
    [
        (lambda: reference.similarity_matrix(np.ones(3)), ["(3,)"]),
        (lambda: reference.cosine_similarity(np.ones(3)), ["(3,)"]),
        (
            lambda: reference.project(np.ones((4, 3)), np.ones((3, 2)), np.ones((5, 2)), np.ones((3, 2))),
            ["(4, 3)", "(5, 2)", "W_k"],
        ),
        (lambda: reference.scores_for_query(np.ones(3), np.ones((5, 4))), ["(3,)", "(5, 4)"]),
        (lambda: reference.scores_for_query(np.ones((1, 3)), np.ones((5, 3))), ["(1, 3)"]),
        (lambda: reference.attention_scores(np.ones((2, 3)), np.ones((4, 5))), ["(2, 3)", "(4, 5)"]),
        (lambda: reference.attention_scores(np.ones(3), np.ones((4, 3))), ["(3,)"]),
        (lambda: reference.attention_scores_columns(np.ones((3, 2)), np.ones((4, 2))), ["(3, 2)", "(4, 2)"]),
    ],
)
def test_errors_name_the_shapes(call, shapes):
    with pytest.raises(ValueError) as caught:
        call()
    for shape in shapes:
        assert shape in str(caught.value)
