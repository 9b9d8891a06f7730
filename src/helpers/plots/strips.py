"""Pictures with controls for a page that no kernel answers: all pictures at once, and plain controls to choose one.

A page's script shows the picture of the values that are chosen; without it the first one stands alone.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Mapping, Sequence
from html import escape
from typing import Any

from helpers import language

# A page has to carry every picture.
MOST = 12


def places(counts: Sequence[int], chosen: Sequence[int], most: int = MOST) -> list[list[int]]:
    """Return which values of each control get pictures: all, or some at even distances, the chosen ones among them.

    Args:
        counts: how many values each control has.
        chosen: the place of the first picture's value in each.
        most: pictures; each choice of one value for each control is one.
    """
    kept = list(counts)
    while math.prod(kept) > most and max(kept) > 1:
        longest = kept.index(max(kept))
        kept[longest] -= 1
    return [_even(count, place, size) for count, place, size in zip(counts, chosen, kept)]


def _even(count: int, chosen: int, size: int) -> list[int]:
    if size == 1:
        return [chosen]
    even = [round(step * (count - 1) / (size - 1)) for step in range(size)]
    if chosen not in even:
        even[min(range(size), key=lambda step: abs(even[step] - chosen))] = chosen
    return even


def strip(
    paint: Callable[[Mapping[str, Any]], Mapping[str, str]],
    values: Mapping[str, Sequence[tuple[str, Any]]],
    chosen: Mapping[str, Any],
) -> dict[str, str]:
    """Return the display of all pictures with their controls, by type.

    Args:
        paint: draws the picture of a value for each control, and returns its display.
        values: for each control what it shows of a value, and the value.
        chosen: the first picture's values, and those of controls that a page does not have, as a text box.
    """
    counts = [len(options) for options in values.values()]
    first = [[one for _, one in options].index(chosen[name]) for name, options in values.items()]
    kept = places(counts, first)
    controls, pictures, told = [], [], ""
    for name, options, some, place in zip(values, values.values(), kept, first):
        if len(some) > 1:
            controls.append(_control(name, [options[one][0] for one in some], some.index(place)))
    wide = [position for position, some in enumerate(kept) if len(some) > 1]
    for chosen_places in itertools.product(*kept):
        at = [kept[position].index(chosen_places[position]) for position in wide]
        shown = list(chosen_places) == first
        display = paint({**chosen, **{name: values[name][place][1] for name, place in zip(values, chosen_places)}})
        if shown:
            told = display["text/plain"]
        pictures.append(
            f'<div class="attention-strip-picture" data-at="{",".join(map(str, at))}"{"" if shown else " hidden"}>'
            f"{display['text/html']}</div>"
        )
    html = f'<div class="attention-strip-controls" hidden>{"".join(controls)}</div>' if controls else ""
    return {"text/html": f'<div class="attention-strip">{html}{"".join(pictures)}</div>', "text/plain": told}


def _control(name: str, shown: Sequence[str], place: int) -> str:
    """A slider over numbers, a menu of words."""
    label = escape(language.told(name))
    if all(_number(one) for one in shown):
        return (
            f'<label>{label} <input type="range" min="0" max="{len(shown) - 1}" value="{place}"'
            f" data-shown='{escape(','.join(shown))}'> <output>{escape(shown[place])}</output></label>"
        )
    options = "".join(
        f"<option{' selected' if number == place else ''}>{escape(language.told(one))}</option>"
        for number, one in enumerate(shown)
    )
    return f"<label>{label} <select>{options}</select></label>"


def _number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
