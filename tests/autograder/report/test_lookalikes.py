"""Look-alike answers: what agrees after renaming is found, what everybody writes is not."""

import re

import numpy as np
import pytest

from autograder.report.lookalikes import FEWEST_TOKENS, find, tokens

PLAIN = """
def cosine_similarity(X):
    length = np.sqrt((X * X).sum(axis=-1, keepdims=True))
    length[length == 0] = 1
    unit = X / length
    return unit @ np.swapaxes(unit, -1, -2)
"""
DISGUISED = '''
def cosine_similarity(tokens: np.ndarray) -> np.ndarray:
    """My own work."""
    # every token by its length
    norm = np.sqrt((tokens * tokens).sum(axis=-1, keepdims=True))
    norm[norm == 0] = 1   # no division by zero
    normed: np.ndarray = tokens / norm
    return normed @ np.swapaxes(normed, -1, -2)
'''


def test_names_comments_docstrings_and_annotations_change_nothing():
    assert tokens(PLAIN) == tokens(DISGUISED)
    assert len(tokens(PLAIN)) > FEWEST_TOKENS


@pytest.mark.parametrize(
    "old, new",
    [
        ("X * X", "X + X"),
        ("axis=-1", "axis=-2"),
        ("np.sqrt", "np.exp"),
        ("return unit", "return X"),
        ("keepdims=True", "keepdims=False"),
        (".sum", ".mean"),
    ],
)
def test_what_is_computed_does(old, new):
    assert tokens(PLAIN.replace(old, new)) != tokens(PLAIN)


def test_attributes_that_an_answer_sets_are_names_of_its_own():
    module = (
        "class A:\n    def __init__(self):\n        self.W_q = make(1)\n"
        "    def forward(self, x):\n        return x @ self.W_q.T"
    )
    assert tokens(module) == tokens(module.replace("W_q", "first"))
    assert tokens(module) != tokens(module.replace(".T", ".H"))


@pytest.mark.parametrize(
    "code",
    ["def f(:", "x = '\0'", "(" * 5000, "-" * 15_000 + "1", "x = 1\n" * 10_000, "\ud800"],
    ids=["syntax", "null", "brackets", "signs", "long", "surrogate"],
)
def test_what_is_no_answer_has_no_tokens(code):
    assert tokens(code) == []


STEPS = [
    ["a = X.sum(-1)", "a = np.sum(X, axis=-1)", "a = (X * 1).sum(axis=1)", "a = np.einsum('ij->i', X)"],
    ["b = a[:, None]", "b = np.expand_dims(a, 1)", "b = a.reshape(-1, 1)", "b = np.atleast_2d(a).T"],
    ["c = X - b", "c = np.subtract(X, b)", "c = -(b - X)", "c = X + (-1) * b"],
    ["d = c ** 2", "d = c * c", "d = np.square(c)", "d = np.power(c, 2)"],
    ["e = d.mean()", "e = np.mean(d)", "e = d.sum() / d.size", "e = np.average(d)"],
    ["f = np.sqrt(e + 1)", "f = (e + 1) ** 0.5", "f = np.power(1 + e, 0.5)", "f = np.exp(0.5 * np.log(1 + e))"],
]


def honest(rng):
    """An answer made of steps that many write in the same way."""
    return "\n".join(["def foo(X):", *(f"    {rng.choice(step)}" for step in STEPS), "    return c / f"])


def own_idea(rng):
    """Lines that nobody else has."""
    return "".join(
        f"    c = c[{i}:] {rng.choice(list('+-*/'))} {rng.integers(10**6)}\n" for i in rng.integers(100, size=4)
    )


def test_finds_exactly_the_planted_pairs_among_three_hundred():
    rng = np.random.default_rng(0)
    answers = {f"s{i:03d}": {"foo": honest(rng), "bar": "def bar(x):\n    return x + 1"} for i in range(300)}
    solution = honest(rng).replace("    return", own_idea(rng) + "    return")
    planted = set()
    for i in range(0, 10, 2):
        code = honest(rng).replace("    return", own_idea(rng) + "    return")
        answers[f"s{i:03d}"]["foo"] = code
        answers[f"s{i + 1:03d}"]["foo"] = "# mine\n" + re.sub(r"\bc\b", "mine", code).replace("foo(X)", "foo(X: list)")
        planted.add((f"s{i:03d}", f"s{i + 1:03d}"))
    for student in ("s100", "s101"):
        answers[student]["foo"] = solution
    pairs = find("u", answers, {"foo": [solution]})
    assert {(pair.first, pair.second) for pair in pairs} == planted
    assert all(pair.shared[0].agreement == 1 and [one.exercise for one in pair.shared] == ["foo"] for pair in pairs)


def test_the_rarer_weighs_more():
    rng = np.random.default_rng(1)
    answers = {f"s{i:02d}": {"foo": honest(rng)} for i in range(60)}
    two, five = (honest(rng).replace("    return", own_idea(rng) + "    return") for _ in range(2))
    for student in ("s00", "s01"):
        answers[student]["foo"] = two
    for student in ("s10", "s11", "s12", "s13", "s14"):
        answers[student]["foo"] = five
    pairs = find("u", answers, {})
    assert len(pairs) == 1 + 10
    assert (pairs[0].first, pairs[0].second) == ("s00", "s01")


def test_what_the_whole_class_wrote_tells_nothing():
    assert find("u", {f"s{i}": {"foo": PLAIN} for i in range(40)}, {}) == []


def test_a_class_of_one_or_none_has_no_pairs():
    assert find("u", {}, {}) == find("u", {"a": {"foo": PLAIN}}, {}) == []
