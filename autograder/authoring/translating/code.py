"""The texts of a code cell that a learner reads: comments, the sentences of docstrings, and strings that a cell shows.

Code stays as it is: only comments, docstrings and string literals are replaced, each in its place.
"""

from __future__ import annotations

import ast
import io
import re
import textwrap
import tokenize
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from helpers.language import columns_of

Translate = Callable[[str], str]

WIDTH = 110
# nbgrader's own marks are commands, and what stands between them is never handed out.
_MARK = re.compile(r"\s*### (BEGIN|END) (SOLUTION|HIDDEN TESTS|MARK SCHEME)")
_WORD = re.compile(r"[^\W\d_]{2,}|^[^\W\d_]$")
_ITEM = re.compile(r"^[*\w, ]+: |^(?:Args|Returns|Raises|Attributes|Yields|Shapes?):$")
# Calls whose strings name something in the course or in Python, and keywords whose values are words of a library.
_NAMING = frozenset(
    (
        "astype catch demonstration einsum endswith errstate getattr hint load manual_seed progress review "
        "speak split startswith"
    ).split()
)
_SETTINGS = frozenset(("axis color device dtype end how kind mode name norm over sep unit").split())


@dataclass(frozen=True)
class Place:
    """A text of a cell: from where to where it stands (0-based offsets in the source), how another is written, and
    whether it is an f-string, with gaps."""

    start: int
    end: int
    text: str
    written: Callable[[str], str]
    template: bool = False


def translated(source: str, translate: Translate, strings: bool = True) -> str:
    """Return a cell's code with each of its texts translated.

    Args:
        source: the code, with nbgrader's marks.
        translate: English to the other language.
        strings: whether strings are translated too; not in an answer cell, where they are part of the answer.
    """
    for place in sorted(places(source, strings), key=lambda one: one.start, reverse=True):
        told = translate(place.text)
        if told != place.text:
            source = source[: place.start] + place.written(told) + source[place.end :]
    return source


def texts(source: str, strings: bool = True) -> list[str]:
    """Return the texts of a cell's code in their order."""
    return [place.text for place in sorted(places(source, strings), key=lambda one: one.start)]


def places(source: str, strings: bool = True) -> list[Place]:
    """Return where the texts of a cell stand; none in a cell that is not Python, as one with a `%magic`."""
    try:
        tree = ast.parse(source)
    except SyntaxError:
        return []
    lines = _Lines(source)
    found = [*_comments(source, lines), *_docstrings(tree, source, lines)]
    if strings:
        found += _strings(tree, source, lines)
    hidden = _hidden(source)
    return [place for place in found if not any(start <= place.start < end for start, end in hidden)]


class _Lines:
    """Offsets in a source by line and column, as `tokenize` and as `ast` count them."""

    def __init__(self, source: str) -> None:
        self.lines = source.splitlines(keepends=True)
        self.starts = [0]
        for line in self.lines:
            self.starts.append(self.starts[-1] + len(line))

    def at(self, line: int, column: int) -> int:
        return self.starts[line - 1] + column

    def at_byte(self, line: int, column: int) -> int:
        """The offset of a column that counts bytes, as those of `ast` do."""
        return self.starts[line - 1] + len(self.lines[line - 1].encode()[:column].decode())


def _hidden(source: str) -> list[tuple[int, int]]:
    """Where solutions and hidden tests stand."""
    begun, found, offset = None, [], 0
    for line in source.splitlines(keepends=True):
        mark = _MARK.match(line)
        if mark and mark[1] == "BEGIN":
            begun = offset
        offset += len(line)
        if mark and mark[1] == "END" and begun is not None:
            found.append((begun, offset))
            begun = None
    return found


def _comments(source: str, lines: _Lines) -> Iterator[Place]:
    """Comments; those of several lines under each other, each alone on its line, are one text."""
    block: list[tokenize.TokenInfo] = []
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type != tokenize.COMMENT or _MARK.match(token.line):
            continue
        alone = not token.line[: token.start[1]].strip()
        if block and alone and token.start == (block[-1].start[0] + 1, block[0].start[1]):
            block.append(token)
            continue
        yield from _comment(block, lines)
        block = [token]
        if not alone:
            yield from _comment(block, lines)
            block = []
    yield from _comment(block, lines)


def _comment(block: list[tokenize.TokenInfo], lines: _Lines) -> Iterator[Place]:
    text = " ".join(token.string.lstrip("#").strip() for token in block)
    if not block or not _WORD.search(text):
        return
    indent = block[0].start[1]
    alone = len(block) > 1 or not block[0].line[:indent].strip()

    # What heads the columns of a table below it stands where they are.
    bare = block[0].string.lstrip("#")
    before = bare[: len(bare) - len(bare.lstrip())] if len(block) == 1 else " "

    def written(told: str) -> str:
        if not alone or len(before) > 1:
            return f"#{before}{told}"
        return ("\n" + " " * indent).join(f"# {line}" for line in wrapped(told, WIDTH - indent - 2))

    yield Place(lines.at(*block[0].start), lines.at(*block[-1].end), text, written)


