"""Texts are found in notebooks and modules, put back translated, and nothing else of a notebook changes."""

import ast
import re

import jupytext
import pytest
from markdown_it import MarkdownIt

from autograder import course
from autograder.authoring import building
from autograder.authoring.translating import catalogs, code, compiling, keeping, notebooks, prose, status, strings
from autograder.course import CourseError
from helpers.language import columns_of
from tests import pseudo

UNITS = course.units()


def cells(unit, kind):
    path = course.SOLUTIONS / unit / f"{unit}.py"
    return [cell for cell in jupytext.read(path, fmt="py:percent").cells if cell.cell_type == kind]


def rendered(markdown):
    """HTML without what a page does not show: line ends, and the width of a table's source."""
    return " ".join(MarkdownIt("commonmark").enable("table").render(markdown).split())


@pytest.mark.parametrize("unit", UNITS)
def test_prose_put_back_as_it_was_found_looks_the_same(unit):
    for cell in cells(unit, "markdown"):
        assert rendered(prose.translated(cell.source, lambda text: text)) == rendered(cell.source)


def test_the_texts_of_prose_are_paragraphs_headings_entries_and_cells():
    page = (
        "## Two words\n\nA line that\nis wrapped, with $x_i$ and `code`.\n\n- one entry\n- $n$\n\n"
        "| you write | points |\n|---|---|\n| `softmax` | 3 |\n\n"
        "<details><summary>Compare</summary>\n\nAn answer.\n\n</details>\n\n### BEGIN SOLUTION\n\n$$x + y$$\n"
    )
    assert prose.texts(page) == [
        "Compare",
        "Two words",
        "A line that is wrapped, with $x_i$ and `code`.",
        "one entry",
        "you write",
        "points",
        "An answer.",
    ]
    known = {"An answer.": "Ответ.", "Compare": "Сравните", "you write": "пишете"}
    told = prose.translated(page, lambda text: known.get(text, text))
    assert "<summary>Сравните</summary>" in told and "Ответ." in told and "| пишете" in told


CELL = '''# Two lines of one
# comment.
def softmax(x, axis=-1):
    """Weights along an axis: exp(x) / sum.

    Args:
        x: scores, any shape; -inf stands for
            "not there".

    Returns:
        weights, shape of x.
    """
    ### BEGIN SOLUTION
    # never handed out
    return x
    ### END SOLUTION


print("1. the mean:  ", x.sum(axis=-1))  # of tonight
print(f"it took {seconds:.1f} s", end="\\n")
'''


def test_the_texts_of_a_code_cell_are_comments_docstrings_and_shown_strings():
    assert code.texts(CELL) == [
        "Two lines of one comment.",
        "Weights along an axis: exp(x) / sum.",
        "Args:",
        'x: scores, any shape; -inf stands for "not there".',
        "Returns:",
        "weights, shape of x.",
        "1. the mean:  ",
        "of tonight",
        "it took {seconds:.1f} s",
    ]
    assert "1. the mean:  " not in code.texts(CELL, strings=False)


def test_a_translated_cell_is_the_same_code():
    told = code.translated(
        CELL, lambda text: text.replace("it took", 'Das "dauert" \\').replace("scores", "Punkte {x}")
    )
    assert 'f"Das \\"dauert\\" \\\\ {seconds:.1f} s"' in told
    first, second = ast.parse(CELL), ast.parse(told)
    assert [type(node) for node in ast.walk(first)] == [type(node) for node in ast.walk(second)]
    assert '        x: Punkte {x}, any shape; -inf stands for "not there".\n' in told


def test_long_chinese_comments_are_broken_between_characters():
    told = code.translated("# a comment\nx = 1\n", lambda text: "查询与键的点积，" * 30)
    assert all(columns_of(line) <= code.WIDTH for line in told.splitlines()) and told.count("\n# ") >= 3
    assert not re.search(r"^# [，。]", told, re.MULTILINE)


@pytest.mark.parametrize("unit", UNITS)
def test_a_notebook_in_another_language_is_the_same_code(unit):
    """Names, calls and numbers; the metadata and setup cell say the language, and nothing else is new."""
    english = building.source_notebook(unit)
    other = notebooks.mapped(english, pseudo.accented, pseudo.NAME)
    assert other.metadata["attention"] == {"language": pseudo.NAME}
    assert sum('speak("qq")' in cell.source for cell in other.cells) == 1
    for here, there in zip(english.cells, other.cells, strict=True):
        assert here.metadata == there.metadata and here.id == there.id
        if here.cell_type != "code" or 'speak("qq")' in there.source:
            continue
        if not here.source.startswith("%"):
            assert skeleton(here.source) == skeleton(there.source), there.source


def skeleton(source):
    """Code without its strings."""
    return [
        (type(node).__name__, getattr(node, "id", getattr(node, "attr", getattr(node, "arg", None))))
        for node in ast.walk(ast.parse(source))
        if not isinstance(node, ast.Constant | ast.JoinedStr)
    ]


