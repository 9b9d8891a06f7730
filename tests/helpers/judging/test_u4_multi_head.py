"""What the checks of unit 4 show beside a name."""

from helpers.judging import catalog
from helpers.judging.trial import verdict_of


def test_a_wrong_count_that_is_whole_is_shown_as_whole():
    verdict = verdict_of(catalog.find("count_parameters"), lambda d_model, n_heads, bias: 3 * d_model)
    shown = {one.name: one.passed for one in verdict.properties}
    assert shown["a whole number"] and not shown["values"]
