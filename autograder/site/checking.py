"""What must hold of a built site: each link leads somewhere, each picture has a text, and it is light enough."""

from __future__ import annotations

import posixpath
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

from autograder.course import CourseError

# Bytes: of all, and of a page before its pictures.
MOST, MOST_OF_A_PAGE = 25_000_000, 1_000_000
# Attributes by which a page asks for a file as soon as it is opened.
_ASKS = {"img": "src", "script": "src", "link": "href", "source": "src", "iframe": "src"}


@dataclass(frozen=True)
class Weight:
    """Bytes of a site: all of it, its heaviest page, and how many pages there are."""

    total: int
    heaviest: int
    pages: int


class _Page(HTMLParser):
    """Ids, links, files and faults of one page."""

    def __init__(self) -> None:
        super().__init__()
        self.ids: set[str] = {"", "top"}
        self.links: list[str] = []
        self.faults: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        told = {name: value or "" for name, value in attrs}
        self.ids.update(filter(None, (told.get("id"), told.get("name") if tag == "a" else None)))
        if tag == "img" and "alt" not in told:
            self.faults.append(f"a picture without alt: {told.get('src')}")
        asked = told.get(_ASKS.get(tag, ""), "")
        if urlsplit(asked).netloc and told.get("rel") != "canonical":
            self.faults.append(f"asks another host: {asked}")
        elif asked and not asked.startswith("data:"):
            self.links.append(asked)
        if tag == "a" and told.get("href"):
            self.links.append(told["href"])


def check(built: Path) -> Weight:
    """Check a built site.

    Raises:
        CourseError: what does not hold, a line for each.
    """
    pages, weights = {}, {}
    for path in sorted(built.rglob("*.html")):
        text = path.read_text(encoding="utf-8")
        page = _Page()
        page.feed(text)
        pages[path.relative_to(built).as_posix()] = page
        weights[path.relative_to(built).as_posix()] = len(text.encode())
    faults = [f"{name}: {fault}" for name, page in pages.items() for fault in page.faults]
    for name, page in pages.items():
        faults += [
            f"{name}: leads nowhere: {link}"
            for link in dict.fromkeys(page.links)
            if not _leads(link, name, pages, built)
        ]
    total = sum(path.stat().st_size for path in built.rglob("*") if path.is_file())
    heavy = [f"{name} has {weight:,} bytes" for name, weight in weights.items() if weight > MOST_OF_A_PAGE]
    if total > MOST:
        heavy.append(f"the whole site has {total:,} bytes")
    if faults or heavy:
        raise CourseError("the site has faults:\n" + "\n".join(faults + heavy))
    return Weight(total, max(weights.values()), len(pages))


def _leads(link: str, name: str, pages: dict[str, _Page], built: Path) -> bool:
    parts = urlsplit(link)
    if parts.scheme or parts.netloc:
        return True
    target = posixpath.normpath(posixpath.join(posixpath.dirname(name), unquote(parts.path))) if parts.path else name
    if target in pages:
        return unquote(parts.fragment) in pages[target].ids
    return not target.startswith("..") and (built / target).is_file()
