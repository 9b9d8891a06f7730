"""The texts of a markdown cell or a page: found one by one (a paragraph, a heading, an entry of a list, a cell of a
table), and put back translated."""

from __future__ import annotations

import re
from collections.abc import Callable

from translate.storage.markdown import MarkdownFile

Translate = Callable[[str], str]

# A wrapped line that begins with such a tag would be read as broken there on purpose.
_INLINE = re.compile(r"(?<=\S)\n(?=</?(?:kbd|b|i|code|sub|sup|span|a)\b)")
_SUMMARY = re.compile(r"(<summary>)(.*?)(</summary>)", re.DOTALL)
_MARK = re.compile(r"(?:BEGIN|END) (?:SOLUTION|HIDDEN TESTS|MARK SCHEME)")
_IN_FORMULA = re.compile(r"\\text\{(\s*)([^{}]*?)(\s*)\}")
# Words between the parts of a formula.
_JOINING = ("and", "give", "alone,", "output", "layers", "bytes")
# What holds nothing to translate: formulas, numbers, code alone.
_ASIDE = re.compile(r"\$\$.*?\$\$|\$[^$]*\$|`[^`]*`|<[^>]*>|&\w+;", re.DOTALL)


def translated(markdown: str, translate: Translate, known: Translate = lambda word: word) -> str:
    """Return markdown with each of its texts translated.

    Args:
        markdown: the source; wrapped lines are one text.
        translate: English to the other language; what it returns stands in the place of what it got.
        known: the same for a single word in a formula that stands by itself, as in `$$q_{\\text{eat}}$$`; what is no
            text anywhere else stays.
    """

    def one(text: str) -> str:
        return translate(text) if says_something(text) else _IN_FORMULA.sub(word, text)

    def word(found: re.Match[str]) -> str:
        # Other words in a formula are names, as softmax, or words of a sentence that other texts have translated.
        said = translate(found[2]) if " " in found[2] or found[2] in _JOINING else known(found[2])
        return f"\\text{{{found[1]}{said}{found[3]}}}"

    def summary(found: re.Match[str]) -> str:
        return found[1] + one(" ".join(found[2].split())) + found[3]

    page = MarkdownFile(
        callback=one, max_line_length=0, no_placeholders=True, extract_code_blocks=False, extract_frontmatter=False
    )
    page.parse(_SUMMARY.sub(summary, _INLINE.sub(" ", markdown)).encode())
    written = page.filesrc
    text = written if isinstance(written, str) else written.decode()
    return text.rstrip("\n")


def texts(markdown: str) -> list[str]:
    """Return the texts of markdown, in order, each as often as it stands there."""
    found: list[str] = []

    def keep(text: str) -> str:
        found.append(text)
        return text

    translated(markdown, keep)
    return found


def says_something(text: str) -> bool:
    """Whether a text has a word outside of formulas, code and tags, and is none of nbgrader's marks."""
    return not _MARK.fullmatch(text) and bool(re.search(r"[^\W\d_]{2,}|\b[aI]\b", _ASIDE.sub(" ", text)))
