"""What every page that shows a graded notebook goes through: formgrader's, and feedback, which nbconvert makes alike.

`PreparePage` cuts what would take a browser or the converter minutes, and puts the content policy into the page; the
filters replace nbconvert's own for markdown, coloured text and HTML. `configure` plugs them in.
"""

from __future__ import annotations

import hashlib
import json
import sys
from typing import Any

import jinja2
from nbconvert.filters import ansi2html as nbconvert_ansi2html
from nbconvert.filters import strip_ansi
from nbconvert.preprocessors import Preprocessor
from nbconvert.utils.base import NbConvertBase
from nbformat import NotebookNode
from traitlets.config import Config

from . import content_policy, own_templates
from .markdown import render
from .markup import as_typed
from .sanitising import MOST_COLOURS
from .written import for_formgrader

# A unit has about 30,000 characters in its cells, and 2,500 in the longest one.
MOST_SOURCE, MOST_SOURCES = 60_000, 400_000
MOST_PROSE = 200_000
MOST_OUTPUT, MOST_OUTPUT_TEXT = 300_000, 3_000_000
MOST_PICTURES = 30_000_000


class CleanMarkdown(NbConvertBase):
    """nbconvert's filter `markdown2html` whose HTML is safe, whatever the text."""

    @jinja2.pass_context
    def __call__(self, context: Any, source: str) -> str:
        exporter: Any = self.parent
        attached = context.get("cell", {}).get("attachments", {})
        return render(source, lambda text: exporter.markdown2html(context, text), attached)

    # jinja2 looks at the object that it calls, not at its class's method.
    jinja_pass_arg = __call__.jinja_pass_arg  # type: ignore[attr-defined]


def ansi2html(text: str) -> str:
    """Return text with the terminal's colours as HTML, without them where they are too many or malformed."""
    if text.count("\x1b") <= MOST_COLOURS:
        try:
            return str(nbconvert_ansi2html(text))
        except (IndexError, ValueError, TypeError):
            # `\x1b[38m` names a colour and does not say which.
            pass
    return str(nbconvert_ansi2html(strip_ansi(text).replace("\x1b", "")))


class PreparePage(Preprocessor):
    """Cuts a notebook to what a page can show, and gives its page a nonce.

    The nonce is the hash of all that stands in the page, so that the same notebook makes the same page, and no text in
    it can know the nonce.
    """

    enabled = True

    def preprocess(self, nb: NotebookNode, resources: dict[str, Any]) -> tuple[NotebookNode, dict[str, Any]]:
        shorten(nb)
        self._notebook = nb
        self._nonce: str | None = None
        if self.parent is not None:
            if for_formgrader(resources):
                own_templates.prefer(self.parent.environment, "formgrade")
            content_policy.install(self.parent.environment, self._page_nonce)
        return nb, resources

    def _page_nonce(self) -> str:
        # Worked out when the head is written: comments and points are in the notebook only then.
        if self._nonce is None:
            content = json.dumps(self._notebook, sort_keys=True, default=str).encode("utf-8", "replace")
            self._nonce = hashlib.sha256(content).hexdigest()[:32]
        return self._nonce


def shorten(nb: NotebookNode) -> None:
    """Cut cells and outputs that are longer than anybody reads; what is cut says so."""
    sources, prose, outputs, pictures = MOST_SOURCES, MOST_PROSE, MOST_OUTPUT_TEXT, MOST_PICTURES
    for cell in nb.cells:
        cell.source = _cut(cell.source, min(MOST_SOURCE, sources))
        sources -= len(cell.source)
        if cell.cell_type == "markdown":
            if len(cell.source) > prose:
                cell.source = as_typed(cell.source, 2000)
            prose -= len(cell.source)
        kept = []
        for output in cell.get("outputs", ()):
            outputs, pictures = _cut_output(output, outputs, pictures)
            kept.append(output)
            if outputs <= 0:
                break
        if "outputs" in cell:
            cell.outputs = kept


def _cut_output(output: NotebookNode, text: int, pictures: int) -> tuple[int, int]:
    """Cut one output to what is left for text and pictures; return what is left after it."""
    most = max(0, min(MOST_OUTPUT, text))
    if "text" in output:
        output.text = _cut(output.text, most)
        return text - len(output.text) - 1, pictures
    if "traceback" in output:
        output.traceback = [_cut(line, most // max(1, len(output.traceback))) for line in output.traceback]
        return text - sum(map(len, output.traceback)) - 1, pictures
    data = output.get("data", {})
    used = 1
    for kind in list(data):
        if kind.startswith("image/") or '<img alt="a picture' in data[kind][:40]:
            pictures -= len(data[kind])
            if pictures < 0:
                data[kind] = "" if kind.startswith("image/") else as_typed("[too many pictures]")
        elif isinstance(data[kind], str) and len(data[kind]) > most:
            data[kind] = _cut(data[kind], most) if kind == "text/plain" else as_typed(data[kind], most // 2)
        if kind == "text/html" or "text/html" not in data:
            used += len(data[kind]) if not kind.startswith("image/") else 0
    return text - used, pictures


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[:most]}\n… ({len(text) - most:,} more characters)"


def configure(config: Config) -> None:
    """Put page preparation and the filters into a class's configuration, for formgrader and feedback alike."""
    config.HTMLExporter.filters = {
        "markdown2html": "autograder.marking.pages.CleanMarkdown",
        "ansi2html": "autograder.marking.pages.ansi2html",
        "clean_html": "autograder.marking.markup.clean_html",
    }
    config.HTMLExporter.preprocessors = [
        "autograder.marking.written.ShowMarkingGuide",
        "autograder.marking.pages.PreparePage",
    ]
    _guard_files()
    _pass_over_exchange()


def _guard_files() -> None:
    """In a server with formgrader: let no file that a learner handed in beside the notebook run a script.

    Formgrader hands them out under its own address, so that an HTML page or an SVG among them would act as the grader.
    nbgrader has no setting for it, and its handler is loaded before the class's settings are.
    """
    handlers = sys.modules.get("nbgrader.server_extensions.formgrader.handlers")
    if handlers is not None:
        handlers.SubmissionFilesHandler.content_security_policy = property(lambda self: content_policy.FILES)


def _pass_over_exchange() -> None:
    """In a server with formgrader: no warning that the exchange is missing, in a class that has set none up.

    nbgrader warns whenever its default place for an exchange is not there, which most classes have no use for.
    """
    handlers = sys.modules.get("nbgrader.server_extensions.formgrader.handlers")
    if handlers is None:
        return

    def render(self: Any, name: str, **shown: Any) -> Any:
        wanted = "root" in self.settings["nbgrader_formgrader"].config.Exchange
        shown["exchange_missing"] = shown["exchange_missing"] and wanted
        return handlers.BaseHandler.render(self, name, **shown)

    handlers.ManageAssignmentsHandler.render = render
