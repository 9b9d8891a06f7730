"""Hints in steps: how many there are, in which order they come, and what the card says after the last."""

import ast
import inspect
import textwrap

import pytest

from helpers.desk import hints, ladder, questions
from helpers.desk.ladder import EXAMPLE, FORMULA, PUZZLE
from helpers.judging import catalog, judge
from helpers.running import runner
from helpers.verdict import Diagnosis, Finding, Verdict

EXERCISES = [exercise for unit in catalog.units() for exercise in catalog.unit_exercises(unit).values()]
SOFTMAX = catalog.find("softmax")
every_exercise = pytest.mark.parametrize("exercise", EXERCISES, ids=lambda exercise: exercise.name)
MOST_WORDS = 160


def lines_of(reference):
    """What the reference computes, statement by statement, as plain code."""
    tree = ast.parse(textwrap.dedent(inspect.getsource(reference)))
    kinds = (ast.Assign, ast.AugAssign, ast.Return)
    return [ast.unparse(node) for node in ast.walk(tree) if isinstance(node, kinds) and node.value is not None]


@every_exercise
def test_every_exercise_has_steps_and_none_is_a_line_of_the_reference(exercise):
    assert len(set(exercise.hints)) == len(exercise.hints), f"two hints of {exercise.name} are the same"
    assert len(exercise.hints) == 2, f"{exercise.name} has {len(exercise.hints)} hints in its record, and needs 2"
    lines = lines_of(exercise.reference)
    assert lines
    for parsons in (True, False):
        rungs = ladder.rungs(exercise, parsons=parsons)
        assert [rung.key for rung in rungs] == ladder.keys(exercise, parsons=parsons)
        assert (rungs[-1].key == PUZZLE) == parsons
        shown = [text for rung in rungs if rung.key != PUZZLE for text in (rung.text, *rung.block)]
        told = [line for line in lines if any(line in text for text in shown)]
        assert not told, f"a hint of {exercise.name}, before the last, gives the answer away: {told}"


@every_exercise
def test_every_exercise_has_four_to_six_short_steps(exercise):
    for own in ("", "What the verdict says to look at."):
        rungs = ladder.rungs(exercise, own)
        assert 4 <= len(rungs) <= 6
        assert len({rung.key for rung in rungs}) == len(rungs)
        long = {rung.text: rung.words for rung in rungs if rung.words > MOST_WORDS}
        assert not long, f"{exercise.name} has hints of more than {MOST_WORDS} words: {long}"
    assert len(ladder.rungs(exercise, parsons=False)) >= 3


@every_exercise
def test_the_formula_is_told_where_it_is_not_the_answer_itself(exercise):
    pointer = ladder.formula_and_shapes(exercise)
    constant = inspect.isfunction(exercise.reference) and not inspect.signature(exercise.reference).parameters
    assert bool(pointer) != constant


def checked(answer, exercise=SOFTMAX):
    work = judge.paper(exercise)
    answers = runner.run(answer, work.cases, exercise.forbidden)
    return ladder.Tried(work, answers)


def test_the_example_is_the_smallest_case_that_fails_in_the_way_of_the_card():
    right = SOFTMAX.reference
    tried = checked(lambda x, axis=-1: right(x, axis) * (2 if x.dtype.kind == "i" else 1))
    (example,) = [rung for rung in ladder.rungs(SOFTMAX, "", tried) if rung.key == EXAMPLE]
    assert "that your answer fails" in example.text and "whole numbers in" in example.text
    case = next(case for case in tried.paper.cases if case.property == "integers")
    assert example.block[0] == "x: 2 rows and 4 columns" and "should return: 2 rows and 4 columns" in example.block
    assert [int(entry) for entry in example.block[1].split()] == case.args[0][0].tolist()
    (before,) = [rung for rung in ladder.rungs(SOFTMAX) if rung.key == EXAMPLE]
    assert "of the check" in before.text and before.block[0] == "x: 4 numbers"


def test_an_example_of_bad_arguments_names_the_error_and_one_of_several_results_their_names():
    scores = catalog.find("attention_scores")
    tried = checked(lambda Q, K: scores.reference(Q, K) if Q.shape[-1] == K.shape[-1] else Q, scores)
    (example,) = [rung for rung in ladder.rungs(scores, "", tried) if rung.key == EXAMPLE]
    assert example.block[-1] == "should raise: ValueError"
    (example,) = [rung for rung in ladder.rungs(catalog.find("cached_attention_step")) if rung.key == EXAMPLE]
    assert "should return K of the new cache: 2 matrices of 1 row and 6 columns" in example.block


def test_an_exercise_with_one_answer_shows_its_form_and_no_number_of_it():
    for name, form in (("encoding_by_hand", "should return: 4 numbers"), ("hello_attention", "a text of 6 letters")):
        (example,) = [rung for rung in ladder.rungs(catalog.find(name)) if rung.key == EXAMPLE]
        assert form in example.block[-1] and 'attend"' not in str(example.block) and "0.9" not in str(example.block)


