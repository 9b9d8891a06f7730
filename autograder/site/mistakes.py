"""The pages of what people get wrong: the names and hints of the exercises' own records, in folds."""

from __future__ import annotations

import re
from html import escape

from helpers import contents
from helpers.exercise import Exercise, Mistake
from helpers.judging import catalog
from helpers.language import told

from . import words

_CODE = re.compile(r"`([^`]+)`")


def fold(exercise: Exercise) -> str:
    """Return what stands in a unit under an exercise's check: its mistakes, folded away."""
    lines = "".join(f"<dt>{_html(told(one.name))}</dt><dd>{_html(told(one.hint))}</dd>" for one in exercise.mistakes)
    return (
        f'<details class="mistakes"><summary>{_html(words.mistakes_fold(f"`{exercise.name}`"))}</summary>'
        f"<dl>{lines}</dl></details>"
    )


def page(unit: str) -> str:
    """Return a unit's page of mistakes: a heading for each exercise, a fold for each mistake."""
    parts = [f"# {words.mistakes_of(title(unit))}", f"[{words.to_unit()}](../units/{unit}.ipynb)"]
    for exercise in catalog.unit_exercises(unit).values():
        if exercise.mistakes:
            parts += [f"## `{exercise.name}`", "\n".join(map(_mistake, exercise.mistakes))]
    return "\n\n".join(parts) + "\n"


def index(units: list[str]) -> str:
    """Return the index of all pages of mistakes: by unit, each exercise with how many are known."""
    parts = [f"# {words.navigation().mistakes}", *words.mistakes_lines(), _toctree(units)]
    for unit in units:
        parts.append(f"## [{title(unit)}]({unit}.md)")
        parts.append(
            "\n".join(
                f"- [`{one.name}`]({unit}.md#{one.name.lower()}): {words.mistakes_known(len(one.mistakes))}"
                for one in catalog.unit_exercises(unit).values()
                if one.mistakes
            )
        )
    return "\n\n".join(parts) + "\n"


def units_with_mistakes(units: tuple[str, ...]) -> list[str]:
    """Return those of the units whose exercises know mistakes."""
    return [
        unit
        for unit in units
        if unit in catalog.units() and any(one.mistakes for one in catalog.unit_exercises(unit).values())
    ]


def title(unit: str) -> str:
    """Return a unit's title in the language that is spoken."""
    found = contents.find_unit(unit)
    return told(found.title) if found is not None else unit


def _toctree(units: list[str]) -> str:
    return "```{toctree}\n:hidden:\n\n" + "\n".join(units) + "\n```"


def _mistake(mistake: Mistake) -> str:
    return (
        f'<details class="mistake"><summary>{_html(told(mistake.name))}</summary>'
        f"<p>{_html(told(mistake.hint))}</p></details>"
    )


def _html(text: str) -> str:
    """A text with code in it, as one line of HTML."""
    return _CODE.sub(r"<code>\1</code>", escape(" ".join(text.split()), quote=False))
