"""Texts for readers who do not see a figure: each figure has its own, made of what it draws, and no cell repeats it."""

import ast
import importlib
import inspect
from pathlib import Path

import numpy as np
import pytest

from helpers import plots
from helpers.plots import (
    core,
    u1_dot_products,
    u2_softmax_scaling,
    u3_positional_encoding,
    u4_multi_head,
    wording,
)
from helpers.plots.u4_multi_head import example

SOLUTIONS = Path(__file__).parents[3] / "solutions"
UNITS = ("u0_start_here", "u1_dot_products", "u2_softmax_scaling", "u3_positional_encoding", "u4_multi_head")

WORDS = ("we", "eat", "rice")
X = np.array([[2.0, 0.0], [1.0, 2.0], [0.0, 3.0]])
WEIGHTS = np.array([[0.7, 0.2, 0.1], [0.1, 0.3, 0.6], [0.25, 0.5, 0.25]])
TURN = np.kron(np.eye(2), [[0.6, 0.8], [-0.8, 0.6]])

# For each figure with arguments two lists of them that draw something else.
TWICE = {
    "u0_start_here": {"course_map": ([0], [5])},
    "u1_dot_products": {
        "embedding": ([WORDS, X, WORDS[1:], "ab"], [WORDS, 2 * X, WORDS[1:], "ab"]),
        "sentence_similarity": ([WORDS, X, "ab"], [WORDS, X + 1, "ab"]),
        "loud_and_alike": ([("tonight", "burger"), X[1:]], [("tonight", "burger"), X[:2]]),
        "mall": (["just warm"], ["not cheap"]),
        "flow": ([WORDS, [3, 1, 0]], [WORDS, [3, 1, 2]]),
        "one_asks": ([WORDS, 0, X, X], [WORDS, 1, X, X]),
        "all_pairs": ([WORDS, X, X, "ab", 0, 1], [WORDS, X, X + 1, "ab", 0, 1]),
        "scores": ([WORDS, X @ X.T], [WORDS, X @ X.T + 1]),
        "loops_against_product": ([lambda Q, K: Q @ K.T, (4, 8)], [lambda Q, K: Q @ K.T, (4, 16)]),
        "design": ([("cat", "sleep"), [[0, 0], [1, 0]]], [("cat", "sleep"), [[0, 1], [1, 0]]]),
        "one_or_two_projections": ([WORDS, X, X], [WORDS, X, -X]),
    },
    "u2_softmax_scaling": {
        "softmax_steps": ([WORDS, [2, 1, 0]], [WORDS, [2, 1, 3]]),
        "mixture": ([WORDS, [0.5, 0.3, 0.2], X, "ab", "tea"], [WORDS, [0.2, 0.3, 0.5], X, "ab", "tea"]),
        "one_word": ([WORDS, 0, X, X, X, "ab"], [WORDS, 1, X, X, X, "ab"]),
        "variance_growth": ([[1, 4], [0.9, 4.2]], [[1, 4], [1.1, 3.8]]),
        "saturation": ([(1, 4)], [(1, 16)]),
        "temperatures": ([4, 1], [4, 2]),
        "three_scales": ([4], [64]),
        "attention": ([WORDS, WEIGHTS, WEIGHTS @ X, "ab"], [WORDS, WEIGHTS[::-1], WEIGHTS @ X, "ab"]),
        "reading": ([WORDS, WEIGHTS], [WORDS, WEIGHTS.T]),
    },
    "u3_positional_encoding": {
        "sentences": ([[X], [WORDS], ["as it is"], "eat"], [[X + 1], [WORDS], ["as it is"], "eat"]),
        "counting": ([20], [30]),
        "digits_and_waves": ([8], [16]),
        "reading_a_hand": ([1.0], [2.0]),
        "clock_strip": ([(0, 1)], [(0, 2)]),
        "speeds": ([(8, 32)], [(8, 64)]),
        "encoding_map": ([50], [100]),
        "clocks_at": ([0], [25]),
        "sum_of_word_and_place": ([X, WORDS], [3 * X, WORDS]),
        "products": ([60, 64], [60, 32]),
        "rotating_pairs": ([5, 20], [6, 20]),
        "turned_blocks": ([TURN, 3], [TURN.T, 3]),
    },
    "u4_multi_head": {
        "one_head": ([WEIGHTS[None], WORDS, 0], [WEIGHTS[None, ::-1], WORDS, 0]),
        "costs": ([50, 512], [100, 512]),
        "side_by_side": ([512, 8], [256, 8]),
        "trained_heads": (
            [{1: [0.3] * 40}, {1: WEIGHTS[:1]}, WORDS, (0, 2)],
            [{1: [0.9] * 40}, {1: WEIGHTS[:1]}, WORDS, (0, 2)],
        ),
        "flow_chart": ([512, 8], [256, 4]),
    },
}

