"""What results of several parts are called can be said in another language: a text for each name of several words."""

import numpy as np
import pytest

from autograder.authoring.translating import catalogs
from helpers.judging import catalog, parts

ONE = np.zeros(1)


@pytest.mark.parametrize(
    "name, expected",
    [
        ("project", (ONE, ONE, ONE)),
        ("scaled_dot_product_attention", (ONE, ONE)),
        ("multi_head_attention", (ONE, ONE)),
        ("MultiHeadAttention", (ONE, ONE)),
        ("masked_attention", (ONE, ONE)),
        ("cached_attention_step", (ONE, (ONE, ONE))),
        ("DecoderBlock", (ONE, (ONE, ONE))),
    ],
)
def test_every_name_of_a_result_is_a_text(name, expected):
    unit = next(unit for unit in catalog.units() if name in catalog.exercise_names(unit))
    names = parts.names(catalog.find(name).reference, expected)
    assert names
    told = {one.strip("“”") for one in parts._leaves(names) if " " in one}
    assert told <= set(catalogs.RESULTS.get(unit, ()))
