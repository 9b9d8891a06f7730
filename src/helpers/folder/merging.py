"""A notebook that a learner worked in, and the course's new version of it, made one: new text, figures and checks, and
everything that the learner wrote.

Steps: find marks that an editor dropped; say of each of the learner's cells what it is; then lay out the new notebook
and put the learner's cells into it.

1. An answer goes to the cell of its grade_id, wherever that stands now.
2. A cell of the course that the learner changed goes to its place if the course left it alone, and stands below it
   otherwise.
3. A cell of the learner's own stays behind the cell that it stood behind.
4. An answer whose cell is no more is kept at the end, under its name; it comes back when the cell does.

What is the course's own is known by the notebook that was handed out, and by the ids that its cells have.
"""

from __future__ import annotations

import ast
import copy
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace

import nbformat
from nbformat import NotebookNode

from .cells import KEY, TEXT_STUB, name_of
from .errors import FolderError
from .recovery import plain, recover

KEPT = "kept"
_COURSES_ID = re.compile(r"cell-\d{3}")
_HEADING = (
    "## Kept from before the update\n\nThese answers belong to exercises that this unit no longer has. They count for"
    " nothing here; remove them when you need them no longer."
)
# What the learner's own program says of itself, and the state of what it shows.
_OWN_METADATA = ("kernelspec", "language_info", "widgets")


@dataclass
class Merged:
    """A notebook made of two.

    Attributes:
        notebook: it.
        kept: names of the answers at its end, whose cells are no more.
    """

    notebook: NotebookNode
    kept: list[str] = field(default_factory=list)


def read(path: Path) -> NotebookNode:
    """Return a notebook of a file.

    Raises:
        FolderError: it cannot be read, or is no whole notebook.
    """
    try:
        notebook: NotebookNode = nbformat.reads(path.read_text(encoding="utf-8-sig"), as_version=4)
        for cell in notebook.cells:
            if not isinstance(cell.source, str) or cell.metadata is None:
                raise ValueError("a cell has no text")
    except OSError as error:
        raise FolderError(f"{path} cannot be read: {error.strerror}") from error
    except Exception as error:
        # nbformat has many ways to say that a file is none.
        raise FolderError(f"{path} is not a whole notebook; it was left as it is") from error
    return notebook


def is_answer(cell: NotebookNode) -> bool:
    """Whether a cell is one for an answer."""
    marks = cell.metadata.get("nbgrader")
    return bool(marks) and bool(marks.get("solution"))


