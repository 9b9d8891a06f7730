"""Data of the course: it ships with a package or is made here, so nothing is ever downloaded.

Handwritten digits come with scikit-learn. Number words in English, Russian and Chinese for 0 to 99,999 are spelled by
`number_words`. Both are split once and for all into what is trained on and what is held out. While a notebook is graded
nothing is held out here: something to learn from stands in its place, and the judge measures on its own data.
"""

from __future__ import annotations

import functools
import os
import re
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

# Ids that mean the same in every vocabulary of the course; words and digits come after them.
PAD, BOS, EOS = 0, 1, 2
_SPECIAL = ("<pad>", "<bos>", "<eos>")

LANGUAGES = ("English", "Russian", "Chinese")
LIMIT = 100_000

# The longest sequence that the translator of unit 7 reads or writes.
MAX_LENGTH = 12
# Where unit 7 saves its trained weights, beside the notebook.
WEIGHTS = "weights.safetensors"


def _graded() -> bool:
    """Whether this is the process of a notebook that is being graded."""
    return "ATTENTION_JUDGE_FD" in os.environ


@dataclass(frozen=True)
class Digits:
    """Handwritten digits, 8 × 8 pixels from 0 (paper) to 16 (ink), split into two parts that share no image.

    Attributes:
        train_images, test_images: float32, (n, 8, 8).
        train_labels, test_labels: int64, (n,).
    """

    train_images: np.ndarray
    train_labels: np.ndarray
    test_images: np.ndarray
    test_labels: np.ndarray


@functools.cache
def digits() -> Digits:
    """Return scikit-learn's 1,797 handwritten digits; every fifth image is held out: 1,438 to learn from, 359 to be
    measured on."""
    from sklearn.datasets import load_digits

    bunch = load_digits()
    images, labels = bunch.images.astype(np.float32), bunch.target.astype(np.int64)
    held = np.arange(len(images)) % 5 == 4
    shown = np.arange(len(images)) % 5 == 3 if _graded() else held
    parts = images[~held], labels[~held], images[shown], labels[shown]
    for part in parts:
        part.setflags(write=False)
    return Digits(*parts)


# --- numbers in words ------------------------------------------------------------------------------------

_ENGLISH = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen"
    " eighteen nineteen".split(),
    "twenty thirty forty fifty sixty seventy eighty ninety".split(),
)
_RUSSIAN = (
    "ноль один два три четыре пять шесть семь восемь девять десять одиннадцать двенадцать тринадцать четырнадцать "
    "пятнадцать шестнадцать семнадцать восемнадцать девятнадцать".split(),
    "двадцать тридцать сорок пятьдесят шестьдесят семьдесят восемьдесят девяносто".split(),
    "сто двести триста четыреста пятьсот шестьсот семьсот восемьсот девятьсот".split(),
)
_CHINESE = "零一二三四五六七八九"
_PINYIN = dict(zip("零一二三四五六七八九十百千万", "líng yī èr sān sì wǔ liù qī bā jiǔ shí bǎi qiān wàn".split()))


def number_words(number: int, language: str) -> str:
    """Spell a number: 42307 is "forty-two thousand, three hundred and seven", "сорок две тысячи триста семь",
    "四万二千三百零七".

    Args:
        number: 0 to 99,999.
        language: one of `LANGUAGES`.

    Raises:
        ValueError: another number or language.
    """
    number = int(number)
    if not 0 <= number < LIMIT:
        raise ValueError(f"{number} is not between 0 and {LIMIT - 1:,}")
    spell = {"English": _english, "Russian": _russian, "Chinese": _chinese}.get(language)
    if spell is None:
        raise ValueError(f"{language!r} is not one of {', '.join(LANGUAGES)}")
    return spell(number)


def _english(number: int) -> str:
    """British style, as in "one thousand and one": an "and" before what is left below a hundred."""
    thousands, rest = divmod(number, 1000)
    if not thousands:
        return _english_below_1000(rest)
    text = f"{_english_below_1000(thousands)} thousand"
    if rest:
        text += f"{' and' if rest < 100 else ','} {_english_below_1000(rest)}"
    return text


@functools.cache
def _english_below_1000(number: int) -> str:
    small, tens = _ENGLISH
    if number < 20:
        return small[number]
    if number < 100:
        ten, one = divmod(number, 10)
        return tens[ten - 2] + (f"-{small[one]}" if one else "")
    hundreds, rest = divmod(number, 100)
    return f"{small[hundreds]} hundred" + (f" and {_english_below_1000(rest)}" if rest else "")


def _russian(number: int) -> str:
    thousands, rest = divmod(number, 1000)
    if not thousands:
        return " ".join(_russian_below_1000(rest, feminine=False)) or _RUSSIAN[0][0]
    # тысяча is feminine, and its ending goes by the last word of the count: одна тысяча, две тысячи, пять тысяч.
    last = 0 if 10 <= thousands % 100 < 20 else thousands % 10
    thousand = "тысяча" if last == 1 else "тысячи" if 2 <= last <= 4 else "тысяч"
    return " ".join(
        (*_russian_below_1000(thousands, feminine=True), thousand, *_russian_below_1000(rest, feminine=False))
    )


