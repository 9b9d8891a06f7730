"""The reference of unit 0."""

from helpers.reference import u0_start_here as reference


def test_hello_attention_is_the_word_the_curriculum_asks_for():
    assert reference.hello_attention() == "attend"
