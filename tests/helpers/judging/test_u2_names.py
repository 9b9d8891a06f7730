"""What unit 2 says of wrong answers that were once named falsely or not at all."""

import ast
from pathlib import Path

import pytest

from .wild import Wild, assert_named

PAIRS = """
        rng = np.random.default_rng(seed)
        q, k = rng.normal(size=(n_pairs, d_k)), rng.normal(size=(n_pairs, d_k))
"""


def body(exercise, arguments, lines, says, never=(), reference=()):
    """A wrong answer of which only the lines of its body are told."""
    text = "\n".join(f"    {line.strip()}" for line in lines.strip().splitlines())
    return Wild(exercise, f"def {exercise}({arguments}):\n{text}", says, never, reference=reference)


def softmax(lines, says, never=()):
    return body("softmax", "x, axis=-1", lines, says, never)


def variance(line, says, never=()):
    return body("score_variance", "d_k, n_pairs, seed", PAIRS + line, says, never)


def jacobian(lines, says, never=("positive",)):
    return body("softmax_jacobian", "p", lines, says, never)


def attention(lines, says, never=()):
    return body("scaled_dot_product_attention", "Q, K, V", lines, says, never, ("softmax",))


def additive(line, says, never=()):
    return body("additive_scores", "Q, K, W_q, W_k, v", f"q, k = Q @ W_q, K @ W_k\n{line}", says, never)


BATCH = "batch axes"
FORWARD = """
    x = np.log(p); n = p.shape[-1]; out = np.zeros((*p.shape, n))
    for j in range(n): y = x.copy(); y[..., j] += {step}; e = np.exp(y); out[..., :, j] = (e / e.sum(-1, keepdims=True) - p) / {step}
    return out
"""  # noqa: E501

ANSWERS = [
    softmax("e = np.exp(x - np.max(x)); return e / np.sum(e)", "shared out over the whole array", (BATCH,)),
    softmax(
        """
        e = np.exp(x - np.max(x, axis, keepdims=True))
        return e / e.sum()
        """,
        "one sum for the whole array",
        (BATCH,),
    ),
    softmax(
        """
        m = x.max(axis, keepdims=True)
        e = np.exp(x - np.where(m == -np.inf, 0, m))
        return e / e.sum()
        """,
        "one sum for the whole array",
        (BATCH,),
    ),
    softmax(
        """
        e = np.exp(x - x.min(axis=axis, keepdims=True))
        return e / e.sum(axis=axis, keepdims=True)
        """,
        "minimum instead of the maximum",
        ("Name each step",),
    ),
    softmax(
        """
        e = np.exp(x - x.mean(axis=axis, keepdims=True))
        return e / e.sum(axis=axis, keepdims=True)
        """,
        "mean instead of the maximum",
    ),
    softmax(
        """
        e = np.exp(x / x.max(axis=axis, keepdims=True))
        return e / e.sum(axis=axis, keepdims=True)
        """,
        "divided the scores by their maximum",
    ),
    softmax(
        """
        e = np.exp(x)
        e = e - e.max(axis=axis, keepdims=True)
        return e / e.sum(axis=axis, keepdims=True)
        """,
        "subtracted the maximum after exp",
    ),
    body("weighted_sum", "weights, V", "return V[weights.argmax(-1)]", "only the value with the largest weight"),
    variance("return float(np.var(q * k, axis=0).sum())", "added variances up", ("every query",)),
    variance("return float(d_k * np.var(q * k))", "added variances up", ("every query",)),
    variance("return float(np.var(q @ k.T))", "every query against every key"),
    variance("return float(np.var(q * k, axis=1).mean())", "variance within each pair, and the mean"),
    variance("return float(np.var(q * k, axis=1).sum())", "variance within each pair, and added"),
    variance("return float(np.var((q * k).mean(-1)))", "mean of the d_k products"),
    body(
        "score_variance",
        "d_k, n_pairs, seed",
        """
        rng = np.random.default_rng(seed)
        q, k = rng.normal(size=(d_k, n_pairs)), rng.normal(size=(d_k, n_pairs))
        return float(np.var((q * k).sum(axis=1)))
        """,
        "drew (d_k, n_pairs)",
    ),
    jacobian(FORWARD.format(step=1e-2), "with a step of 0.01"),
    jacobian(FORWARD.format(step=1e-3), "with a step of 0.001"),
    jacobian("return np.diag(p) - np.outer(p, p)", "know one row only"),
    jacobian("return p[..., None] * np.eye(p.shape[-1])", "diag(p) alone"),
    jacobian("return p[..., None] * (np.eye(p.shape[-1]) - p[..., None])", "took p_i twice"),
    jacobian(
        """
        eye = np.eye(p.shape[-1])
        return p[..., None] * eye - (p[..., :, None] * p[..., None, :]) * (1 - eye)
        """,
        "left p_i whole on the diagonal",
    ),
    jacobian("return p[..., None] * np.eye(p.shape[-1]) - (p * p).sum(-1)[..., None, None]", "one number p · p"),
    body("scale_scores", "scores, d_k", "return np.sqrt(scores / d_k)", "the whole quotient"),
    attention(
        """
        s = Q @ K.T / np.sqrt(Q.shape[-1])
        e = np.exp(s - s.max(axis=1, keepdims=True))
        w = e / e.sum(axis=0)
        return w @ V, w
        """,
        "sums over the queries",
        ("everything",),
    ),
    attention("w = softmax(Q @ K.T / Q.shape[-1] ** 1 / 2); return w @ V, w", "divides by d_k and then by 2"),
    attention("w = softmax(Q @ K.T / np.sqrt(2)); return w @ V, w", "a constant √2"),
    attention("w = softmax(Q @ K.T); return w / np.sqrt(Q.shape[-1]) @ V, w", "scaled the output"),
    body(
        "local_attention",
        "Q, K, V, window",
        """
        s = Q @ K.T / np.sqrt(Q.shape[-1])
        m = np.full(s.shape, -np.inf)
        for i in range(len(Q)): m[i, i - window : i + window + 1] = s[i, i - window : i + window + 1]
        w = softmax(m)
        return w @ V, w
        """,
        "a slice that starts below 0",
        reference=("softmax",),
    ),
    additive("return np.tanh(q[:, None, :] * k[None]) @ v", "multiplied", ("dot product",)),
    additive("return (np.tanh(q[:, None, :]) + k[None]) @ v", "tanh of the query alone"),
    additive("return np.tan(q[:, None, :] + k[None]) @ v", "tan instead of tanh"),
    additive("return np.tanh(q) @ np.tanh(k).T", "dot product of two tanhs"),
    additive("return (np.tanh(q[:, None, :] + k[None]) * v).mean(-1)", "took the mean of v times"),
]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("number", range(len(ANSWERS)), ids=lambda number: f"{number}-{ANSWERS[number].exercise}")
def test_says_what_is_true(number):
    assert_named(ANSWERS[number], number)


def test_the_first_demonstration_keeps_its_own_names():
    """It runs again after the whole notebook, with arrays that no later cell has overwritten."""
    source = (Path(__file__).parents[3] / "solutions/u2_softmax_scaling/u2_softmax_scaling.py").read_text("utf-8")
    tree = ast.parse(source)
    (block,) = [
        node
        for node in tree.body
        if isinstance(node, ast.With) and "'weighted_sum'" in ast.unparse(node.items[0].context_expr)
    ]
    stored = [node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)]
    own = {node.id for node in ast.walk(block) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    used = {node.id for node in ast.walk(block) if isinstance(node, ast.Name)} - own
    assert "values" in used
    assert not [name for name in used if stored.count(name) > 1]
