"""Words that figures write and readers type."""

from __future__ import annotations

from collections.abc import Sequence

from .. import core


def words_of(ids: Sequence[int]) -> list[str]:
    """Return the words of source ids as a figure can write them: in pinyin where no font has Chinese characters."""
    from helpers.data import tokens_of

    return tokens_of(ids, latin=core.chinese_font() is None)


def typed(sentence: str) -> tuple[list[int], str]:
    """Return the source ids of a typed number, and an empty text; or no ids and what is wrong with it."""
    from helpers.data import MAX_LENGTH, source_vocabulary, words

    known = {word: place for place, word in enumerate(source_vocabulary())}
    tokens = words(sentence.lower())
    strange = [token for token in tokens if token not in known]
    if not tokens:
        return [], "There is no word to read. Type a number in words and press Enter."
    if strange:
        return (
            [],
            f"The model has never seen “{strange[0][:40]}”. It knows number words, as in “seven hundred and five”, "
            "“семьсот пять” and “七百零五”.",
        )
    if len(tokens) > MAX_LENGTH:
        return [], f"The model reads at most {MAX_LENGTH} words; these are {len(tokens)}."
    return [known[token] for token in tokens], ""