every_unit = pytest.mark.parametrize("unit", UNITS)


def solution(unit):
    return ast.parse((SOLUTIONS / unit / f"{unit}.py").read_text(encoding="utf-8"))


def figures(unit):
    """The drawing functions that the cells of a unit use, by name."""
    module = importlib.import_module(f"helpers.plots.{unit}")
    attributes = (node for node in ast.walk(solution(unit)) if isinstance(node, ast.Attribute))
    names = {node.attr for node in attributes if getattr(node.value, "id", "") in ("pictures", "figures")}
    return {name: getattr(module, name) for name in sorted(names) if hasattr(getattr(module, name), "__wrapped__")}


@every_unit
def test_no_cell_passes_an_alt_text(unit):
    calls = [node for node in ast.walk(solution(unit)) if isinstance(node, ast.Call)]
    shown = [call for call in calls if ast.unparse(call.func) in ("plots.show", "plots.explore")]
    assert len(shown) >= 3
    for call in shown:
        assert "alt" not in [keyword.arg for keyword in call.keywords], ast.unparse(call)[:100]


@every_unit
def test_every_figure_has_a_text_that_follows_what_it_draws(unit):
    used = figures(unit)
    with_arguments = {name for name, draw in used.items() if inspect.signature(draw).parameters}
    assert with_arguments == set(TWICE[unit]), "a figure is missing in TWICE, or is no longer used"
    for name, draw in used.items():
        texts = [plots.alt_of(draw(*arguments)) for arguments in TWICE[unit].get(name, [()])]
        assert len(set(texts)) == len(texts), f"{name} says the same of two pictures: {texts[0]}"
        for text in texts:
            assert 40 < len(text) < 1200 and "\n" not in text and text.endswith("."), (name, text)
            assert "nan" not in text.split() and "$" not in text and "e-1" not in text, (name, text)


# --- what the reader is to find out stays open -----------------------------------------------------------


def test_the_two_tables_of_unit_1_are_told_in_numbers_alone():
    """The cell asks to compare the halves beside the diagonal, and the diagonal, before reading on."""
    K = np.array([[1.0, 0.0], [0.0, -1.0], [2.0, 1.0]])
    text = plots.alt_of(u1_dot_products.one_or_two_projections(WORDS, X, K))
    left, right = text.split("Left, ")[1].split("Right, ")
    for half, S in ((left, X @ X.T), (right, X @ K.T)):
        for word, row in zip(WORDS, S):
            assert f"{word} asks {', '.join(f'{score:g}' for score in row)}" in half
    for answer in ("symmetr", "diagonal", "both directions", "equal", "never negative"):
        assert answer not in text


def test_the_output_that_unit_2_asks_for_is_not_in_the_text_and_its_weights_are():
    output = WEIGHTS @ X  # (1.6, 0.7), (0.5, 2.4), (1, 1.75)
    text = plots.alt_of(u2_softmax_scaling.attention(WORDS, WEIGHTS, output, ("person", "food")))
    assert "eat: we 0.1, eat 0.3, rice 0.6" in text and "Each row sums to 1.00" in text
    assert not any(number in text for number in ("1.6", "2.4", "1.75", "1.8"))
    assert "print(output.round(2))" in text


def test_rows_that_do_not_sum_to_1_are_told():
    text = plots.alt_of(u2_softmax_scaling.attention(WORDS, 2 * WEIGHTS, WEIGHTS @ X, "ab"))
    assert "Each row sums to 2.00." in text


def test_a_head_is_told_by_where_its_words_look_and_not_by_its_favourite():
    weights = example.example_weights()
    for head, favourite in enumerate(u4_multi_head.FAVOURITES):
        text = plots.alt_of(u4_multi_head.one_head(weights, u4_multi_head.DOG, head))
        assert favourite not in text and f"Head {head}" in text
    assert "cat at small 0.99; saw at cat 0.99" in plots.alt_of(u4_multi_head.one_head(weights, u4_multi_head.DOG, 0))


# --- texts of the learner's own functions ----------------------------------------------------------------


