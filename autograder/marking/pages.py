"""What a page goes through that nbconvert makes of a graded notebook: formgrader's. A feedback page is made by
`feedback_page`.

`PreparePage` cuts what would take a browser or the converter minutes, and puts the content policy into the page; the
filters replace nbconvert's own for markdown, coloured text and HTML. `configure` plugs them in.
"""

from __future__ import annotations

import hashlib
import json
import sys
from typing import Any

import jinja2
from nbconvert.preprocessors import Preprocessor
from nbconvert.utils.base import NbConvertBase
from nbformat import NotebookNode
from traitlets.config import Config

from . import content_policy, own_templates
from .markdown import render
from .shortening import shorten
from .written import for_formgrader


class CleanMarkdown(NbConvertBase):
    """nbconvert's filter `markdown2html` whose HTML is safe, whatever the text."""

    @jinja2.pass_context
    def __call__(self, context: Any, source: str) -> str:
        return render(source, context.get("cell", {}).get("attachments"))

    # jinja2 looks at the object that it calls, not at its class's method.
    jinja_pass_arg = __call__.jinja_pass_arg  # type: ignore[attr-defined]


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
                own_templates.prefer(self.parent.environment)
            content_policy.install(self.parent.environment, self._page_nonce)
        return nb, resources

    def _page_nonce(self) -> str:
        # Worked out when the head is written: comments and points are in the notebook only then.
        if self._nonce is None:
            content = json.dumps(self._notebook, sort_keys=True, default=str).encode("utf-8", "replace")
            self._nonce = hashlib.sha256(content).hexdigest()[:32]
        return self._nonce


def configure(config: Config) -> None:
    """Put page preparation and the filters into a class's configuration."""
    config.HTMLExporter.filters = {
        "markdown2html": "autograder.marking.pages.CleanMarkdown",
        "ansi2html": "autograder.marking.terminal_text.ansi2html",
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
