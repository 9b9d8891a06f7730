# %% similarity_matrix
solution
# %% cosine_similarity
solution
# %% project
def project(X, W_q, W_k, W_v):
    return X @ W_q, X @ W_k, X @ W_v
# %% scores_for_query
def scores_for_query(q, K):
    scores = []
    for key in K:
        scores.append(np.dot(key, q))
    return np.array(scores)
# %% attention_scores
def attention_scores(Q, K):
    return Q @ np.swapaxes(K, -1, -2) / np.sqrt(Q.shape[-1])
# %% attention_scores_columns
def attention_scores_columns(Q, K):
    return Q.T @ K
