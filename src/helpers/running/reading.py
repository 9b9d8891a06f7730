"""What can be read off the source of an answer, as plain facts. It has no idea what is right.

The facts, a dict that `helpers.running.wire` can carry; lines are pairs (number, text):

    kind       "function", "class" or "other"
    source     whether the source was found; the facts below are empty without
    open       functions of the answer that consist of nothing but `raise NotImplementedError`: pairs name, line
    left       lines `raise NotImplementedError` in functions that have other code
    written    functions of the answer that have code of their own
    nested     functions written inside another one: triples name, outer, line number
    returns    whether a `return` with a value stands in it (in the method that is called, for a class: `forward`)
    printed    the first line `return print(...)`
    uses       names of the notebook's functions and classes that the answer calls, also by way of its helpers
"""

from __future__ import annotations

import ast
import inspect
import linecache
from collections.abc import Iterator
from types import CodeType, FunctionType
from typing import Any

Facts = dict[str, Any]
MAX_SOURCE = 100_000
MAX_ITEMS = 50
_Function = ast.FunctionDef | ast.AsyncFunctionDef
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


def read(target: Any) -> Facts:
    """Return the facts of an answer."""
    target = unwrapped(target)
    facts: Facts = {
        "kind": "class" if inspect.isclass(target) else "function" if isinstance(target, FunctionType) else "other",
        "source": False,
        "open": [],
        "left": [],
        "written": [],
        "nested": [],
        "returns": True,
        "printed": [],
        "uses": [],
    }
    try:
        facts["uses"] = sorted(used(target))[:MAX_ITEMS]
        found = _definition(target)
        if found is not None:
            facts.update(_read_definition(*found), source=True)
    except Exception:
        # Whatever an answer is made of, that it cannot be read is no fault of it.
        pass
    return facts


def unwrapped(target: Any) -> Any:
    """The function below its decorators."""
    try:
        return inspect.unwrap(target)
    except ValueError:
        return target


def used(target: Any) -> dict[str, Any]:
    """The notebook's own functions and classes that an answer calls, by name; also by way of one another."""
    names = global_names(target)
    found: dict[str, Any] = {}
    waiting = [target]
    while waiting and len(found) < MAX_ITEMS:
        for name in _names(waiting.pop()):
            value = names.get(name)
            if name in found or value is target or not (inspect.isclass(value) or inspect.isfunction(value)):
                continue
            if getattr(value, "__module__", None) == names.get("__name__"):
                found[name] = value
                waiting.append(value)
    return found


def global_names(target: Any) -> dict[str, Any]:
    """The names of the notebook that a function, or the methods of a class, look up."""
    functions = list(_functions(unwrapped(target)))
    return functions[0].__globals__ if functions else {}


def _functions(target: Any) -> Iterator[FunctionType]:
    if isinstance(target, FunctionType):
        yield target
    elif inspect.isclass(target):
        for value in vars(target).values():
            inner = getattr(value, "__func__", None) or getattr(value, "fget", None) or value
            if isinstance(inner, FunctionType):
                yield inner


def _names(target: Any) -> set[str]:
    names: set[str] = set()
    for function in _functions(unwrapped(target)):
        names |= _names_of_code(function.__code__)
    if inspect.isclass(target):
        names |= {base.__name__ for base in target.__bases__}
    return names


def _names_of_code(code: CodeType) -> set[str]:
    inner = (_names_of_code(constant) for constant in code.co_consts if isinstance(constant, CodeType))
    return set(code.co_names).union(*inner)


def _definition(target: Any) -> tuple[ast.ClassDef | _Function, list[str]] | None:
    """The definition of an answer in its cell, and the cell's lines."""
    functions = list(_functions(target))
    if not functions:
        return None
    code = functions[0].__code__
    lines = linecache.getlines(code.co_filename, functions[0].__globals__)
    text = "".join(lines)
    if not text or len(text) > MAX_SOURCE:
        return None
    wanted = ast.ClassDef if inspect.isclass(target) else _Function
    # A cell that defines one name twice counts with the one that holds this code.
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, wanted) and node.name == target.__name__:
            first = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
            if first <= code.co_firstlineno <= (node.end_lineno or node.lineno):
                return node, lines
    return None


def _read_definition(node: ast.ClassDef | _Function, lines: list[str]) -> Facts:
    def line(number: int) -> tuple[int, str]:
        return number, lines[number - 1].strip()[:200] if number <= len(lines) else ""

    facts: Facts = {"open": [], "left": [], "written": [], "nested": [], "printed": []}
    if isinstance(node, ast.ClassDef):
        functions: list[_Function] = [part for part in node.body if isinstance(part, _Function)]
    else:
        functions = [node]
    for function in functions[:MAX_ITEMS]:
        own = list(_own(function))
        raises = [part for part in own if isinstance(part, ast.Raise) and _is_open(part)]
        rest = [part for part in function.body if part not in raises and not _says_nothing(part)]
        if raises and not rest:
            facts["open"].append((function.name, *line(raises[0].lineno)))
        elif raises and any(part in function.body for part in raises):
            facts["left"].extend(line(part.lineno) for part in raises[:3])
        if rest:
            facts["written"].append(function.name)
        for part in own:
            if isinstance(part, _Function) and part is not function:
                facts["nested"].append((part.name, function.name, part.lineno))
            if isinstance(part, ast.Return) and isinstance(part.value, ast.Call):
                if isinstance(part.value.func, ast.Name) and part.value.func.id == "print" and not facts["printed"]:
                    facts["printed"] = list(line(part.lineno))
    called = next(
        (function for function in functions if function.name == "forward"), functions[0] if functions else node
    )
    facts["returns"] = any(isinstance(part, ast.Return) and part.value is not None for part in _own(called))
    facts["nested"] = facts["nested"][:MAX_ITEMS]
    return facts


def _own(node: ast.AST) -> Iterator[ast.AST]:
    """The nodes of a function, those of functions inside it left out, but these functions themselves."""
    for child in ast.iter_child_nodes(node):
        yield child
        if not isinstance(child, (*_FUNCTIONS, ast.Lambda, ast.ClassDef)):
            yield from _own(child)


def _is_open(node: ast.Raise) -> bool:
    raised = node.exc.func if isinstance(node.exc, ast.Call) else node.exc
    return isinstance(raised, ast.Name) and raised.id == "NotImplementedError"


def _says_nothing(node: ast.stmt) -> bool:
    """A description, `...`, `pass`, or the call of the base class's `__init__` that a class begins with."""
    if isinstance(node, ast.Pass):
        return True
    if not isinstance(node, ast.Expr):
        return False
    if isinstance(node.value, ast.Constant):
        return True
    return isinstance(node.value, ast.Call) and ast.unparse(node.value.func) == "super().__init__"
