"""Our templates in place of those of the same name in formgrader's page: saving, and formulas without the network."""

from __future__ import annotations

from pathlib import Path

import jinja2

from . import formulas
from .content_policy import TrustedTemplates

_FOLDER = Path(__file__).parent / "templates" / "formgrade"


def prefer(environment: jinja2.Environment) -> None:
    """Let an exporter find our templates first; `nbgrader/<name>` is the one that ours stands before.

    Args:
        environment: the exporter's. The page's policy sees our templates like any other.
    """
    trusted = environment.loader
    loader = trusted.inner if isinstance(trusted, TrustedTemplates) else trusted
    if isinstance(loader, _OwnFirst) or loader is None:
        return
    own = _OwnFirst([jinja2.FileSystemLoader(_FOLDER), jinja2.PrefixLoader({"nbgrader": loader}), loader])
    if isinstance(trusted, TrustedTemplates):
        trusted.inner = own
    else:
        environment.loader = own
    environment.globals["formula_styles"] = formulas.CSS
    if environment.cache is not None:
        environment.cache.clear()


class _OwnFirst(jinja2.ChoiceLoader):
    """Ours, then nbgrader's and nbconvert's."""
