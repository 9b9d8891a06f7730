"""What an attempt to catch wrong versions did, as text and as a card: right against wrong, who is free, what each had
done."""

from __future__ import annotations

import inspect
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np

from helpers import language
from helpers.desk import cards
from helpers.exercise import Exercise
from helpers.verdict import Finding

from . import versions
from .attempts import Outcome
from .versions import Version

# More numbers than these are not read one by one.
MOST_NUMBERS = 8
# The judge speaks to the writer of an answer; here nobody's answer is spoken of.
_OF_YOURS = (
    (re.compile("^your code raised"), "stops with"),
    (re.compile("your code calls"), "it calls"),
    (re.compile("yours returned"), "this one returned"),
    (re.compile(r"\byour own\b"), "its own"),
    (re.compile(r"\byour (\w+)"), r"the \1"),
)
_OTHERWISE = {
    "changed": "right numbers, and it changes what it was given",
    "shares": "right numbers, and they share memory with what it was given: changing one later changes the other",
    "overwritten": "right numbers, and a later call changes them",
    "warning": "right numbers, and a warning with them",
    "memory": "right numbers, and it holds far more on the way than is needed",
    "gradients": "right numbers, and wrong gradients",
    "no gradient": "right numbers, and no gradient comes back from them",
    "no error": "gives a result, where the right version refuses such arguments",
    "wrong error": "stops with another error than the right version",
    "numpy": "right numbers, in a NumPy array and not in a tensor",
    "torch": "right numbers, in a tensor and not in a NumPy array",
    "after": "leaves what it was given in another state than the right version does",
}


@dataclass(frozen=True)
class Told:
    """One version that an input catches.

    Attributes:
        number: of the version.
        sentence: what is different, in words.
        right, wrong: the numbers side by side, or "" where there are too many.
    """

    number: int
    sentence: str
    right: str = ""
    wrong: str = ""


def as_card(
    exercise: Exercise, group: Sequence[Version], before: Collection[str], outcome: Outcome | None
) -> tuple[str, str]:
    """Return the card of an attempt as text and as HTML.

    Args:
        exercise: what the versions are versions of.
        group: the versions that were tried.
        before: names of the mistakes that were caught before.
        outcome: what the input did; None where there was none.
    """
    now = {} if outcome is None else outcome.caught
    caught = [version for version in group if version.mistake.name in before or version.number in now]
    mark, tone = ("✓", cards.GOOD) if len(caught) == len(group) else ("○", cards.OPEN)
    title = f"catch {exercise.name}: {len(caught)} of {len(group)} caught"
    aside = "" if outcome is None or outcome.refused else f"this input catches {len(now)}"
    states = [(version.number, version in caught) for version in group]
    text = [f"{mark} {title}" + (f" ({aside})" if aside else "")]
    parts = []
    if outcome is not None and outcome.refused:
        text.append(f"  {_sentence(outcome.refused)} Try another input.")
        parts.append(cards.line(cards.prose(f"{_sentence(outcome.refused)} Try another input.")))
    text.append("  version: " + ", ".join(f"{number} {'caught' if is_in else 'free'}" for number, is_in in states))
    chips = "".join(_chip(*state) for state in states)
    parts.append(cards.line(f'<span style="opacity:.8">{language.word("version:")}</span> {chips}'))
    for told in [_told(*one) for one in sorted(now.items())]:
        text.append(f"  version {told.number}: {told.sentence}")
        text += [f"    {line}" for line in _side_by_side(told)]
        parts.append(cards.line(f"<b>{language.told(f'Version {told.number}')}</b>: {cards.prose(told.sentence)}"))
        if told.right:
            parts.append(_block(_side_by_side(told)))
    end, list_of_names = _end(exercise, group, caught, [*before, *(v.mistake.name for v in caught)], outcome)
    text += [f"  {line}" for line in (*list_of_names, *end)]
    parts += [cards.line(cards.prose(line)) for line in list_of_names]
    parts += [cards.line(cards.prose(line), faint=True) for line in end]
    return "\n".join(text), cards.card(tone, mark, title, aside, parts)


def _end(
    exercise: Exercise,
    group: Sequence[Version],
    caught: Sequence[Version],
    names: Collection[str],
    outcome: Outcome | None,
) -> tuple[list[str], list[str]]:
    """The last lines, and the names of the wrong versions when all of them are caught."""
    if len(caught) == len(group):
        listed = ["This is what each had done:"]
        listed += [f"{version.number}. {version.mistake.name}" for version in group]
        further = versions.handful(exercise, names)
        waiting = sum(version.mistake.name not in names for group in versions.of(exercise) for version in group)
        if not waiting:
            return ["No other version is left: you know every mistake of this exercise."], listed
        return [f"{waiting} others wait. The next call brings those from {further[0].number} on."], listed
    if outcome is None:
        return _how(exercise), []
    if not outcome.refused and not outcome.caught:
        return ["On this input every version gives what the right one gives. What could be otherwise?"], []
    return [], []


