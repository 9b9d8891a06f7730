"""What unit 8 says of wrong answers that were once accepted, named falsely, or not named at all."""

import pytest

from helpers.judging import catalog, checkup

from .wild import Wild, answer_of, assert_named

WIDTH = """
    d = x.shape[-1]
    if d % 2: raise ValueError("odd")
"""
TURN = "e, o = x[..., ::2], x[..., 1::2]; c, s = a.cos(), a.sin()\nreturn torch.stack([{}, {}], -1).flatten(-2)"
RIGHT_TURN = TURN.format("e * c - o * s", "e * s + o * c")
SPEEDS = "base ** (-2 * torch.arange(d // 2) / d)"
HEADS = """
    h, g = Q.shape[-3], K.shape[-3]
    if h % g: raise ValueError("heads")
"""
SCORES = "s = Q @ K.mT / math.sqrt(Q.shape[-1])\n"
LOOP = """
    if block_size < 1: raise ValueError("block_size")
    Q = Q / math.sqrt(Q.shape[-1])
    m = Q.new_full((*Q.shape[:-1], 1), -math.inf); l = torch.zeros_like(m); o = Q.new_zeros((*Q.shape[:-1], V.shape[-1]))
    for a in {blocks}:
        k, v = K[..., a : a + {size}, :], V[..., a : a + {size}, :]
        s = Q @ k.mT; new = torch.maximum(m, s.amax(-1, keepdim=True)); f = torch.exp(m - new)
        p = torch.exp(s - {level}); l = f * l + p.sum(-1, keepdim=True); o = f * o + p @ v; m = new
    return o / l
"""  # noqa: E501
ALL_BLOCKS = "range(0, K.shape[-2], block_size)"
STEP = """
    {join}
    s = q @ K.mT / math.sqrt(q.shape[-1])
    return torch.softmax(s, -1) @ V, {kept}
"""
PAIRS = "(torch.cat([cache[i]{old}, x], -2) for i, x in enumerate((k, v)))"
JOIN = f"K, V = (k.clone(), v.clone()) if cache is None else {PAIRS}"


def body(exercise, arguments, lines, says, never=()):
    """A wrong answer of which only the lines of its body are told."""
    text = "\n".join(f"    {line}" for line in lines.splitlines())
    return Wild(exercise, f"def {exercise}({arguments}):\n{text}", says, never)


def dedented(lines):
    return "\n".join(line[4:] if line.startswith("    ") else line for line in lines.strip("\n").splitlines())


def norm(line, says):
    return body("rms_norm", "x, weight, eps=1e-6", line, says)


def rotary(lines, says, never=()):
    return body("apply_rotary", "x, positions, base=10000.0", f"{dedented(WIDTH)}\n{lines}", says, never)


def angles(line, says):
    return rotary(f"w = {SPEEDS}\na = {line}\n{RIGHT_TURN}", says)


def speeds(line, says, never=()):
    return rotary(f"w = {line}\na = positions[:, None] * w\n{RIGHT_TURN}", says, never)


def turned(first, second, says):
    return rotary(f"a = positions[:, None] * {SPEEDS}\n{TURN.format(first, second)}", says)


def grouped(lines, says, never=()):
    return body("grouped_query_attention", "Q, K, V, mask=None", f"{dedented(HEADS)}\n{lines}", says, never)


def cached(says, old="", kept="(K, V)", first="", never=()):
    lines = first + dedented(STEP.format(join=JOIN.format(old=old), kept=kept))
    return body("cached_attention_step", "q, k, v, cache", lines, says, never)


def online(says, blocks=ALL_BLOCKS, size="block_size", level="new", lines=None, never=()):
    text = lines or LOOP.format(blocks=blocks, size=size, level=level)
    return body("online_softmax_attention", "Q, K, V, block_size", dedented(text), says, never)


FINITE = "if mask is not None: s = s + torch.zeros(mask.shape).masked_fill(~mask, -math.inf)\n"
NO_NAN = "return torch.nan_to_num(torch.softmax(s, -1)) @ V"
HIDDEN = "if mask is not None: s = s.masked_fill(~mask, -math.inf)\n"
KEPT = """
    if block_size < 1: raise ValueError("block_size")
    outs, levels = [], []
    for k, v in zip(K.split(block_size, -2), V.split(block_size, -2)):
        s = Q @ k.mT * Q.shape[-1] ** -0.5
        outs.append(s.softmax(-1) @ v); levels.append(s.logsumexp(-1))
    w = torch.stack(levels, -1).softmax(-1)
    return sum(w[..., i, None] * o for i, o in enumerate(outs))
"""
OF_QUERIES = """
    if block_size < 1: raise ValueError("block_size")
    return torch.cat([torch.softmax(q @ K.mT / Q.shape[-1] ** 0.5, -1) @ V for q in Q.split(block_size, -2)], -2)
"""