def test_the_texts_of_a_module(tmp_path):
    module = tmp_path / "module.py"
    module.write_text(
        '''"""A docstring is for authors."""
def told(n: "int", bias, name):
    """So is this."""
    if name == "not a text":
        return {"key.with.dots": 1}
    say(f"{n} words " + ("in all" if bias else "so far"))
    say("one sentence," " in two pieces")
    say(f"<div style='x'>{n} of</div>")
    raise ValueError(f"{name!r} holds {', '.join(name)}: use {{braces}}")
    say("by the factor {}".format(n), "uses `{0}` before it has a value".format(name), " and then ".join(name))
    say("a power as $10^{2}$ is a formula")
''',
        encoding="utf-8",
    )
    found = strings.texts(module, "module.py", words=False)
    assert [(text.text, text.template) for text in found] == [
        ("{n} words in all", True),
        ("{n} words so far", True),
        ("one sentence, in two pieces", False),
        ("{name} holds {name_2}: use {{braces}}", True),
        ("by the factor {x}", True),
        ("uses `{0}` before it has a value", True),
        ("a power as $10^{2}$ is a formula", False),
        ("{x} and then {y}", True),
    ]


@pytest.mark.parametrize(
    ("english", "other", "template", "lost"),
    [
        ("The score $q \\cdot k$ of `x`, 2 times", "2 раза $q \\cdot k$ для `x`", False, []),
        ("weights $y_{\\text{burger}}$", "веса $y_{\\text{бургер}}$", False, []),
        ("10,000 words", "10 000 слов", False, []),
        ("about 0.5", "примерно 0,5", False, []),
        ("see [this](a.png) and <kbd>Enter</kbd>", "см. [это](a.png) и <kbd>Enter</kbd>", False, []),
        ("{n} words in {name}", "{name}: {n} {n:слово|слова|слов}", True, []),
        ("the $x_i$", "$x_j$", False, ["the formula $x_i$ is missing", "the formula $x_j$ is not in the English"]),
        ("call `f`", "вызовите f", False, ["the code `f` is missing"]),
        ("3 keys", "три ключа", False, ["the number 3 is missing"]),
        ("{n} words", "слова", True, ["the gap {n} is missing"]),
        ("words", "слова {n}", True, ["there is no gap {n} in the English"]),
        ("a <b>word</b>", "слово", False, ["the tag </b> is missing", "the tag <b> is missing"]),
        ("[this](a.png)", "[это](b.png)", False, ["the link a.png is missing", "the link b.png is not in the English"]),
    ],
)
def test_what_a_translation_lost_is_named(english, other, template, lost):
    assert keeping.lost(english, other, template) == lost


def test_english_that_changed_makes_its_translation_stale(tmp_path, monkeypatch):
    monkeypatch.setattr(catalogs, "ROOT", tmp_path)
    texts = ["A first sentence of some length.", "A second sentence, which stays."]
    monkeypatch.setattr(catalogs, "english", lambda part: [strings.Text(one, False, ("u.py", 0)) for one in texts])
    monkeypatch.setattr(catalogs, "parts", lambda: [catalogs.Part("desk", "desk")])
    catalog = catalogs.update("ru", "desk")
    for text, told in zip(texts, ("Первое.", "Второе.")):
        catalog[text].string = told
    catalogs.write("ru", "desk", catalog)
    catalogs.translations.cache_clear()
    assert [(row.done, row.changed, row.missing) for row in status.of("ru")] == [(2, 0, 0)]
    texts[0] = "A first sentence of another length."
    catalogs.update("ru", "desk")
    catalogs.translations.cache_clear()
    assert [(row.done, row.changed, row.missing) for row in status.of("ru")] == [(1, 1, 0)]
    assert catalogs.translations("ru", "desk") == {texts[1]: "Второе."}
    catalogs.translations.cache_clear()


def test_a_language_begins_as_a_draft_which_no_learner_sees(tmp_path, monkeypatch):
    monkeypatch.setattr(catalogs, "ROOT", tmp_path)
    catalogs.begin("xx")
    assert catalogs.languages() == [] and catalogs.languages(drafts=True) == ["xx"]
    with pytest.raises(CourseError, match="there is no language 'xx'"):
        building.source_notebook("u0_start_here", "xx")
    (tmp_path / "xx" / catalogs.DRAFT).unlink()
    catalogs.begin("xx")
    assert catalogs.languages() == ["xx"]


@pytest.mark.parametrize("language", catalogs.languages(drafts=True))
def test_what_a_draft_says_keeps_what_is_no_language(language):
    assert {row.part.name: row.broken for row in status.of(language) if row.broken} == {}


@pytest.mark.parametrize("language", catalogs.languages())
def test_the_shipped_languages_are_complete_and_keep_what_is_no_language(language):
    for row in status.of(language):
        assert (row.done, row.changed, row.missing) == (row.texts, 0, 0), row.part.name
        assert row.broken == (), row.part.name


@pytest.mark.parametrize("language", catalogs.languages())
def test_what_the_desk_reads_is_what_the_catalogs_say(language):
    assert compiling.is_current(language), "run `make build`"


def test_a_language_that_is_not_there_is_named():
    with pytest.raises(CourseError, match="there is no language 'xx'; the course is written in en"):
        building.source_notebook("u0_start_here", "xx")


def test_words_in_a_formula_by_itself_are_those_of_the_sentence():
    known = {"eat": "едим", "and": "и", "scaled score": "оценка с масштабом"}
    source = r"$$q_{\text{eat}} \text{ and } d_{\text{model}}, \text{scaled score}$$"
    assert prose.texts(source) == ["and", "scaled score"]
    told = prose.translated(source, lambda text: known[text], lambda word: known.get(word, word))
    assert told == r"$$q_{\text{едим}} \text{ и } d_{\text{model}}, \text{оценка с масштабом}$$"
