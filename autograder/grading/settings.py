"""Looks over a class's `nbgrader_config.py` before anything is graded by it.

Traitlets ignores a name that nobody knows, and finds a value of the wrong kind only where it is used: in the middle of
the first submission.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator
from typing import Any

from nbgrader.apps import NbGraderApp
from traitlets import HasTraits, Integer, TraitError, TraitType
from traitlets.config import Configurable
from traitlets.config.loader import DeferredConfig, LazyConfigValue

from autograder.classroom.classroom import CONFIG, Classroom
from autograder.course import CourseError
from autograder.lms.archives import SafeExtractor
from autograder.lms.placement import LmsCollector
from autograder.lms.term_totals import TermTotal
from autograder.marking.late_rules import LateRules
from autograder.marking.preprocessors import SandboxedExecute
from autograder.marking.submission import configured_steps
from autograder.sandbox.limits import Limits

# As alike as a setting with a letter wrong or cut short, and as a section: those of other programs sound like ours.
ALIKE, SECTIONS_ALIKE = 0.7, 0.85
# The sections of which every setting is known here.
OURS = (SandboxedExecute.__name__, Limits.__name__)


def near(name: str, names: Iterable[str], alike: float = ALIKE) -> str:
    """Return "; did you mean …?" with the nearest of some names, or "" when none is near."""
    found = difflib.get_close_matches(name, list(names), 1, alike)
    return f"; did you mean {found[0]}?" if found else ""


def check_settings(classroom: Classroom) -> None:
    """Look at every setting of the classes that nbgrader and the course have.

    Raises:
        CourseError: a section or setting nobody knows but for its likeness to one, or a value of the wrong kind; the
            message names file, setting and what is right.
    """
    known: dict[str, type[Configurable]] = {}
    for one in _classes(classroom):
        known.setdefault(one.__name__, one)
    file = classroom.root / CONFIG
    for section in classroom.config:
        if section not in known:
            # Another program's, as JupyterLab's, stands here rightly.
            meant = near(section, known, SECTIONS_ALIKE)
            if meant:
                raise CourseError(f"{file}: there is no c.{section}{meant.replace('mean ', 'mean c.')}")
            continue
        traits = _traits(section, known.values())
        for name, value in classroom.config[section].items():
            place = f"{file}: c.{section}.{name}"
            if name not in traits:
                meant = near(name, traits)
                # Classes of nbgrader's with one name share a section; of ours nothing is missing here.
                if meant or section in OURS:
                    raise CourseError(f"{place} is no setting{meant}")
                continue
            problem = _problem(known[section], traits[name], value)
            if problem:
                raise CourseError(f"{place} = {value!r} is wrong: it wants {problem}")


def _classes(classroom: Classroom) -> Iterator[type[Configurable]]:
    """Every class that a setting may be for, and the classes above it."""
    app = NbGraderApp()
    for one in (
        NbGraderApp,
        *app.all_configurable_classes(),
        *configured_steps(classroom.config),
        SandboxedExecute,
        SafeExtractor,
        LmsCollector,
        LateRules,
        TermTotal,
    ):
        yield from (base for base in one.__mro__ if issubclass(base, HasTraits) and base is not HasTraits)


def _traits(section: str, classes: Iterable[type[Configurable]]) -> dict[str, TraitType[Any, Any]]:
    """The settings of a class by name, and those of the classes that inherit its section."""
    found: dict[str, TraitType[Any, Any]] = {}
    for one in classes:
        if any(base.__name__ == section for base in one.__mro__):
            found = one.class_traits(config=True) | found
    return found


def _problem(owner: type[Configurable], trait: TraitType[Any, Any], value: Any) -> str:
    """What a setting wants, when the value is nothing of that; else ""."""
    if isinstance(value, (LazyConfigValue, DeferredConfig)) or value is None and trait.allow_none:
        return ""
    if isinstance(trait, Integer) and trait.name in Limits.class_trait_names(config=True):
        # Less than one second, byte or process is no notebook's.
        positive = isinstance(value, int) and not isinstance(value, bool) and value > 0
        return "" if positive else "a whole number above 0"
    check = getattr(trait, "validate", None)
    if check is None:
        return ""
    try:
        check(owner.__new__(owner), value)
    except TraitError:
        return trait.info()
    return ""
