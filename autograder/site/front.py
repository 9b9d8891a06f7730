"""The front page: the course as a map, a sentence and a picture for each unit."""

from __future__ import annotations

from html import escape

from autograder import course
from helpers.language import told

from . import guides, mistakes, pictures, words
from .place import Site

UP = "../"


def page(units: tuple[str, ...], shown: dict[str, list[tuple[str, str]]], site: Site, modules: bool) -> str:
    """Return the front page.

    Args:
        units: of the site, in their order.
        shown: for each unit its pictures, each as file and text.
        site: where pictures go.
        modules: whether this language's site has the pages of the modules.
    """
    check = (course.ROOT / "docs" / "check_wrong.png").read_bytes()
    heading = words.navigation()
    parts = [
        f"# {words.site_title()}",
        *words.front_lines(),
        pictures.tag(words.check_picture(), pictures.write(check, site.pictures), UP),
        f"## {heading.units}",
        '<ol class="map" start="0">'
        + "".join(_unit(unit, shown[unit], pictures.write(check, site.pictures)) for unit in units)
        + "</ol>",
        f"## {heading.doors}",
        "\n".join(
            f"- {line}" for line in words.doors("guides/learners.md", "guides/instructors.md", "guides/authors.md")
        ),
        _tree(heading.units, [f"units/{unit}" for unit in units]),
        _tree(heading.mistakes, ["mistakes/index"]),
        _tree(heading.guides, [f"guides/{name}" for name in guides.GUIDES]),
    ]
    if modules:
        parts.append(_tree(heading.modules, ["modules/index"]))
    return "\n\n".join(parts) + "\n"


def _unit(unit: str, shown: list[tuple[str, str]], instead: str) -> str:
    """A unit's place on the map. Its picture is told on its page; here it stands beside its link and says no more."""
    name = shown[words.PICTURES[unit]][0] if unit in words.PICTURES else instead
    sentence = told(words.MAP[unit]) if unit in words.MAP else ""
    return (
        f'<li><a href="units/{unit}.html"><span class="picture">{pictures.tag("", name, UP)}</span>'
        f'<span class="title">{escape(mistakes.title(unit))}</span></a><p>{escape(sentence)}</p></li>'
    )


def _tree(caption: str, pages: list[str]) -> str:
    return f"```{{toctree}}\n:hidden:\n:caption: {caption}\n\n" + "\n".join(pages) + "\n```"
