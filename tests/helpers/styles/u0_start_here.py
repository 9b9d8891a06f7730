"""Right and further wrong answers to unit 0; see `u1_dot_products` for what the two names mean."""

import numpy as np


def _by_variable():
    word = "at"
    word += "tend"
    return word


class _Word(str):
    """A string by inheritance, as some libraries return."""


RIGHT = {
    "hello_attention": [
        lambda: "attend",
        lambda: "Attend".lower(),
        lambda: "".join(["a", "tt", "end"]),
        lambda: f"{'attend':s}",
        _by_variable,
        lambda: _Word("attend"),
        lambda *ignored: print("a print does no harm") or "attend",
    ],
}

WRONG = {
    "hello_attention": {
        "returns nothing": lambda: print("attend"),
        "": lambda: "pay attention",
        " #bytes are no string": lambda: b"attend",
        " #True is no string": lambda: True,
        " #an array is no string": lambda: np.zeros(3),
    },
}
