"""What a translation has to keep of its English: formulas, code, links, tags, gaps and numbers."""

from __future__ import annotations

import re
from collections import Counter

_FORMULA = re.compile(r"\$\$.+?\$\$|\$[^$\n]+\$", re.DOTALL)
# Words that stand in a formula may be translated.
_WORDS = re.compile(r"\\(?:text|textrm|mathrm|textit)\{[^{}]*\}")
_CODE = re.compile(r"`[^`]+`")
_LINK = re.compile(r"\]\(([^)\s]+)\)")
_TAG = re.compile(r"</?[a-zA-Z][^<>]*>")
# One may hold others, as {a if b else f'{c}'} in a notebook's code.
_GAP = re.compile(r"(?<!\{)\{(?!\{)([^{}:!]*)(?:[:!]?[^{}]*(?:\{[^{}]*\}[^{}]*)*)?\}(?!\})")
_NUMBER = re.compile(r"\d+")
# Digits that a language groups or separates in its own way: 10,000 or 0.5.
_GROUPED = re.compile(r"(?<=\d)(?:[.,\u00a0\u202f\u2009](?=\d)| (?=\d{3}\b))")


def lost(english: str, other: str, template: bool = False) -> list[str]:
    """Return what the translation lost, changed or made up, as short sentences; nothing where it keeps all.

    Args:
        english: the text.
        other: its translation.
        template: whether it has gaps, as "{n} words".
    """
    told = []
    if template:
        here, there = set(_GAP.findall(english)), set(_GAP.findall(other))
        told += [f"the gap {{{name}}} is missing" for name in sorted(here - there)]
        told += [f"there is no gap {{{name}}} in the English" for name in sorted(there - here)]
        english, other = _GAP.sub(" ", english), _GAP.sub(" ", other)
    for what, pattern in (("formula", _FORMULA), ("code", _CODE), ("link", _LINK), ("tag", _TAG)):
        missing, made = _apart(
            [_bare(one) for one in pattern.findall(english)], [_bare(one) for one in pattern.findall(other)]
        )
        told += [f"the {what} {one} is missing" for one in missing]
        told += [f"the {what} {one} is not in the English" for one in made]
        english, other = pattern.sub(" ", english), pattern.sub(" ", other)
    missing, made = _apart(_numbers(english), _numbers(other))
    told += [f"the number {one} is missing" for one in missing]
    told += [f"the number {one} is not in the English" for one in made]
    return told


def _bare(text: str) -> str:
    return "".join(_WORDS.sub("", text).split())


def _numbers(text: str) -> list[str]:
    return _NUMBER.findall(_GROUPED.sub("", text))


def _apart(here: list[str], there: list[str]) -> tuple[list[str], list[str]]:
    """What one has more often than the other; that a thing is said twice where it was said once is no loss."""
    first, second = Counter(here), Counter(there)
    return sorted(set(first) - set(second)), sorted(set(second) - set(first))