def is_stub(cell: NotebookNode) -> bool:
    """Whether an answer cell is as it was handed out: nothing but a description and what raises, or the words that
    stand in the place of an answer."""
    if cell.cell_type != "code":
        return TEXT_STUB in cell.source
    try:
        tree = ast.parse(cell.source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    comments = [line for line in cell.source.splitlines() if line.lstrip().startswith("#")]
    return bool(tree.body) and not comments and all(_only_raises(node) for node in tree.body)


def _only_raises(node: ast.stmt) -> bool:
    """Whether a definition has nothing in it but descriptions and `raise NotImplementedError`."""
    if isinstance(node, ast.Raise):
        return ast.unparse(node) in ("raise NotImplementedError", "raise NotImplementedError()")
    if isinstance(node, ast.Expr):
        if ast.unparse(node) == "super().__init__()":
            return True
        return isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
    if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
        return all(map(_only_raises, node.body))
    return False


def found_again(mine: NotebookNode, known: Sequence[NotebookNode]) -> NotebookNode:
    """Return a learner's notebook with the marks that an editor dropped.

    Args:
        mine: the learner's notebook, which is not changed.
        known: notebooks of the course, the one that was handed out before the new one.
    """
    mine = copy.deepcopy(mine)
    for notebook in known:
        marked = {name: cell for cell in notebook.cells if (name := name_of(cell))}
        released = [
            SimpleNamespace(name=name, cell_type=cell.cell_type, source=cell.source) for name, cell in marked.items()
        ]
        before = {name_of(cell) for cell in mine.cells}
        # Without the course's text no words are looked for: whatever cell they stand in, it stays where it is.
        recover(mine, released, {name for name, cell in marked.items() if is_answer(cell)}, frozenset())
        for cell in mine.cells:
            name = name_of(cell)
            if name in marked and name not in before:
                cell.metadata["nbgrader"] = copy.deepcopy(marked[name].metadata["nbgrader"])
    return mine


def answers(mine: NotebookNode) -> dict[str, NotebookNode]:
    """Return a notebook's answers by name: what is written in answer cells, before what is kept at the end."""
    found: dict[str, NotebookNode] = {}
    for cell in mine.cells:
        name = name_of(cell)
        if name and is_answer(cell) and (name not in found or is_stub(found[name])):
            found[name] = cell
    for cell in mine.cells:
        name = _kept(cell)
        if name and (name not in found or is_stub(found[name])):
            found[name] = cell
    return found


def wanted(notebook: NotebookNode) -> set[str]:
    """Return the names of the answers that a notebook asks for."""
    return {name_of(cell) for cell in notebook.cells if is_answer(cell)}


def answers_written(mine: NotebookNode | None) -> set[str]:
    """Return the names of the answer cells of a learner's notebook that are no stubs."""
    return (
        {name_of(cell) for cell in mine.cells if is_answer(cell) and not is_stub(cell)} if mine is not None else set()
    )


def choose(mine: Mapping[str, NotebookNode], new: Mapping[str, NotebookNode]) -> dict[str, NotebookNode]:
    """Return the answer for each cell of the course: what is written in its own unit, else in any other.

    Args:
        mine: the learner's notebooks by unit.
        new: the course's.
    """
    chosen: dict[str, NotebookNode] = {}
    for unit, notebook in new.items():
        names = wanted(notebook)
        for other in (unit, *(one for one in mine if one != unit)):
            for name, cell in answers(mine[other]).items() if other in mine else ():
                if name in names and (name not in chosen or (is_stub(chosen[name]) and not is_stub(cell))):
                    chosen[name] = cell
    return chosen


def merge(
    mine: NotebookNode | None,
    new: NotebookNode,
    old: NotebookNode | None = None,
    chosen: Mapping[str, NotebookNode] | None = None,
) -> Merged:
    """Return the new notebook with everything of the learner's.

    Args:
        mine: the learner's notebook, with `found_again`; None when there is none.
        new: the course's.
        old: what was handed out before, where that is known.
        chosen: the learner's answers from all units, as from `choose`; those of this notebook if None.
    """
    if chosen is None:
        chosen = choose({"": mine} if mine is not None else {}, {"": new})
    merged = Merged(copy.deepcopy(new))
    cells = merged.notebook.cells
    asked = {name_of(cell): cell for cell in cells if is_answer(cell)}
    was = {name_of(cell): cell for cell in old.cells if is_answer(cell)} if old is not None else {}
    for name, cell in asked.items():
        answer = chosen.get(name)
        if answer is not None and answer.cell_type == cell.cell_type and _is_written(answer, cell, was.get(name)):
            _answer(cell, answer, was.get(name))
    if mine is None:
        return merged
    merged.notebook.metadata = _metadata(mine, new)
    behind, changed = _sort(mine, new, old, asked)
    for place, cell in changed.items():
        cells[place] = cell
    laid: list[NotebookNode] = list(behind.get(-1, ()))
    for place, cell in enumerate(cells):
        laid += [cell, *behind.get(place, ())]
    laid += _kept_at_the_end(mine, asked, chosen, was, merged)
    _outputs(mine, laid)
    merged.notebook.cells = laid
    distinct_ids(laid)
    return merged


def _is_written(answer: NotebookNode, cell: NotebookNode, was: NotebookNode | None) -> bool:
    """Whether something of the learner's stands in an answer."""
    if answer.cell_type == "code":
        return bool(answer.source.strip()) and not is_stub(answer)
    untouched = {plain(cell.source)} | ({plain(was.source)} if was is not None and is_stub(was) else set())
    return bool(answer.source.strip()) and plain(answer.source) not in untouched


def _answer(cell: NotebookNode, answer: NotebookNode, was: NotebookNode | None) -> None:
    """Put an answer into the course's cell; a written one between the new words around it."""
    source = answer.source
    if cell.cell_type != "code" and was is not None and TEXT_STUB in was.source and TEXT_STUB in cell.source:
        before, _, after = was.source.partition(TEXT_STUB)
        if source.startswith(before) and source.endswith(after) and len(source) >= len(before) + len(after):
            text = source[len(before) : len(source) - len(after)]
            source = cell.source.replace(TEXT_STUB, text, 1)
    cell.source = source
    if answer.get("attachments"):
        cell["attachments"] = copy.deepcopy(answer["attachments"])


def _metadata(mine: NotebookNode, new: NotebookNode) -> NotebookNode:
    own = {name: value for name, value in mine.metadata.items() if name in _OWN_METADATA}
    both: NotebookNode = nbformat.from_dict(copy.deepcopy({**new.metadata, **own}))
    return both


def _sort(
    mine: NotebookNode, new: NotebookNode, old: NotebookNode | None, wanted: Mapping[str, NotebookNode]
) -> tuple[dict[int, list[NotebookNode]], dict[int, NotebookNode]]:
    """The learner's own cells by the place that they stand behind, and changed cells of the course by their place."""
    by_name = {name: place for place, cell in enumerate(new.cells) if (name := name_of(cell))}
    by_text: dict[tuple[str, str], list[int]] = {}
    for place, cell in enumerate(new.cells):
        if not name_of(cell):
            by_text.setdefault(_text(cell), []).append(place)
    before = [cell for cell in old.cells if _is_courses(cell)] if old is not None else []
    old_texts, old_by_id = {_text(cell) for cell in before}, {cell.get("id"): cell for cell in before}
    # Untouched cells first: a changed one takes no place that belongs to another.
    places: dict[int, int] = {}
    for number, cell in enumerate(mine.cells):
        name = name_of(cell)
        if name and name in by_name and by_name[name] not in places.values():
            places[number] = by_name[name]
        elif not name and not _is_kept(cell) and by_text.get(_text(cell)):
            places[number] = by_text[_text(cell)].pop(0)
    behind: dict[int, list[NotebookNode]] = {}
    changed: dict[int, NotebookNode] = {}
    last = -1
    for number, cell in enumerate(mine.cells):
        if number in places:
            last = places[number]
            locked = new.cells[last]
            if name_of(cell) and not is_answer(cell) and _is_changed(cell, locked, old):
                behind.setdefault(last, []).append(_freed(cell))
            continue
        name = name_of(cell)
        if _is_kept(cell) or (name and is_answer(cell) and name not in wanted) or not cell.source.strip():
            continue
        if name:
            # A second cell of the same name, or a locked one that is no more.
            own = name in wanted and is_answer(cell) and not is_stub(cell)
            if own and plain(cell.source) != plain(wanted[name].source):
                behind.setdefault(last, []).append(_freed(cell))
            continue
        if _text(cell) in old_texts:
            continue
        origin = old_by_id.get(cell.get("id"))
        if origin is not None and by_text.get(_text(origin)):
            last = by_text[_text(origin)].pop(0)
            fresh = copy.deepcopy(new.cells[last])
            fresh.source = cell.source
            changed[last] = fresh
        elif old is None and _COURSES_ID.fullmatch(cell.get("id", "")):
            # Without what was handed out, this may be old text of the course; the old file beside it has it.
            continue
        else:
            behind.setdefault(last, []).append(_freed(cell))
    return behind, changed


def _text(cell: NotebookNode) -> tuple[str, str]:
    return cell.cell_type, plain(cell.source)


def _is_courses(cell: NotebookNode) -> bool:
    """Whether a cell of what was handed out is the course's: somebody may have worked in it."""
    return bool(name_of(cell) or _COURSES_ID.fullmatch(cell.get("id", "")))


def _is_changed(cell: NotebookNode, locked: NotebookNode, old: NotebookNode | None) -> bool:
    """Whether the learner changed a cell that nobody is asked to change."""
    if old is None or plain(cell.source) == plain(locked.source):
        return False
    return plain(cell.source) not in {plain(one.source) for one in old.cells}


def _freed(cell: NotebookNode) -> NotebookNode:
    """A cell of the learner's own, which no mark makes another's."""
    own = copy.deepcopy(cell)
    if own.metadata.pop("nbgrader", None) or _COURSES_ID.fullmatch(own.get("id", "")):
        # The id is the course's, which may use it for another cell.
        own["id"] = f"own-{own.get('id', 'cell')}"[:64]
    return own


def _kept(cell: NotebookNode) -> str:
    """The name of the answer that a cell at the end keeps, or ""."""
    told = cell.metadata.get(KEY)
    name = told.get(KEPT) if isinstance(told, dict) else None
    return name if isinstance(name, str) else ""


def _is_kept(cell: NotebookNode) -> bool:
    told = cell.metadata.get(KEY)
    return isinstance(told, dict) and KEPT in told


def _kept_at_the_end(
    mine: NotebookNode,
    asked: Mapping[str, NotebookNode],
    chosen: Mapping[str, NotebookNode],
    was: Mapping[str, NotebookNode],
    merged: Merged,
) -> list[NotebookNode]:
    """The answers that have no place, here or in another unit, each under its name."""
    cells = []
    for cell in mine.cells:
        kept, name = _kept(cell), name_of(cell)
        lost = bool(name) and is_answer(cell) and (name not in asked or asked[name].cell_type != cell.cell_type)
        if not kept and not (lost and _is_written(cell, _blank(), was.get(name))):
            continue
        name = kept or name
        placed = chosen.get(name)
        if placed is not None and _text(placed) == _text(cell):
            # It has its place again, or in another unit.
            if name not in asked or asked[name].cell_type == cell.cell_type:
                continue
        own = _freed(cell)
        own.metadata[KEY] = nbformat.from_dict({KEPT: name})
        title = nbformat.v4.new_markdown_cell(f"### `{name}`", id=f"{KEPT}-{name}"[:64])
        title.metadata[KEY] = nbformat.from_dict({KEPT: None})
        cells += [title, own]
        merged.kept.append(name)
    if not cells:
        return []
    heading = nbformat.v4.new_markdown_cell(_HEADING, id=KEPT)
    heading.metadata[KEY] = nbformat.from_dict({KEPT: None})
    return [heading, *cells]


def _blank() -> NotebookNode:
    cell: NotebookNode = nbformat.v4.new_markdown_cell("", id="blank")
    return cell


def _outputs(mine: NotebookNode, cells: Sequence[NotebookNode]) -> None:
    """Let a cell of code that is as it was show what it showed."""
    shown: dict[tuple[str, str], NotebookNode] = {}
    for cell in mine.cells:
        if cell.cell_type == "code":
            shown.setdefault((name_of(cell), plain(cell.source)), cell)
    for cell in cells:
        before = shown.get((name_of(cell), plain(cell.source))) if cell.cell_type == "code" else None
        if before is not None:
            cell.outputs, cell.execution_count = copy.deepcopy(before.outputs), before.execution_count


def distinct_ids(cells: Sequence[NotebookNode]) -> None:
    """Give each cell an id of its own, in place."""
    taken: set[str] = set()
    for cell in cells:
        for name in _names(cell.get("id", "cell")):
            if name not in taken:
                break
        cell["id"] = name
        taken.add(name)


def _names(stem: str) -> Iterator[str]:
    yield stem
    number = 2
    while True:
        yield f"{stem[:56]}-{number}"
        number += 1
