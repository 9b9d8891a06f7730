"""Wrong answers to unit 1 as learners type them: exercise → name of the mistake → text of the answer cell.

The first ones of each exercise are the frequent ones.
"""

WRONG = {
    "similarity_matrix": {
        "forgot the transpose: X @ X": "def similarity_matrix(X):\n    return X @ X",
        "multiplied features with features: XᵀX": "def similarity_matrix(X):\n"
        "    # dot products of everything with everything\n    return np.swapaxes(X, -1, -2) @ X",
        "turned all axes around with .T": "def similarity_matrix(X):\n    return X @ X.T",
        "multiplied entry by entry instead of taking dot products": "def similarity_matrix(X):\n    return X * X",
        "returns nothing": "def similarity_matrix(X):\n    S = X @ np.swapaxes(X, -1, -2)\n    print(S)",
    },
    "cosine_similarity": {
        "divided by zero: a zero row gives NaN": (
            "def cosine_similarity(X):\n    norms = np.linalg.norm(X, axis=-1, "
            "keepdims=True)\n    unit = X / norms\n    return unit @ np.swapaxes(unit, -1, -2)"
        ),
        "did not divide by the lengths": "def cosine_similarity(X):\n    return X @ np.swapaxes(X, -1, -2)",
        "divided by one length only": (
            "def cosine_similarity(X):\n    S = X @ np.swapaxes(X, -1, -2)\n    norms = np.linalg.norm(X, axis=-1, "
            "keepdims=True)\n"
            "    norms[norms == 0] = 1\n    return S / norms"
        ),
        "returned distances, 1 − cosine": (
            "def cosine_similarity(X):\n    n = np.linalg.norm(X, axis=-1, "
            "keepdims=True)\n    u = X / np.where(n == 0, 1, n)\n    return 1 - u @ np.swapaxes(u, -1, -2)"
        ),
        "added a small number to the lengths": (
            "def cosine_similarity(X):\n    u = X / (np.linalg.norm(X, axis=-1, keepdims=True) "
            "+ 1e-6)\n    return u @ np.swapaxes(u, -1, -2)"
        ),
    },
    "project": {
        "transposed the weights: X @ W.T": "def project(X, W_q, W_k, W_v):\n    return X @ W_q.T, X @ W_k.T, X @ W_v.T",
        "used W_k for the values as well": "def project(X, W_q, W_k, W_v):\n"
        "    Q = X @ W_q\n    K = X @ W_k\n    V = X @ W_k\n    return Q, K, V",
        "returned queries, keys and values in another order: K, Q, V": "def project(X, W_q, W_k, W_v):\n"
        "    return X @ W_k, X @ W_q, X @ W_v",
        "put the weights on the left: W @ X": "def project(X, W_q, W_k, W_v):\n    return W_q @ X, W_k @ X, W_v @ X",
    },
    "scores_for_query": {
        "multiplied q with the columns of K: q @ K": "def scores_for_query(q, K):\n    return q @ K",
        "kept the products without adding them up": "def scores_for_query(q, K):\n    return K * q",
        "scaled the scores by √d_k": "def scores_for_query(q, K):\n"
        "    d_k = q.shape[0]\n    return K @ q / np.sqrt(d_k)",
        "returns a list, not an array": "def scores_for_query(q, K):\n    return [np.dot(q, k) for k in K]",
    },
    "attention_scores": {
        "forgot the transpose: Q @ K": "def attention_scores(Q, K):\n    return Q @ K",
        "keys ask and queries answer: K @ Qᵀ": "def attention_scores(Q, K):\n    return K @ np.swapaxes(Q, -1, -2)",
        "turned all axes around with .T": "def attention_scores(Q, K):\n    return Q @ K.T",
        "scaled the scores by √d_k": "def attention_scores(Q, K):\n"
        "    return Q @ np.swapaxes(K, -1, -2) / np.sqrt(Q.shape[-1])",
        "took the softmax already": (
            "def attention_scores(Q, K):\n    S = Q @ np.swapaxes(K, -1, -2)\n    e = np.exp(S - S.max(axis=-1, "
            "keepdims=True))\n"
            "    return e / e.sum(axis=-1, keepdims=True)"
        ),
    },
    "attention_scores_columns": {
        "used the rule for rows: Q @ Kᵀ": "def attention_scores_columns(Q, K):\n    return Q @ K.T",
        "returned (n_q, n_k): Qᵀ K": "def attention_scores_columns(Q, K):\n    return Q.T @ K",
        "used the rule for rows the other way round: K @ Qᵀ": "def attention_scores_columns(Q, K):\n    return K @ Q.T",
        "scaled the scores by √d": "def attention_scores_columns(Q, K):\n    return K.T @ Q / np.sqrt(len(Q))",
    },
}
