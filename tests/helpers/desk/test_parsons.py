"""The puzzle of the last rung: the reference's own lines, two wrong ones, and always the same."""

import ast
import inspect
import subprocess
import sys
import textwrap

import pytest

from helpers.desk import parsons
from helpers.desk.rewriting import rewritings
from helpers.judging import catalog, judge
from helpers.running import runner

EXERCISES = [exercise for unit in catalog.units() for exercise in catalog.unit_exercises(unit).values()]
every_exercise = pytest.mark.parametrize("exercise", EXERCISES, ids=lambda exercise: exercise.name)


def answer(exercise, puzzle, lines):
    """The function or class that lines of a puzzle make, in the reference's own surroundings."""
    name, reference = exercise.name, exercise.reference
    (tree,) = ast.parse(textwrap.dedent(inspect.getsource(reference))).body
    tree.body = [ast.Pass()]
    head = f"class {name}(_Whole):" if puzzle.without else ast.unparse(tree).rpartition("\n")[0]
    names = {**vars(inspect.getmodule(reference)), "_Whole": reference}
    exec("\n".join([head, *(f"    {line.shown}" for line in lines)]), names)
    return names[name]


def passes(exercise, built):
    """Whether nothing is wrong with it, as far as that can be told without trained weights."""
    work = judge.paper(exercise)
    answers = iter(runner.run(built, [case for case in work.cases if not case.from_file], exercise.forbidden))
    given = [want if case.from_file else next(answers) for case, want in zip(work.cases, work.expected)]
    return not any(found for case, found in zip(work.cases, work.findings(given)) if not case.from_file)


@every_exercise
def test_the_right_lines_in_their_order_are_an_answer_and_each_wrong_one_in_its_place_is_none(exercise):
    puzzle = parsons.puzzle(exercise)
    assert passes(exercise, answer(exercise, puzzle, puzzle.right))
    assert len(puzzle.wrong) == parsons.WRONG
    for number, line in puzzle.wrong:
        lines = [*puzzle.right[:number], line, *puzzle.right[number + 1 :]]
        assert not passes(exercise, answer(exercise, puzzle, lines)), f"“{line.text}” is as good as the right line"


@every_exercise
def test_all_lines_are_there_once_out_of_order_and_without_descriptions(exercise):
    puzzle = parsons.puzzle(exercise)
    right, wrong = [line.shown for line in puzzle.right], [line.shown for _, line in puzzle.wrong]
    assert sorted(puzzle.mixed) == sorted(right + wrong)
    assert list(puzzle.mixed[: len(right)]) != right and not set(wrong) & set(right)
    assert len(set(wrong)) == len(wrong) and len(puzzle.mixed) <= parsons.MOST + parsons.WRONG
    assert not any('"""' in line or "#" in line or " -> " in line for line in puzzle.mixed)


def test_every_process_makes_the_same_puzzle():
    code = (
        "from helpers.desk import parsons; from helpers.judging import catalog\n"
        "print(*parsons.puzzle(catalog.find('softmax')).mixed, sep='\\n')"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert told.splitlines() == list(parsons.puzzle(catalog.find("softmax")).mixed)


def test_what_a_learner_cannot_know_of_the_reference_is_told():
    told = " ".join(parsons.puzzle(catalog.find("split_heads")).notes)
    assert "`_need_divisible`" in told and "raises a ValueError" in told
    assert "`BASE` is 10000." in parsons.puzzle(catalog.find("frequencies")).notes


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("S = Q @ np.swapaxes(K, -1, -2)", "S = Q @ K"),
        ("S = Q @ K.transpose(-2, -1)", "S = Q @ K"),
        ("S = Q @ K.T", "S = K.T @ Q"),
        ("S = S / math.sqrt(d_k)", "S = S / d_k"),
        ("S = S / d", "S = S * d"),
        ("w = x.sum(axis=-1)", "w = x.sum(axis=-2)"),
        ("w = x.sum(dim=-2)", "w = x.sum(dim=-1)"),
        ("w = x.sum(axis=-1, keepdims=True)", "w = x.sum(axis=-1, keepdims=False)"),
        ("x = x + self.attend(x)", "x = self.attend(x)"),
        ("s = s.masked_fill(~mask, 0)", "s = s.masked_fill(mask, 0)"),
        ("M = i <= j", "M = i < j"),
        ("return (output, weights)", "return (weights, output)"),
        ("a = layer(x, mask)", "a = layer(mask, x)"),
        ("y = np.sin(x)", "y = np.cos(x)"),
        ("y = x[1:]", "y = x[2:]"),
        ("return y", "print(y)"),
        ("return 'attend'", "return 'Attend'"),
    ],
)
def test_one_place_of_a_line_is_rewritten(right, wrong):
    assert wrong in [rewriting.text for rewriting in rewritings(ast.parse(right).body[0])]


def test_a_line_with_nothing_to_rewrite_has_no_wrong_one():
    assert list(rewritings(ast.parse("x = y").body[0])) == []
