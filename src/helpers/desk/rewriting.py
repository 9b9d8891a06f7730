"""Makes wrong lines of right ones: one place of a statement is rewritten, as a hurried reader would get it wrong."""

from __future__ import annotations

import ast
import copy
from collections.abc import Callable, Iterator
from dataclasses import dataclass

# The other one of each pair is what is taken for it.
_TWINS = {"sin": "cos", "cos": "sin", "max": "min", "sum": "mean", "mean": "sum", "argmax": "argmin", "exp": "log"}
_OTHER_SIGN: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
}
_AXES = ("axis", "dim")


@dataclass(frozen=True)
class Rewriting:
    """A wrong line.

    Attributes:
        rank: place of its rule in the list of rules: the lower, the more it has to do with the mathematics.
        text: the line.
    """

    rank: int
    text: str

    @property
    def is_slip(self) -> bool:
        """Whether it is a slip of the pen, which has nothing to do with the mathematics."""
        return self.rank >= _RULES.index(_off_by_one)


def rewritings(line: ast.stmt | ast.expr) -> Iterator[Rewriting]:
    """Return every wrong line that the rules make of a right one, each with one place rewritten."""
    right = ast.unparse(line)
    for rank, rule in enumerate(_RULES):
        for place, node in enumerate(ast.walk(line)):
            changed = rule(copy.deepcopy(node))
            if changed is None:
                continue
            text = ast.unparse(_replaced(line, place, changed))
            if text != right:
                yield Rewriting(rank, text)


def _replaced(line: ast.stmt | ast.expr, place: int, new: ast.AST) -> ast.AST:
    """The line with the node at a place of `ast.walk` exchanged."""
    fresh = copy.deepcopy(line)
    old = list(ast.walk(fresh))[place]
    if old is fresh:
        return new

    class Exchange(ast.NodeTransformer):
        def visit(self, node: ast.AST) -> ast.AST:
            return new if node is old else self.generic_visit(node)

    return ast.fix_missing_locations(Exchange().visit(fresh))


def _other_axis(node: ast.AST) -> ast.AST | None:
    """Sum over the queries instead of the keys."""
    axis = _number(node.value) if isinstance(node, ast.keyword) and node.arg in _AXES else None
    if isinstance(node, ast.keyword) and axis is not None:
        node.value = ast.parse(str({-1: -2, -2: -1}.get(axis, axis + 1)), mode="eval").body
        return node
    return None


def _other_order(node: ast.AST) -> ast.AST | None:
    """`V @ weights` for `weights @ V`."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.MatMult):
        node.left, node.right = node.right, node.left
        return node
    return None


def _no_root(node: ast.AST) -> ast.AST | None:
    """`d_k` for `√d_k`."""
    return node.args[0] if isinstance(node, ast.Call) and _called(node) == "sqrt" and len(node.args) == 1 else None


def _no_transpose(node: ast.AST) -> ast.AST | None:
    """`K` for `Kᵀ`."""
    if isinstance(node, ast.Call) and _called(node) == "swapaxes" and len(node.args) == 3:
        return node.args[0]
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "transpose":
        return node.func.value
    return node.value if isinstance(node, ast.Attribute) and node.attr == "T" else None


def _no_residual(node: ast.AST) -> ast.AST | None:
    """`sublayer(x)` for `x + sublayer(x)`."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        return node.right if isinstance(node.right, (ast.Call, ast.Attribute, ast.Subscript)) else None
    return None


def _not_turned(node: ast.AST) -> ast.AST | None:
    """`mask` for `~mask`."""
    return node.operand if isinstance(node, ast.UnaryOp) and isinstance(node.op, (ast.Not, ast.Invert)) else None


def _other_operation(node: ast.AST) -> ast.AST | None:
    """Times for divided by, plus for minus."""
    others: dict[type[ast.operator], type[ast.operator]] = {
        ast.Div: ast.Mult,
        ast.Sub: ast.Add,
        ast.Pow: ast.Mult,
        ast.FloorDiv: ast.Mult,
        ast.Mult: ast.Add,
    }
    if isinstance(node, ast.BinOp) and type(node.op) in others:
        node.op = others[type(node.op)]()
        return node
    return None


def _other_function(node: ast.AST) -> ast.AST | None:
    """Sine for cosine, mean for sum."""
    if isinstance(node, ast.Attribute) and node.attr in _TWINS:
        node.attr = _TWINS[node.attr]
        return node
    return None


def _other_arguments(node: ast.AST) -> ast.AST | None:
    """`f(K, Q)` for `f(Q, K)`: the first two of a call change places."""
    if isinstance(node, ast.Call) and len(node.args) > 1 and _called(node) not in ("range", "zip", "next"):
        node.args[0], node.args[1] = node.args[1], node.args[0]
        return node
    return None


def _other_results(node: ast.AST) -> ast.AST | None:
    """`return weights, output` for `return output, weights`."""
    if isinstance(node, ast.Return) and isinstance(node.value, ast.Tuple) and len(node.value.elts) > 1:
        node.value.elts[0], node.value.elts[1] = node.value.elts[1], node.value.elts[0]
        return node
    return None


def _other_flag(node: ast.AST) -> ast.AST | None:
    """`keepdims=False` for `keepdims=True`."""
    if isinstance(node, ast.keyword) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, bool):
        node.value = ast.Constant(not node.value.value)
        return node
    return None


def _other_sign(node: ast.AST) -> ast.AST | None:
    """Below for at most."""
    if isinstance(node, ast.Compare) and type(node.ops[0]) in _OTHER_SIGN:
        node.ops[0] = _OTHER_SIGN[type(node.ops[0])]()
        return node
    return None


def _off_by_one(node: ast.AST) -> ast.AST | None:
    """2 for 1."""
    if isinstance(node, ast.Constant) and type(node.value) is int:
        return ast.Constant(node.value + 1)
    return None


def _other_letters(node: ast.AST) -> ast.AST | None:
    """A capital letter."""
    if isinstance(node, ast.Return) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
        node.value = ast.Constant(node.value.value.capitalize())
        return node
    return None


def _printed(node: ast.AST) -> ast.AST | None:
    """`print` for `return`: the reader sees the result, the program does not."""
    if isinstance(node, ast.Return) and node.value is not None:
        return ast.Expr(ast.Call(ast.Name("print", ast.Load()), [node.value], []))
    return None


_RULES: tuple[Callable[[ast.AST], ast.AST | None], ...] = (
    _no_transpose,
    _no_residual,
    _no_root,
    _other_order,
    _not_turned,
    _other_axis,
    _other_operation,
    _other_function,
    _other_flag,
    _other_sign,
    _other_results,
    _other_arguments,
    _off_by_one,
    _other_letters,
    _printed,
)


def _number(node: ast.expr) -> int | None:
    try:
        value = ast.literal_eval(node)
    except ValueError:
        return None
    return value if isinstance(value, int) else None


def _called(node: ast.Call) -> str:
    return node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
