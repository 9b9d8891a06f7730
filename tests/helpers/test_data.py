"""The data of the course: number words against num2words and by hand, splits that share nothing, batches."""

import numpy as np
import pytest
from num2words import num2words

from helpers import data

SOME = [*range(1100), *range(0, 100_000, 1000), *range(1001, 100_000, 997), 99_999]


@pytest.mark.parametrize(("language", "code"), [("English", "en"), ("Russian", "ru")])
def test_words_are_those_of_num2words(language, code):
    for number in SOME:
        assert data.number_words(number, language) == num2words(number, lang=code)


# num2words has no Chinese. Written out by hand, with every kind of gap.
CHINESE = {
    0: "零", 7: "七", 10: "十", 11: "十一", 20: "二十", 99: "九十九", 100: "一百", 101: "一百零一",
    110: "一百一十", 115: "一百一十五", 200: "二百", 1000: "一千", 1001: "一千零一", 1010: "一千零一十",
    1100: "一千一百", 1015: "一千零一十五", 2022: "二千零二十二", 6666: "六千六百六十六", 10_000: "一万",
    10_001: "一万零一", 10_010: "一万零一十", 10_100: "一万零一百", 11_000: "一万一千",
    10_203: "一万零二百零三", 30_040: "三万零四十", 42_307: "四万二千三百零七", 50_600: "五万零六百",
    70_070: "七万零七十", 80_808: "八万零八百零八", 90_001: "九万零一", 99_999: "九万九千九百九十九",
}  # fmt: skip


@pytest.mark.parametrize("number", CHINESE)
def test_chinese_words_are_those_written_by_hand(number):
    assert data.number_words(number, "Chinese") == CHINESE[number]


def read_chinese(text):
    """The number that a Chinese spelling means, read from left to right."""
    total, digit = 0, None
    for character in text:
        if character in "十百千万":
            total += (1 if digit is None else digit) * {"十": 10, "百": 100, "千": 1000, "万": 10_000}[character]
            digit = None
        else:
            digit = "零一二三四五六七八九".index(character)
    return total + (digit or 0)


def test_every_chinese_spelling_means_its_number():
    for number in range(data.LIMIT):
        assert read_chinese(data.number_words(number, "Chinese")) == number


@pytest.mark.parametrize(("number", "language"), [(-1, "English"), (100_000, "Russian"), (5, "French")])
def test_other_numbers_and_languages_are_a_value_error(number, language):
    with pytest.raises(ValueError):
        data.number_words(number, language)


def test_no_spelling_of_a_held_out_number_is_trained_on():
    learned, held = data.numbers()
    assert len(learned) + len(held) == data.LIMIT and 0.09 < len(held) / data.LIMIT < 0.11
    for language in data.LANGUAGES:
        trained_on = {data.number_words(number, language) for number in learned}
        assert not trained_on & {data.number_words(number, language) for number in held}
    assert held.min() >= 100


def test_every_word_can_be_learned():
    learned, _ = data.numbers()
    seen = {token for number in learned for language in data.LANGUAGES for token in data.source_ids(number, language)}
    assert seen == set(range(3, len(data.source_vocabulary())))


def test_every_number_fits_into_the_translator():
    assert (
        max(len(data.source_ids(number, language)) for number in SOME for language in data.LANGUAGES) <= data.MAX_LENGTH
    )
    assert data.TRANSLATOR["src_vocab"] == len(set(data.source_vocabulary()))


def test_ids_lead_back_to_words_and_digits():
    assert data.tokens_of(data.source_ids(42_307, "English")) == "forty two thousand three hundred and seven".split()
    assert data.tokens_of(data.source_ids(42_307, "Chinese"), latin=True) == "sì wàn èr qiān sān bǎi líng qī".split()
    assert data.digits_of(data.target_ids(42_307)) == "42307<eos>"


def test_batches_hold_only_numbers_to_train_on_and_are_the_same_for_the_same_seed():
    src, tgt = data.number_batch(np.random.default_rng(3), 200)
    again, _ = data.number_batch(np.random.default_rng(3), 200)
    assert np.array_equal(src, again) and src.shape[0] == tgt.shape[0] == 200
    for words, ids in zip(src, tgt):
        digits = [token for token in ids if token > data.EOS]
        number = int(data.digits_of(digits))
        assert not data.held_out(number)
        assert list(ids[: len(digits) + 1]) == data.target_ids(number) and set(ids[len(digits) + 1 :]) <= {data.PAD}
        assert [token for token in words if token != data.PAD] in [
            data.source_ids(number, language) for language in data.LANGUAGES
        ]


def test_short_numbers_come_up_often_enough_to_be_learned():
    drawn = data.draw_numbers(np.random.default_rng(0), 5000)
    lengths = np.bincount([len(str(number)) for number in drawn], minlength=6)
    assert (lengths[1:] > 300).all()


def test_held_out_digits_are_no_training_digits():
    digits = data.digits()
    assert digits.train_images.shape == (1438, 8, 8) and digits.test_images.shape == (359, 8, 8)
    seen = {image.tobytes() for image in digits.train_images}
    assert not any(image.tobytes() in seen for image in digits.test_images)
    assert set(digits.train_labels) == set(digits.test_labels) == set(range(10))
