"""Answers to unit 5 that somebody who worked through it wrote: what is said of each is true, and is said."""

import textwrap

import pytest

from helpers.judging import catalog, checkup

from .wild import Wild, answer_of

NORM = """
    def layer_norm(x, gamma, beta, eps=1e-5):
        mean = x.mean(axis=-1, keepdims=True)
        var = {variance}
        return {result}
    """
VAR = "x.var(axis=-1, keepdims=True)"
SUM = """
    def add_and_norm(x, sublayer_output, gamma, beta, eps=1e-5):
        return {}
    """
MODULE = """
    class LayerNorm(nn.Module):
        def __init__(self, d_model, eps=1e-5):
            super().__init__()
            self.eps = {eps}
            self.weight, self.bias = {start}

        def forward(self, x):
            mean = x.mean(dim={dim}, keepdim=True)
            variance = x.var(dim={dim}, keepdim=True, unbiased=False)
            return self.weight * (x - mean) / torch.sqrt(variance + self.eps) + self.bias
    """
NETWORK = """
    class FeedForward(nn.Module):
        def __init__(self, d_model, d_ff):
            super().__init__()
            self.linear_1 = nn.Linear(d_model, 4 * d_model)
            self.linear_2 = nn.Linear(4 * d_model, d_model)

        def forward(self, x):
            return self.linear_2(torch.relu(self.linear_1(x)))
    """
LAYER = """
    class EncoderLayer(nn.Module):
        def __init__(self, d_model, n_heads, d_ff, norm_first={norm_first}):
            super().__init__()
            self.norm_first = norm_first
            self.self_attention = MultiHeadAttention(d_model, n_heads)
            self.feed_forward = FeedForward(d_model, {d_ff})
            self.norm_1 = LayerNorm(d_model)
            self.norm_2 = {norm_2}

        def forward(self, x, mask=None):
            if self.norm_first:
                normed = self.norm_1(x)
                {take} = self.self_attention(normed, normed, normed, mask)
                x = {pre_1}
                return {pre_2}
            {take} = self.self_attention(x, x, x, mask)
            x = {post_1}
            return {post_2}
    """
STACK = """
    class Encoder(nn.Module):
        def __init__(self, n_layers, d_model, n_heads, d_ff, norm_first=False):
            super().__init__()
            self.layers = nn.ModuleList([EncoderLayer({sizes}, d_ff, norm_first) for _ in range(n_layers)])
            self.norm = LayerNorm(d_model) if norm_first else None

        def forward(self, x, mask=None):
            for i, layer in enumerate(self.layers):
                x = {step}
            return x if self.norm is None else self.norm(x)
    """


def norm(says, result, variance=VAR):
    return Wild("layer_norm", NORM.format(variance=variance, result=result), says)


def added(says, result):
    return Wild("add_and_norm", SUM.format(result), says, reference=("layer_norm",))


def module(says, dim="-1", weight="torch.ones(d_model)", bias="torch.zeros(d_model)", eps="eps"):
    start = f"nn.Parameter({weight}), nn.Parameter({bias})"
    return Wild("LayerNorm", MODULE.format(dim=dim, start=start, eps=eps), says)


def layer(says, never=(), **parts):
    right = {
        "norm_first": "False",
        "d_ff": "d_ff",
        "norm_2": "LayerNorm(d_model)",
        "take": "y, _",
        "pre_1": "x + y",
        "pre_2": "x + self.feed_forward(self.norm_2(x))",
        "post_1": "self.norm_1(x + y)",
        "post_2": "self.norm_2(x + self.feed_forward(x))",
    }
    pieces = ("MultiHeadAttention", "FeedForward", "LayerNorm")
    return Wild("EncoderLayer", LAYER.format(**{**right, **parts}), says, never, reference=pieces)


def stack(says, never=(), step="layer(x, mask)", sizes="d_model, n_heads"):
    source = STACK.format(step=step, sizes=sizes)
    return Wild("Encoder", source, says, never, reference=("EncoderLayer", "LayerNorm"))


ANSWERS = [
    norm(
        "the mean of the plain squares",
        "gamma * (x - mean) / np.sqrt(var + eps) + beta",
        "(x**2).mean(axis=-1, keepdims=True)",
    ),
    norm("only the mean is divided", "gamma * x - mean / np.sqrt(var + eps) + beta"),
    norm("eps is not added", "gamma * (x - mean) / np.maximum(np.sqrt(var), eps) + beta"),
    norm("eps added to the result", "gamma * (x - mean) / np.sqrt(var) + eps + beta"),
    added("the norm is left out", "gamma * (x + sublayer_output) + beta"),
    added("normalised twice", "layer_norm(layer_norm(x, gamma, beta, eps) + sublayer_output, gamma, beta, eps)"),
    added("output once more", "sublayer_output + layer_norm(x + sublayer_output, gamma, beta, eps)"),
    added("added x once more", "x + layer_norm(x + sublayer_output, gamma, beta, eps)"),
    module("along axis 1", dim="1"),
    module("along the first axis", dim="0"),
    module("they changed places", weight="torch.zeros(d_model)", bias="torch.ones(d_model)"),
    module("shape (1, d_model)", weight="torch.ones(1, d_model)", bias="torch.zeros(1, d_model)"),
    module("eps is a trainable parameter", eps="nn.Parameter(torch.tensor(eps))"),
    Wild("FeedForward", NETWORK, "the inner width is 4"),
    layer("one norm with one set", norm_2="self.norm_1"),
    # Behaves as if the two were one object, and they are not: nothing may be said that holds of objects only.
    layer("one norm with one set", ("same object",), post_1="self.norm_2(x + y)"),
    layer("norm_first is True where", norm_first="True"),
    layer("the inner width is 4", d_ff="4 * d_model"),
    layer("the attention's weights", take="_, y"),
    layer("no residual around the attention", post_1="self.norm_1(y)", pre_1="y"),
    layer(
        "no residual around the feed-forward",
        post_2="self.norm_2(self.feed_forward(x))",
        pre_2="self.feed_forward(self.norm_2(x))",
    ),
    layer("only the attention's output is", post_1="x + self.norm_1(y)"),
    layer("only the feed-forward network's output is", post_2="x + self.norm_2(self.feed_forward(x))"),
    stack("only the last layer", step="layer(x, mask if i == len(self.layers) - 1 else None)"),
    stack(None, ("only the last", "only the first"), step="layer(x, mask if i else None)"),
    stack(None, ("only the last", "only the first"), step="layer(x, mask if i < len(self.layers) - 1 else None)"),
    stack("residual around every layer", step="x + layer(x, mask)"),
    stack("d_model and n_heads changed places", sizes="n_heads, d_model"),
]


@pytest.mark.parametrize("number", range(len(ANSWERS)), ids=lambda number: f"{number}-{ANSWERS[number].exercise}")
def test_is_called_by_what_is_true_of_it(number):
    wild = ANSWERS[number]
    # Names from records come before all that is tried, so no variant need be.
    verdict, _ = checkup.check(catalog.find(wild.exercise), answer_of(wild, number), trials=0)
    assert verdict.status == "failed", textwrap.dedent(wild.source)
    name = verdict.diagnosis.name if verdict.diagnosis is not None else ""
    assert wild.says is None or wild.says in name, f"it is called {name!r}: {verdict.finding}"
    for words in wild.never:
        assert words not in name