def _how(exercise: Exercise) -> list[str]:
    """How an attempt is written, for this exercise."""
    name, reference = exercise.name, exercise.reference
    if inspect.isclass(reference):
        made = _needed(reference.__init__)[1:]
        given = _needed(getattr(reference, "forward", reference.__call__))[1:]
        call = f"({', '.join(made)}{',' if len(made) == 1 else ''}), {', '.join(given)}"
        call = f'`catch("{name}", {call})`: first what it is made with, in brackets, then what it is called with.'
        taken = "class"
    else:
        given = _needed(reference)
        call = f'`catch("{name}", {", ".join(given)})`, with values of yours.'
        call = call if given else f'`catch("{name}", lambda version: version())`.'
        taken = "function"
    return [
        f"These are wrong versions of `{name}`, right on many inputs. Find inputs on which they betray themselves:",
        call,
        f"Or a test of your own, a function that is given the {taken}, tries it, and returns what is to be compared.",
    ]


def _needed(function: object) -> list[str]:
    """The parameters that have no default."""
    parameters = inspect.signature(function).parameters.values()  # type: ignore[arg-type]  # a function or a method
    return [one.name for one in parameters if one.default is one.empty]


def _told(number: int, finding: Finding) -> Told:
    if finding.kind in _OTHERWISE:
        return Told(number, _OTHERWISE[finding.kind])
    if finding.kind == "raised":
        told = of_nobody(finding.message.strip().partition("\n")[0])
        return Told(number, told if told.startswith("stops with") else f"stops: {told}")
    wrong, right = finding.yours, finding.expected
    if wrong is None or right is None:
        return Told(number, of_nobody(finding.message))
    if wrong.shape != right.shape:
        return Told(number, f"gives an array of shape {wrong.shape}; the right one has {right.shape}")
    if right.size <= MOST_NUMBERS:
        several = "gives other numbers" if right.dtype.kind in "fciu" else "gives other answers"
        return Told(number, several if right.size > 1 else "gives something else", *_numbers(right, wrong))
    place = _first(right, wrong)
    many = int((~_same(right, wrong)).sum())
    at = f"[{', '.join(map(str, place))}]"
    return Told(
        number,
        f"{many} of {right.size} numbers {'is' if many == 1 else 'are'} wrong; the first at {at}",
        *_numbers(right[place], wrong[place]),
    )


def _same(right: np.ndarray, wrong: np.ndarray) -> np.ndarray:
    if right.dtype.kind not in "fc" and wrong.dtype.kind not in "fc":
        return np.asarray(right == wrong)
    with np.errstate(all="ignore"):
        largest = float(np.abs(right[np.isfinite(right)]).max(initial=0))
        return np.asarray(np.isclose(wrong, right, rtol=1e-5, atol=1e-5 * largest, equal_nan=True))


def _first(right: np.ndarray, wrong: np.ndarray) -> tuple[int, ...]:
    places = np.argwhere(~_same(right, wrong))
    return tuple(int(i) for i in places[0]) if len(places) else (0,) * right.ndim


def _numbers(right: np.ndarray, wrong: np.ndarray) -> tuple[str, str]:
    """Both in as few digits as tell them apart."""
    for digits in (3, 4, 6, 9):
        both = tuple(
            np.array2string(np.asarray(one), precision=digits, suppress_small=digits < 9, separator=" ")
            for one in (right, wrong)
        )
        if both[0] != both[1]:
            break
    return both[0], both[1]


def _side_by_side(told: Told) -> list[str]:
    if not told.right:
        return []
    lines = []
    for name, numbers in ((language.told("right"), told.right), (language.told(f"version {told.number}"), told.wrong)):
        rows = numbers.splitlines()
        begins = name + " " * (11 - language.columns_of(name))
        lines += [f"{begins}{rows[0]}", *(f"{'':<11}{row}" for row in rows[1:])]
    return lines


def _block(lines: Sequence[str]) -> str:
    from html import escape

    style = "margin:.1em 0 .4em 1em;background:transparent;font-size:.95em;line-height:1.35;overflow-x:auto"
    return f'<pre style="{style}">{escape(chr(10).join(lines))}</pre>'


def _chip(number: int, caught: bool) -> str:
    mark, word = ("✓", "caught") if caught else ("○", "free")
    return f'<span style="margin-right:.9em;white-space:nowrap">{mark}&nbsp;{number}&nbsp;{word}</span> '


def of_nobody(message: str) -> str:
    """Return what the judge says to the writer of an answer as what is said of a version that nobody wrote."""
    for pattern, plain in _OF_YOURS:
        message = pattern.sub(plain, message)
    return message


def _sentence(text: str) -> str:
    """A text with one full stop at its end."""
    return text.rstrip().rstrip(".") + "."
