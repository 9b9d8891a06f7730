"""The language that a learner is spoken to in: `speak`, and `told`, which says an English text in it.

English stands in the code and is the key; verdicts, records and what crosses a process border are English. A text is
translated where it is shown and nowhere else, so nothing is looked up, nor read from the disk, while the language is
English. Texts with gaps (`f"{n} words"` stands in a catalog as "{n} words") are found by what lies between their gaps;
what fills a gap is translated in its turn, unless the gap is code.
"""

from __future__ import annotations

import functools
import json
import os
import re
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from html import escape, unescape
from pathlib import Path

ENGLISH = "en"
FOLDER = Path(__file__).with_name("languages")

# A language, and the unit whose words come before those of the others: "memory" is one thing in unit 6, another in 8.
_current: ContextVar[tuple[str, str]] = ContextVar("language", default=(ENGLISH, ""))
# The notebook's own. A context's value is gone when the cell that set it ends: IPython runs each in another.
_notebook = (ENGLISH, "")

_GAP = re.compile(r"\{(\w+)\}")
# What `typed` gives.
_TYPED = re.compile(r"typed(?:_\d+)?")
_PLURAL = re.compile(r"\{(\w+):([^{}]*)\}")
_TOUCHED = re.compile(r"[^\W\d_]*\{\w+\}[^\W\d_]*")
_WORD = re.compile(r"[^\W\d_]{2,}")
# Words that may be English: what was told before is in other letters, or counts like it.
_LATIN = re.compile(r"[A-Za-z][^\W\d_]+")
_SENTENCE = re.compile(r"(?<=[.!?:;”])\s+(?=\S)")
# Marks and numbers before a line's text, spaces at its ends.
_LINE = re.compile(r"(\s*(?:[✓✗○✎?·•]\s+|\d+\.\s+|\d+\s{2,})?)(.*?)((?:\s+[✓✗])?\s*)", re.DOTALL)
# Code before what is said of it: a name with a mark of code in it, or a capital within; or an exercise's, which may be
# a word.
_NAMED = re.compile(r"([\w.`()]+): (.+)", re.DOTALL)
_CODE_NAME = re.compile(r".*[\d_.`()]|.+[A-Z]")
# A text with a number after it, as the entries of a list of measurements.
_MEASURED = re.compile(r"(.*[^\W\d_].*?) ([-+−]?[\d.,]*\d(?: ?(?:%|s|ms|MiB|GiB|MB))?)")
# A text counts for so much for each word of it that stays English, and a gap for 1 where it swallowed a separator: the
# same words read apart are the better reading.
_WORD_LEFT = 10
# Rows of numbers are longer.
_LONGEST_ENTRY = 80
# What stands between the parts of a list, a heading, a name and what is said of it; and after a part.
_BETWEEN, _ENDS = (", ", " · ", ": ", "; "), tuple(":;,.")
# The same marks where letters are as wide as high, as in Chinese: there no space follows them.
_WIDE_MARKS = {", ": "，", ": ": "：", "; ": "；", ":": "：", ";": "；", ",": "，", ".": "。"}
_WIDE = r"[\u2e80-\uffef“”]"
_CHARACTER = re.compile(r"[\u2e80-\u9fff]")
# As many sentences at most are one text.
_MOST_SENTENCES = 8
# A text in brackets, alone or after another.
_BRACKETS = re.compile(r"(?:(.*\S) )?([(\[])([^()\[\]]+(?:\([^()]*\)[^()\[\]]*)*)([)\]])", re.DOTALL)


def known() -> list[str]:
    """Return the languages there are, English first."""
    return [ENGLISH, *sorted(path.stem for path in FOLDER.glob("*.json"))]


def speak(language: str, unit: str = "") -> None:
    """Speak this language from here on: in checks, hints, cards and figures.

    Args:
        language: "en", or one that has a catalog, as "zh" or "ru".
        unit: whose words are said, as "u8_modern_attention", where units have other words for the same English.

    Raises:
        ValueError: there is no such language.
    """
    global _notebook
    if os.environ.get("ATTENTION_JUDGE_FD"):
        # While a notebook is graded its verdicts are told elsewhere, and no catalog lies beside it.
        return
    if language not in known():
        raise ValueError(f"there is no language {language!r} here; write one of {', '.join(map(repr, known()))}")
    _notebook = (language, unit)


@contextmanager
def speaking(language: str, unit: str = "") -> Iterator[None]:
    """Speak a language for a while, as a grader does for one submission of a unit; an unknown one is English."""
    before = _current.set((language if language in known() else ENGLISH, unit))
    try:
        yield
    finally:
        _current.reset(before)


