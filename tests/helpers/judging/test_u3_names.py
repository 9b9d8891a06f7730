"""Wrong answers to unit 3 that were called something false, or nothing, when a newcomer gave them."""

import pytest

from helpers.judging import catalog, checkup

from .wild import Wild, answer_of

_ATTEND = "A = lambda Z: scaled_dot_product_attention(Z, Z, Z)[0]"
_WITHOUT = "np.abs(A(X[order]) - A(X)[order]).max()"


def _gap(second: str, first: str = _WITHOUT, before: str = _ATTEND) -> str:
    return f"def permutation_gap(X, P, order):\n    {before}\n    return {first}, {second}\n"


def _speeds(*lines: str) -> str:
    body = ["if d_model % 2:", "    raise ValueError('odd')", "i = np.arange(d_model // 2)", *lines]
    return "def frequencies(d_model):\n" + "".join(f"    {line}\n" for line in body)


def _table(*lines: str, made: str = "np.zeros((n_positions, d_model))") -> str:
    body = [
        "w = frequencies(d_model)",
        "a = np.arange(n_positions)[:, None] * w",
        f"PE = {made}",
        *lines,
    ]
    return "def sinusoidal_encoding(n_positions, d_model):\n" + "".join(f"    {line}\n" for line in body)


_BY_ROW = ("PE[p, 0::2] = np.sin(p * w)", "PE[p, 1::2] = np.cos(p * w)")


def _rows(begin: str, *body: str, after: str = "return PE") -> str:
    return _table(begin, *(f"    {line}" for line in body), after)


def _sum(test: str, line: str = "np.sqrt(d) * X + P[:n]") -> str:
    return (
        "def add_positions(X, P):\n    n, d = X.shape\n"
        f"    if {test}:\n        raise ValueError('no fit')\n    return {line}\n"
    )


_FITS = "n > len(P) or d != P.shape[1]"


def _step(
    block: str = "[[c, s], [-s, c]]", made: str = "np.zeros((d_model, d_model))", angle: str = "offset * wi"
) -> str:
    return (
        f"def shift_matrix(offset, d_model):\n    M = {made}\n"
        f"    for i, wi in enumerate(frequencies(d_model)):\n        c, s = np.cos({angle}), np.sin({angle})\n"
        f"        M[2 * i:2 * i + 2, 2 * i:2 * i + 2] = {block}\n    return M\n"
    )


_POWERS = _step(angle="wi").replace(
    "return M\n", "R = np.eye(d_model)\n    for _ in range(offset):\n        R = R @ M\n    return R\n"
)

