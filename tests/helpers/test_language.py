"""What a learner is told in another language: texts, gaps, plurals, lists, sentences put together; code stays code."""

import json

import pytest

from helpers import language

TEXTS = {
    "did not scale": "не разделили на корень",
    "values": "значения",
    "large scores": "большие оценки",
    "an empty list": "пустой список",
    "The code changes its arguments.": "Код меняет свои аргументы.",
    "holds": "выполняется",
    "every property holds": "все свойства выполняются",
    "aligned": "сонаправлены",
    "1 Read": "1 Читайте",
    "length of one": "длина одного",
    "without values": "без значений",
}
TEMPLATES = {
    "{n} words": "{n} {n:слово|слова|слов}",
    "the result is {answer}; expected {expected}": "получилось {answer}; ожидалось {expected}",
    "`{name}` makes no difference": "`{name}` ни на что не влияет",
    "tried: {told}": "проверено: {told}",
    "hidden check of {name}": "скрытая проверка {name}",
    "without {what}": "без {what}",
    "5. added up: {what}": "5. сложено: {what}",
    "{name}: hint {shown} of {total}": "{name}: подсказка {shown} из {total}",
    "in {typed}, line {number}: {typed_2}": "в {typed}, строка {number}: {typed_2}",
    "one word{s} to each": "по одному слову каждому",
    "it has no {names}": "нет {names}",
    ", by at most {n}": ", не больше чем на {n}",
    "{n} of {m} hold": "из {m} выполняется {n}",
    "a set {{1, 2}} of {n} numbers": "множество {{1, 2}} из {n} {n:числа|чисел|чисел}",
}


@pytest.fixture
def russian(tmp_path, monkeypatch):
    forms = "".join(
        str(0 if n % 10 == 1 and n % 100 != 11 else 1 if 2 <= n % 10 <= 4 and not 12 <= n % 100 <= 14 else 2)
        for n in range(200)
    )
    units = {"u8": {"texts": {"values": "величины"}, "templates": {"{n} words": "{n} слов"}}}
    data = {
        "plural": forms,
        "fraction": 1,
        "wide": False,
        "names": ["project"],
        "texts": TEXTS,
        "templates": TEMPLATES,
        "units": units,
    }
    (tmp_path / "ru.json").write_text(json.dumps(data), encoding="utf-8")
    monkeypatch.setattr(language, "FOLDER", tmp_path)
    language._catalog.cache_clear()
    with language.speaking("ru"):
        yield
    language._catalog.cache_clear()


def test_english_is_said_as_it_stands_and_reads_no_file(monkeypatch):
    monkeypatch.setattr(language, "_catalog", None)
    assert language.told("did not scale") == "did not scale"
    assert language.told_html("<b>Hint.</b>") == "<b>Hint.</b>"


