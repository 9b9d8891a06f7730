"""The texts in the modules of `helpers` that a learner is shown: literals, and f-strings as templates.

English stays where it is in the code, and is the key. A template is a text with named gaps: `f"{n} words"` is
"{n} words". Where a gap can only be one of a few literals (`{'with' if bias else 'without'}`), each is a text of its
own, so that a translation need not be put together from pieces.
"""

from __future__ import annotations

import ast
import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

# So many texts at most are made of one f-string.
_MOST = 12
_WORD = re.compile(r"[^\W\d_]{2,}")
# Single words that are matplotlib's and Python's own.
_THEIRS = frozenset(
    (
        "alpha alt arrowstyle async axes bbox black bold bool both bottom box boxstyle bytes center clip "
        "color connectionstyle constrained cpu cuda dashed data dict div dotted dpi em fancybox float "
        "fontsize gray grey headless hidden hspace img inherit inline int italic lightgray linear linestyle "
        "linewidth log lower lw major minor monospace none normal off opacity pad png polar px round "
        "sans scatter serif shrinkA shrinkB solid span step str svg symlog tight top tuple upper "
        "utf white width wspace x-large zorder"
    ).split()
)
# Keywords whose values are words of Python, matplotlib or the course's own machinery.
_SETTINGS = frozenset(
    (
        "arrowstyle aspect axis bbox_to_anchor boxstyle c capstyle cmap code color colors connectionstyle "
        "default drawstyle dtype ec edgecolor encoding end errors extend facecolor family fc fontfamily "
        "fontstyle fontweight forbidden format group ha hatch horizontalalignment interpolation joinstyle key "
        "kind layout linestyle loc ls marker metadata mode multialignment name newline nonsingular "
        "orientation origin pad_inches relief rotation_mode sep status style textcoords tone transform unit "
        "usage va verticalalignment weight where which xycoords zorder"
    ).split()
)
_NAMING = frozenset(
    (
        "ParamSpec TypeVar axhline axvline cast compile count decode einsum encode endswith environ errstate "
        "field find findall finditer fullmatch get getLogger getattr grid hasattr import_module index "
        "isinstance log2 lstrip match open parse partition pop read_text register removeprefix removesuffix "
        "replace rpartition rsplit rstrip savefig search set_aspect set_visible setattr split startswith "
        "strip sub tick_params write_text"
    ).split()
)


# Calls whose first argument is shown, though it may be a single word: a property, a panel's title.
_SHOWING = ("Case", "case", "Relation", "Property", "told", "word", "_panel")


@dataclass(frozen=True)
class Text:
    """A text of the code.

    Attributes:
        text: English; of a template, with `{gaps}`, and braces of its own doubled.
        template: whether it has gaps.
        where: file and line.
    """

    text: str
    template: bool
    where: tuple[str, int]


@dataclass(frozen=True)
class _Gap:
    name: str


_Pieces = tuple["str | _Gap", ...]


def texts(path: Path, name: str, words: bool) -> list[Text]:
    """Return the texts of a module in their order.

    Args:
        path: the module's file.
        name: what to call it.
        words: whether a literal of a single word is one, as a figure's label; else only what has more, or ends as a
            sentence does.
    """
    tree = ast.parse(path.read_text(encoding="utf-8"))
    named = set(_properties(tree))
    skipped = set(_skipped(tree)) - named
    found: dict[tuple[str, bool], Text] = {}
    for node in _outermost(tree, skipped):
        for pieces in _readings(node):
            text, template = _told(pieces)
            if _is_text(pieces, words or node in named, node in named):
                found.setdefault((text, template), Text(text, template, (name, getattr(node, "lineno", 0))))
    for thing, line in _counted(tree):
        for text in (f"{{count}} {thing}", f"{{count}} {thing}s"):
            found.setdefault((text, True), Text(text, True, (name, line)))
    for joint in sorted(_joints(tree), key=lambda one: one.lineno):
        text = " ".join(f"{{x}}{joint.value!s}{{y}}".split())
        found.setdefault((text, True), Text(text, True, (name, joint.lineno)))
    return list(found.values())


