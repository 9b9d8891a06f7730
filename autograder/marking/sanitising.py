"""Takes out of a graded notebook what would run in the browser of whoever reads it.

Nothing is looked for and removed: each cell and each output is built anew from the parts that are known, their values
read and written again. What cannot be read is left out, and a text says so where it would leave nothing.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from nbconvert.filters import strip_ansi
from nbconvert.preprocessors import Preprocessor
from nbformat import NotebookNode
from nbgrader import utils

from helpers.folder.cells import KEY
from helpers.language import ENGLISH

from .attachments import keep_pictures
from .formulas import in_text
from .intake import NOTES
from .languages import language_of
from .markdown import render
from .markup import MOST_HTML, clean_html, defused, storable
from .pictures import MOST_ATTACHED, as_image, reencoded, with_drawings
from .terminal_text import MOST_COLOURS

MOST_OUTPUTS = 500
MOST_TEXT = 2_000_000
# All outputs of a notebook together, in characters.
MOST_SHOWN = 40_000_000
LEFT_OUT = "[an output that cannot be shown safely was left out]"
_TAG = re.compile(r"[\w -]{1,50}")
_PLAIN = re.compile(r"[^<>\"'&`]{0,200}")
_MARKS: dict[str, type | tuple[type, ...]] = {
    "grade": bool,
    "solution": bool,
    "task": bool,
    "locked": bool,
    "points": (int, float),
    "schema_version": int,
    "grade_id": str,
    "cell_type": str,
    "checksum": str,
}


class SanitizeLearner(Preprocessor):
    """Cleans the learner's text and outputs; the judge's verdicts, which are the grader's own, stay as they are.

    It comes last in grading, so that what formgrader shows and what feedback is made from are clean alike. Markdown
    keeps its text but for tags that could do harm; what its links lead to is looked at when a page is made
    (`autograder.marking.pages`).
    """

    enabled = True

    def preprocess(self, nb: NotebookNode, resources: dict[str, Any]) -> tuple[NotebookNode, dict[str, Any]]:
        self._left, self._pictures = MOST_SHOWN, MOST_ATTACHED
        nb.metadata = _notebook_metadata(nb.metadata)
        # nbconvert's has no types.
        step: Callable[..., tuple[NotebookNode, dict[str, Any]]] = super().preprocess
        return step(nb, resources)

    def preprocess_cell(
        self, cell: NotebookNode, resources: dict[str, Any], index: int
    ) -> tuple[NotebookNode, dict[str, Any]]:
        cell.metadata = _cell_metadata(cell.metadata)
        attachments = cell.pop("attachments", None)
        if cell.cell_type != "code":
            if not _as_released(cell):
                cell.source = defused(cell.source)
            if cell.cell_type == "markdown":
                self._pictures -= keep_pictures(cell, attachments, self._pictures)
            return cell, resources
        count = cell.get("execution_count")
        cell["execution_count"] = count if isinstance(count, int) and not isinstance(count, bool) else None
        outcome = resources.get("nbgrader", {}).get("outcome")
        name = cell.metadata.get("nbgrader", {}).get("grade_id", "").removeprefix("test_")
        if outcome is None or not utils.is_grade(cell) or name not in outcome.final:
            cell.outputs = self._outputs(cell.outputs)
        return cell, resources

    def _outputs(self, outputs: list[NotebookNode]) -> list[NotebookNode]:
        kept = []
        for output in outputs[:MOST_OUTPUTS]:
            if self._left <= 0:
                kept.append(_stream("stderr", LEFT_OUT))
                break
            new = rebuilt(output)
            self._left -= _length(new)
            kept.append(new)
        return kept


def _as_released(cell: NotebookNode) -> bool:
    """Whether a cell's text is the instructor's: locked, so that repairing has made it what was released."""
    return bool(utils.is_locked(cell)) and not utils.is_solution(cell)


def rebuilt(output: NotebookNode) -> NotebookNode:
    """Return an output made anew from what is known of its kind; of something else, a text that it was left out."""
    kind = output.get("output_type")
    if kind == "stream":
        return _stream(output.get("name"), output.get("text"))
    if kind == "error":
        lines = output.get("traceback")
        return NotebookNode(
            output_type="error",
            ename=_text(output.get("ename")),
            evalue=_text(output.get("evalue")),
            traceback=[_text(line) for line in lines[:200]] if isinstance(lines, list) else [],
        )
    if kind in ("display_data", "execute_result"):
        data, metadata = _bundle(output.get("data"), output.get("metadata"))
        new = NotebookNode(output_type=kind, data=data, metadata=metadata)
        if kind == "execute_result":
            count = output.get("execution_count")
            new["execution_count"] = count if isinstance(count, int) and not isinstance(count, bool) else None
        return new
    return _stream("stderr", LEFT_OUT)


def _stream(name: Any, text: Any) -> NotebookNode:
    return NotebookNode(output_type="stream", name="stderr" if name == "stderr" else "stdout", text=_text(text))


def _bundle(data: Any, metadata: Any) -> tuple[NotebookNode, NotebookNode]:
    """The best of an output's forms that can be shown, in nbconvert's order, and its plain text."""
    pairs = data.items() if isinstance(data, dict) else ()
    given = {kind: storable(text) for kind, text in pairs if isinstance(text, str)}
    kept, sizes = NotebookNode(), NotebookNode()
    for kind in ("text/html", "text/markdown", "image/svg+xml", "text/latex", "image/png", "image/jpeg", "image/gif"):
        shown = _shown(kind, given[kind]) if kind in given else None
        if shown is None:
            continue
        if kind in ("image/png", "image/jpeg"):
            kept[kind] = shown
            size = _size(metadata, kind)
            if size:
                sizes[kind] = size
        else:
            kept["text/html"] = shown
        break
    if "text/plain" in given:
        kept["text/plain"] = _text(given["text/plain"])
    if not kept:
        kept["text/plain"] = LEFT_OUT
    return kept, sizes


def _shown(kind: str, text: str) -> str | None:
    """One form of an output as it may be shown, or None when nothing of it is left."""
    if kind == "text/html":
        cleaned = clean_html(with_drawings(text)) if len(text) <= MOST_HTML else ""
        return cleaned if cleaned.strip() else None
    if kind == "text/markdown":
        return render(text)
    if kind == "text/latex":
        return f"<div>{in_text(text)}</div>"
    if kind in ("image/png", "image/jpeg"):
        return reencoded(kind, text)
    return as_image(kind, text)


def _size(metadata: Any, kind: str) -> NotebookNode:
    """Width and height of a picture where both the place and the value are what they should be."""
    found = NotebookNode()
    own = metadata.get(kind) if isinstance(metadata, dict) else None
    for where in (metadata, own):
        for name in ("width", "height"):
            value = where.get(name) if isinstance(where, dict) else None
            if isinstance(value, (int, float)) and not isinstance(value, bool) and 1 <= value <= 10_000:
                found[name] = int(value)
    return found


def _text(text: Any) -> str:
    if not isinstance(text, str):
        return ""
    text = storable(text[:MOST_TEXT])
    return str(strip_ansi(text)) if text.count("\x1b") > MOST_COLOURS else text


def _length(output: NotebookNode) -> int:
    texts = [
        output.get("text", ""),
        output.get("evalue", ""),
        *output.get("traceback", ()),
        *output.get("data", {}).values(),
    ]
    return 100 + sum(map(len, texts))


def _cell_metadata(metadata: dict[str, Any]) -> NotebookNode:
    """What nbgrader and JupyterLab need of a cell's metadata; templates print some of it as it is."""
    kept = NotebookNode()
    marks = metadata.get("nbgrader")
    if isinstance(marks, dict):
        kept["nbgrader"] = NotebookNode(
            {
                name: marks[name]
                for name, kind in _MARKS.items()
                if isinstance(marks.get(name), kind)
                and (not isinstance(marks[name], str) or _PLAIN.fullmatch(marks[name]))
            }
        )
    for name in ("deletable", "editable"):
        if isinstance(metadata.get(name), bool):
            kept[name] = metadata[name]
    tags = metadata.get("tags")
    if isinstance(tags, list):
        kept["tags"] = [tag for tag in tags[:50] if isinstance(tag, str) and _TAG.fullmatch(tag)]
    return kept


def _notebook_metadata(metadata: dict[str, Any]) -> NotebookNode:
    kept = NotebookNode()
    for name in ("kernelspec", "language_info"):
        if isinstance(metadata.get(name), dict):
            kept[name] = NotebookNode(
                {
                    key: value
                    for key, value in metadata[name].items()
                    if isinstance(value, str) and _PLAIN.fullmatch(value) and _PLAIN.fullmatch(key)
                }
            )
        if "name" not in kept.get(name, ()):
            kept.pop(name, None)
    if "kernelspec" in kept:
        # The notebook format wants both.
        kept.kernelspec.setdefault("display_name", kept.kernelspec.name)
    if NOTES in metadata:
        kept[NOTES] = metadata[NOTES]
    language = language_of(NotebookNode(metadata=metadata, cells=[]))
    if language != ENGLISH:
        kept[KEY] = NotebookNode(language=language)
    return kept