ANSWERS = [
    norm("return weight * x / (x.norm(dim=-1, keepdim=True) + eps)", "divided by the length"),
    norm("return weight * F.normalize(x, dim=-1, eps=eps)", "as `normalize` does"),
    norm("return weight * x / torch.sqrt(x.mean(-1, keepdim=True) ** 2 + eps)", "squared the mean"),
    norm("return weight * x / torch.sqrt(x.pow(2).mean(-1, keepdim=True)) + eps", "added eps to the result"),
    norm("return x / (weight * torch.sqrt((x * x).mean(-1, keepdim=True) + eps))", "divided by the weight"),
    norm("return (x / torch.sqrt((x * x).mean(-1, keepdim=True) + eps)) @ weight", "dot product"),
    norm("return weight * x * torch.rsqrt((x * x).mean((-1, -2), keepdim=True) + eps)", "all tokens of a sentence"),
    rotary("return x", "gave x back unturned", ("quotient", "twice")),
    angles("0 * positions[:, None] * w", "gave x back unturned"),
    angles("torch.cat([positions[:, None] * w[:1], positions[:, None] * 0 * w[1:]], -1)", "turned the first pair only"),
    angles("(positions - positions[0])[:, None] * w", "counted from the first"),
    angles("torch.deg2rad(positions[:, None] * w)", "for degrees"),
    angles("positions[:, None] / w", "divided the positions"),
    angles("positions[:, None] + w", "added the speeds"),
    speeds(
        "torch.tensor([base ** (-2 * i // d) for i in range(d // 2)])", "cut off by `//`", ("arange", "reference's")
    ),
    speeds("base ** (-2 * torch.arange(1, d // 2 + 1) / d)", "counted the pairs from 1"),
    speeds("base ** -torch.linspace(0, 1, d // 2)", "both ends included"),
    speeds("1 / (base * 2 * torch.arange(d // 2) / d)", "multiplied base by 2i/d"),
    turned("e * c", "o * c", "the cosine alone"),
    turned("e * c - e * s", "o * s + o * c", "mixed each entry with itself"),
    turned("e * c - o * s", "o * s + e * c", "mixed up e and o"),
    turned("e * c - o * s", "o * c - e * s", "before e sin a as well"),
    cached(
        "handed k or v itself back",
        first="if cache is None: return v, (k.clone(), v.clone())\n",
        never=("first cache",),
    ),
    cached("let the oldest token go", old="[..., 1:, :]"),
    cached("wrote the new token over", old="[..., :-1, :]"),
    cached("kept the query", kept="(K, V, q)"),
    grouped(
        f"K, V = (X.repeat_interleave(h // g, -3) for X in (K, V))\n{SCORES}{FINITE}{NO_NAN}", "the gradients are NaN"
    ),
    grouped(
        "pick = (torch.arange(h) // g).clamp(max=g - 1)\n"
        f"K, V = K[..., pick, :, :], V[..., pick, :, :]\n{SCORES}{HIDDEN}{NO_NAN}",
        "by h_kv",
    ),
    grouped(
        f"Q, K, V = Q.unflatten(-3, (g, h // g)), K.unsqueeze(-3), V.unsqueeze(-3)\n{SCORES}{HIDDEN}"
        "return (torch.nan_to_num(torch.softmax(s, -1)) @ V).flatten(-4, -3)",
        "against the groups",
    ),
    grouped(
        f"K, V = (X.repeat_interleave(h // g, -3) for X in (V, K))\n{SCORES}{HIDDEN}{NO_NAN}",
        "have changed places",
        ("masked_attention",),
    ),
    online("keeps a result of every block", lines=KEPT, never=("number of blocks",)),
    online("cut the queries into blocks", lines=OF_QUERIES),
    online("subtracted the -∞", level="m", never=("wrong way round",)),
    online("dropped the last block", blocks="range(0, K.shape[-2] - block_size + 1, block_size)"),
    online("measured the new block from its own maximum", level="s.amax(-1, keepdim=True)"),
    online("reach one key into the next", size="block_size + 1"),
]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("number", range(len(ANSWERS)), ids=lambda number: f"{number}-{ANSWERS[number].exercise}")
def test_says_what_is_true(number):
    assert_named(ANSWERS[number], number)


RIGHT = [
    grouped(f"K, V = (X.repeat_interleave(h // g, -3) for X in (K, V))\n{SCORES}{HIDDEN}{NO_NAN}", ""),
    cached("", first="if cache is None: return v.clone(), (k.clone(), v.clone())\n"),
    online(""),
]


@pytest.mark.parametrize("number", range(len(RIGHT)), ids=lambda number: RIGHT[number].exercise)
def test_what_is_right_beside_them_passes(number):
    wild = RIGHT[number]
    verdict, _ = checkup.check(catalog.find(wild.exercise), answer_of(wild, len(ANSWERS) + number))
    assert verdict.passed, verdict.finding