@pytest.mark.parametrize(
    ("english", "told"),
    [
        ("did not scale", "не разделили на корень"),
        # A name before a colon is code where it is an exercise's, and a word where it is not.
        ("hidden check of project: every property holds", "скрытая проверка project: все свойства выполняются"),
        ("project: every property holds", "project: все свойства выполняются"),
        ("W_q.bias: values", "W_q.bias: значения"),
        ("aligned: a · b = 5", "сонаправлены: a · b = 5"),
        ("  tried: values ✓, length of one ✓", "  проверено: значения ✓, длина одного ✓"),
        ("tried: without values ✓", "проверено: без значений ✓"),
        ("5. added up: values", "5. сложено: значения"),
        ("1  Read", "1 Читайте"),
        ("  1  Read", "  1 Читайте"),
        ("1 words", "1 слово"),
        ("2 words", "2 слова"),
        ("5 words", "5 слов"),
        ("11 words", "11 слов"),
        ("221 words", "221 слово"),
        ("2.5 words", "2.5 слова"),
        ("the result is an empty list; expected 3 words", "получилось пустой список; ожидалось 3 слова"),
        ("`values` makes no difference", "`values` ни на что не влияет"),
        ("tried: values, large scores", "проверено: значения, большие оценки"),
        ("✗ scale_scores: did not scale", "✗ scale_scores: не разделили на корень"),
        ("✎ values", "✎ значения"),
        ("  2. did not scale", "  2. не разделили на корень"),
        ("softmax: hint 1 of 4", "softmax: подсказка 1 из 4"),
        ("The code changes its arguments. did not scale", "Код меняет свои аргументы. не разделили на корень"),
        ("did not\n  scale", "не разделили на корень"),
        ("a set {1, 2} of 5 numbers", "множество {1, 2} из 5 чисел"),
        # A gap at an end takes no more than its own part of the line, whatever the order of words is.
        ("large scores: 2 of 3 hold", "большие оценки: из 3 выполняется 2"),
        ("large scores · values: 2 of 3 hold", "большие оценки · значения: из 3 выполняется 2"),
        ("large scores, by at most 2", "большие оценки, не больше чем на 2"),
        # Entries of a list of measurements.
        ("values 0.5, large scores -2 s", "значения 0.5, большие оценки -2 s"),
        # What a learner typed is never told, nor what is a name of parts.
        ("in f, line 3: values = holds", "в f, строка 3: values = holds"),
        ("it has no values.holds, values", "нет values.holds, значения"),
        # A gap that ends a word may be empty.
        ("one word to each", "по одному слову каждому"),
        ("one words to each", "по одному слову каждому"),
        ("nobody knows this text", "nobody knows this text"),
        ("n_q = 3", "n_q = 3"),
        ("", ""),
    ],
)
def test_a_text_is_said_in_the_language_that_is_spoken(russian, english, told):
    assert language.told(english) == told


def test_what_was_said_is_not_said_again(russian):
    for english in (*TEXTS, "5 words", "tried: values"):
        once = language.told(english)
        assert language.told(once) == once


def test_html_keeps_tags_and_code_and_says_labels(russian):
    html = '<span aria-label="values holds"><code>values</code> did not scale &lt; 1</span><pre>did not scale</pre>'
    assert language.told_html(html) == (
        '<span aria-label="values holds"><code>values</code> did not scale &lt; 1</span><pre>did not scale</pre>'
    )
    assert language.told_html('<i title="did not scale">values</i>') == (
        '<i title="не разделили на корень">значения</i>'
    )


def test_lines_are_said_one_by_one(russian):
    assert language.told_lines("✗ did not scale\n    [1 2]\n  tried: values") == (
        "✗ не разделили на корень\n    [1 2]\n  проверено: значения"
    )


def test_a_notebook_speaks_from_its_setup_cell_on(russian, monkeypatch):
    monkeypatch.setattr(language, "_notebook", ("en", ""))
    with language.speaking("en"):
        assert language.told("did not scale") == "did not scale"
        language.speak("ru")
        assert language.told("did not scale") == "не разделили на корень"
        language.speak("en")
        assert language.told("did not scale") == "did not scale"


def test_a_unit_has_words_of_its_own_for_the_same_english(russian, monkeypatch):
    monkeypatch.setattr(language, "_notebook", ("en", ""))
    with language.speaking("ru", "u8"):
        assert language.told("tried: values") == "проверено: величины"
        assert language.told("2 words") == "2 слов"
        assert language.told("did not scale") == "не разделили на корень"
    with language.speaking("ru", "u7"):
        assert language.told("values") == "значения"
    with language.speaking("en"):
        language.speak("ru", "u8")
        assert language.told("values") == "величины"


def test_an_unknown_language_is_named_with_those_that_there_are(russian):
    with pytest.raises(ValueError, match="there is no language 'xx' here; write one of 'en', 'ru'"):
        language.speak("xx")
    with language.speaking("xx"):
        assert language.spoken() == "en"
