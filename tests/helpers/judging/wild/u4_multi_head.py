"""Wrong answers to unit 4, and what is said of them."""

from . import Wild

_LAYER = """
class MultiHeadAttention(nn.Module):
    def __init__(self, d_model, n_heads, bias=True):
        super().__init__()
        if n_heads < 1 or d_model % n_heads:
            raise ValueError
        self.h, self.d_k = n_heads, d_model // n_heads
        self.W_q, self.W_k, self.W_v, self.W_o = (nn.Linear(d_model, d_model, bias=bias) for _ in range(4))

    def split(self, x):
        return x.unflatten(-1, (self.h, self.d_k)).transpose(-2, -3)

    def forward(self, query, key, value, mask=None):
        q, k, v = self.split(self.W_q(query)), self.split(self.W_k(key)), self.split(self.W_v(value))
        scores = q @ k.transpose(-1, -2) / math.sqrt(self.d_k)
        if mask is None:
            mask = torch.ones_like(scores, dtype=torch.bool)
        {weights}
        return self.W_o((weights @ v).transpose(-2, -3).flatten(-2)), weights
"""
_ZEROED = "weights = torch.softmax(scores.masked_fill(~mask, {fill}), dim=-1).masked_fill(~mask, 0.0)"
_NO_MAXIMUM = "took exp without subtracting the maximum"


def _layer(weights: str, says: str, never: tuple[str, ...] = ()) -> Wild:
    return Wild("MultiHeadAttention", _LAYER.replace("{weights}", weights), says, never)


def _count(count: str, says: str) -> Wild:
    return Wild(
        "count_parameters",
        f"""
        def count_parameters(d_model, n_heads, bias):
            d_k = d_model // n_heads
            return {count}
        """,
        says,
        ("shape[0]",),
    )


def _converted(lines: str, says: str) -> Wild:
    return Wild(
        "convert_torch_weights",
        f"""
        def convert_torch_weights(state):
            q, k, v = state["in_proj_weight"].chunk(3)
            new = {{"W_q.weight": q, "W_k.weight": k, "W_v.weight": v, "W_o.weight": state["out_proj.weight"]}}
            if "in_proj_bias" in state:
                q, k, v = state["in_proj_bias"].chunk(3)
                new |= {{"W_q.bias": q, "W_k.bias": k, "W_v.bias": v, "W_o.bias": state["out_proj.bias"]}}
            {lines}
            return new
        """,
        says,
    )


def _heads(lines: str, says: str) -> Wild:
    return Wild(
        "multi_head_attention",
        f"""
        def multi_head_attention(X, W_q, W_k, W_v, W_o, n_heads):
            if n_heads < 1 or X.shape[-1] % n_heads:
                raise ValueError
            w = X.shape[-1] // n_heads
            outputs, maps = [], []
            for i in range(n_heads):
                c = slice(i * w, (i + 1) * w)
                {lines}
                maps.append(m)
            return np.concatenate(outputs, axis=-1) @ W_o, np.stack(maps, axis=-3)
        """,
        says,
        reference=("scaled_dot_product_attention",),
    )


