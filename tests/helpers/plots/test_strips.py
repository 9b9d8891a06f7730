"""Strips: which pictures a page gets of a figure with controls, and the controls that choose among them."""

import math
import re

import pytest

from helpers.plots import interactive, strips
from helpers.plots.core import describe, grid


@pytest.mark.parametrize(
    "counts, chosen, wanted",
    [
        ([4], [2], [[0, 1, 2, 3]]),
        ([34], [0], [[3 * step for step in range(12)]]),
        ([3, 4], [0, 0], [[0, 1, 2], [0, 1, 2, 3]]),
        ([1, 3], [0, 1], [[0], [0, 1, 2]]),
        ([], [], []),
    ],
)
def test_values_lie_at_even_distances(counts, chosen, wanted):
    assert strips.places(counts, chosen) == wanted


@pytest.mark.parametrize("counts, chosen", [([40, 2, 9], [17, 1, 4]), ([5, 5, 5], [3, 0, 4]), ([100], [99])])
def test_the_chosen_value_is_among_them_and_there_are_not_too_many(counts, chosen):
    kept = strips.places(counts, chosen)
    assert math.prod(map(len, kept)) <= strips.MOST
    for count, place, some in zip(counts, chosen, kept):
        assert place in some and some == sorted(set(some)) and 0 <= some[0] <= some[-1] < count


def drawn(monkeypatch, **controls):
    displays = []
    monkeypatch.setattr(interactive, "_still", True)
    monkeypatch.setattr("IPython.display.display", lambda data, raw: displays.append(data))

    def draw(d, kind="round"):
        figure, axes = grid()
        axes[0, 0].plot([d, 1])
        return describe(figure, f"A line of {d}, {kind}")

    interactive.explore(draw, **controls)
    (data,) = displays
    return data


def test_a_page_without_a_kernel_gets_all_pictures_and_shows_the_chosen_one(monkeypatch):
    data = drawn(monkeypatch, d=[1, 2, 4], kind=["round", "square"], start={"d": 2, "kind": "square"})
    html = data["text/html"]
    assert data["text/plain"] == "[figure: A line of 2, square]"
    assert len(re.findall('class="attention-strip-picture"', html)) == 6
    shown = re.findall(r'data-at="(\d),(\d)"( hidden)?><img alt="([^"]*)"', html)
    assert [one[3] for one in shown if not one[2]] == ["A line of 2, square"]
    assert ("2", "0", " hidden", "A line of 4, round") in shown
    assert """type="range" min="0" max="2" value="1" data-shown='1,2,4'""" in html
    assert "<option>round</option><option selected>square</option>" in html


def test_a_figure_with_one_value_has_no_controls(monkeypatch):
    html = drawn(monkeypatch, d=[3])["text/html"]
    assert "attention-strip-controls" not in html and "A line of 3, round" in html
