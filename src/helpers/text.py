"""English text that every Python ships, as characters: the topics behind `help()`, learned from or held out.

The tokens are characters: the newline and the 95 printable characters of ASCII, 96 in all, the same for every version
of Python. Curly quotes and long dashes become straight and short ones; any other character becomes a question mark.
The text is prose alone: paragraphs of full sentences, each on a line of its own, without headings, tables and code. A
topic is held out by its name; a paragraph of a held-out topic that another topic repeats is not learned from. The
wording of the topics differs a little from one version of Python to the next, so whatever is compared with the text is
computed from the text that is there. While a notebook is graded, text to learn from stands in the place of the held-out
text.
"""

from __future__ import annotations

import functools
import os
import re
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

# The place of a character is its id.
CHARACTERS = "\n" + "".join(map(chr, range(32, 127)))
_UNKNOWN = "?"
_STRAIGHT = str.maketrans({"‘": "'", "’": "'", "“": '"', "”": '"', "–": "-", "—": "-", "…": "..."})
_IDS = {character: place for place, character in enumerate(CHARACTERS)}

# How many characters the model of unit 9 is trained to look back over.
CONTEXT = 128
# The arguments that unit 9 builds its `LanguageModel` with; weights only fit a model of the same size.
LANGUAGE_MODEL = {
    "vocab": len(CHARACTERS),
    "d_model": 96,
    "n_layers": 3,
    "n_heads": 4,
    "n_kv_heads": 2,
    "d_ff": 256,
}

# Topics longer than this contain others, and holding one out would leave little to learn from.
_LONGEST_HELD_OUT = 20_000
# zlib looks back over so many bytes and no more.
_ZLIB_WINDOW = 32_768


@dataclass(frozen=True)
class Library:
    """The text in two parts that share no paragraph.

    Attributes:
        learned: to train on, about 190,000 characters.
        held_out: to be measured on, about 26,000.
    """

    learned: str
    held_out: str


def _graded() -> bool:
    """Whether this is the process of a notebook that is being graded."""
    return "ATTENTION_JUDGE_FD" in os.environ


def plain(text: str) -> str:
    """Return a text with the characters of the vocabulary alone; tabs are spaces."""
    straight = text.translate(_STRAIGHT).replace("\t", " ")
    return "".join(character if character in _IDS else _UNKNOWN for character in straight)


def ids_of(text: str) -> list[int]:
    """Return the ids of a text's characters, after `plain`."""
    return [_IDS[character] for character in plain(text)]


def text_of(ids: Iterable[int]) -> str:
    """Return ids as text."""
    return "".join(CHARACTERS[token] for token in map(int, ids))


def paragraphs(topic: str) -> Iterator[str]:
    """Yield the paragraphs of a topic that are prose, each in one line."""
    for block in re.split(r"\n\s*\n", plain(topic)):
        line = re.sub(r"^[*-] ", "", re.sub(r"\s+", " ", block.strip()))
        words = sum(character.isalpha() or character in " ,." for character in line)
        if len(line) >= 60 and line[0].isalpha() and line[-1] in ".:" and words >= 0.88 * len(line):
            yield line


def held_out(name: str, topic: str) -> bool:
    """Whether a topic is kept from training: about one in four of those that are not very long."""
    return len(topic) < _LONGEST_HELD_OUT and zlib.crc32(name.encode()) % 4 == 0


@functools.cache
def library() -> Library:
    """Return the text of the topics of `pydoc_data.topics`, split."""
    from pydoc_data.topics import topics

    held: dict[str, None] = {}
    learned: dict[str, None] = {}
    for name in sorted(topics):
        into = held if held_out(name, topics[name]) else learned
        into.update(dict.fromkeys(paragraphs(topics[name])))
    to_learn = [line for line in learned if line not in held]
    shown = to_learn[::7] if _graded() else held
    return Library("".join(f"{line}\n" for line in to_learn), "".join(f"{line}\n" for line in shown))


@functools.cache
def ids() -> tuple[np.ndarray, np.ndarray]:
    """Return the ids of the text to learn from and of the held-out text: int64, (n,) each."""
    both = np.array(ids_of(library().learned)), np.array(ids_of(library().held_out))
    for part in both:
        part.setflags(write=False)
    return both


def windows(rng: np.random.Generator, size: int, length: int = CONTEXT) -> tuple[np.ndarray, np.ndarray]:
    """Draw pieces of the text to learn from.

    Returns:
        inputs and targets, int64 (size, length) each; a target is the character after its input.
    """
    learned, _ = ids()
    starts = rng.integers(0, len(learned) - length, size=size)
    drawn = learned[starts[:, None] + np.arange(length + 1)]  # (size, length + 1)
    return drawn[:, :-1], drawn[:, 1:]


def bits_per_character(log_probabilities: np.ndarray) -> float:
    """Return the mean of -log2 p over natural logarithms of the probabilities that the right characters were given."""
    return float(-np.mean(log_probabilities) / np.log(2))


@functools.cache
def zlib_bits() -> float:
    """Return the bits that zlib needs for a character of the held-out text, when it may read the other text first.

    It is given that text in two ways, as its dictionary and in front of the held-out text, and the better one counts.
    """
    before, text = library().learned.encode(), library().held_out.encode()
    press = zlib.compressobj(level=9, zdict=before[-_ZLIB_WINDOW:])
    by_dictionary = len(press.compress(text) + press.flush())
    behind = len(zlib.compress(before + text, 9)) - len(zlib.compress(before, 9))
    return 8 * min(by_dictionary, behind) / len(text)
