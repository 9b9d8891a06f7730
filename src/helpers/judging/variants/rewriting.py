"""The records of a rewrite, and how trees are rebuilt."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

MAX_SHOWN = 44


@dataclass(frozen=True, eq=False)
class Rewrite:
    """One place of a reference written another way.

    Attributes:
        node: the node of the piece's tree that is replaced.
        new: what stands in its place.
        name: what was done, in the learner's words.
        hint: where to look.
        key: rewrites of one key say the same of the same place in several ways, as two axes of which a case has one.
    """

    node: ast.AST
    new: ast.AST
    name: str
    hint: str
    key: str


@dataclass(frozen=True)
class Scope:
    """What a rule may know of the function around a node.

    Attributes:
        arguments: names of the parameters, `self` left out.
        variables: names that the function gives values to.
        parents: the node around each node, by its id.
        attributes: names of `self`'s parts that the class calls.
    """

    arguments: tuple[str, ...]
    variables: tuple[str, ...]
    parents: Mapping[int, ast.AST]
    attributes: tuple[str, ...] = ()


def shown(node: ast.AST) -> str:
    """A piece of source as it is shown in a sentence."""
    text = ast.unparse(node)
    return f"`{text}`" if len(text) <= MAX_SHOWN else f"`{text[: MAX_SHOWN - 1]}…`"


def rebuilt(node: ast.AST, changes: Mapping[int, ast.AST], way: frozenset[int] | None = None) -> ast.AST:
    """Return the tree with nodes replaced by their id, and the tree itself where nothing is; nothing is changed in
    place.

    Args:
        node: the tree.
        changes: what stands in the place of a node, by the node's id.
        way: the ids of the nodes that lead to these; None looks everywhere.
    """
    if id(node) in changes:
        rest = {key: value for key, value in changes.items() if key != id(node)}
        return rebuilt(changes[id(node)], rest) if rest else changes[id(node)]
    if way is not None and id(node) not in way:
        return node
    fields = {}
    changed = False
    for name, value in ast.iter_fields(node):
        if isinstance(value, ast.AST):
            new: object = rebuilt(value, changes, way)
        elif isinstance(value, list):
            new = [rebuilt(item, changes, way) if isinstance(item, ast.AST) else item for item in value]
            if all(a is b for a, b in zip(new, value)):
                new = value
        else:
            new = value
        changed = changed or new is not value
        fields[name] = new
    return ast.copy_location(type(node)(**fields), node) if changed else node


def way_to(nodes: Iterable[ast.AST], around: Mapping[int, ast.AST]) -> frozenset[int]:
    """The ids of all nodes around some nodes."""
    found = set()
    for node in nodes:
        step = around.get(id(node))
        while step is not None and id(step) not in found:
            found.add(id(step))
            step = around.get(id(step))
    return frozenset(found)


def located(new: ast.AST, old: ast.AST) -> ast.AST:
    """Give what is new the place in the source of what it stands for."""
    if isinstance(old, (ast.expr, ast.stmt)):
        ast.copy_location(new, old)
    return ast.fix_missing_locations(new)


def parents(tree: ast.AST) -> dict[int, ast.AST]:
    """The node around each node, by its id."""
    return {id(child): node for node in ast.walk(tree) for child in ast.iter_child_nodes(node)}


def call_name(node: ast.AST) -> str:
    """The last part of what is called: "sum" of `np.sum(x)` and of `x.sum()`; "" for anything else."""
    if not isinstance(node, ast.Call):
        return ""
    return node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")


_LIBRARIES = ("np", "torch", "math", "nn", "F")


def operand(node: ast.Call) -> ast.expr | None:
    """What a function works on: its first argument, or the object of its method."""
    if isinstance(node.func, ast.Attribute):
        owner = node.func.value
        if not (isinstance(owner, ast.Name) and owner.id in (*_LIBRARIES, "self")) and not _is_part(owner):
            return owner
    return node.args[0] if node.args and not isinstance(node.args[0], ast.Starred) else None


def _is_part(node: ast.AST) -> bool:
    """Whether a node is a part of a library, as `torch.nn` is."""
    return isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in _LIBRARIES


def is_torch(node: ast.Call) -> bool:
    return any(isinstance(part, ast.Name) and part.id == "torch" for part in ast.walk(node.func))


def integer(node: ast.AST | None) -> int | None:
    """The value of a whole number in the source, signed."""
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        value = integer(node.operand)
        return None if value is None else -value
    if isinstance(node, ast.Constant) and type(node.value) is int:
        return node.value
    return None


def number(value: float | int) -> ast.expr:
    """Source of a number."""
    plain = ast.Constant(abs(value))
    return ast.UnaryOp(ast.USub(), plain) if value < 0 else plain


def expression(text: str, **parts: ast.expr) -> ast.expr:
    """The tree of a text in which names stand for parts: `expression("a @ b", a=left, b=right)`."""
    tree = ast.parse(text, mode="eval").body
    changes = {id(node): parts[node.id] for node in ast.walk(tree) if isinstance(node, ast.Name) and node.id in parts}
    new = rebuilt(tree, changes)
    assert isinstance(new, ast.expr)
    return new


def statements(tree: ast.AST) -> Iterator[tuple[list[ast.stmt], int]]:
    """All statements below a node: the list that each stands in, and its place there."""
    for node in ast.walk(tree):
        for name in ("body", "orelse"):
            block = getattr(node, name, None)
            if isinstance(block, list):
                for index in range(len(block)):
                    yield block, index