def spoken() -> str:
    """Return the language spoken now."""
    return _here()[0]


def _here() -> tuple[str, str]:
    here = _current.get()
    return _notebook if here[0] == ENGLISH else here


def told(text: str) -> str:
    """Return an English text in the language that is spoken; unchanged where its catalog does not know it."""
    language, unit = _here()
    if language == ENGLISH or not _WORD.search(text):
        return text
    return _catalog(language, unit).told(text)


def told_lines(text: str) -> str:
    """Return a text of several lines in the language that is spoken, each line with the marks that stand before it."""
    if spoken() == ENGLISH:
        return text
    return "\n".join(told(line) for line in text.split("\n"))


def columns_of(text: str) -> int:
    """Return how many columns of a page a text takes; a Chinese character takes two."""
    return sum(2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in text)


def word(text: str) -> str:
    """Return a single word that is shown: catalogs take it from here, as texts of several words from everywhere."""
    return text


def typed(text: object) -> str:
    """Return a learner's own words, or Python's, as text: in a sentence that is told they stay as they are."""
    return str(text)


_CODE = re.compile(r"`[^`]*`")
# The name of a part or a parameter, as self_attention.W_q.bias.
_IDENTIFIER = re.compile(r"[^\W\d]\w*(?:[._]\w+)+")
# So many texts are kept as they were said, and so many readings of one are compared.
_MOST_KEPT, _MOST_TRIED = 10_000, 6
_TAGS = re.compile(r"(<[^<>]*>)")
_LABEL = re.compile(r'(\b(?:aria-label|alt|title)=")([^"]*)(")')
_AS_IT_IS = re.compile(r"</?(pre|code|style|kbd)\b")


def told_html(html: str) -> str:
    """Return HTML with each text between its tags, and each label, in the language that is spoken; code stays."""
    if spoken() == ENGLISH:
        return html
    written, depth = [], 0
    for part in _TAGS.split(html):
        if part.startswith("<"):
            if _AS_IT_IS.match(part):
                depth += -1 if part.startswith("</") else 1
            part = _LABEL.sub(lambda one: one[1] + escape(told(unescape(one[2])), quote=True) + one[3], part)
        elif depth == 0 and _WORD.search(part):
            part = escape(told(unescape(part)), quote=False)
        written.append(part)
    return "".join(written)


@dataclass(frozen=True)
class _Template:
    """A text with gaps: how it is found, and what is said instead."""

    pattern: re.Pattern[str]
    gaps: tuple[str, ...]
    code: frozenset[str]
    other: str
    weight: int
    quoted: frozenset[str]


