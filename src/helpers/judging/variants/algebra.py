"""Rules for formulas: order, signs, factors, roots, transposes, widths."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from .rewriting import Rewrite, Scope, call_name, expression, integer, is_torch, number, operand, shown

_ORDER = "Write the shape behind each operand: which axis is summed over, and which ones stay?"
_FORMULA = "Compare the line with the formula, factor by factor."


def rewrites(node: ast.AST, scope: Scope) -> Iterator[Rewrite]:
    """Yield other ways in which a node of a formula is written by mistake."""
    if isinstance(node, ast.BinOp):
        yield from _BINARY[type(node.op)](node) if type(node.op) in _BINARY else ()
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub) and integer(node) is None:
        yield Rewrite(node, node.operand, f"the minus before {shown(node.operand)} is missing", _FORMULA, "sign")
    if isinstance(node, (ast.Call, ast.Attribute)):
        yield from _transposes(node, scope)
    if isinstance(node, ast.Call) and call_name(node) in ("sqrt", "rsqrt"):
        yield from _roots(node)
    if isinstance(node, ast.Subscript):
        yield from _sizes(node, scope)


def _matmul(node: ast.BinOp) -> Iterator[Rewrite]:
    a, b = node.left, node.right
    yield Rewrite(
        node, ast.BinOp(b, node.op, a), f"the product is the wrong way round: {shown(b)} @ {shown(a)}", _ORDER, "order"
    )
    turned = expression("a.swapaxes(-1, -2)", a=b)
    if not _is_turned(b):
        yield Rewrite(b, turned, f"{shown(b)} is transposed in {shown(node)}", _ORDER, f"turn {id(b)}")
        yield Rewrite(
            b, expression("b.T", b=b), f"{shown(b)} is transposed with .T in {shown(node)}", _ORDER, f"turn {id(b)}"
        )
    if not _is_turned(a):
        new = expression("a.swapaxes(-1, -2)", a=a)
        yield Rewrite(a, new, f"{shown(a)} is transposed in {shown(node)}", _ORDER, f"turn {id(a)}")
        if _is_turned(b) and (inner := _inside(b)) is not None:
            moved = ast.BinOp(new, node.op, inner)
            yield Rewrite(
                node, moved, f"{shown(a)} is transposed, where {shown(inner)} should be", _ORDER, "other operand"
            )
            yield Rewrite(
                node,
                expression("b @ a.swapaxes(-1, -2)", a=a, b=inner),
                f"{shown(inner)} stands on the left and {shown(a)} is transposed",
                "Rows of the result belong to what stands on the left.",
                "sides exchanged",
            )
    yield Rewrite(
        node, ast.BinOp(a, ast.Mult(), b), f"`*` stands where `@` belongs, in {shown(node)}", _ORDER, "product"
    )


def _divide(node: ast.BinOp) -> Iterator[Rewrite]:
    a, b = node.left, node.right
    hint = "What is divided by what, and how often?"
    yield Rewrite(node, a, f"not divided by {shown(b)}", hint, "divisor out")
    yield Rewrite(node, ast.BinOp(a, ast.Mult(), b), f"multiplied by {shown(b)} instead of divided", hint, "times")
    if call_name(b) != "sqrt":
        # Twice the root is the same as no root at all, which has a rule of its own.
        yield Rewrite(node, ast.BinOp(node, ast.Div(), b), f"divided by {shown(b)} twice", hint, "twice")
    yield Rewrite(
        node, ast.BinOp(b, ast.Div(), a), f"the quotient is upside down: {shown(b)} / {shown(a)}", hint, "turned"
    )
    yield Rewrite(
        node,
        ast.BinOp(a, ast.FloorDiv(), b),
        f"divided with `//`, in {shown(node)}",
        "`//` rounds down to a whole number: `-2 // 8` is -1.",
        "floor",
    )


def _multiply(node: ast.BinOp) -> Iterator[Rewrite]:
    a, b = node.left, node.right
    yield Rewrite(node, a, f"the factor {shown(b)} is missing", _FORMULA, "right factor")
    yield Rewrite(node, b, f"the factor {shown(a)} is missing", _FORMULA, "left factor")
    yield Rewrite(node, ast.BinOp(a, ast.Div(), b), f"divided by {shown(b)} instead of multiplied", _FORMULA, "times")
    yield Rewrite(node, ast.BinOp(a, ast.Add(), b), f"{shown(b)} is added, where it is a factor", _FORMULA, "add")
    yield Rewrite(node, ast.BinOp(node, ast.Mult(), b), f"multiplied by {shown(b)} twice", _FORMULA, "twice")


def _add(node: ast.BinOp) -> Iterator[Rewrite]:
    a, b = node.left, node.right
    yield Rewrite(node, a, f"{shown(b)} is not added", _FORMULA, "right term")
    yield Rewrite(node, b, f"{shown(a)} is not added", _FORMULA, "left term")
    yield Rewrite(node, ast.BinOp(a, ast.Sub(), b), f"{shown(b)} is subtracted instead of added", _FORMULA, "sign")
    yield Rewrite(node, ast.BinOp(a, ast.Mult(), b), f"{shown(b)} is multiplied instead of added", _FORMULA, "times")
    yield Rewrite(
        node, ast.BinOp(a, ast.Add(), a), f"{shown(a)} is added to itself, in place of {shown(b)}", _FORMULA, "self"
    )
    yield Rewrite(
        node, ast.BinOp(b, ast.Add(), b), f"{shown(b)} is added to itself, in place of {shown(a)}", _FORMULA, "self"
    )


def _subtract(node: ast.BinOp) -> Iterator[Rewrite]:
    a, b = node.left, node.right
    yield Rewrite(node, a, f"{shown(b)} is not subtracted", _FORMULA, "right term")
    yield Rewrite(node, ast.UnaryOp(ast.USub(), b), f"{shown(a)} is missing in {shown(node)}", _FORMULA, "left term")
    yield Rewrite(
        node,
        ast.BinOp(b, ast.Sub(), a),
        f"the difference is the wrong way round: {shown(b)} - {shown(a)}",
        _FORMULA,
        "turned",
    )
    yield Rewrite(node, ast.BinOp(a, ast.Add(), b), f"{shown(b)} is added instead of subtracted", _FORMULA, "sign")


def _power(node: ast.BinOp) -> Iterator[Rewrite]:
    a, b = node.left, node.right
    yield Rewrite(node, a, f"the exponent {shown(b)} is missing", _FORMULA, "exponent out")
    yield Rewrite(
        node,
        ast.BinOp(a, ast.Pow(), ast.UnaryOp(ast.USub(), b)),
        f"the exponent {shown(b)} has the other sign",
        _FORMULA,
        "sign",
    )
    yield Rewrite(
        node,
        ast.BinOp(a, ast.Mult(), b),
        f"{shown(a)} is multiplied by {shown(b)}, not raised to it",
        _FORMULA,
        "times",
    )
    if isinstance(b, ast.UnaryOp) and isinstance(b.op, ast.USub):
        yield Rewrite(
            node,
            ast.UnaryOp(ast.USub(), ast.BinOp(a, ast.Pow(), b.operand)),
            "the minus stands before the power",
            _FORMULA,
            "sign",
        )
    if isinstance(b, ast.BinOp) and isinstance(b.op, ast.Div):
        first = ast.BinOp(ast.BinOp(a, ast.Pow(), b.left), ast.Div(), b.right)
        yield Rewrite(
            node, first, f"only {shown(b.left)} is the exponent: the power is divided by {shown(b.right)}",
            "`**` binds more tightly than `/` and `*`: put the whole exponent in brackets.", "brackets",
        )  # fmt: skip
        floored = ast.BinOp(b.left, ast.FloorDiv(), b.right)
        yield Rewrite(
            b,
            floored,
            f"the exponent is cut off by `//`: {shown(floored)}",
            "`//` rounds down to a whole number: `-2 // 8` is -1.",
            "floor",
        )


_BINARY = {
    ast.MatMult: _matmul,
    ast.Div: _divide,
    ast.Mult: _multiply,
    ast.Add: _add,
    ast.Sub: _subtract,
    ast.Pow: _power,
}


def _is_turned(node: ast.AST) -> bool:
    return call_name(node) in ("swapaxes", "transpose") or (
        isinstance(node, ast.Attribute) and node.attr in ("T", "mT")
    )


def _inside(node: ast.AST) -> ast.expr | None:
    """What is transposed."""
    return node.value if isinstance(node, ast.Attribute) else operand(node) if isinstance(node, ast.Call) else None


def _transposes(node: ast.Call | ast.Attribute, scope: Scope) -> Iterator[Rewrite]:
    inner = _inside(node) if _is_turned(node) else None
    if inner is None:
        return
    around = scope.parents.get(id(node))
    place = f" in {shown(around)}" if isinstance(around, ast.BinOp) else ""
    yield Rewrite(node, inner, f"{shown(inner)} is not transposed{place}", _ORDER, f"turn {id(node)}")
    if isinstance(node, ast.Attribute):
        return
    if not is_torch(node):
        yield Rewrite(
            node,
            expression("a.T", a=inner),
            f"{shown(inner)} is turned around with .T, which takes all axes",
            "With batch axes in front, `.T` turns those as well: exchange only the two axes that are meant.",
            f"all axes {id(node)}",
        )
    places = [integer(part) for part in node.args if integer(part) is not None]
    for a, b in ((-1, -2), (-2, -3), (-1, -3), (0, 1), (1, 2)):
        if {a, b} != set(places):
            yield Rewrite(
                node,
                expression(f"a.swapaxes({a}, {b})", a=inner),
                f"the axes {a} and {b} of {shown(inner)} change places, not {places[0]} and {places[1]}"
                if len(places) == 2
                else f"the axes {a} and {b} of {shown(inner)} change places",
                "Which two axes are to change places? Count them from the end.",
                f"axes {id(node)}",
            )


def _roots(node: ast.Call) -> Iterator[Rewrite]:
    inner = operand(node)
    if inner is None:
        return
    hint = "Where does the root stand in the formula, and what stands below it?"
    if call_name(node) == "rsqrt":
        yield Rewrite(
            node, expression("1 / a", a=inner), f"divided by {shown(inner)} without the root", hint, "root out"
        )
        yield Rewrite(
            node, expression("a ** 0.5", a=inner), f"multiplied by the root of {shown(inner)}", hint, "root turned"
        )
        return
    yield Rewrite(node, inner, f"{shown(inner)} without the root", hint, "root out")
    yield Rewrite(
        node,
        expression("a / 2", a=inner),
        f"half of {shown(inner)} in place of its root",
        "`** 1/2` is a power and then a half: write `** 0.5`.",
        "half",
    )
    yield Rewrite(
        node, expression("a ** 2", a=inner), f"the square of {shown(inner)} in place of its root", hint, "square"
    )
    if isinstance(inner, ast.BinOp) and isinstance(inner.op, ast.Add):
        outside = ast.BinOp(ast.Call(node.func, [inner.left], []), ast.Add(), inner.right)
        if not (isinstance(node.func, ast.Attribute) and node.func.value is inner):
            yield Rewrite(node, outside, f"{shown(inner.right)} is added outside the root", hint, "outside")


def _sizes(node: ast.Subscript, scope: Scope) -> Iterator[Rewrite]:
    """`Q.shape[-1]`, taken of another array or along another axis."""
    of, axis = node.value, integer(node.slice)
    if not (isinstance(of, ast.Attribute) and of.attr == "shape" and isinstance(of.value, ast.Name)) or axis is None:
        return
    hint = "Which length is meant: how many there are, or how wide each is? And of which array?"
    arrays = [name for name in scope.arguments if name.isidentifier()]
    for name in dict.fromkeys([of.value.id, *arrays]):
        for other in (-1, -2, 0):
            if (name, other) != (of.value.id, axis):
                new = ast.Subscript(
                    ast.Attribute(ast.Name(name, ast.Load()), "shape", ast.Load()), number(other), ast.Load()
                )
                yield Rewrite(node, new, f"{shown(new)} stands where {shown(node)} belongs", hint, f"size {id(node)}")
