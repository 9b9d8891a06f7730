"""Wrong answers of newcomers who worked through the units, for what all exercises have in common."""

from . import Wild

NAMED = [
    # A condition of one's own, with its `raise` on the same line.
    Wild(
        "add_positions",
        """
        def add_positions(X, P):
            if X.shape != P.shape: raise ValueError("shapes")
            return np.sqrt(X.shape[-1]) * X + P
        """,
        "refuses arguments that are in order",
        never=("hands a function",),
    ),
    # Only the first row was filled, and it holds 0 and 1.
    Wild(
        "sinusoidal_encoding",
        """
        def sinusoidal_encoding(n_positions, d_model):
            PE = np.zeros((n_positions, d_model))
            w = 10000.0 ** (-np.arange(0, d_model, 2) / d_model)
            for t in range(n_positions):
                PE[t, 0::2], PE[t, 1::2] = np.sin(t * w), np.cos(t * w)
                return PE
        """,
        never=("cut off to whole numbers",),
    ),
    # An array of whole numbers was filled, and keeps nothing of sines and cosines.
    Wild(
        "shift_matrix",
        """
        def shift_matrix(offset, d_model):
            if d_model % 2: raise ValueError("odd")
            M = np.eye(d_model, dtype=int) * 0
            for i in range(0, d_model, 2):
                a = offset * 10000.0 ** (-i / d_model)
                M[i:i + 2, i:i + 2] = [[np.cos(a), np.sin(a)], [-np.sin(a), np.cos(a)]]
            return M
        """,
        never=("every entry is 0",),
    ),
    # A finite step is off everywhere, not where results are negative.
    Wild(
        "softmax_jacobian",
        """
        def softmax_jacobian(p):
            x, step = np.log(p), 1e-2
            n = len(p)
            J = np.zeros((n, n))
            for j in range(n):
                y = x.copy()
                y[j] += step
                e = np.exp(y)
                J[:, j] = (e / e.sum() - p) / step
            return J
        """,
        never=("all positive",),
    ),
    # Helpers that only the reference has are nobody's.
    Wild(
        "attention_scores",
        """
        def attention_scores(Q, K):
            if Q.shape[-1] != K.shape[-1]: raise ValueError("width")
            return K @ np.swapaxes(Q, -1, -2)
        """,
        never=("_as_float",),
    ),
    Wild(
        "count_parameters",
        """
        def count_parameters(d_model, n_heads, bias=True):
            if d_model % n_heads: raise ValueError("heads")
            return 4 * (d_model * d_model + d_model) if bias else 4 * d_model
        """,
        never=(".shape[0]", "every entry"),
    ),
    Wild(
        "LayerNorm",
        """
        class LayerNorm(nn.Module):
            def __init__(self, d_model, eps=1e-5):
                super().__init__()
                self.weight = nn.Parameter(torch.ones(d_model))
                self.bias = nn.Parameter(torch.zeros(d_model))
                self.eps = eps

            def forward(self, x):
                mean = x.mean(dim=-1, keepdim=True)
                var = x.var(axis=-1, keepdims=True, ddof=0)
                return (x - mean) / torch.sqrt(var + self.eps) * self.weight + self.bias
        """,
        "gives a function of torch an argument that it does not know: `ddof`",
    ),
    Wild(
        "FeedForward",
        """
        class FeedForward(nn.Module):
            def __init__(self, d_model, d_ff):
                super().__init__()
                self.linear_1 = nn.Linear(d_model, d_ff + 1)
                self.linear_2 = nn.Linear(d_ff + 1, d_model)

            def forward(self, x):
                return self.linear_2(torch.relu(self.linear_1(x)))
        """,
        "a parameter has another shape than the exercise's",
        never=("plain list",),
    ),
    # A tuple of one is no “1 results”.
    Wild(
        "hello_attention",
        """
        def hello_attention():
            return ("attend",)
        """,
        line="a tuple with one entry",
    ),
]