def _joints(tree: ast.AST) -> set[ast.Constant]:
    """What a module puts between the parts of a list, as `" and ".join(names)` does, where it is a word."""
    calls = (node for node in ast.walk(tree) if isinstance(node, ast.Call) and _called(node) == "join")
    literals = (call.func.value for call in calls if isinstance(call.func, ast.Attribute))
    return {one for one in literals if isinstance(one, ast.Constant) and _WORD.search(str(one.value))}


def _counted(tree: ast.AST) -> Iterator[tuple[str, int]]:
    """What a module counts, as `counted(n, "head")` does: one or several of it are texts of their own."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and _called(node) == "counted" and len(node.args) == 2:
            thing = node.args[1]
            if isinstance(thing, ast.Constant) and isinstance(thing.value, str):
                yield thing.value, node.lineno


def _properties(tree: ast.AST) -> Iterator[ast.AST]:
    """Names of properties, which are shown though they may be single words: the first argument of each case."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and _called(node) in _SHOWING:
            yield from (one for one in node.args[:1] if isinstance(one, ast.Constant))
            yield from (one.value for one in node.keywords if one.arg == "property")


def _skipped(tree: ast.AST) -> Iterator[ast.AST]:
    """Nodes that hold no text to show: docstrings, annotations, names of things, what is compared, keys."""
    yield from _joints(tree)
    for node in ast.walk(tree):
        kept: list[ast.AST | None] = []
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            if ast.get_docstring(node) is not None:
                kept.append(node.body[0])
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                arguments = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
                kept += [node.returns, *(one.annotation for one in arguments)]
        elif isinstance(node, ast.AnnAssign):
            kept.append(node.annotation)
        elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            kept.append(node.value)
        elif isinstance(node, ast.Compare):
            kept += [node.left, *node.comparators]
        elif isinstance(node, ast.Subscript):
            kept.append(node.slice)
        elif isinstance(node, ast.Call):
            if _called(node) in _NAMING:
                kept += [*node.args, *(one.value for one in node.keywords)]
            kept += [one.value for one in node.keywords if one.arg in _SETTINGS and not isinstance(one.value, ast.Call)]
        elif isinstance(node, ast.Assign) and any(
            isinstance(one, ast.Name) and one.id in ("__all__", "_CHINESE_FONTS") for one in node.targets
        ):
            kept.append(node.value)
        elif isinstance(node, ast.FormattedValue):
            kept.append(node.format_spec)
        for one in kept:
            if one is not None:
                yield from ast.walk(one)


def _called(node: ast.Call) -> str:
    return node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")


def _outermost(tree: ast.AST, skipped: set[ast.AST]) -> Iterator[ast.AST]:
    """Each expression that makes one text, and not its parts; then what lies in the gaps."""
    waiting: list[ast.AST] = [tree]
    while waiting:
        node = waiting.pop()
        if _texty(node) and node not in skipped:
            yield node
            waiting += reversed(list(_inside(node)))
        else:
            waiting += reversed(list(ast.iter_child_nodes(node)))


def _inside(node: ast.AST) -> Iterator[ast.AST]:
    """What lies in the gaps of a text."""
    if isinstance(node, ast.JoinedStr):
        for part in node.values:
            if isinstance(part, ast.FormattedValue):
                yield part.value
    elif isinstance(node, ast.BinOp):
        for side in (node.left, node.right):
            if isinstance(side, ast.Constant):
                continue
            yield from _inside(side) if _texty(side) else [side]
    elif isinstance(node, ast.IfExp):
        yield node.test
        for side in (node.body, node.orelse):
            if isinstance(side, ast.Constant):
                continue
            yield from _inside(side) if _texty(side) else [side]


