"""Makes functions and classes of rewrites: the reference's source, cut into the pieces that it is made of.

The pieces of a reference are its own definition and those that it calls: other references of the course and their small
helpers. Each module's pieces live in a copy of that module's names, so a rewritten piece reaches everything that calls
it and nothing else.
"""

from __future__ import annotations
import __future__

import ast
import functools
import inspect
import re
import sys
import textwrap
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from types import CodeType, ModuleType
from typing import Any

from . import algebra, calls, structure
from .rewriting import Rewrite, Scope, located, parents, rebuilt, way_to

_ROOM = ".reference."
MAX_PIECES = 12
MAX_ROUNDS = 300
MAX_DEPTH = 2
# What turns arguments into arrays, or refuses them, is the same for everyone.
_PLAIN = ("_as_float", "_need")


class Endless(RuntimeError):
    """A variant's loop does not come to its end."""


@dataclass(frozen=True, eq=False)
class Piece:
    """One definition that a reference is made of.

    Attributes:
        name: of the function or class.
        module: where it stands.
        tree: its definition, without descriptions and refusals.
        depth: 0 for the reference itself, 1 for what it calls, and so on.
        around: the node around each node of the tree, by its id.
        code: what was compiled of it, by the rewrites.
    """

    name: str
    module: ModuleType
    tree: ast.FunctionDef | ast.ClassDef
    depth: int
    around: dict[int, ast.AST]
    code: dict[tuple[int, ...], CodeType] = field(default_factory=dict)

    @functools.cached_property
    def own_words(self) -> frozenset[str]:
        """The variables and private parts in it, without the arguments that an exercise's text names."""
        nodes = list(ast.walk(self.tree))
        made = {node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
        made |= {node.attr for node in nodes if isinstance(node, ast.Attribute) and node.attr.startswith("_")}
        functions = [node for node in nodes if isinstance(node, ast.FunctionDef)]
        told = {arg.arg for one in functions if self.depth == 0 and _is_told(one) for arg in one.args.args}
        return frozenset((made | {arg.arg for one in functions for arg in one.args.args}) - told - {"self"})

    @functools.cached_property
    def heirs(self) -> frozenset[int]:
        """The ids of the methods that call the base class, so that they cannot be moved into another class."""
        return frozenset(
            id(node)
            for node in self.tree.body
            if any(isinstance(part, ast.Name) and part.id == "super" for part in ast.walk(node))
        )

    def makes(self, node: ast.AST) -> bool:
        """Whether a node belongs to the making of an object: to `__init__`, or to the class outside its methods."""
        if isinstance(self.tree, ast.FunctionDef):
            return False
        step: ast.AST | None = node
        while step is not None and not (isinstance(step, ast.FunctionDef) and step in self.tree.body):
            step = self.around.get(id(step))
        return step is None or step.name == "__init__"


@dataclass(eq=False)
class Variant:
    """A reference with one or two places written another way.

    Attributes:
        changes: the rewrites that it is named by.
        silent: further ones that it is not named by: the same thing done at other places.
        careless: whether the care of empty rows is left out besides, which most wrong answers do not take.
    """

    changes: tuple[tuple[Piece, Rewrite], ...]
    silent: tuple[tuple[Piece, Rewrite], ...] = ()
    careless: bool = False

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(rewrite.name for _, rewrite in self.changes)

    @property
    def quotes(self) -> bool:
        """Whether a name quotes variables that the reference made up, so that no learner has been told them."""
        return any(
            word in piece.own_words
            for piece, rewrite in self.changes
            for text in re.findall("`([^`]*)`", rewrite.name)
            for word in re.findall(r"\w+", text)
        )

    @property
    def depth(self) -> int:
        return max(piece.depth for piece, _ in self.changes)

    @functools.cached_property
    def place(self) -> tuple[int, ...]:
        """The ids of its rewrites, which live as long as the workshop."""
        return tuple(id(rewrite) for _, rewrite in (*self.changes, *self.silent))

    @property
    def makes(self) -> bool:
        """Whether it changes how an object is made, and not only what is done with it."""
        return any(piece.makes(rewrite.node) for piece, rewrite in (*self.changes, *self.silent))

    @property
    def key(self) -> tuple[str, ...]:
        return tuple(f"{piece.name} {rewrite.key}" for piece, rewrite in self.changes)


def _is_told(function: ast.FunctionDef) -> bool:
    """Whether the text of an exercise shows a function's arguments."""
    return not function.name.startswith("_") or function.name == "__init__"


class Workshop:
    """The pieces of one reference, and what becomes of them."""

    def __init__(self, reference: Callable[..., Any]) -> None:
        self.name = reference.__name__
        self.pieces = _pieces(reference)

    def single(self) -> list[Variant]:
        """Return all variants with one rewrite, those of the reference's own text first.

        Learners write functions out that the reference calls.
        """
        near = [piece for piece in self.pieces if piece.depth <= MAX_DEPTH]
        changes = [(piece, rewrite) for piece in near for rewrite in _rewrites(piece)]
        guards = tuple(change for change in changes if change[1].key == calls.GUARD)
        cared = {id(rewrite.node) for _, rewrite in guards}
        single = [Variant((change,)) for change in changes]
        single += [Variant(group[:1], group[1:]) for piece in near for group in _everywhere(piece)]
        careless = [
            Variant(one.changes, one.silent + guards, True)
            for one in single
            if guards and id(one.changes[0][1].node) not in cared
        ]
        return single + careless

    def build(self, variant: Variant) -> Any:
        """Return the variant's function or class.

        Raises:
            Exception: the rewritten text cannot be compiled; such a variant explains nothing.
        """
        changed: dict[int, list[Rewrite]] = {}
        for piece, rewrite in (*variant.changes, *variant.silent):
            changed.setdefault(id(piece), []).append(rewrite)
        return self._made(changed, self._plain)[self.name]

    @functools.cached_property
    def _plain(self) -> dict[str, Any]:
        """The pieces as they are, by their names."""
        return self._made({}, {})

    def _made(self, changed: dict[int, list[Rewrite]], plain: dict[str, Any]) -> dict[str, Any]:
        """Make all pieces with their rewrites, the deepest first.

        What lies below the deepest change is the same in every variant: it is taken from `plain`, and so is a class of
        which only methods are changed.
        """
        deepest = max((piece.depth for piece in self.pieces if id(piece) in changed), default=0)
        spaces: dict[str, dict[str, Any]] = {}
        all_made: dict[str, Any] = {}
        for piece in reversed(self.pieces):
            name = piece.module.__name__
            space = spaces.get(name)
            if space is None:
                space = spaces[name] = {**vars(piece.module), "_tick": _ticker()}
            same = plain.get(piece.name) if piece.depth >= deepest else None
            if same is not None and id(piece) not in changed:
                made = space[piece.name] = same
            else:
                made = _make(piece, changed.get(id(piece), []), space, same)
            all_made[piece.name] = made
            # Whoever calls this piece has to find this one, in whatever module it stands.
            for other, names in spaces.items():
                if piece.name in vars(sys.modules[other]):
                    names[piece.name] = made
            self._hand_on(piece, made, spaces)
        return all_made

    def _hand_on(self, piece: Piece, made: Any, spaces: dict[str, dict[str, Any]]) -> None:
        """Put a piece into the modules whose own pieces are still to be made."""
        for later in self.pieces:
            name = later.module.__name__
            if name not in spaces and piece.name in vars(later.module):
                spaces[name] = {**vars(later.module), "_tick": _ticker(), piece.name: made}


def _make(piece: Piece, rewrites: list[Rewrite], space: dict[str, Any], plain: Any = None) -> Any:
    """Run the definition of a piece in a module's names, and return what it defines.

    Of a class only the methods that are rewritten are compiled anew; they stand in a class made from the plain one,
    which is made too where it is not given.
    """
    if not rewrites or isinstance(piece.tree, ast.FunctionDef):
        exec(_code(piece, piece.tree, rewrites), space)
        return space[piece.name]
    if plain is None:
        plain = _make(piece, [], space)
    methods = {}
    for method in piece.tree.body:
        if not isinstance(method, ast.FunctionDef) or not _touches(piece, method, rewrites):
            continue
        if id(method) in piece.heirs:
            exec(_code(piece, piece.tree, rewrites), space)
            return space[piece.name]
        before = space.get(method.name)
        exec(_code(piece, method, rewrites), space)
        methods[method.name] = space[method.name]
        space[method.name] = before
    made = type(piece.name, (plain,), {**methods, "__module__": piece.module.__name__})
    space[piece.name] = made
    return made


def _touches(piece: Piece, method: ast.FunctionDef, rewrites: list[Rewrite]) -> bool:
    """Whether one of the rewrites stands in a method."""
    return any(rewrite.node is method for rewrite in rewrites) or id(method) in way_to(
        (rewrite.node for rewrite in rewrites), piece.around
    )


def _code(piece: Piece, tree: ast.AST, rewrites: list[Rewrite]) -> CodeType:
    """The compiled definition with its rewrites, kept for the next variant that has the same ones in this piece."""
    key = (id(tree), *(id(rewrite) for rewrite in rewrites))
    if key not in piece.code:
        new = rebuilt(
            tree,
            {id(rewrite.node): rewrite.new for rewrite in rewrites},
            way_to((rewrite.node for rewrite in rewrites), piece.around),
        )
        assert isinstance(new, ast.stmt)
        flags = __future__.annotations.compiler_flag
        code = compile(ast.Module([new], []), f"<variant of {piece.name}>", "exec", flags=flags, dont_inherit=True)
        assert isinstance(code, CodeType)
        piece.code[key] = code
    return piece.code[key]


def _ticker() -> Callable[[], None]:
    rounds = 0

    def tick() -> None:
        nonlocal rounds
        rounds += 1
        if rounds > MAX_ROUNDS:
            raise Endless("the loop does not end")

    return tick


def _pieces(reference: Callable[..., Any]) -> list[Piece]:
    """The definitions that a reference is made of, itself first; [] where its source cannot be had.

    A class that another is made of is none of them: learners import it, or it is judged by itself.
    """
    found: dict[str, Piece] = {}
    waiting: list[tuple[Any, int]] = [(reference, 0)]
    while waiting and len(found) < MAX_PIECES:
        target, depth = waiting.pop(0)
        if target.__name__ in found:
            continue
        try:
            tree = ast.parse(textwrap.dedent(inspect.getsource(target))).body[0]
        except (OSError, TypeError, SyntaxError):
            continue
        if not isinstance(tree, (ast.FunctionDef, ast.ClassDef)):
            continue
        module = sys.modules[target.__module__]
        clean = ast.fix_missing_locations(_Cleaner(_numbers(module)).visit(tree))
        found[target.__name__] = Piece(target.__name__, module, clean, depth, parents(clean))
        for name in dict.fromkeys(node.id for node in ast.walk(clean) if isinstance(node, ast.Name)):
            value = getattr(module, name, None)
            own = getattr(value, "__module__", None) or ""
            given = inspect.isclass(value) and inspect.isclass(reference)
            if callable(value) and _ROOM in own and not name.startswith(_PLAIN) and not given:
                waiting.append((value, depth + 1))
    return sorted(found.values(), key=lambda piece: piece.depth)


def _numbers(module: ModuleType) -> dict[str, float]:
    """The constants of a module that are numbers, by their names."""
    return {
        name: value
        for name, value in vars(module).items()
        if name.isupper() and isinstance(value, (int, float)) and not isinstance(value, bool)
    }


class _Cleaner(ast.NodeTransformer):
    """Takes out what no variant needs: descriptions, annotations, refusals of bad arguments.

    It counts rounds of loops, and writes numbers for the names of constants.
    """

    def __init__(self, numbers: dict[str, float]) -> None:
        self._numbers = numbers

    def visit_Name(self, node: ast.Name) -> ast.AST:
        if node.id in self._numbers and isinstance(node.ctx, ast.Load):
            return ast.copy_location(ast.Constant(self._numbers[node.id]), node)
        return node

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        self.generic_visit(node)
        node.returns = None
        for argument in (*node.args.args, *node.args.kwonlyargs):
            argument.annotation = None
        node.body = _without_description(node.body)
        return node

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:
        self.generic_visit(node)
        node.body = _without_description(node.body)
        return node

    def visit_If(self, node: ast.If) -> ast.AST | None:
        if all(isinstance(line, ast.Raise) for line in node.body) and not node.orelse:
            return ast.copy_location(ast.Pass(), node)
        return self.generic_visit(node)

    def visit_Expr(self, node: ast.Expr) -> ast.AST:
        refuses = isinstance(node.value, ast.Call) and ast.unparse(node.value.func).startswith(_PLAIN)
        return ast.copy_location(ast.Pass(), node) if refuses else node

    def visit_For(self, node: ast.For) -> ast.AST:
        self.generic_visit(node)
        node.body = node.body or [ast.Pass()]
        return node

    def visit_While(self, node: ast.While) -> ast.AST:
        self.generic_visit(node)
        tick = ast.Expr(ast.Call(ast.Name("_tick", ast.Load()), [], []))
        node.body = [ast.copy_location(ast.fix_missing_locations(tick), node), *node.body]
        return node

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST:
        self.generic_visit(node)
        if node.value is None:
            return ast.copy_location(ast.Pass(), node)
        return ast.copy_location(ast.Assign([node.target], node.value), node)


def _without_description(body: list[ast.stmt]) -> list[ast.stmt]:
    kept = [
        line
        for line in body
        if not (isinstance(line, ast.Expr) and isinstance(line.value, ast.Constant)) and not isinstance(line, ast.Pass)
    ]
    return kept or [ast.Pass()]


def _everywhere(piece: Piece) -> Iterator[tuple[tuple[Piece, Rewrite], ...]]:
    """Rewrites of one kind at all places of a piece together, where there are several."""
    for group in structure.everywhere(piece.tree, piece.around):
        for rewrite in group:
            located(rewrite.new, rewrite.node)
        yield tuple((piece, rewrite) for rewrite in group)


def _rewrites(piece: Piece) -> Iterator[Rewrite]:
    functions = [piece.tree] if isinstance(piece.tree, ast.FunctionDef) else piece.tree.body
    around = piece.around
    seen: set[tuple[int, str]] = set()
    attributes = tuple(
        dict.fromkeys(
            node.attr
            for node in ast.walk(piece.tree)
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "self"
        )
    )
    for function in functions:
        if not isinstance(function, ast.FunctionDef):
            continue
        arguments = [argument.arg for argument in (*function.args.args, *function.args.kwonlyargs)]
        variables = [
            part.id
            for node in ast.walk(function)
            if isinstance(node, ast.Assign)
            for target in node.targets
            for part in ast.walk(target)
            if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store)
        ]
        scope = Scope(
            tuple(name for name in arguments if name != "self"),
            tuple(name for name in dict.fromkeys(variables) if name not in arguments),
            around,
            attributes,
        )
        for node in ast.walk(function):
            if _is_aside(node, around):
                continue
            for rules in (algebra, structure, calls):
                for rewrite in rules.rewrites(node, scope):
                    # Two rules may come to the same text; the first has the better words.
                    place = id(rewrite.node), ast.dump(rewrite.new)
                    # What a helper returns is seen in the line that calls it.
                    inner = piece.depth > 0 and isinstance(rewrite.node, ast.Return)
                    if place not in seen and not inner:
                        seen.add(place)
                        located(rewrite.new, rewrite.node)
                        yield rewrite


def _is_aside(node: ast.AST, around: dict[int, ast.AST]) -> bool:
    """Whether a node belongs to an error's text, a decorator, an argument's start value or a call of the base class."""
    step: ast.AST | None = node
    while step is not None:
        if isinstance(step, (ast.Raise, ast.JoinedStr, ast.arguments)):
            return True
        above = around.get(id(step))
        if isinstance(above, ast.FunctionDef) and step in above.decorator_list:
            return True
        step = above
    return False
