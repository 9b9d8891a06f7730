"""The last rung of a ladder: the lines of the reference with two wrong ones among them, out of order.

Comments, descriptions and annotations are left out; the texts of errors are `...`. The order and the wrong lines come
from the exercise's name, so that everyone has the same puzzle at every try.
"""

from __future__ import annotations

import ast
import copy
import inspect
import random
import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from helpers.exercise import Exercise

from .rewriting import rewritings

WRONG = 2
# A class that is longer leaves out its `__init__`: what that makes stands in the rung before.
MOST = 18
_INDENT = "    "


@dataclass(frozen=True)
class Line:
    """One line of the reference.

    Attributes:
        depth: how far it is indented, from the body of the function or class.
        text: the line.
        before: what stands before the part that can be rewritten, as "for ".
        node: the part that can be rewritten, or None.
        after: what stands after it, as ":".
    """

    depth: int
    text: str
    before: str = ""
    node: ast.stmt | ast.expr | None = None
    after: str = ""

    @property
    def shown(self) -> str:
        return _INDENT * self.depth + self.text


@dataclass(frozen=True)
class Puzzle:
    """What there is to put in order.

    Attributes:
        right: the lines of the reference in their order.
        wrong: lines that do not belong in it, each with the number of the line in `right` that it was made of.
        mixed: all of them, as they are shown.
        without: whether the class's `__init__` is left out.
        notes: what the reference's own names stand for.
    """

    right: tuple[Line, ...]
    wrong: tuple[tuple[int, Line], ...]
    mixed: tuple[str, ...]
    without: bool
    notes: tuple[str, ...]


def puzzle(exercise: Exercise) -> Puzzle:
    """Return the puzzle of an exercise, always the same one."""
    body, without = _body(exercise.reference)
    right = tuple(_lines(body, 0))
    wrong = tuple(_wrong_lines(right))
    shown = [line.shown for line in (*right, *(line for _, line in wrong))]
    mixed = list(shown)
    chance = random.Random(exercise.name)
    while mixed == shown or mixed[: len(right)] == shown[: len(right)]:
        chance.shuffle(mixed)
    return Puzzle(right, wrong, tuple(mixed), without, tuple(_notes(exercise.reference, right)))


def _body(reference: Any) -> tuple[list[ast.stmt], bool]:
    """The statements to put in order, and whether a class's `__init__` was left out."""
    (tree,) = ast.parse(textwrap.dedent(inspect.getsource(reference))).body
    plain = _Plain().visit(tree)
    assert isinstance(plain, (ast.FunctionDef, ast.ClassDef))
    if isinstance(plain, ast.ClassDef) and len(list(_lines(plain.body, 0))) > MOST:
        return [part for part in plain.body if getattr(part, "name", "") != "__init__"], True
    return plain.body, False


class _Plain(ast.NodeTransformer):
    """Takes out descriptions, annotations and the texts of errors."""

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        node.returns = None
        for argument in (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs):
            argument.annotation = None
        node.body = _undescribed(node.body)
        return self.generic_visit(node)

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:
        node.body = _undescribed(node.body)
        return self.generic_visit(node)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST | None:
        # A name with a type and no value is for readers of the file.
        if node.value is None:
            return None
        return ast.copy_location(ast.Assign([node.target], node.value), node)

    def visit_Raise(self, node: ast.Raise) -> ast.AST:
        if isinstance(node.exc, ast.Call):
            node.exc.args = [ast.Constant(...)]
        return node


def _undescribed(body: list[ast.stmt]) -> list[ast.stmt]:
    match body:
        case [ast.Expr(value=ast.Constant(value=str())), *rest]:
            return rest
    return body


def _lines(body: Sequence[ast.stmt], depth: int) -> Iterator[Line]:
    for node in body:
        yield from _statement(node, depth)


def _statement(node: ast.stmt, depth: int) -> Iterator[Line]:
    if isinstance(node, ast.If) and [type(part) for part in (*node.body, *node.orelse)] == [ast.Raise]:
        # A refusal of arguments is one thought and one line.
        yield Line(depth, f"if {ast.unparse(node.test)}: {ast.unparse(node.body[0])}")
    elif isinstance(node, (ast.If, ast.While)):
        word = "if " if isinstance(node, ast.If) else "while "
        yield Line(depth, f"{word}{ast.unparse(node.test)}:", word, node.test, ":")
        yield from _lines(node.body, depth + 1)
        if node.orelse:
            yield Line(depth, "else:")
            yield from _lines(node.orelse, depth + 1)
    elif isinstance(node, ast.For):
        before = f"for {ast.unparse(node.target)} in "
        yield Line(depth, f"{before}{ast.unparse(node.iter)}:", before, node.iter, ":")
        yield from _lines(node.body, depth + 1)
    elif isinstance(node, (ast.FunctionDef, ast.ClassDef, ast.With)):
        head = copy.copy(node)
        head.body = [ast.Pass()]
        for line in ast.unparse(head).strip().splitlines()[:-1]:
            yield Line(depth, line)
        yield from _lines(node.body, depth + 1)
    else:
        plain = isinstance(node, ast.Raise) or (isinstance(node, ast.Expr) and "super()" in ast.unparse(node))
        for line in ast.unparse(node).splitlines():
            yield Line(depth, line, node=None if plain else node)


def _wrong_lines(right: Sequence[Line]) -> Iterator[tuple[int, Line]]:
    """Two wrong lines: of two different right ones before two of one, and slips of the pen only where there is no
    other."""
    there = {line.text for line in right}
    made = sorted(
        (rewriting.rank, rewriting.is_slip, number, f"{line.before}{rewriting.text}{line.after}")
        for number, line in enumerate(right)
        if line.node is not None and not _prepares(line)
        for rewriting in rewritings(line.node)
    )
    chosen: dict[str, int] = {}
    for elsewhere, slips in ((True, False), (False, False), (False, True)):
        for _, is_slip, number, text in made:
            taken = text in there or text in chosen or (elsewhere and number in chosen.values())
            if len(chosen) < WRONG and not taken and (slips or not is_slip):
                chosen[text] = number
    for text, number in chosen.items():
        yield number, Line(right[number].depth, text)


def _prepares(line: Line) -> bool:
    """Whether a line calls the reference's own way of preparing its arguments."""
    return any(name in line.text for name in ("_as_float(", "_need_"))


def _notes(reference: Any, right: Sequence[Line]) -> Iterator[str]:
    """What names of the reference's own module stand for."""
    world = vars(inspect.getmodule(reference))
    names = dict.fromkeys(node.id for line in right for node in ast.walk(_parsed(line)) if isinstance(node, ast.Name))
    for name in names:
        value = world.get(name)
        if name.isupper() and isinstance(value, (int, float)):
            yield f"`{name}` is {value:g}."
        elif name.startswith("_") and inspect.isfunction(value):
            yield f"`{name}` is a small function of the reference's own: {_purpose(value)}"


def _parsed(line: Line) -> ast.AST:
    return line.node if line.node is not None else ast.Pass()


def _purpose(function: Any) -> str:
    told = (inspect.getdoc(function) or "").split("\n\n")[0]
    if told:
        return " ".join(told.split())
    (tree,) = ast.parse(textwrap.dedent(inspect.getsource(function))).body
    if any(isinstance(node, ast.Raise) for node in ast.walk(tree)):
        return "it raises a ValueError where the arguments do not fit."
    assert isinstance(tree, ast.FunctionDef)
    return f"`{'; '.join(map(ast.unparse, tree.body))}`."
