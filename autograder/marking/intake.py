"""From a submitted file, whatever is in it, to a clean notebook or a reason why there is none."""

from __future__ import annotations

import contextlib
import json
import os
import re
import stat
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import nbformat
from nbconvert.exporters import NotebookExporter
from nbformat import NotebookNode
from nbgrader.api import Gradebook

from autograder.sandbox.limits import MB, Limits
from autograder.sandbox.texts import storable
from helpers.folder.cells import KEY
from helpers.judging import catalog
from helpers.language import ENGLISH

from . import ready
from .attachments import keep_pictures
from .choice import Candidate, Choice, choose
from .clock import TOO_LONG, TooLong, limited
from .files import shown
from .languages import language_of
from .pictures import MOST_ATTACHED
from .timed import TimedSteps

_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
MAX_CELLS = 2000
# Of one submission, so that nobody makes the coordinator read for ever.
MOST_NOTEBOOKS = 20
NOTES = "attention"


class Ungradable(Exception):
    """The file is no notebook; the message is for the learner."""


def read_notebook(path: Path, most: int = 20 * MB, outputs: bool = False) -> NotebookNode:
    """Return a notebook built anew from the cells of a submitted file.

    Args:
        path: the file.
        most: its largest size in bytes.
        outputs: keep the outputs that came with it, for an instructor who asked not to execute.

    Raises:
        Ungradable: it is missing, a link, too large, not JSON, or has no cells.
    """
    return clean(read_bytes(path, most), outputs)


def read_bytes(path: Path, most: int = 20 * MB) -> bytes:
    """Return what is in a submitted file; raise `Ungradable` when it is missing, a link or too large."""
    try:
        status = path.lstat()
        if not stat.S_ISREG(status.st_mode):
            raise Ungradable("the submitted notebook is a link or a special file, not a file of its own")
        if status.st_size > most:
            raise Ungradable(
                f"the submitted notebook has {status.st_size / MB:.0f} MB; at most {most / MB:.0f} are read. "
                "Clear large outputs and submit again"
            )
        return path.read_bytes()
    except OSError as error:
        raise Ungradable(f"the submitted notebook cannot be read: {error.strerror}") from error


def read_submitted(folder: Path, unit: str, most: int = 20 * MB) -> tuple[bytes, tuple[str, ...]]:
    """Return what is in the submitted notebook of a unit, whatever the file is called, and how it was chosen.

    Args:
        folder: the submission.
        unit: the unit.
        most: the largest size in bytes.

    Returns:
        The bytes; and one sentence that says which file counts and why, none where there was nothing to choose.

    Raises:
        Ungradable: there is none.
    """
    own = folder / f"{unit}.ipynb"
    there = [path for path in folder.iterdir() if path.suffix.lower() == ".ipynb"] if folder.is_dir() else []
    found = sorted(path for path in there if path != own)
    if os.path.lexists(own) and not found:
        return read_bytes(own, most), ()
    candidates = []
    for path in [*([own] if os.path.lexists(own) else []), *found][:MOST_NOTEBOOKS]:
        with contextlib.suppress(Ungradable):
            candidates.append(Candidate(path.name, read_bytes(path, most)))
    choice = choose(unit, candidates) if unit in catalog.units() else Choice(None, "", ())
    if choice.index is not None:
        return candidates[choice.index].data, (choice.why,) if choice.why else ()
    if os.path.lexists(own):
        return read_bytes(own, most), ()
    names = f" (there is {', '.join(shown(path.name) for path in found)})" if found else ""
    others = f": the notebook is {' and '.join(sorted(set(choice.others)))}'s" if choice.others else ""
    raise Ungradable(f"there is no notebook of {unit} in the submission{names}{others}")


