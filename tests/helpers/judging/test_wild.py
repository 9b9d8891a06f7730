"""Every wrong answer of the tables fails; what is said of it is true, and what was once said of it falsely is not."""

import pytest

from helpers.judging import catalog, checkup

from .wild import answer_of, families, newcomers, numpy_units, stopped, torch_units, u4_multi_head

ALL = [
    *numpy_units.FALSE_ONCE,
    *torch_units.FALSE_ONCE,
    *stopped.NEVER_ANSWERED,
    *stopped.SOMEBODY_ELSE,
    *families.NAMED,
    *newcomers.NAMED,
    *u4_multi_head.NAMED,
]


def told(verdict):
    diagnosis = verdict.diagnosis
    return f"{diagnosis.name}. {diagnosis.hint}" if diagnosis is not None else ""


@pytest.mark.parametrize("number", range(len(ALL)), ids=lambda number: f"{number}-{ALL[number].exercise}")
def test_says_what_is_true_and_nothing_false(number):
    wild = ALL[number]
    verdict, _ = checkup.check(catalog.find(wild.exercise), answer_of(wild, number))
    assert verdict.status == "failed", f"the answer is {verdict.status}"
    for words in wild.never:
        assert words not in told(verdict)
    if wild.says is not None:
        name = verdict.diagnosis.name if verdict.diagnosis is not None else ""
        assert wild.says in name and bool(wild.says) == bool(name), f"it is called {name!r}: {verdict.finding}"
    if wild.line:
        assert wild.line in f"{verdict.finding.message} {verdict.finding.detail}"