def test_the_puzzle_says_how_many_lines_are_too_many():
    puzzle = ladder.rungs(SOFTMAX)[-1]
    assert "2 lines are wrong and too many: the answer has 5 of the 7" in puzzle.text
    assert [line.split()[0] for line in puzzle.block] == list("1234567")
    assert "but for its `__init__`" in ladder.rungs(catalog.find("Transformer"))[-1].text


def verdict(mistake="", status="failed"):
    finding = Finding("values", "values", "wrong") if status == "failed" else None
    diagnosis = Diagnosis("name", mistake) if mistake else None
    return Verdict("softmax", status, finding=finding, diagnosis=diagnosis, hints=SOFTMAX.hints)


def keys(rungs):
    return [rung.key for rung in rungs]


def test_steps_come_one_by_one_after_what_the_card_has_shown():
    trails = hints.Trails()
    trails.checked(verdict("of the mistake"), "of the mistake", "of the mistake")
    every = ladder.rungs(SOFTMAX, "of the mistake")
    assert trails.last == "softmax" and trails.left("softmax", keys(every)) == 5
    assert keys(trails.next("softmax", every)) == ["of the mistake", SOFTMAX.hints[0]]
    for _ in range(3):
        trails.next("softmax", every)
    shown = trails.next("softmax", every)
    assert keys(shown) == ["of the mistake", *SOFTMAX.hints, EXAMPLE, FORMULA, PUZZLE]
    assert trails.left("softmax", keys(every)) == 0
    assert trails.next("softmax", every) == shown, "asking further repeats the last answer"


def test_after_the_last_step_come_two_things_to_do_and_nobody_to_ask():
    for parsons, second in ((True, "lines of the puzzle in order"), (False, "one line of code below each comment")):
        every = ladder.rungs(SOFTMAX, "own", parsons=parsons)
        text, html = hints.told("softmax", every, len(every))
        for shown in (text, html):
            assert "Two things to do now" in shown and "step 4" in shown and second in shown
            assert "Ask the person" not in shown
        assert "Two things" not in hints.told("softmax", every[:-1], len(every))[0]


def test_another_mistake_brings_its_own_hint_and_drops_the_old_one():
    trails = hints.Trails()
    trails.checked(verdict("of the first"), "of the first", "of the first")
    trails.next("softmax", ladder.rungs(SOFTMAX, "of the first"))
    trails.checked(verdict("of the second"), "of the second", "of the second")
    shown = trails.next("softmax", ladder.rungs(SOFTMAX, "of the second"))
    assert keys(shown) == ["of the second", *SOFTMAX.hints]


def test_a_new_check_brings_a_new_example():
    trails = hints.Trails()
    every = ladder.rungs(SOFTMAX)
    for _ in every:
        trails.next("softmax", every)
    assert trails.left("softmax", keys(every)) == 0
    trails.checked(verdict(), "")
    assert trails.left("softmax", keys(every)) == 1


def test_nothing_is_pending_after_the_answer_is_right():
    trails = hints.Trails()
    trails.checked(verdict(), SOFTMAX.hints[0])
    trails.checked(verdict(status="passed"), "")
    assert trails.last == ""


def test_steps_are_shown_as_a_list_in_text_and_html():
    rungs = [ladder.Rung("a", "use `a < b`"), ladder.Rung("b", "then this", ("x <  1", "y"))]
    text, html = hints.told("softmax", rungs, 4)
    assert "hint 2 of 4" in text and "1. use `a < b`" in text and "2. then this" in text and "last step" not in text
    assert "hint 2 of 4" in html and "a &lt; b</code>" in html and html.count("<li") == 2
    assert "       x <  1\n       y" in text and "x &lt;  1\ny</pre>" in html


@pytest.mark.parametrize("name", questions.names())
def test_every_question_has_steps_from_its_own_text_and_none_from_the_marking_guide(name):
    task = questions.find(name)
    rungs = questions.rungs(task)
    assert 4 <= len(rungs) <= 6 and all(rung.words <= MOST_WORDS for rung in rungs)
    asked = questions.parts(task.question)
    assert asked and all(part in " ".join(task.question.split()) for part in asked)
    assert not any(word in task.question for word in ("Marking", "Model answer", "BEGIN", "$", "points)", "minutes."))


def test_the_parts_of_a_question_are_its_numbers_and_the_sentences_that_ask():
    text = 'One head is wide. A friend says: "Why?" What can they do? Say (1) what is true,\n(2) why, and (3) how.'
    assert questions.parts(text) == ["What can they do?", "what is true", "why", "how."]
    assert questions.parts("Only this.") == ["Only this."]