def clean(data: bytes, outputs: bool = False) -> NotebookNode:
    """Return a clean notebook from the bytes of a file; raise `Ungradable` with a reason."""
    if not data.strip():
        raise Ungradable("the submitted file is empty: save the notebook and submit again")
    try:
        tree = json.loads(data.decode("utf-8-sig"))
    except (ValueError, RecursionError):
        raise Ungradable(
            "the submitted file is not a notebook (it is not valid JSON): it may be cut off; submit again"
        ) from None
    if isinstance(tree, dict) and not isinstance(tree.get("cells"), list) and isinstance(tree.get("worksheets"), list):
        tree = _upgraded(tree)
    cells = tree.get("cells") if isinstance(tree, dict) else None
    if not isinstance(cells, list):
        raise Ungradable("the submitted file is not a notebook (it has no cells): submit the .ipynb file itself")
    if len(cells) > MAX_CELLS:
        raise Ungradable(f"the submitted notebook has {len(cells)} cells; at most {MAX_CELLS} are graded")
    notebook: NotebookNode = nbformat.v4.new_notebook()
    metadata = tree.get("metadata")
    if isinstance(metadata, dict) and isinstance(metadata.get("kernelspec"), dict):
        notebook.metadata["kernelspec"] = nbformat.from_dict(
            {storable(k): storable(v) for k, v in metadata["kernelspec"].items() if isinstance(v, str)}
        )
    seen: set[str] = set()
    left = MOST_ATTACHED
    for position, raw in enumerate(cells):
        cell = _cell(raw)
        if cell is None:
            continue
        own = raw.get("id")
        # Ids are the submission's where they are good, else made from the place: the same file, the same notebook.
        cell["id"] = (
            own
            if isinstance(own, str) and _ID.fullmatch(own) and own not in seen
            else f"cell-{position:04d}-{len(seen)}"
        )
        seen.add(cell["id"])
        if cell.cell_type == "markdown":
            left -= keep_pictures(cell, raw.get("attachments"), left)
        if outputs and cell.cell_type == "code":
            _keep_outputs(cell, raw)
        notebook.cells.append(cell)
    noted = metadata.get(KEY) if isinstance(metadata, dict) else None
    # Before a changed setup cell is put right again, which in a class of another language is that language's.
    language = language_of(NotebookNode(metadata={KEY: noted}, cells=notebook.cells))
    if language != ENGLISH:
        notebook.metadata[KEY] = NotebookNode(language=language)
    return notebook


def _upgraded(tree: dict[str, Any]) -> Any:
    try:
        return nbformat.convert(nbformat.from_dict(tree), 4)
    except Exception:
        # nbformat's old converters raise whatever the damage happens to be.
        raise Ungradable(
            "the submitted file is a notebook of an old format that cannot be read: "
            "save it in JupyterLab and submit again"
        ) from None


def new_cell(kind: str, source: str, id: str = "") -> NotebookNode:
    """Return a cell as nbformat makes it, without its check of each against the schema: the whole notebook is checked
    when it is written.
    """
    cell = NotebookNode(id=id, cell_type=kind, metadata=NotebookNode(), source=source)
    if kind == "code":
        cell.update(execution_count=None, outputs=[])
    return cell


def _cell(raw: Any) -> NotebookNode | None:
    """One cell with nothing but its type, source, id and metadata, or None for what is no cell."""
    if not isinstance(raw, dict) or raw.get("cell_type") not in ("code", "markdown", "raw"):
        return None
    source = raw.get("source", "")
    if isinstance(source, list):
        source = "".join(part for part in source if isinstance(part, str))
    # As Windows writes them, ends of lines are nobody's change.
    source = storable(source).replace("\r\n", "\n").replace("\r", "\n") if isinstance(source, str) else ""
    cell = new_cell(raw["cell_type"], source)
    metadata = raw.get("metadata")
    if isinstance(metadata, dict):
        if isinstance(metadata.get("nbgrader"), dict):
            own = {
                storable(k): storable(v) if isinstance(v, str) else v
                for k, v in metadata["nbgrader"].items()
                if isinstance(v, (str, bool, int, float)) or v is None
            }
            cell.metadata["nbgrader"] = nbformat.from_dict(own)
        for name in ("deletable", "editable"):
            if isinstance(metadata.get(name), bool):
                cell.metadata[name] = metadata[name]
        if isinstance(metadata.get("tags"), list):
            cell.metadata["tags"] = [
                storable(tag) for tag in metadata["tags"] if isinstance(tag, str) and tag != "raises-exception"
            ]
    return cell


def _keep_outputs(cell: NotebookNode, raw: dict[str, Any]) -> None:
    if not isinstance(raw.get("outputs"), list):
        return
    kept = NotebookNode(cell, outputs=[])
    for output in raw["outputs"]:
        kept.outputs = [nbformat.from_dict(output)]
        with contextlib.suppress(Exception):
            joined = nbformat.v4.rwbase.rejoin_lines(nbformat.v4.new_notebook(cells=[kept])).cells[0]
            nbformat.validator.validate(joined, ref="code_cell", version=4, version_minor=5)
            cell.outputs.append(joined.outputs[0])