class _Catalog:
    """A language's texts."""

    def __init__(
        self,
        texts: dict[str, str],
        templates: dict[str, str],
        names: frozenset[str],
        plural: str,
        fraction: int,
        wide: bool,
    ) -> None:
        texts, templates = _with_ends(texts), _with_ends(templates)
        self._texts, self._names = texts, names
        self._plural, self._fraction, self._wide = plural, fraction, wide
        self._by_word: dict[str, list[_Template]] = {}
        self._told: dict[str, tuple[str, int]] = {}
        for english, other in templates.items():
            # Of words that no gap makes longer; a template that has none is looked at for every text.
            word = max(_WORD.findall(_TOUCHED.sub(" ", english)), key=len, default="")
            self._by_word.setdefault(word, []).append(_template(english, other))

    def told(self, text: str) -> str:
        """Return a text in this language; what the catalog does not know stays English."""
        return self._best(text)[0]

    def _best(self, text: str) -> tuple[str, int]:
        """A text in this language, and how much of it stayed English (`_WORD_LEFT`)."""
        known = self._told.get(text)
        if known is None:
            if len(self._told) > _MOST_KEPT:
                self._told.clear()
            known = self._told[text] = self._said(text)
        return known

    def _said(self, text: str) -> tuple[str, int]:
        if not _WORD.search(text) or (_IDENTIFIER.fullmatch(text) and text not in self._texts):
            return text, 0
        exact = self._exact(text)
        if exact is not None:
            return exact, 0
        if text in self._names:
            return text, 0
        if "\n" in text:
            whole = self._found(text)
            return whole if whole is not None else self._joined("\n", [self._best(line) for line in text.split("\n")])
        before, inner, after = _LINE.fullmatch(text).groups()  # type: ignore[union-attr]
        if before.strip().rstrip(".").isdigit():
            # The number may be part of the text.
            whole = self._found(text.strip())
            if whole is not None and whole[1] == 0:
                return text[: len(text) - len(text.lstrip())] + whole[0] + text[len(text.rstrip()) :], 0
        told, left = min(self._ways(inner), key=lambda way: way[1])
        return before + told + after, left

    def _ways(self, text: str) -> Iterator[tuple[str, int]]:
        """Ways to read a line: as one text, with a name before it, with brackets, as sentences, as a list."""
        whole = self._found(text)
        if whole is not None:
            yield whole
            if whole[1] == 0:
                return
        named = _NAMED.fullmatch(text)
        if named is not None and (named[1] in self._names or _CODE_NAME.match(named[1])):
            told, left = self._best(named[2])
            yield self._joined(": ", [(named[1], 0), (told, left)])
        aside = _BRACKETS.fullmatch(text)
        if aside is not None:
            first, opened, inner, closed = aside.groups()
            inside, left = self._best(inner)
            outside, more = self._best(first) if first else ("", 0)
            yield self._aside(outside, opened, inside, closed), left + more
        sentences = _SENTENCE.split(text)
        if len(sentences) > 1:
            yield self._sentences(sentences)
        for between in _BETWEEN:
            parts = text.split(between)
            if len(parts) > 1:
                yield self._joined(between, [self._best(part) for part in parts])
        heads = text.split(": ")
        for end in range(1, len(heads)):
            # What stands before a colon may have one of its own.
            yield self._joined(": ", [self._best(": ".join(heads[:end])), self._best(": ".join(heads[end:]))])
        if text[-1:] in _ENDS:
            told, left = self._best(text[:-1])
            yield told + (_WIDE_MARKS[text[-1]] if self._is_wide(told[-1:]) else text[-1]), left
        measured = _MEASURED.fullmatch(text) if len(text) < _LONGEST_ENTRY else None
        if measured is not None:
            told, left = self._best(measured[1])
            yield f"{told} {measured[2]}", left
        yield text, _WORD_LEFT * len(_LATIN.findall(_CODE.sub(" ", text)))

    def _sentences(self, sentences: list[str]) -> tuple[str, int]:
        """Sentences one after another; as many as one text has are said together."""
        # The best way to read what comes after each place, from the last on; of equal ones, that of fewer texts.
        ways: list[tuple[int, int, list[tuple[str, int]]]] = [(0, 0, [])]
        for at in range(len(sentences) - 1, -1, -1):
            readings = []
            for end in range(at + 1, min(at + _MOST_SENTENCES, len(sentences)) + 1):
                if (at, end) == (0, len(sentences)):
                    continue
                found = self._found(" ".join(sentences[at:end]))
                if end == at + 1 and (found is None or found[1]):
                    found = self._best(sentences[at])
                if found is not None:
                    left, texts, said = ways[len(sentences) - end]
                    readings.append((found[1] + left, texts + 1, [found, *said]))
            ways.append(min(readings, key=lambda reading: reading[:2]))
        return self._joined(" ", ways[-1][2])

    def _found(self, text: str) -> tuple[str, int] | None:
        """A text that the catalog has, exactly or with gaps; of several that fit, the one that leaves least."""
        exact = self._exact(text)
        if exact is not None:
            return exact, 0
        key = " ".join(text.split())
        fits = [
            (one, match)
            for word in {"", *_WORD.findall(key)}
            for one in self._by_word.get(word, ())
            if (match := one.pattern.fullmatch(key)) is not None
        ]
        fits.sort(key=lambda fit: -fit[0].weight)
        ways = [self._filled(template, match.groups()) for template, match in fits[:_MOST_TRIED]]
        return min(ways, key=lambda way: way[1], default=None)

    def _exact(self, text: str) -> str | None:
        # Spaces at the ends are of the page, those within are of the code.
        exact = self._texts.get(text) or (self._texts.get(" ".join(text.split())) if text == text.strip() else None)
        if exact is None and " " in text:
            # A title within a sentence, or a label that begins one.
            turned = self._texts.get(text[0].swapcase() + text[1:])
            exact = turned and (turned[0].upper() if text[0].isupper() else turned[0].lower()) + turned[1:]
        return exact

    def _filled(self, template: _Template, values: tuple[str, ...]) -> tuple[str, int]:
        raw = dict(zip(template.gaps, values, strict=True))
        told = {gap: (value, 0) if gap in template.code else self._best(value) for gap, value in raw.items()}
        for gap in template.quoted - template.code:
            if told[gap][1]:
                told[gap] = min(told[gap], self._by_words(raw[gap]), key=lambda way: way[1])
        text = _PLURAL.sub(lambda one: self._counted(raw.get(one[1], ""), one[2].split("|")), template.other)
        text = _GAP.sub(lambda one: f"\0{told[one[1]][0]}\0" if one[1] in told else one[0], text)
        if self._wide:
            # A translator puts spaces beside a gap, which may be Latin letters or not.
            text = re.sub(rf"(?<={_WIDE}) \0(?={_WIDE})|(?<={_WIDE})\0 (?={_WIDE})", "\0", text)
        swallowed = sum(
            any(mark in f"{raw[gap]} " for mark in (": ", " · ", " of ")) for gap in raw if gap not in template.code
        )
        text = text.replace("\0", "").replace("{{", "{").replace("}}", "}")
        return text, swallowed + sum(left for _, left in told.values())

    def _by_words(self, text: str) -> tuple[str, int]:
        """A sentence of an example, word by word: each is a token with a text of its own."""
        words = [(word, 0) if word.startswith("<") else self._best(word) for word in text.split()]
        return " ".join(word for word, _ in words), sum(left for _, left in words)

    def _is_wide(self, letter: str) -> bool:
        return self._wide and re.fullmatch(_WIDE, letter) is not None

    def _joined(self, between: str, parts: list[tuple[str, int]]) -> tuple[str, int]:
        """Parts one after another; where letters are wide, with wide marks, and no space after a sentence."""
        left = sum(left for _, left in parts)
        said = [told for told, _ in parts]
        if not self._wide:
            return between.join(said), left
        if between in _WIDE_MARKS and any(map(_CHARACTER.search, said)):
            return _WIDE_MARKS[between].join(told.strip() if told.strip() else told for told in said), left
        if between == " ":
            text = said[0]
            for told in said[1:]:
                text += told if self._is_wide(text[-1:]) else " " + told
            return text, left
        return between.join(said), left

    def _aside(self, outside: str, opened: str, inside: str, closed: str) -> str:
        if self._wide and opened == "(" and _CHARACTER.search(inside):
            return f"{outside}（{inside}）"
        return f"{outside}{' ' if outside else ''}{opened}{inside}{closed}"

    def _counted(self, number: str, forms: list[str]) -> str:
        """The form of a word that goes with a number, of all that the language has."""
        digits = re.search(r"\d+(?:[.,]\d+)?", number)
        if digits is None:
            return forms[-1]
        if not digits[0].isdigit():
            return forms[min(self._fraction, len(forms) - 1)]
        count = int(digits[0])
        # No language looks further than the last two digits of a number above 200.
        return forms[min(int(self._plural[count if count < 200 else 100 + count % 100]), len(forms) - 1)]


