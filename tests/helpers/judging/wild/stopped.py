"""Answers that never ran to their end, and answers on broken pieces of the learner's own."""

from . import Wild

SOFTMAX = """
        def softmax(x, axis=-1):
            {}
"""
ATTENTION = """
        def scaled_dot_product_attention(Q, K, V):
            if Q.shape[-1] != K.shape[-1] or K.shape[-2] != V.shape[-2]:
                raise ValueError("shapes")
            weights = softmax(Q @ np.swapaxes(K, -1, -2) / np.sqrt(Q.shape[-1]))
            return weights @ V, weights
"""
LOCAL = """
        def local_attention(Q, K, V, window):
            if window < 0 or Q.shape[-1] != K.shape[-1] or K.shape[-2] != V.shape[-2]:
                raise ValueError("window")
            scores = Q @ np.swapaxes(K, -1, -2) / np.sqrt(Q.shape[-1])
            i, j = np.arange(Q.shape[-2])[:, None], np.arange(K.shape[-2])[None, :]
            weights = softmax(np.where(np.abs(i - j) <= window, scores, -np.inf))
            return weights @ V, weights
"""
STUB = "raise NotImplementedError  # your answer goes here"
NAIVE = "e = np.exp(x); return e / e.sum(axis=axis, keepdims=True)"
NAN = "e = np.exp(x - x.max(axis=axis, keepdims=True)); return e / e.sum(axis=axis, keepdims=True)"
LAYER = """
        class FeedForward(nn.Module):
            def __init__(self, d_model, d_ff):
                super().__init__()
                self.linear_1 = nn.Linear(d_model, d_ff)
                self.linear_2 = nn.Linear(d_ff, d_model)
"""

NEVER_ANSWERED = [
    Wild(
        "similarity_matrix",
        """
        def similarity_matrix(X):
            raise NotImplementedError  # your answer goes here
            return X @ X.T
        """,
        "is left in the code",
        line="raise NotImplementedError",
    ),
    Wild(
        "similarity_matrix",
        """
        def similarity_matrix(X):
            S = X @ X.T
            raise NotImplementedError  # your answer goes here
        """,
        "is left in the code",
        line="raise NotImplementedError",
    ),
    Wild(
        "FeedForward",
        LAYER
        + """
            def foward(self, x):
                return self.linear_2(torch.relu(self.linear_1(x)))
        """,
        "the method is called `foward`, not `forward`",
    ),
    Wild(
        "FeedForward",
        LAYER
        + """
                def forward(self, x):
                    return self.linear_2(torch.relu(self.linear_1(x)))
        """,
        "`forward` is indented into `__init__`",
        line="line 12",
    ),
    Wild(
        "FeedForward",
        LAYER
        + """
            def forward(self, x):
                raise NotImplementedError  # your answer goes here
        """,
        "`forward` is not written yet",
        line="raise NotImplementedError",
    ),
    Wild(
        "Encoder",
        """
        class Encoder(nn.Module):
            def __init__(self, n_layers, d_model, n_heads, d_ff, norm_first=False):
                super().__init__()
                self.layers = nn.ModuleList([EncoderLayer(d_model, n_heads, d_ff, norm_first) for _ in range(n_layers)])
                self.norm = LayerNorm(d_model) if norm_first else None

            def forward(self, x, mask=None):
                x = self.layers(x, mask)
                return x if self.norm is None else self.norm(x)
        """,
        "calls a `ModuleList`",
        line="self.layers(x, mask)",
        reference=("EncoderLayer", "LayerNorm"),
    ),
    Wild(
        "scale_scores",
        """
        def scale_scores(scores, d_k):
            d_k = int(input("d_k? "))
            return scores / np.sqrt(d_k)
        """,
        "asks with `input()`",
        line='int(input("d_k? "))',
    ),
    Wild(
        "scaled_dot_product_attention",
        ATTENTION,
        "uses `softmax`, which is not there",
        line="softmax(Q @",
    ),
    Wild(
        "similarity_matrix",
        """
        def similarity_matrix(X):
            return print(X @ X.T)
        """,
        "returns what `print` returns",
        ("without `return`",),
        line="print(X @ X.T)",
    ),
    Wild(
        "similarity_matrix",
        """
        def similarity_matrix(X):
            S = X @ X.T
        """,
        "returns nothing",
    ),
]

SOMEBODY_ELSE = [
    Wild(exercise, SOFTMAX.format(body) + code, says, ("call it, or take off", "softmax you wrote"))
    for exercise, code in (("scaled_dot_product_attention", ATTENTION), ("local_attention", LOCAL))
    for body, says in (
        (STUB, "calls `softmax`, which is not answered yet"),
        (NAIVE, "your code calls `softmax`, whose check does not pass yet"),
        (NAN, "your code calls `softmax`, whose check does not pass yet"),
    )
    if (exercise, body) != ("scaled_dot_product_attention", NAN)
]
