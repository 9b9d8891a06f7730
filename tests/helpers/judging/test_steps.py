"""Each step of saying what is wrong, on an exercise made for the purpose."""

import numpy as np
import pytest

from helpers.exercise import Case, Exercise, Mistake
from helpers.judging import agreement, checkup, judge, patterns, questions, records, traits
from helpers.running import runner


def double(x, scale=1.0):
    return 2 * np.asarray(x) * scale


def cases(rng):
    return [
        Case("values", (rng.normal(size=(3, 2)),)),
        Case("values", (rng.normal(size=(4, 4)),)),
        Case("batch axes", (rng.normal(size=(2, 3, 2)),)),
        Case("batch axes", (rng.normal(size=(2, 2, 3, 2)),)),
        Case("scale", (rng.normal(size=(3, 2)), 3.0)),
    ]


def exercise(*mistakes):
    return Exercise("double", double, cases, tuple(Mistake(name, "the hint", wrong) for name, wrong in mistakes))


def verdict(answer, *mistakes, **more):
    work = judge.Paper(exercise(*mistakes), 0)
    answers = runner.run(answer, work.cases)
    return judge.judge(work, answers, more=judge.More(trials=0, **more))


def named(answer, *mistakes, **more):
    diagnosis = verdict(answer, *mistakes, **more).diagnosis
    return diagnosis.name if diagnosis else ""


TRIPLE = ("three times", lambda x, scale=1.0: 3 * x * scale)
NO_SCALE = ("no scale", lambda x, scale=1.0: 2 * x)


def test_a_known_mistake_is_named():
    assert named(TRIPLE[1], TRIPLE, NO_SCALE) == "three times"


def test_one_disagreement_is_a_no():
    def answer(x, scale=1.0):
        return 3 * x * scale if x.ndim < 4 else 5 * x * scale

    assert named(answer, TRIPLE) != "three times"


def test_a_mistake_that_fails_where_the_answer_passes_is_not_its_name():
    def answer(x, scale=1.0):
        return 3 * x * scale if x.ndim == 2 and scale == 1 else 2 * x * scale

    assert named(answer, TRIPLE) != "three times"


def test_two_mistakes_that_fit_alike_are_no_name():
    assert named(TRIPLE[1], TRIPLE, ("thrice", TRIPLE[1])) not in ("three times", "thrice")


def test_a_mistake_that_explains_most_failures_is_named_only_at_the_end():
    def answer(x, scale=1.0):
        return 3 * x * scale if scale == 1 else x - scale

    def wrong(x, scale=1.0):
        return 3 * x if scale == 1 else 2 * x * scale

    assert named(answer, ("in part", wrong)) == "in part"


def test_right_for_one_number_of_axes_only():
    def answer(x, scale=1.0):
        return 2 * x * scale if x.ndim == 2 else x

    assert named(answer) == "does not work for every number of batch axes"


def test_two_patterns_at_once_are_no_name():
    """Every failing case has batch axes and negative results; every other neither."""

    def mixed(rng):
        plain = [Case("values", (np.abs(rng.normal(size=(3, 2))),)) for _ in range(2)]
        return plain + [Case("batch axes", (-np.abs(rng.normal(size=(2, 3, 2))),)) for _ in range(2)]

    work = judge.Paper(Exercise("double", double, mixed), 0)
    answers = runner.run(lambda x: abs(2 * x), work.cases)
    answers, found = judge.examined(work, answers)
    assert patterns.diagnose(work, answers, found) is None


def test_one_failing_case_makes_no_pattern_unless_it_was_made_to():
    for probed, name in (((), None), (("integers",), "right with real numbers in, wrong with whole numbers in")):

        def whole(rng, probed=probed):
            return [
                *(Case("values", (rng.normal(size=(3, 2)),)) for _ in range(2)),
                Case("more", (rng.integers(-3, 4, size=(3, 2)),), traits=probed),
            ]

        work = judge.Paper(Exercise("double", double, whole), 0)
        answers, found = judge.examined(work, runner.run(lambda x: 2 * x + (x.dtype.kind == "i"), work.cases))
        told = patterns.diagnose(work, answers, found)
        assert (told.name if told else None) == name


@pytest.mark.parametrize(
    ("arguments", "trait", "there"),
    [
        ({"Q": (2, 3), "K": (4, 3), "V": (4, 3)}, "n_q ≠ n_k", True),
        ({"Q": (4, 3), "K": (4, 3), "V": (4, 3)}, "n_q ≠ n_k", False),
        ({"Q": (4, 3), "K": (4, 3), "V": (4, 5)}, "d_v ≠ d_k", True),
        ({"Q": (2, 4, 3), "K": (2, 4, 3), "V": (2, 4, 3)}, "batch", True),
        ({"Q": (4, 3), "K": (4, 3), "V": (4, 1)}, "axis of one", True),
        ({"Q": (3, 3), "K": (3, 3), "V": (3, 3)}, "not square", False),
    ],
)
def test_traits_are_read_off_the_arguments(arguments, trait, there):
    def attend(Q, K, V):
        return Q

    case = Case("values", tuple(np.ones(shape) for shape in arguments.values()))
    (expected,) = runner.run(attend, [case])
    assert (trait in traits.of_case(case, expected, attend)) is there


def test_a_random_answer_is_called_random_before_anything_else():
    rng = np.random.default_rng(0)
    told, _ = checkup.check(exercise(TRIPLE), lambda x, scale=1.0: rng.normal(size=np.shape(x)))
    assert told.diagnosis.name == "the same input gives another output each time"


def test_an_answer_that_ignores_its_input_is_called_so():
    told, _ = checkup.check(exercise(TRIPLE), lambda x, scale=1.0: np.ones(np.shape(x)))
    assert told.diagnosis.name == "the output does not depend on the input"


def test_nothing_further_is_asked_of_a_right_answer_or_of_one_that_raises():
    work = judge.Paper(exercise(), 0)
    for answer in (double, lambda x, scale=1.0: x[99]):
        _, found = judge.examined(work, runner.run(answer, work.cases))
        assert questions.further(work, found) == []


@pytest.mark.parametrize(
    "facts", [None, [], {"uses": "softmax"}, {"kind": "function", "source": True}, {"open": [["f", "g"]]}]
)
def test_facts_that_the_runner_did_not_write_count_for_nothing(facts):
    assert records.checked_facts(facts) == {}


def test_answers_of_nested_parts_are_compared_whatever_their_shapes():
    mine = (np.ones((2, 3)), (np.ones((2, 3)), np.ones((2, 1))))
    other = (np.ones((2, 3)), (np.ones((2, 3)), np.ones((4, 1))))
    assert agreement._alike_sequences(mine, mine, 1e-6)
    assert not agreement._alike_sequences(mine, other, 1e-6)
