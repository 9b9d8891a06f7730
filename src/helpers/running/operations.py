"""What failed when an error was raised: the operation at the failing place of the line, and the shapes it met.

`Q @ K` on arrays (3, 4) and (5, 4) is "matmul (3, 4) (5, 4)", however its line is written. Two errors with one text are
told apart by this, and two texts of one error are seen to be the same. Where the operands cannot be looked at without
calling the learner's code again, a "?" stands for them; "" where nothing can be said.
"""

from __future__ import annotations

import ast
import linecache
from types import FrameType, TracebackType
from typing import Any

import numpy as np

_BINARY: dict[type[ast.operator], str] = {
    ast.MatMult: "matmul",
    ast.Add: "add",
    ast.Sub: "subtract",
    ast.Mult: "multiply",
    ast.Div: "divide",
    ast.FloorDiv: "floor_divide",
    ast.Pow: "power",
}
_SAME = {
    "mm": "matmul",
    "bmm": "matmul",
    "true_divide": "divide",
    "sub": "subtract",
    "mul": "multiply",
    "div": "divide",
}
# Looking at these again changes nothing and costs little.
_HARMLESS = frozenset(
    "swapaxes transpose reshape view permute unsqueeze squeeze expand_dims moveaxis asarray float double t flatten"
    " ravel contiguous ones zeros eye".split()
)
_PLAIN = (ast.Name, ast.Attribute, ast.Subscript, ast.Constant, ast.UnaryOp, ast.BinOp, ast.Slice, ast.Tuple)
_SHAPE = (ast.Load, ast.USub, ast.Invert, ast.operator)
MAX_OPERANDS = 4


def describe(trace: TracebackType) -> str:
    """Return the operation at which a frame of a traceback stopped."""
    try:
        node = _failing(trace)
        return _tell(node, trace.tb_frame) if node is not None else ""
    except Exception:
        return ""


def _failing(trace: TracebackType) -> ast.AST | None:
    """The piece of source that the failing instruction was made from."""
    code = trace.tb_frame.f_code
    line, end_line, column, end_column = list(code.co_positions())[trace.tb_lasti // 2]
    if line is None or end_line is None or column is None or end_column is None or end_line - line > 30:
        return None
    lines = [linecache.getline(code.co_filename, n).encode() for n in range(line, end_line + 1)]
    lines[-1] = lines[-1][:end_column]
    lines[0] = lines[0][column:]
    text = b"".join(lines).decode().strip()
    try:
        return ast.parse(f"({text})", mode="eval").body
    except SyntaxError:
        return ast.parse(text).body[0]


def _tell(node: ast.AST, frame: FrameType) -> str:
    if isinstance(node, ast.BinOp):
        return _line(_BINARY.get(type(node.op), "operator"), [node.left, node.right], frame)
    if isinstance(node, ast.AugAssign):
        return _line(_BINARY.get(type(node.op), "operator"), [node.target, node.value], frame)
    if isinstance(node, ast.Subscript):
        return _line("index", [node.value, node.slice], frame)
    if isinstance(node, ast.Call):
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "call")
        operands: list[ast.AST] = list(node.args)
        if isinstance(node.func, ast.Attribute) and not _is_module(node.func.value, frame):
            operands.insert(0, node.func.value)
        return _line(_SAME.get(name, name), operands, frame)
    if isinstance(node, ast.Raise):
        return "raise"
    return ""


def _is_module(node: ast.AST, frame: FrameType) -> bool:
    found = _value(node, frame)
    return type(found).__name__ == "module"


def _line(name: str, operands: list[ast.AST], frame: FrameType) -> str:
    return " ".join([name, *(_shape(_value(operand, frame)) for operand in operands[:MAX_OPERANDS])])


_UNSEEN = object()


def _value(node: ast.AST, frame: FrameType) -> Any:
    """The value of an operand, or `_UNSEEN` where asking for it would call the learner's code."""
    for part in ast.walk(node):
        if isinstance(part, (*_PLAIN, *_SHAPE, ast.keyword, ast.unaryop)):
            continue
        if isinstance(part, ast.Call) and isinstance(part.func, ast.Attribute) and part.func.attr in _HARMLESS:
            continue
        return _UNSEEN
    try:
        expression = ast.fix_missing_locations(ast.Expression(node))  # type: ignore[arg-type]
        return eval(compile(expression, "<operand>", "eval"), frame.f_globals, frame.f_locals)
    except Exception:
        return _UNSEEN


def _shape(value: Any) -> str:
    if value is _UNSEEN:
        return "?"
    if isinstance(value, np.ndarray) or type(value).__name__ in ("Tensor", "Parameter"):
        return str(tuple(value.shape))
    if isinstance(value, (bool, int, float, str)):
        return type(value).__name__
    return "()" if value is None else type(value).__name__
