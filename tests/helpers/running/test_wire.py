"""What crosses the border comes out as it went in, and nothing else crosses."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from helpers.exercise import Built, Case, Init, Tensor
from helpers.judging import records
from helpers.running import runner, wire

plain = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63) + 1, 2**63 - 1) | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.tuples(inner, inner) | st.dictionaries(st.text(max_size=3), inner, max_size=3)
    ),
    max_leaves=10,
)


@settings(max_examples=100, deadline=None, derandomize=True)
@given(plain)
def test_plain_values_come_back_as_they_were(value):
    assert wire.decode(wire.encode(value)) == value


@settings(max_examples=60, deadline=None, derandomize=True)
@given(
    st.sampled_from(["f4", "f8", "i1", "i8", "u2", "?", "c16", ">f8"]).flatmap(
        lambda d: arrays(d, array_shapes(min_dims=0, min_side=0, max_side=4))
    )
)
def test_arrays_come_back_bit_by_bit(array):
    back = wire.decode(wire.encode(array))
    assert back.shape == array.shape and back.dtype == array.dtype.newbyteorder("=")
    assert back.tobytes() == array.astype(array.dtype.newbyteorder("=")).tobytes()


def test_cases_cross_without_what_is_right():
    case = Case(
        "values",
        (Tensor(np.ones(2, "f4"), gradient=True), Built("x", {"a": 1})),
        {"k": 3},
        Init((1,), {}, {"w": np.ones(1)}),
        raises="ValueError",
    )
    back = wire.decode(wire.encode(case))
    assert (
        back.raises is None
        and back.args[0].gradient
        and back.args[1].options == {"a": 1}
        and back.init.weights["w"] == 1
    )


def test_a_dict_with_the_mark_itself_as_a_key_comes_back():
    value = {"~": "array", "items": [{"~": {"~": 1}}], "": {"a": {}}}
    assert wire.decode(wire.encode(value)) == value


def test_a_case_says_only_what_is_not_usual():
    assert b"kwargs" not in wire.encode(Case("values", (1,)))


@pytest.mark.parametrize(
    "value", [object(), {1: 2}, {1, 2}, b"bytes", np.array([None]), np.array(["text"]), 2**64, lambda: 0], ids=range(8)
)
def test_nothing_else_is_sent(value):
    with pytest.raises(wire.WireError):
        wire.encode(value)


def test_a_value_that_contains_itself_is_refused():
    endless = []
    endless.append(endless)
    with pytest.raises(wire.WireError):
        wire.encode(endless)


def message(tree, raw=b""):
    head = json.dumps(tree).encode()
    return len(head).to_bytes(8, "big") + head + raw


@pytest.mark.parametrize(
    "tree",
    [
        {"~": "array", "dtype": "O", "shape": [1], "bytes": 8},
        {"~": "array", "dtype": "f8", "shape": [10**9, 10**9], "bytes": 8},
        {"~": "array", "dtype": "f8", "shape": [-1], "bytes": 8},
        {"~": "array", "dtype": "f8", "shape": [1.0], "bytes": 8},
        {"~": "array", "dtype": "f8", "shape": [2], "bytes": 16},
        {"~": "pickle", "data": "x"},
        {"~": "tuple"},
        {"~": "init", "weights": {"~": "case", "args": {"~": "pickle"}}},
        {"~": "dict", "items": [[1, 2]]},
        {"~": ["list"]},
        {"~": "tuple", "items": {}},
        {"~": "tensor", "array": [1.0], "gradient": False},
        {"~": "built", "name": "x", "options": []},
        json.loads("[" * 60 + "]" * 60),
        json.loads('{"a":' * 60 + "1" + "}" * 60),
        [{"~": "tuple", "items": json.loads("[" * 60 + "]" * 60)}],
        [[0] * 100_001, {"a": [0] * 100_001}],
    ],
    ids=range(17),
)
def test_malformed_messages_are_refused(tree):
    with pytest.raises(wire.WireError):
        wire.decode(message(tree, b"12345678"))


@settings(max_examples=200, deadline=None, derandomize=True)
@given(st.binary(max_size=200))
def test_random_bytes_give_a_value_or_a_wire_error(data):
    try:
        wire.decode(data)
    except wire.WireError:
        pass


def test_an_answer_in_brief_is_the_answer_again():
    cases = [Case("values", (np.arange(3.0),)), Case("values", (1,)), Case("values", ("text",)), Case("values")]

    def answer(x):
        x += 1
        print(x)
        return {"a": x}

    for full in runner.run(answer, cases):
        brief = wire.decode(wire.encode(runner.brief(full)))
        again, expected = records.checked(brief), wire.decode(wire.encode(full))
        assert list(again) == list(expected) and repr(again) == repr(expected) and len(brief) < len(full)
