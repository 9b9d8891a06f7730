"""What a newcomer to unit 6 answered wrongly is called by its name, and what is right in another way still passes."""

import pytest

from helpers.judging import catalog, checkup

from .wild import answer_of, assert_named, u6_masked_decoder
from .wild.u6_masked_decoder import NAMED, RIGHT


@pytest.mark.parametrize("number", range(len(NAMED)), ids=lambda number: f"{number}-{NAMED[number].exercise}")
def test_a_wrong_answer_is_called_by_its_name(number):
    assert_named(NAMED[number], number)


@pytest.mark.parametrize("number", range(len(RIGHT)), ids=lambda number: f"{number}-{RIGHT[number].exercise}")
def test_a_right_answer_passes(number):
    verdict, _ = checkup.check(catalog.find(RIGHT[number].exercise), answer_of(RIGHT[number], number))
    assert verdict.status == "passed", verdict.finding


def test_a_loop_without_an_end_is_given_one():
    """The model that the check makes refuses to be asked on and on, and says how it was asked last."""
    wild = next(wild for wild in NAMED if wild.source is u6_masked_decoder.ENDLESS)
    verdict, _ = checkup.check(catalog.find("greedy_decode"), answer_of(wild))
    assert "does not come to an end" in verdict.finding.message