def test_a_function_that_is_not_answered_has_no_line_and_no_number():
    def unanswered(Q, K):
        raise NotImplementedError

    times = u1_dot_products.loops_against_product
    assert "your attention_scores" not in plots.alt_of(times(unanswered, (4, 8)))
    assert "your attention_scores" in plots.alt_of(times(lambda Q, K: Q @ K.T, (4, 8)))
    measured = "measured by your score_variance"
    assert measured not in plots.alt_of(u2_softmax_scaling.variance_growth([1, 4]))
    assert measured in plots.alt_of(u2_softmax_scaling.variance_growth([1, 4], [1, 4]))


def test_equal_rows_of_a_word_are_told_apart_from_rows_that_differ():
    twice = ("the", "dog", "the")
    same, other = np.array([[1.0, 2.0], [0.0, 1.0], [1.0, 2.0]]), np.array([[1.0, 2.0], [0.0, 1.0], [1.0, 2.5]])
    told = [u3_positional_encoding.sentences([matrix], [twice], ["here"], follow="dog") for matrix in (same, other)]
    assert "the rows of “the” are equal" in plots.alt_of(told[0])
    assert "the rows of “the” differ by up to 0.5" in plots.alt_of(told[1])
    placed = plots.alt_of(u3_positional_encoding.sum_of_word_and_place(same, twice))
    assert "In X the rows of “the” are equal. In the sum the rows of “the” differ by up to 1.4." in placed


def test_a_number_outside_of_the_blocks_of_a_shift_is_told():
    wrong = TURN.copy()
    wrong[0, 3] = -0.25
    end = "The largest number outside of the blocks, without its sign: "
    assert plots.alt_of(u3_positional_encoding.turned_blocks(TURN, 3)).endswith(end + "0.")
    assert plots.alt_of(u3_positional_encoding.turned_blocks(wrong, 3)).endswith(end + "0.25.")


# --- the words -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (3, "3"),
        (-3.0, "-3"),
        (0.6666, "0.67"),
        (199.7, "200"),
        (1e-17, "0"),
        (3e-5, "3e-05"),
        (12.34, "12"),
        (-0.0, "0"),
    ],
)
def test_a_number_is_told_short_and_without_dust(value, told):
    assert wording.number(value) == told


def test_words_in_a_sentence():
    assert wording.joined(["we"]) == "we" and wording.joined([]) == ""
    assert wording.joined(["we", "eat", "a"]) == "we, eat and a"
    assert wording.distinct(["the", "cat", "the"]) == ["the (0)", "cat", "the (2)"]
    assert wording.named(["we", "eat"], [3, 0.5]) == "we 3, eat 0.5"


def test_a_small_matrix_is_told_in_full_and_a_large_one_by_the_largest_of_each_row():
    assert wording.matrix_told([[1, 2], [3, 4.5]], ["a", "b"], ["x", "y"]) == "a: x 1, y 2; b: x 3, y 4.5."
    assert wording.matrix_told([[1, 2]]) == "row 0: column 0 1, column 1 2."
    large = np.zeros((3, 5))
    large[0, 2], large[1, [1, 4]] = 0.5, 2
    told = wording.matrix_told(large, "abc", "vwxyz")
    assert told == "3 rows by 5 columns. The largest of each row: a: x 0.5; b: w and z 2; c: all 0."
    assert "none" in wording.matrix_told(np.full((1, 13), np.nan)) and "no numbers" in wording.matrix_told(
        np.ones((0, 2))
    )


def test_a_heatmap_of_its_own_tells_its_title_and_numbers_and_one_inside_a_figure_does_not():
    alone = plots.heatmap(X, WORDS, ("person", "food"), title="Who is\nalike:")
    assert plots.alt_of(alone) == ("Who is alike. we: person 2, food 0; eat: person 1, food 2; rice: person 0, food 3.")
    drawn, axes = plots.grid(1, 1)
    plots.heatmap(X, ax=axes[0, 0], title="one of several")
    with pytest.raises(LookupError, match="'one of several.' has no alt text.*describe"):
        plots.alt_of(drawn)


def test_a_text_belongs_to_its_figure_and_may_not_be_empty():
    first, second = plots.grid()[0], plots.grid()[0]
    assert plots.describe(first, "One.") is first
    plots.describe(second, "Two.")
    assert (plots.alt_of(first), plots.alt_of(second), plots.alt_of(first.axes[0])) == ("One.", "Two.", "One.")
    with pytest.raises(ValueError, match="empty"):
        plots.describe(first, " ")
    assert core.told(plots.describe(first, "Three.")) == "Three."
