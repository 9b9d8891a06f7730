"""The guides as pages: the files of `docs/`, with links that hold in the site."""

from __future__ import annotations

import posixpath
import re

from autograder import course
from autograder.authoring.translating import catalogs, prose
from autograder.course import CourseError
from helpers.language import ENGLISH

from . import pictures, words
from .place import Site

# In the order in which they are read: learners, instructors, authors.
GUIDES = {
    "learners": "docs/learners.md",
    "instructors": "docs/instructors.md",
    "own_assignments": "docs/own_assignments.md",
    "jupyterhub": "docs/jupyterhub.md",
    "clusters": "docs/clusters.md",
    "isolation": "docs/isolation.md",
    "security": "SECURITY.md",
    "authors": "docs/authors.md",
    "translating": "docs/translating.md",
    "architecture": "docs/architecture.md",
}
_PAGES = {path: name for name, path in GUIDES.items()}
_LINK = re.compile(r"(?P<picture>!?)\[(?P<text>[^\]]*)\]\((?P<target>[^)\s]+)\)")
_FENCE = re.compile(r"(^```.*?^```\s*?$|`[^`\n]*`)", re.MULTILINE | re.DOTALL)
_OUTSIDE = re.compile(r"[a-z]+:")
UP = "../../"


def page(name: str, language: str, site: Site) -> str:
    """Return a guide's page.

    Args:
        name: one of GUIDES.
        language: what the page is in; a guide that has no translation stays English, and says so.
        site: where pictures go.

    Raises:
        CourseError: a link leads nowhere.
    """
    path = GUIDES[name]
    text = (course.ROOT / path).read_text(encoding="utf-8")
    if path in catalogs.PAGES and language != ENGLISH:
        known = catalogs.translations(language, "pages")
        text = prose.translated(text, lambda english: known.get(english, english))
    elif language != ENGLISH:
        first, rest = text.split("\n", 1)
        text = f"{first}\n\n*{words.english_only()}*\n{rest}"
    parts = _FENCE.split(text)
    # Every second part is code.
    parts[::2] = [_LINK.sub(lambda link: _link(link, path, site), part) for part in parts[::2]]
    return "".join(parts)


def _link(link: re.Match[str], path: str, site: Site) -> str:
    text, target = link["text"], link["target"]
    if _OUTSIDE.match(target) or target.startswith("#"):
        return link[0]
    file, _, part = target.partition("#")
    where = posixpath.normpath(posixpath.join(posixpath.dirname(path), file))
    if not (course.ROOT / where).exists():
        raise CourseError(f"{path}: the link [{text}]({target}) leads nowhere")
    if link["picture"]:
        return pictures.tag(text, pictures.write((course.ROOT / where).read_bytes(), site.pictures), UP)
    if where in _PAGES:
        return f"[{text}]({_PAGES[where]}.md{'#' + part if part else ''})"
    if site.repository:
        return f"[{text}]({site.repository.file(where)}{'#' + part if part else ''})"
    # A file of the repository whose address is not known: its name says where to look.
    return text if text.strip("`") == where else f"{text} (`{where}`)"