class IntakeExporter(TimedSteps, NotebookExporter):
    """nbgrader's notebook exporter, which takes in a submission whatever it is.

    Of one of the course's units that notebook counts which `autograder grade` would take, whatever it is called.
    A file that is no notebook, or takes too long, is replaced by the released cells, unanswered, with the reason in the
    notebook's metadata; the student then has a grade of 0 that says why, instead of none.
    """

    def __init__(self, **named: Any) -> None:
        super().__init__(**named)  # type: ignore[no-untyped-call]
        # nbgrader makes one exporter before it grades anything.
        if hasattr(self.parent, "coursedir"):
            ready.need(self.parent)

    def from_filename(self, filename: str, resources: Any = None, **kwargs: Any) -> tuple[Any, Any]:
        # nbconvert's has no types.
        take: Callable[..., tuple[Any, Any]] = super().from_notebook_node
        if resources is None or "nbgrader" not in resources:
            return super().from_filename(filename, resources=resources, **kwargs)
        first = getattr(self.parent, "_sanitizing", False)
        try:
            if not first:
                return super().from_filename(filename, resources=resources, **kwargs)
            with limited():
                notebook = self._read(Path(filename), resources)
            return take(notebook, resources=resources, **kwargs)
        except TooLong:
            notebook = _ungradable(resources["nbgrader"], TOO_LONG)
        if not first:
            # The steps of nbgrader's first round come before those of its second.
            converter: Any = self.parent
            for converter._sanitizing in (True, False):
                converter._init_preprocessors()
                if converter._sanitizing:
                    notebook = nbformat.reads(take(notebook, resources=resources, **kwargs)[0], 4)
        return take(notebook, resources=resources, **kwargs)

    def _read(self, path: Path, resources: Any) -> NotebookNode:
        try:
            kept = self.config.ClearOutput.get("enabled", True) is False
            # One setting for every limit: c.SandboxedExecute.notebook_bytes, as limits.py says.
            most = self.config.SandboxedExecute.get("notebook_bytes", Limits.notebook_bytes.default_value)
            names = resources["nbgrader"]
            if names["notebook"] == names["assignment"] and names["assignment"] in catalog.units():
                data, chosen = read_submitted(path.parent, names["assignment"], most)
                notebook = clean(data, outputs=kept)
            else:
                notebook, chosen = read_notebook(path, most, outputs=kept), ()
            for note in chosen:
                self.log.warning("%s: %s", names["student"], note)
                notebook.metadata[NOTES] = nbformat.from_dict({"repaired": [note]})
        except Ungradable as reason:
            notebook = _ungradable(resources["nbgrader"], str(reason))
        resources.setdefault("metadata", {}).update(name=path.stem, path=str(path.parent))
        return notebook


def _ungradable(names: dict[str, str], reason: str) -> NotebookNode:
    """The released notebook, unanswered, with the reason why nothing else is graded."""
    with Gradebook(names["db_url"]) as gradebook:
        notebook = unanswered(gradebook.find_notebook(names["notebook"], names["assignment"]).source_cells)
    notebook.metadata[NOTES] = nbformat.from_dict({"ungradable": reason})
    return notebook


def unanswered(released: Iterable[Any]) -> NotebookNode:
    """Return a notebook of the released cells that nbgrader keeps in its gradebook."""
    notebook: NotebookNode = nbformat.v4.new_notebook()
    for position, source in enumerate(released):
        cell = new_cell(source.cell_type, source.source or "", id=f"cell-{position:04d}")
        cell.metadata["nbgrader"] = nbformat.from_dict({"grade_id": source.name, "schema_version": 3})
        notebook.cells.append(cell)
    return notebook


def prepare(assignment: str, student: str, notebooks: list[str], **_: Any) -> None:
    """Before nbgrader copies a submission: take links and special files out of it, which could name any file; and have
    a unit's notebook read where there is one of another name.

    nbgrader calls this as its `pre_convert_hook`, with the class folder as working directory, and then converts those
    of the notebooks whose names it has released.
    """
    for folder in {os.path.dirname(notebook) for notebook in notebooks}:
        for here, folders, files in os.walk(folder):
            for name in [*folders, *files]:
                path = os.path.join(here, name)
                mode = os.lstat(path).st_mode
                if not stat.S_ISREG(mode) and not stat.S_ISDIR(mode):
                    if path in notebooks:
                        # nbgrader needs a file of that name; an empty one is told apart from a notebook.
                        os.unlink(path)
                        Path(path).touch()
                    else:
                        with contextlib.suppress(OSError):
                            os.unlink(path)
        own = os.path.join(folder, f"{assignment}.ipynb")
        if assignment in catalog.units() and own not in notebooks:
            # `IntakeExporter` finds the one that is meant.
            notebooks.append(own)