def _docstrings(tree: ast.AST, source: str, lines: _Lines) -> Iterator[Place]:
    for node in ast.walk(tree):
        if not isinstance(node, ast.FunctionDef | ast.ClassDef | ast.AsyncFunctionDef):
            continue
        if ast.get_docstring(node) is None:
            continue
        first = node.body[0]
        assert isinstance(first, ast.Expr) and first.end_lineno is not None and first.end_col_offset is not None
        start = lines.at_byte(first.lineno, first.col_offset)
        end = lines.at_byte(first.end_lineno, first.end_col_offset)
        if not source[start:end].startswith('"""'):
            continue
        yield from _paragraphs(source, start + 3, end - 3)


def _paragraphs(source: str, start: int, end: int) -> Iterator[Place]:
    """The texts of a docstring: an entry of a section, or lines up to an empty one."""
    offset, block = start, list[tuple[int, int, str]]()
    base = 0
    for line in source[start:end].splitlines(keepends=True):
        bare = line.strip()
        indent = len(line) - len(line.lstrip())
        begins = bool(_ITEM.match(bare)) or (block and indent < base)
        if block and (not bare or begins or block[-1][2].endswith(":")):
            yield _paragraph(source, block)
            block = []
        if bare:
            if not block:
                base = indent if offset != start else 0
            here = offset + (indent if offset != start else 0)
            block.append((here, offset + len(line.rstrip()), bare))
        offset += len(line)
    if block:
        yield _paragraph(source, block)


def _paragraph(source: str, block: list[tuple[int, int, str]]) -> Place:
    start, end = block[0][0], block[-1][1]
    text = " ".join(bare for _, _, bare in block)
    before = source[source.rfind("\n", 0, start) + 1 : start]
    # An entry's further lines stand four deeper than its first; the first line of a docstring has its quotes before it.
    indent = len(before) - len(before.lstrip()) + (4 if _ITEM.match(block[0][2]) and not text.endswith(":") else 0)

    def written(told: str) -> str:
        return ("\n" + " " * indent).join(wrapped(told, WIDTH - indent))

    return Place(start, end, text, written)


def _strings(tree: ast.AST, source: str, lines: _Lines) -> Iterator[Place]:
    """Literals that are shown: not those that name something, nor keys, nor what is compared."""
    skipped = set[ast.AST]()
    for node in ast.walk(tree):
        kept: list[ast.AST] = []
        if isinstance(node, ast.Call):
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            kept += node.args if name in _NAMING else []
            kept += [one.value for one in node.keywords if one.arg in _SETTINGS or name in _NAMING]
            # What the controls of a figure begin with: by the names of arguments.
            starts = [one.value for one in node.keywords if one.arg == "start" and isinstance(one.value, ast.Dict)]
            kept += [key for one in starts for key in one.keys if key is not None]
        elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            kept.append(node.value)
        elif isinstance(node, ast.FormattedValue):
            # Until Python 3.12 nobody knows where in the source such a string stands.
            kept.append(node)
        for one in kept:
            skipped.update(ast.walk(one))
        if isinstance(node, ast.JoinedStr):
            skipped.update(part for part in node.values if isinstance(part, ast.Constant))
    for node in ast.walk(tree):
        if node in skipped:
            continue
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            text, quoted = node.value, _quoted
        elif isinstance(node, ast.JoinedStr):
            text, quoted = _template(node), _quoted_template
        else:
            continue
        plain = re.sub(r"\{[^{}]*\}|\$[^$]*\$", "", text)
        if not _WORD.search(plain) or re.fullmatch(r"\w+(?:[._]\w+)+|[a-z]+_\w*", plain.strip()):
            continue
        assert node.end_lineno is not None and node.end_col_offset is not None
        start = lines.at_byte(node.lineno, node.col_offset)
        end = lines.at_byte(node.end_lineno, node.end_col_offset)
        yield Place(start, end, text, quoted, quoted is _quoted_template)


def _template(node: ast.JoinedStr) -> str:
    """An f-string's text: what is filled in stands as Python writes it."""
    return "".join(
        str(part.value).replace("{", "{{").replace("}", "}}")
        if isinstance(part, ast.Constant)
        else ast.unparse(ast.JoinedStr([part])).removeprefix("f")[1:-1]
        for part in node.values
    )


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\t", "\\t")
    return f'"{escaped}"'


def _quoted_template(text: str) -> str:
    pieces = re.split(r"(\{\{|\}\}|\{[^{}]*(?:\{[^{}]*\}[^{}]*)*\})", text)
    return 'f"' + "".join(piece if i % 2 else _quoted(piece)[1:-1] for i, piece in enumerate(pieces)) + '"'


def wrapped(text: str, columns: int) -> list[str]:
    """Return a text in lines of so many columns. A text without spaces is broken between Chinese characters."""
    if columns_of(text) == len(text):
        return textwrap.wrap(text, columns, break_long_words=False, break_on_hyphens=False) or [""]
    lines, line = [], ""
    for piece in re.findall(
        r"[^\S\n]+|[！-～，。；：、）”？！]*[\u2e80-\u9fff\uff00-\uffef][，。；：、）”？！]*|[^\s\u2e80-\u9fff\uff00-\uffef]+",
        text,
    ):
        if line and columns_of(line + piece.rstrip()) > columns:
            lines.append(line.rstrip())
            line = piece.lstrip()
        else:
            line += piece
    return [*lines, line.rstrip()] if line.strip() else lines or [""]