def _texty(node: ast.AST) -> bool:
    if isinstance(node, ast.Constant):
        return isinstance(node.value, str)
    if isinstance(node, ast.JoinedStr):
        return True
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        return _texty(node.left) or _texty(node.right)
    if isinstance(node, ast.IfExp):
        return _texty(node.body) and _texty(node.orelse)
    return False


def _readings(node: ast.AST) -> list[_Pieces]:
    """The texts that an expression can make."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return [(node.value,)]
    if isinstance(node, ast.JoinedStr):
        return _products([_readings(part) for part in node.values], node)
    if isinstance(node, ast.FormattedValue):
        return _readings(node.value) if _choice(node.value) else [(_Gap(_name(node.value)),)]
    if isinstance(node, ast.BinOp) and _texty(node):
        return _products([_readings(node.left), _readings(node.right)], node)
    if isinstance(node, ast.IfExp) and _texty(node):
        return [*_readings(node.body), *_readings(node.orelse)]
    return [(_Gap(_name(node)),)]


def _choice(node: ast.AST) -> bool:
    """Whether a gap can only be one of a few texts."""
    return isinstance(node, ast.IfExp) and _texty(node)


def _products(parts: list[list[_Pieces]], node: ast.AST) -> list[_Pieces]:
    number = 1
    for one in parts:
        number *= len(one)
    if number > _MOST:
        parts = [one if len(one) == 1 else [(_Gap(_name(node)),)] for one in parts]
    return [tuple(itertools.chain(*each)) for each in itertools.product(*parts)]


def _name(node: ast.AST) -> str:
    """What to call a gap, for the translator's sake."""
    if isinstance(node, ast.Name):
        return node.id.strip("_")
    if isinstance(node, ast.Attribute):
        return node.attr.strip("_")
    if isinstance(node, ast.Call):
        if _called(node) == "typed":
            return "typed"
        return _name(node.args[0]) if node.args and not isinstance(node.args[0], ast.Constant) else _name(node.func)
    if isinstance(node, ast.Subscript):
        return _name(node.value)
    if isinstance(node, ast.BinOp):
        return _name(node.left)
    return "x"


def _told(pieces: _Pieces) -> tuple[str, bool]:
    if len(pieces) == 1 and isinstance(pieces[0], str):
        pieces = _formatted(pieces[0])
    template = any(isinstance(piece, _Gap) for piece in pieces)
    used: dict[str, int] = {}
    written = ""
    for piece in pieces:
        if isinstance(piece, _Gap):
            used[piece.name] = used.get(piece.name, 0) + 1
            written += "{" + piece.name + (f"_{used[piece.name]}" if used[piece.name] > 1 else "") + "}"
        else:
            written += piece.replace("{", "{{").replace("}", "}}") if template else piece
    return " ".join(written.split()), template


def _formatted(literal: str) -> _Pieces:
    """A literal that `str.format` fills, as "uses `{0}`" or "by the factor {}", with its gaps; in formulas braces are
    LaTeX's."""
    if "$" in literal:
        return (literal,)
    pieces = re.split(r"\{(\d?)\}", literal)
    return tuple(_Gap(piece or "x") if place % 2 else piece for place, piece in enumerate(pieces))


def _is_text(pieces: _Pieces, words: bool, shown: bool) -> bool:
    literal = " ".join(piece for piece in pieces if isinstance(piece, str)).strip()
    template = len(pieces) > 1
    if "<div" in literal or "</" in literal or re.search(r"style=|[\w-]+:[^;\s]+;[\w-]+:", literal):
        return False
    bare = re.sub(r"`[^`]*`|\$[^$]*\$", " ", literal)
    if re.fullmatch(r"[\w.]*[._/]\w[\w./]*", literal) or not _WORD.search(bare):
        return False
    if template:
        return True
    if len(literal.split()) > 1:
        return True
    return words and (shown or literal not in _THEIRS) and not re.fullmatch(r"[a-z]?[\d#].*|[A-Z]{2,}_.*", literal)
