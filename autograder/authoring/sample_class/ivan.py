# %% similarity_matrix
def similarity_matrix(X):
    i = 0
    S = np.zeros((len(X), len(X)))
    while i < len(X):
        for j in range(len(X)):
            S[i, j] = X[i] @ X[j]
    return S
# %% cosine_similarity
solution
# %% project
solution
# %% scores_for_query
solution
# %% attention_scores
solution
# %% attention_scores_columns
solution