def _with_ends(texts: dict[str, str]) -> dict[str, str]:
    """Texts that begin as the end of another does (", by at most {x}") also without what stands between the two."""
    ends = {
        english.removeprefix(mark): other.lstrip(" ,;:·，；：")
        for english, other in texts.items()
        for mark in _BETWEEN
        if english.startswith(mark)
    }
    return ends | texts


def _template(english: str, other: str) -> _Template:
    pattern, gaps, code, quoted, at = "", list[str](), set[str](), set[str](), 0
    for gap in _GAP.finditer(english):
        # What ends a word, as the s of "word{s}", may be nothing.
        ends = english[max(0, gap.start() - 1) : gap.start()].isalpha()
        pattern += _literal(english[at : gap.start()]) + ("(.*?)" if ends else "(.+?)")
        gaps.append(gap[1])
        if english[: gap.start()].count("`") % 2 or _TYPED.fullmatch(gap[1]):
            code.add(gap[1])
        if english[: gap.start()].endswith("“") and english[gap.end() :].startswith("”"):
            quoted.add(gap[1])
        at = gap.end()
    pattern += _literal(english[at:])
    weight = len(_GAP.sub("", english))
    found = re.compile(pattern, re.DOTALL)
    return _Template(found, tuple(gaps), frozenset(code), other, weight, frozenset(quoted))


def _literal(text: str) -> str:
    return re.escape(text.replace("{{", "{").replace("}}", "}"))


@functools.cache
def _catalog(language: str, unit: str) -> _Catalog:
    data = json.loads((FOLDER / f"{language}.json").read_text(encoding="utf-8"))
    own = data.get("units", {}).get(unit)
    if own is None and unit:
        # Most units have no words of their own.
        return _catalog(language, "")
    texts, templates = ({**data[kind], **(own or {}).get(kind, {})} for kind in ("texts", "templates"))
    return _Catalog(texts, templates, frozenset(data["names"]), data["plural"], data["fraction"], data["wide"])
