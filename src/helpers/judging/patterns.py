"""What the pattern of failing cases says by itself: right where a trait is there, wrong where it is not."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from helpers.running.runner import Answer
from helpers.tolerance import close
from helpers.verdict import Diagnosis, Finding

from . import traits
from .papers import Paper

# What else may be wrong with a right value (a view, a warning, memory) has names of its own.
_ABOUT_VALUES = ("values", "shape", "raised", "compared", "results")
# Few cases have these, and where they are they are what the case is about.
_RARE = ("long", "large", "negative number", "smaller last block", "-inf", "empty row", "several calls")
# Numbers further apart than this are not equal.
_EXACT = 1e-6
_BATCH = "does not work for every number of batch axes"


def diagnose(work: Paper, answers: Sequence[Answer], found: Sequence[Finding | None]) -> Diagnosis | None:
    """Return the one trait that tells all failing cases from all others, or None.

    It is said where both sides have two cases or more, or where the failing cases were made to probe it; and only when
    no other trait tells them apart as well.
    """
    rows = [i for i, case in enumerate(work.cases) if case.raises is None and not case.from_file]
    failing = [i for i in rows if found[i] is not None]
    passing = [i for i in rows if found[i] is None]
    if not failing or not passing or any((f := found[i]) and f.kind not in _ABOUT_VALUES for i in failing):
        return None
    fewest = min(work.axes[i] for i in rows)
    of = {i: work.traits[i] - {"batch"} | ({"batch"} if work.axes[i] > max(fewest, 1) else set()) for i in rows}
    separating = []
    for trait in traits.WORDS:
        wrong = [trait in of[i] for i in failing]
        # A batch of one sentence is right whatever is done with the axis.
        right = [trait in of[i] for i in passing if trait != "batch" or "axis of one" not in of[i]]
        if all(wrong) and not any(right):
            separating.append((trait, True))
        elif traits.WORDS[trait].either and not any(wrong) and all(right):
            # Numbers are not wrong for want of an axis in front; a shape may be, and what counts axes from the front.
            if trait != "batch" or all((f := found[i]) and f.kind in ("shape", "raised") for i in failing):
                separating.append((trait, False))
    axes = [work.axes[i] for i in failing], [work.axes[i] for i in passing]
    if not separating and len(set(axes[0])) > 1 and not set(axes[0]) & set(axes[1]) and len(axes[1]) >= 2:
        return Diagnosis(_BATCH, traits.WORDS["batch"].hint)
    if len(separating) > 1:
        # What most cases have without being about it gives way to what a case was made for.
        separating = [one for one in separating if one[0] in _RARE and one[1]]
    if len(separating) != 1:
        return None
    ((trait, present),) = separating
    if trait == "negative result" and not all(_only_negative(answers[i], work.expected[i]) for i in failing):
        # Positive numbers are wrong as well, so the sign is not what tells.
        return None
    if trait not in ("batch", "several calls") and any((f := found[i]) and f.kind == "raised" for i in failing):
        # An error says more by itself, and has a hint of its own.
        return None
    enough = (len(failing) >= 2 or (trait in _RARE and present)) and len(passing) >= 2
    if not enough and not (present and all(traits.is_explicit(work.cases[i], trait) for i in failing)):
        return None
    words = traits.WORDS[trait]
    if trait == "batch" and present:
        return Diagnosis(_BATCH, words.hint)
    right_with, wrong_with = (words.absent, words.present) if present else (words.present, words.absent)
    return Diagnosis(f"right with {right_with}, wrong with {wrong_with}", words.hint)


def _only_negative(answer: Answer, expected: Answer) -> bool:
    """Whether every number that is wrong should be negative."""
    got, want = answer["value"], expected["value"]
    if not (isinstance(got, np.ndarray) and isinstance(want, np.ndarray) and got.shape == want.shape):
        return True
    if want.dtype.kind != "f" or got.dtype.kind not in "fiu":
        return True
    wrong = ~close(got, want, _EXACT)
    return bool((want[wrong] < 0).all())
