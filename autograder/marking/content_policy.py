"""The second wall of formgrader's pages that show a learner's work: a policy by which only the page's own scripts run.

Cleaning takes out what could run; this Content-Security-Policy holds where cleaning has a hole. nbconvert's and
nbgrader's templates are trusted, so the scripts that stand in a template's source get a nonce when it is read, and what
is put into the page later, a learner's text and outputs, has none. The policy stands first in the page's head.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Callable
from typing import Any

import jinja2

_SCRIPT = re.compile(r"<script\b(?![^>]*\bnonce=)", re.IGNORECASE)
_HANDLER = re.compile(r"""\son[a-z]+="([^"{}]*)\"""")
_HEAD = re.compile(r"<head>", re.IGNORECASE)
_TEMPLATES = (".j2", ".tpl", ".html")
# Of a file that a learner handed in: it may be looked at, in a place of its own, and runs nothing.
FILES = "frame-ancestors 'self'; default-src 'none'; img-src 'self' data:; style-src 'unsafe-inline'; sandbox"


def policy(nonce: str, handlers: frozenset[str] = frozenset()) -> str:
    """Return the policy of one page.

    Args:
        nonce: what the page's own scripts carry.
        handlers: texts of event handlers (`onclick="..."`) in the templates; no other one runs.
    """
    hashes = "".join(
        f" 'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'" for text in sorted(handlers)
    )
    return "; ".join(
        (
            "default-src 'none'",
            f"script-src 'nonce-{nonce}'",
            f"script-src-attr 'unsafe-hashes'{hashes}" if hashes else "script-src-attr 'none'",
            "style-src 'self' 'unsafe-inline'",
            "img-src 'self' data: https:",
            "font-src 'self' data:",
            "connect-src 'self'",
            "base-uri 'none'",
            "form-action 'self'",
        )
    )


class TrustedTemplates(jinja2.BaseLoader):
    """Reads templates through another loader and marks their scripts as the page's own.

    Args:
        inner: the loader that finds the templates.
    """

    def __init__(self, inner: jinja2.BaseLoader) -> None:
        self.inner = inner
        self.handlers: set[str] = set()

    def get_source(
        self, environment: jinja2.Environment, template: str
    ) -> tuple[str, str | None, Callable[[], bool] | None]:
        source, path, current = self.inner.get_source(environment, template)
        if (path or template).endswith(_TEMPLATES):
            self.handlers.update(_HANDLER.findall(source))
            source = marked(source)
        return source, path, current


def marked(source: str) -> str:
    """Return a template's source with nonce in its scripts and policy in its head; making a page fills them in."""
    source = _SCRIPT.sub('<script nonce="{{ page_nonce() }}"', source)
    meta = '<head>\n<meta http-equiv="Content-Security-Policy" content="{{ page_policy() }}">'
    return _HEAD.sub(meta, source)


def install(environment: jinja2.Environment, nonce: Callable[[], str]) -> None:
    """Make an exporter's environment put nonce and policy into each page.

    Args:
        environment: nbconvert's; templates that it has read already are read again.
        nonce: the nonce of the page that is being made.
    """
    if isinstance(environment.loader, TrustedTemplates):
        return
    assert environment.loader is not None
    trusted = environment.loader = TrustedTemplates(environment.loader)
    if environment.cache is not None:
        environment.cache.clear()
    # Templates are read from the outside in, so all handlers of the page are known when its head is written; those of
    # templates that are imported later would have to stand in the outer one.
    made: dict[str, Any] = {
        "page_nonce": nonce,
        "page_policy": lambda: policy(nonce(), frozenset(trusted.handlers)),
    }
    environment.globals.update(made)
