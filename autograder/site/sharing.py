"""Joins the languages of a site: what is the same in all lies in it once, and a page lets the reader choose."""

from __future__ import annotations

import re
from html import escape
from pathlib import Path

FOLDER = "_static"
_REFERENCE = re.compile(rf'((?:href|src)=")((?:\.\./)*){FOLDER}/([^"?#]+)([^"]*")')
_MAP = re.compile(r"\n?(?://# |/\*# )sourceMappingURL=\S+(?: \*/)?\s*$")
# What no page asks for: maps for programmers, a theme's own templates.
_UNUSED = (".map", ".html")


def share(built: Path, languages: list[str]) -> None:
    """Move the files beside the pages that are equal in all languages to one folder above them.

    Args:
        built: the site, with a folder for each language.
        languages: their codes.
    """
    folders = [built / language / FOLDER for language in languages]
    for folder in folders:
        for path in [path for path in folder.rglob("*") if path.suffix in _UNUSED]:
            path.unlink()
        for path in [path for path in folder.rglob("*") if path.suffix in (".js", ".css")]:
            text = path.read_text(encoding="utf-8")
            if "sourceMappingURL" in text:
                path.write_text(_MAP.sub("\n", text), encoding="utf-8")
    shared = set()
    for path in sorted(path for path in folders[0].rglob("*") if path.is_file()):
        name = path.relative_to(folders[0])
        content = path.read_bytes()
        copies = [folder / name for folder in folders]
        if all(copy.is_file() and copy.read_bytes() == content for copy in copies):
            shared.add(name.as_posix())
            target = built / FOLDER / name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)
            for copy in copies:
                copy.unlink()
    for folder in folders:
        for path in sorted(folder.rglob("*"), reverse=True):
            if path.is_dir() and not any(path.iterdir()):
                path.rmdir()
    for language in languages:
        for page in (built / language).rglob("*.html"):
            text = page.read_text(encoding="utf-8")
            moved = _REFERENCE.sub(
                lambda one: f"{one[1]}{one[2]}{'../' if one[3] in shared else ''}{FOLDER}/{one[3]}{one[4]}", text
            )
            if moved != text:
                page.write_text(moved, encoding="utf-8")


def door(names: dict[str, str]) -> str:
    """Return the page at the site's root: it leads on to the reader's language, and names all.

    Args:
        names: of the languages, by code; the first is for everybody else.
    """
    first = next(iter(names))
    links = "".join(
        f'<li><a lang="{code}" hreflang="{code}" href="{code}/index.html">{escape(name)}</a></li>'
        for code, name in names.items()
    )
    known = ", ".join(f'"{code}"' for code in names)
    return (
        f'<!DOCTYPE html>\n<html lang="{first}"><head><meta charset="utf-8"><title>Attention, written by you</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        "<style>:root{color-scheme:light dark}body{font:1.2rem sans-serif;margin:3rem}</style></head><body>"
        f"<main><h1>Attention, written by you</h1><ul>{links}</ul></main><script>"
        f"const known = [{known}];"
        "const wanted = navigator.languages.map((one) => one.slice(0, 2)).find((one) => known.includes(one));"
        f'location.replace((wanted || "{first}") + "/index.html" + location.hash);'
        "</script></body></html>\n"
    )
