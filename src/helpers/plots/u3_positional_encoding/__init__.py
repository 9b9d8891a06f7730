"""Figures of unit 3: sentences whose order is lost, positions that fail, clocks, and the encoding itself."""

from .clocks import clock_strip, clocks_at, reading_a_hand, rotating_pairs, speeds
from .encoding import encoding_map, products, turned_blocks
from .first_tries import counting, digits_and_waves, fractions
from .order import sentences, sum_of_word_and_place

__all__ = [
    "clock_strip",
    "clocks_at",
    "counting",
    "digits_and_waves",
    "encoding_map",
    "fractions",
    "products",
    "reading_a_hand",
    "rotating_pairs",
    "sentences",
    "speeds",
    "sum_of_word_and_place",
    "turned_blocks",
]
