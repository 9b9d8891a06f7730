# %% similarity_matrix
solution
# %% cosine_similarity
def cosine_similarity(X):
    length = np.linalg.norm(X, axis=-1, keepdims=True
    return X / length
# %% project
solution
# %% scores_for_query
solution
# %% attention_scores
solution
# %% attention_scores_columns
solution
