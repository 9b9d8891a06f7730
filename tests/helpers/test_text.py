"""The text of unit 9: split by topic, the same characters everywhere, and a line to beat that zlib really reaches."""

import zlib

import numpy as np
import pytest

from helpers import text


def test_no_paragraph_is_both_learned_and_held_out():
    learned, held = text.library().learned.splitlines(), text.library().held_out.splitlines()
    assert not set(learned) & set(held)
    assert len(set(learned)) == len(learned) and len(set(held)) == len(held)


def test_there_is_enough_of_both():
    assert len(text.library().learned) > 150_000 and 15_000 < len(text.library().held_out) < 60_000


def test_the_vocabulary_is_the_line_break_and_the_printable_characters_of_ascii():
    assert len(text.CHARACTERS) == len(set(text.CHARACTERS)) == 96 == text.LANGUAGE_MODEL["vocab"]
    assert text.CHARACTERS[0] == "\n" and text.CHARACTERS.isascii()


def test_ids_and_text_are_each_others_inverse_and_what_is_unknown_is_a_question_mark():
    assert text.text_of(text.ids_of("Hello,\nyou ~!")) == "Hello,\nyou ~!"
    assert text.text_of(text.ids_of("“Don’t” – naïve…\t文")) == '"Don\'t" - na?ve... ?'
    assert set(text.library().learned) <= set(text.CHARACTERS)


@pytest.mark.parametrize(
    ("topic", "expected"),
    [
        ("Title\n*****\n\nA sentence that goes on for more than sixty characters, and then ends.\n", 1),
        ("   x = 3\n   print(x + 2 ** 7, {1: 2}, [3, 4], (5, 6), end='.' + 17 * '-' + 'x' + '.')\n", 0),
        ("| a | b | c | d | e | f | g | h | i | j | k | l | m | n | o | p | q | r | s | t |.\n", 0),
        ("Too short.\n", 0),
    ],
)
def test_paragraphs_are_prose_in_one_line(topic, expected):
    found = list(text.paragraphs(topic))
    assert len(found) == expected and not any("\n" in line for line in found)


def test_long_topics_are_never_held_out():
    names = [str(i) for i in range(200)]
    assert 20 < sum(text.held_out(name, "short") for name in names) < 80
    assert not any(text.held_out(name, "x" * 20_000) for name in names)


def test_windows_are_pieces_of_the_learned_text_and_their_targets_come_one_later():
    inputs, targets = text.windows(np.random.default_rng(0), 5, 40)
    assert inputs.shape == targets.shape == (5, 40) and inputs.dtype == np.int64
    np.testing.assert_array_equal(inputs[:, 1:], targets[:, :-1])
    assert all(text.text_of(row) in text.library().learned for row in inputs)
    again, _ = text.windows(np.random.default_rng(0), 5, 40)
    np.testing.assert_array_equal(again, inputs)


def test_zlibs_bits_can_really_be_unpacked_again():
    before, held = text.library().learned.encode(), text.library().held_out.encode()
    press = zlib.compressobj(level=9, zdict=before[-32768:])
    packed = press.compress(held) + press.flush()
    assert zlib.decompressobj(zdict=before[-32768:]).decompress(packed) == held
    assert text.zlib_bits() <= 8 * len(packed) / len(held) < 8 * len(zlib.compress(held, 9)) / len(held)


def test_bits_of_a_half_is_one_and_of_a_quarter_two():
    assert text.bits_per_character(np.log([0.5, 0.5])) == pytest.approx(1)
    assert text.bits_per_character(np.log([0.25])) == pytest.approx(2)