@functools.cache
def _russian_below_1000(number: int, feminine: bool) -> tuple[str, ...]:
    small, tens, hundreds = _RUSSIAN
    words = [hundreds[number // 100 - 1]] if number >= 100 else []
    rest = number % 100
    if rest >= 20:
        words.append(tens[rest // 10 - 2])
        rest %= 10
    if rest:
        words.append({1: "одна", 2: "две"}.get(rest, small[rest]) if feminine else small[rest])
    return tuple(words)


def _chinese(number: int) -> str:
    """In full and with 二 throughout; one 零 stands for a gap between digits, none at the end, and 10 to 19 begin with
    十."""
    text, gap = "", False
    for unit, place in ((10_000, "万"), (1000, "千"), (100, "百"), (10, "十"), (1, "")):
        digit = number // unit % 10
        if not digit:
            gap = bool(text)
            continue
        text += ("零" if gap else "") + (_CHINESE[digit] if (digit, unit) != (1, 10) or text else "") + place
        gap = False
    return text or _CHINESE[0]


def words(text: str) -> list[str]:
    """Cut a spelled number into tokens: words without commas and hyphens, and single characters in Chinese."""
    return [token for part in re.findall(r"\w+", text) for token in (part if part[0] in _PINYIN else [part])]


@functools.cache
def source_vocabulary() -> tuple[str, ...]:
    """Return the words of all three languages; the place of a word is its id. `PAD`, `BOS` and `EOS` come first."""
    english = [*_ENGLISH[0], *_ENGLISH[1], "hundred", "thousand", "and"]
    russian = [*_RUSSIAN[0], "одна", "две", *_RUSSIAN[1], *_RUSSIAN[2], "тысяча", "тысячи", "тысяч"]
    return (*_SPECIAL, *english, *russian, *_PINYIN)


@functools.cache
def target_vocabulary() -> tuple[str, ...]:
    """Return the ten digits after `PAD`, `BOS` and `EOS`; the place of a digit is its id."""
    return (*_SPECIAL, *"0123456789")


@functools.cache
def _source_ids() -> dict[str, int]:
    return {word: place for place, word in enumerate(source_vocabulary())}


def source_ids(number: int, language: str) -> list[int]:
    """Return the ids of a number's words, without bos, eos or padding."""
    table = _source_ids()
    return [table[word] for word in words(number_words(number, language))]


def target_ids(number: int) -> list[int]:
    """Return the ids of a number's digits, with `EOS` at the end."""
    first = len(_SPECIAL)
    return [first + int(digit) for digit in str(int(number))] + [EOS]


def digits_of(ids: Iterable[int]) -> str:
    """Return ids of digits as text: [7, 5] is "42". What is no digit is shown by its name."""
    table = target_vocabulary()
    return "".join(table[token] if 0 <= token < len(table) else "?" for token in map(int, ids))


def tokens_of(ids: Iterable[int], latin: bool = False) -> list[str]:
    """Return ids of words as the words; `latin` writes Chinese in pinyin, for where no font has its characters."""
    table = source_vocabulary()
    return [_PINYIN.get(table[token], table[token]) if latin else table[token] for token in map(int, ids)]


def held_out(number: int) -> bool:
    """Whether a number is kept from training, in all three languages: about one in ten of those from 100 on.

    One number has one spelling in a language and no two numbers share one, so no spelling of a held-out number is ever
    trained on. The numbers below 100 are all trained on: they are the vocabulary.
    """
    return number >= 100 and zlib.crc32(str(int(number)).encode()) % 10 == 0


@functools.cache
def numbers() -> tuple[np.ndarray, np.ndarray]:
    """Return the numbers to train on and the held-out ones, each ascending."""
    held = np.array([held_out(number) for number in range(LIMIT)])
    both = np.flatnonzero(~held), np.flatnonzero(~held)[100::10] if _graded() else np.flatnonzero(held)
    for part in both:
        part.setflags(write=False)
    return both


def draw_numbers(rng: np.random.Generator, count: int) -> np.ndarray:
    """Draw numbers to train on: one half from all alike, the other with every length as likely, or short ones would
    hardly come up."""
    train, _ = numbers()
    lengths = rng.integers(1, 6, size=count)
    first = np.searchsorted(train, np.where(lengths > 1, 10 ** (lengths - 1), 0))
    after = np.searchsorted(train, 10**lengths)
    by_length = train[rng.integers(first, after)]
    return np.where(rng.random(count) < 0.5, train[rng.integers(0, len(train), size=count)], by_length)


def padded(sentences: Sequence[Sequence[int]]) -> np.ndarray:
    """Return sentences of different lengths as one array, filled up with `PAD`: int64, (sentences, longest)."""
    batch = np.full((len(sentences), max(map(len, sentences), default=0)), PAD)
    for row, sentence in zip(batch, sentences):
        row[: len(sentence)] = sentence
    return batch


def number_batch(
    rng: np.random.Generator, size: int, languages: Sequence[str] = LANGUAGES
) -> tuple[np.ndarray, np.ndarray]:
    """Draw sentences to train on and their digits, both padded.

    Returns:
        src, int64 (size, n): words. tgt, int64 (size, m): digits and `EOS`.
    """
    drawn = draw_numbers(rng, size)
    chosen = rng.integers(0, len(languages), size=size)
    src = padded([source_ids(number, languages[which]) for number, which in zip(drawn, chosen)])
    return src, padded([target_ids(number) for number in drawn])


# The arguments that unit 7 builds its `Transformer` with; weights only fit a model of the same size.
TRANSLATOR = {
    "src_vocab": len(source_vocabulary()),
    "tgt_vocab": len(target_vocabulary()),
    "d_model": 64,
    "n_heads": 4,
    "n_layers": 2,
    "d_ff": 128,
    "max_length": MAX_LENGTH,
}
