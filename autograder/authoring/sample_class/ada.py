# %% similarity_matrix
def similarity_matrix(X):
    return np.einsum("...id,...jd->...ij", X, X)
# %% cosine_similarity
def cosine_similarity(X):
    lengths = np.sqrt(np.sum(X * X, axis=-1, keepdims=True))
    safe = np.where(lengths > 0, lengths, 1.0)
    directions = X / safe
    return directions @ np.swapaxes(directions, -2, -1)
# %% project
def project(X, W_q, W_k, W_v):
    return tuple(X @ W for W in (W_q, W_k, W_v))
# %% scores_for_query
def scores_for_query(q, K):
    return np.array([sum(a * b for a, b in zip(q, key, strict=True)) for key in K], dtype=float)
# %% attention_scores
def attention_scores(Q, K):
    return np.matmul(Q, K.swapaxes(-1, -2))
# %% attention_scores_columns
def attention_scores_columns(Q, K):
    return K.T @ Q
# %% why_two_projections
With one projection the scores would be symmetric: "eat" would ask "burger" exactly as much as "burger" asks "eat".
Two projections let a word look for something else than what it offers, so attention can go one way only.