NAMED = [
    (_gap("np.abs(A(X[order] + P) - A(X + P)).max()"), "compared different tokens with positions"),
    (_gap("abs(A(X[order] + P).max() - A(X + P)[order].max())"), "compared the largest entries"),
    (
        _gap(
            "np.abs(B(X[order] + P, X[order]) - B(X + P, X)[order]).max()",
            before=f"{_ATTEND}\n    B = lambda Z, V: scaled_dot_product_attention(Z, Z, V)[0]",
        ),
        "added the positions to queries and keys, not to the values",
    ),
    (_gap("abs((A(X[order] + P) - A(X + P)[order]).max())"), "took the absolute value too late, or not at all"),
    (_gap("(A(X[order] + P) - A(X + P)[order]).max()"), "took the absolute value too late, or not at all"),
    ("def encoding_by_hand():\n    return np.array([1.683, 1.0806, 0.02, 2.0])\n", "doubled the row of position 1"),
    # Between the sines of 0.0002 radians and of 0.02 degrees: it may be either.
    ("def encoding_by_hand():\n    return np.array([0.9093, -0.4161, 0.0003, 1.0])\n", ""),
    ("def encoding_by_hand():\n    return np.array([0.9093, -0.4161, 0.0002, 1.0])\n", "4/4 instead of 2/4"),
    (_speeds("return 10000 ** (-2 * i) / d_model"), "divided the power by d_model"),
    (_speeds("return np.array(10) ** -i"), "raised a whole number to negative whole powers"),
    (_speeds("return 10000 ** (-2 * i // d_model)"), "raised a whole number to negative whole powers"),
    (_speeds("return 10000.0 ** (-2 * i // d_model)"), "rounded the exponents down to whole numbers"),
    (_speeds("return 10000 ** -2 * i / d_model"), "only -2 is the exponent"),
    (_speeds("return 10.0 ** -i"), "made every frequency a tenth of the one before"),
    (
        _speeds("w = np.zeros(len(i))", "for k in i:", "    w[k] = 10000 ** (-2 * k / d_model)", "    return w"),
        "only the first frequency is right",
    ),
    (_speeds("return 10000.0 ** (-2.0 * i)"), "only the first frequency is right"),
    (_rows("for p in range(n_positions):", *_BY_ROW, "return PE", after="pass"), "all rows but the first are 0"),
    (
        _rows(
            "for p in range(n_positions):",
            "for i in range(d_model // 2):",
            "    PE[p, 2 * i], PE[p, 2 * i + 1] = np.sin(p * w[i]), np.cos(p * w[i])",
            "    return PE",
            after="pass",
        ),
        "filled the first pair of the first row only",
    ),
    (
        _table(
            "PE[:, 0::2], PE[:, 1::2] = np.sin(a), np.cos(a)",
            "return PE",
            made="np.zeros((n_positions, d_model), dtype=int)",
        ),
        "all rows but the first are 0",
    ),
    (_rows("for p in range(1, n_positions):", *_BY_ROW), "left the first row at 0"),
    (_table("PE[:, 0::2] = np.sin(a)", "return PE"), "left the columns of the cosine at 0"),
    (
        _table("PE[:, 0::2] = np.sin(a)", "PE[:, 1::2] = np.sqrt(1 - np.sin(a) ** 2)", "return PE"),
        "lost the sign of the cosine",
    ),
    (
        _rows("for i in range(d_model // 2):", "PE[:, i], PE[:, i + 1] = np.sin(a[:, i]), np.cos(a[:, i])"),
        "wrote clock i into the columns i and i + 1",
    ),
    (
        _rows("for p in range(n_positions):", *(line.replace("p * w", "w") for line in _BY_ROW)),
        "left the position out",
    ),
    (
        _table(
            "a = np.linspace(0, n_positions, n_positions)[:, None] * w",
            "return np.stack([np.sin(a), np.cos(a)], axis=-1).reshape(n_positions, d_model)",
        ),
        "stretched the positions",
    ),
    (
        _table("return np.stack([np.sin(a), np.cos(a)]).reshape(n_positions, d_model)"),
        "reshaped a table with all sines before all cosines",
    ),
    (_sum("n > len(P)"), "let a P with a single column pass"),
    (_sum("d != P.shape[1]"), "let a P with a single row pass"),
    (_sum("n > len(P) and d != P.shape[1]"), "let a P that does not fit pass"),
    (_sum(_FITS, "np.sqrt(len(P)) * X + P[:n]"), "took √n_max"),
    (_sum(_FITS, "np.sqrt(d) * X + P[n - 1]"), "gave every token the position of the last one"),
    (_step("[[-s, c], [c, s]]"), "wrote the row of the cosine first"),
    (_step(made="np.eye(d_model, dtype=int)"), "cut off to whole numbers"),
    (_step(made="np.eye(d_model)").replace("] = [[", "] += [["), "added the blocks to the identity"),
    (_step(angle="(offset + 1) * wi"), "turned one step too far"),
    (_step(angle="wi").replace("return M", "return M * offset"), "multiplied the matrix of one step by the offset"),
    (_POWERS, "goes no step back"),
    (
        "def shift_matrix(offset, d_model):\n    if d_model % 2:\n        raise ValueError('odd')\n"
        "    c, s = np.cos(offset), np.sin(offset)\n    return np.array([[c, s], [-s, c]])\n",
        "returned one block for all clocks",
    ),
]

_GIVEN = {
    "permutation_gap": ("scaled_dot_product_attention",),
    "sinusoidal_encoding": ("frequencies",),
    "shift_matrix": ("frequencies",),
}


def _check(source, number):
    name = source.removeprefix("def ").partition("(")[0]
    wild = Wild(name, source, reference=_GIVEN.get(name, ()))
    return checkup.check(catalog.find(name), answer_of(wild, 3000 + number))[0]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("number", range(len(NAMED)), ids=lambda number: f"{number}-{NAMED[number][1][:40]}")
def test_the_name_is_true_of_the_answer(number):
    source, name = NAMED[number]
    verdict = _check(source, number)
    assert verdict.status == "failed"
    said = verdict.diagnosis.name if verdict.diagnosis is not None else ""
    assert name in said and bool(name) == bool(said)


def test_positions_shuffled_with_the_words_are_asked_for():
    """Both differences are 0, and the sentence of the card asks for the order of P."""
    verdict = _check(_gap("np.abs(A(X[order] + P[order]) - A(X + P)[order]).max()"), 900)
    assert "each time in its own order" in verdict.finding.message


@pytest.mark.parametrize(
    "source",
    [
        _gap("np.abs(A(X[order] + P) - A(X + P)[order]).max()"),
        _speeds("return 10000 ** (-2 * i / d_model)"),
        _rows("for p in range(n_positions):", *_BY_ROW),
        _sum(_FITS),
        _step(),
    ],
    ids=lambda source: source.partition("(")[0],
)
def test_the_same_answer_without_the_slip_passes(source):
    assert _check(source, 950).passed