NAMED = [
    *(
        _layer(_ZEROED.replace("{fill}", fill), f"filled hidden scores with {told}, and set their", (_NO_MAXIMUM,))
        for fill, told in (
            ("-20.0", "-20"),
            ("-50.0", "a number that a real score can lie below"),
            ("-100.0", "a number that a real score can lie below"),
            ("-1000.0", "a number that a real score can lie below"),
            ("-1e4", "-10000 or the like"),
        )
    ),
    _layer(
        "e = torch.exp(scores).masked_fill(~mask, 0.0); weights = torch.nan_to_num(e / e.sum(-1, keepdim=True))",
        _NO_MAXIMUM,
    ),
    _layer("weights = torch.softmax(scores * mask, dim=-1)", "multiplied the scores by the mask"),
    _layer(_ZEROED.replace("{fill}", "-1e30").replace("dim=-1", "dim=1"), "took the softmax over the second axis"),
    _layer(
        "weights = torch.softmax(scores, dim=-1) * mask; weights = weights / weights.sum(-1, keepdim=True)",
        "divided by the rest, which may be 0",
    ),
    _layer(
        "v = self.W_v(value).unflatten(-1, (self.d_k, self.h)).movedim(-1, -3);"
        " q = self.W_q(query).unflatten(-1, (self.d_k, self.h)).movedim(-1, -3);"
        " k = self.W_k(key).unflatten(-1, (self.d_k, self.h)).movedim(-1, -3);"
        " scores = q @ k.transpose(-1, -2) / math.sqrt(self.d_k); " + _ZEROED.replace("{fill}", "-1e30"),
        "dealt the columns out to the heads like cards, and put them back as neighbours",
    ),
    _count("4 * (d_model * d_model + d_model) if bias else 4 * d_model", "counted one row of every matrix"),
    _count("8 * d_model if bias else 4 * d_model", "counted one row of every matrix"),
    _count("4 * n_heads * (d_k * d_k + bias * d_k)", "gave a head matrices from d_k to d_k"),
    _count("4 * d_model ** 2 + 4 * d_k * bias", "counted the biases of one head only"),
    _converted('state.pop("in_proj_weight")', "changed the state that it was given"),
    _converted(
        'if "in_proj_bias" in state: new["W_q.bias"], new["W_v.bias"] = v, q',
        "took the parts of in_proj_bias as v, k, q",
    ),
    _converted('new.pop("W_o.bias", None)', "left the bias of W_o out"),
    _converted(
        'new["W_q.weight"], new["W_k.weight"], new["W_v.weight"] = state["in_proj_weight"].chunk(3, dim=1)',
        "cut the columns, not the rows",
    ),
    _heads(
        "Y = X[..., c]; o, m = scaled_dot_product_attention(Y @ W_q[c], Y @ W_k[c], Y @ W_v[c]);"
        " outputs.append(o[..., c])",
        "took the rows of W_q, W_k and W_v for head i",
    ),
    Wild(
        "multi_head_attention",
        """
        def multi_head_attention(X, W_q, W_k, W_v, W_o, n_heads):
            if n_heads < 1 or X.shape[-1] % n_heads:
                raise ValueError
            w = X.shape[-1] // n_heads
            outputs, maps = [], []
            for i in range(n_heads):
                c = slice(i * w, (i + 1) * w)
                o, m = scaled_dot_product_attention(X @ W_q[:, c], X @ W_k[:, c], X @ W_v[:, c])
                outputs.append(o @ W_o[c, c])
                maps.append(m)
            return np.concatenate(outputs, axis=-1), np.stack(maps, axis=-3)
        """,
        "gave every head a block of W_o",
        reference=("scaled_dot_product_attention",),
    ),
    Wild(
        "multi_head_attention",
        """
        def multi_head_attention(X, W_q, W_k, W_v, W_o, n_heads):
            if n_heads < 1 or X.shape[-1] % n_heads:
                raise ValueError
            output, m = scaled_dot_product_attention(X @ W_q, X @ W_k, X @ W_v)
            return output @ W_o, np.stack([m] * n_heads, axis=-3)
        """,
        "one head of full width, its weights repeated",
        reference=("scaled_dot_product_attention",),
    ),
    Wild(
        "split_heads",
        """
        def split_heads(X, n_heads):
            d = X.shape[-1]
            if n_heads < 1 or d % n_heads:
                raise ValueError
            return np.swapaxes(X.reshape(*X.shape[:-1], n_heads, d // n_heads), -1, -3).copy()
        """,
        "exchanged the tokens with the columns, not with the heads",
        ("the reference's",),
    ),
    Wild(
        "split_heads",
        """
        def split_heads(X, n_heads):
            d = X.shape[-1]
            if d % n_heads:
                raise ValueError
            return np.swapaxes(X.reshape(*X.shape[:-1], n_heads, d // n_heads), -2, -3).copy()
        """,
        "did not check that n_heads is at least 1",
        ("assert",),
    ),
]
