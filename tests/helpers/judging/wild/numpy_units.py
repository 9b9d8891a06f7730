"""Wrong answers to units 1 to 4."""

from . import Wild

BATCH = "batch axes"

FALSE_ONCE = [
    Wild(
        "similarity_matrix",
        """
        def similarity_matrix(X):
            return np.abs(X @ np.swapaxes(X, -1, -2))
        """,
        "negative results",
        (BATCH,),
    ),
    Wild(
        "similarity_matrix",
        """
        def similarity_matrix(X):
            return np.maximum(X @ np.swapaxes(X, -1, -2), 0)
        """,
        "negative results",
        (BATCH,),
    ),
    Wild(
        "attention_scores",
        """
        def attention_scores(Q, K):
            return Q @ np.eye(2) @ np.swapaxes(K, -1, -2)
        """,
        "the shapes of a product do not fit",
        ("forgot the transpose",),
    ),
    Wild(
        "attention_scores",
        """
        W = np.random.default_rng(0).normal(size=(5, 5))

        def attention_scores(Q, K):
            return (Q @ W) @ np.swapaxes(K @ W, -1, -2)
        """,
        None,
        ("forgot the transpose",),
    ),
    Wild(
        "attention_scores",
        """
        def attention_scores(Q, K):
            S = np.zeros((len(Q), len(K)))
            for i in range(len(K)):
                for j in range(len(Q)):
                    S[j, i] = Q[j] @ K[i].T
            return S
        """,
        None,
        ("forgot the transpose",),
    ),
    Wild(
        "scaled_dot_product_attention",
        """
        def softmax(x, axis=-1):
            e = np.exp(x - x.max(axis=axis, keepdims=True))
            return e / e.sum(axis=axis, keepdims=True)

        def scaled_dot_product_attention(Q, K, V):
            w = softmax(Q @ K.T / np.sqrt(Q.shape[-1]))
            return w @ V.T, w
        """,
        None,
        ("swapped keys and values",),
    ),
    Wild(
        "scaled_dot_product_attention",
        """
        def softmax(x, axis=-1):
            e = np.exp(x - x.max(axis=axis, keepdims=True))
            return e / e.sum(axis=axis, keepdims=True)

        def scaled_dot_product_attention(Q, K, V):
            w = softmax(Q @ K.T / np.sqrt(Q.shape[-1]))
            return w.T @ V, w
        """,
        None,
        ("let the keys ask",),
    ),
    Wild(
        "scaled_dot_product_attention",
        """
        def softmax(x, axis=-1):
            e = np.exp(x - x.max(axis=axis, keepdims=True))
            return e / e.sum(axis=axis, keepdims=True)

        def scaled_dot_product_attention(Q, K, V):
            w = softmax(np.swapaxes(Q, 0, 1) @ K / np.sqrt(Q.shape[-1]))
            return w @ V, w
        """,
        None,
        ("let the keys ask",),
    ),
    Wild(
        "scaled_dot_product_attention",
        """
        def softmax(x, axis=-1):
            e = np.exp(x - x.max(axis=axis, keepdims=True))
            return e / e.sum(axis=axis, keepdims=True)

        def scaled_dot_product_attention(Q, K, V):
            scores = Q @ np.swapaxes(K, -1, -2) / np.sqrt(Q.shape[-1])
            w = softmax(scores)
            return np.swapaxes(w, -1, -2) @ V, w
        """,
        None,
        ("let the keys ask",),
    ),
    Wild(
        "weighted_sum",
        """
        def weighted_sum(weights, V):
            return weights @ np.eye(2) @ V
        """,
        None,
        ("transposed the values",),
    ),
    Wild(
        "project",
        """
        def project(X, W_q, W_k, W_v):
            Q = X @ W_q
            K = X @ W_k
            V = K @ W_v
            return Q, K, V
        """,
        None,
        ("projected the keys from the queries",),
    ),
    Wild(
        "score_variance",
        """
        def score_variance(d_k, n_pairs, seed):
            rng = np.random.default_rng(seed)
            q = rng.normal(size=(n_pairs, d_k))
            k = rng.normal(size=(n_pairs, d_k))
            return float((q * k).mean(axis=-1).var())
        """,
        None,
        ("one unit long",),
    ),
    Wild(
        "score_variance",
        """
        rng = np.random.default_rng(0)

        def score_variance(d_k, n_pairs, seed):
            q = rng.normal(size=(n_pairs, d_k))
            k = rng.normal(size=(n_pairs, d_k))
            return float((q * k).sum(axis=-1).var())
        """,
        "the same seed gives another output each time",
        ("left the seed out",),
    ),
    Wild(
        "softmax",
        """
        def softmax(x, axis=-1):
            x = np.asarray(x, dtype=float)
            m = x.max(axis=axis, keepdims=True)
            m = np.where(np.isfinite(m), m, 0)
            return np.exp(x - m)
        """,
        None,
        ("divided by the largest",),
    ),
    Wild(
        "encoding_by_hand",
        """
        def encoding_by_hand():
            d = 4
            out = []
            for i in range(2):
                w = 10000.0 ** (-2 * i // 4)
                out += [np.sin(2 * w), np.cos(2 * w)]
            return np.array(out)
        """,
        None,
        ("took the column for i",),
    ),
    Wild(
        "frequencies",
        """
        def frequencies(d_model):
            if d_model % 2:
                raise ValueError("odd")
            return 0.01 ** np.arange(d_model // 2)
        """,
        None,
        ("doubled twice",),
    ),
    Wild(
        "add_positions",
        """
        def add_positions(X, P):
            if X.shape[-1] != P.shape[-1]:
                raise ValueError("width")
            n, d = X.shape[-2:]
            return np.sqrt(d) * X + P[np.arange(n) % len(P)]
        """,
        None,
        ("cut the sentence",),
    ),
    Wild(
        "add_positions",
        """
        def add_positions(X, P):
            if X.shape[-1] != P.shape[-1] or X.shape[-2] > len(P):
                raise ValueError("shapes")
            return np.sqrt(len(P)) * X + P[: X.shape[-2]]
        """,
        None,
        ("took √n.",),
    ),
    Wild(
        "merge_heads",
        """
        def merge_heads(H):
            X = H.swapaxes(-1, -3)
            return X.reshape(*X.shape[:-2], -1).copy()
        """,
        None,
        ("turned around with .T",),
    ),
    Wild(
        "permutation_gap",
        """
        def permutation_gap(X, P, order):
            return 0.0, 0.0
        """,
        "gives 0 whatever the input is",
        ("shuffled the positions",),
    ),
    Wild(
        "permutation_gap",
        """
        def permutation_gap(X, P, order):
            attend = lambda Z: scaled_dot_product_attention(Z, Z, Z)[0]
            without = np.abs(attend(X[order]) - attend(X)[order]).max()
            Z = X + P
            return without, np.abs(attend(Z[order]) - attend(Z)[order]).max()
        """,
        None,
        ("does not depend on the input",),
        reference=("scaled_dot_product_attention",),
    ),
    Wild(
        "score_variance",
        """
        def score_variance(d_k, n_pairs, seed):
            q = np.random.default_rng(seed).normal(size=(n_pairs, d_k))
            return float(np.var((q * q).sum(axis=1)))
        """,
        "q and k are the same",
        ("from the same seed, so",),
    ),
    Wild(
        "split_heads",
        """
        def split_heads(X, n_heads):
            n, d = X.shape[-2:]
            width = -(-d // n_heads)
            padded = np.zeros((*X.shape[:-1], width * n_heads))
            padded[..., :d] = X
            return np.swapaxes(padded.reshape(*X.shape[:-1], n_heads, width), -2, -3).copy()
        """,
        None,
        ("left columns over", "columns over"),
    ),
    Wild(
        "count_parameters",
        """
        def count_parameters(d_model, n_heads, bias):
            if n_heads < 1 or d_model % n_heads:
                raise ValueError("heads")
            d = d_model // n_heads
            return 4 * n_heads * d * d + (4 * d_model if bias else 0)
        """,
        None,
        ("counted one head only",),
    ),
    Wild(
        "multi_head_attention",
        """
        def multi_head_attention(X, W_q, W_k, W_v, W_o, n_heads):
            Q, K, V = (split_heads(X @ W, n_heads) for W in (W_q, W_k, W_v))
            scores = Q @ np.swapaxes(K, -1, -2)
            w = softmax(scores)
            return merge_heads(w @ V) @ W_o, w
        """,
        "scale",
        (),
        reference=("split_heads", "merge_heads", "softmax"),
    ),
]
