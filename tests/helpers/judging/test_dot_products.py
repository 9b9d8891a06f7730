"""What is said of wrong answers to units 0 and 1 that were once named falsely, or not at all."""

import pytest

from helpers.judging import catalog, checkup

from .wild import Wild, answer_of

SIGNATURES = {
    "hello_attention": "",
    "similarity_matrix": "X",
    "cosine_similarity": "X",
    "project": "X, W_q, W_k, W_v",
    "scores_for_query": "q, K",
    "attention_scores": "Q, K",
    "attention_scores_columns": "Q, K",
}
UNIT = "n = np.linalg.norm(X, axis=-1, keepdims=True); Y = X / np.where(n == 0, 1, n); return "
LOOP = """S = np.zeros(X.shape[:-1] + X.shape[-2:-1])
    for i in range({ends}):
        for j in range({ends}):
            for d in range(X.shape[-1]):
                S[..., i, j] {sets} X[..., i, d] * X[..., j, d]
    return S"""

NAMED = [
    ("hello_attention", 'return "Attention"', "wrote the noun, with a capital letter"),
    ("similarity_matrix", "return X.T @ X", "multiplied features with features: X.T @ X"),
    (
        "similarity_matrix",
        LOOP.format(ends="X.shape[-2] - 1", sets="+="),
        "left out the last token: its row and its column are 0",
    ),
    (
        "similarity_matrix",
        LOOP.format(ends="1, X.shape[-2]", sets="+="),
        "left out the first token: its row and its column are 0",
    ),
    ("similarity_matrix", LOOP.format(ends="X.shape[-2]", sets="="), "kept the product of the last feature only"),
    (
        "cosine_similarity",
        "n = np.linalg.norm(X, axis=0); Y = X / np.where(n == 0, 1, n); return Y @ np.swapaxes(Y, -1, -2)",
        "took the lengths over the first axis, not over the features",
    ),
    (
        "cosine_similarity",
        "Y = X / np.linalg.norm(X, axis=0, keepdims=True); return Y @ np.swapaxes(Y, -1, -2)",
        "took the lengths over the first axis, and divided by zero",
    ),
    ("cosine_similarity", UNIT + "np.swapaxes(Y, -1, -2) @ Y", "multiplied features with features"),
    (
        "cosine_similarity",
        UNIT + "Y.T @ Y",
        "multiplied features with features, and turned all axes around with .T",
    ),
    (
        "cosine_similarity",
        "n = np.linalg.norm(X, axis=-1, keepdims=True); Y = X / np.maximum(n, 1); return Y @ np.swapaxes(Y, -1, -2)",
        "left tokens shorter than 1 as they are",
    ),
    ("project", "return X @ W_v, X @ W_q, X @ W_k", "returned queries, keys and values in another order: V, Q, K"),
    ("project", "return X @ W_q / np.sqrt(W_q.shape[-1]), X @ W_k, X @ W_v", "divided the queries by √d_k already"),
    (
        "project",
        "return tuple(np.split(X @ np.hstack([W_q, W_k, W_v]), 3, axis=-1))",
        "cut one product into three equal parts",
    ),
    ("scores_for_query", "return (K * q).mean(axis=-1)", "divided the scores by d_k"),
    ("scores_for_query", "return (K @ q)[::-1]", "returned the scores from the last key to the first"),
    (
        "attention_scores",
        "return K @ Q.T",
        "keys ask and queries answer, and all axes of Q are turned around with .T",
    ),
    (
        "attention_scores",
        "return np.matmul(K, Q.transpose())",
        "keys ask and queries answer, and all axes of Q are turned around with .T",
    ),
    ("attention_scores", "return K.dot(Q.T)", "keys ask and queries answer, by np.dot with .T"),
    ("attention_scores", "return K.T @ Q", "used the rule for tokens as columns: K.T @ Q"),
    ("attention_scores", "return K.swapaxes(-1, -2) @ Q", "used the rule for tokens as columns: Kᵀ Q"),
    ("attention_scores", "return np.tril(Q @ K.swapaxes(-1, -2))", "set the scores of later keys to 0"),
    ("attention_scores_columns", "return Q.T @ K.T", "put Q first and turned both: Qᵀ @ Kᵀ"),
    ("attention_scores_columns", "return (Q @ K.T).T", "used the rule for rows, and turned its result: (Q @ Kᵀ)ᵀ"),
    (
        "attention_scores_columns",
        """S = np.zeros((len(K), len(Q)))
    for i in range(len(Q)):
        for j in range(len(K)):
            S[j, i] = Q[i] @ K[j]
    return S""",
        "took the rows for tokens: Q[i] meets K[j]",
    ),
    ("attention_scores_columns", "return K.T @ Q / K.shape[0]", "divided the scores by d"),
]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("number", range(len(NAMED)), ids=lambda number: f"{number}-{NAMED[number][0]}")
def test_names_what_was_done(number: int) -> None:
    exercise, body, name = NAMED[number]
    wild = Wild(exercise, f"def {exercise}({SIGNATURES[exercise]}):\n    {body}\n", name)
    verdict, _ = checkup.check(catalog.find(exercise), answer_of(wild, number))
    assert verdict.status == "failed"
    assert verdict.diagnosis is not None, f"nothing is said: {verdict.finding}"
    assert verdict.diagnosis.name == name
