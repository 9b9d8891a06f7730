"""Makes the site: writes what Sphinx reads, a tree for each language, and has it built, joined and checked."""

from __future__ import annotations

import csv
import io
import logging
import multiprocessing
import os
import shutil
import tomllib
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import nbformat

from autograder import course
from autograder.authoring.translating import catalogs
from autograder.course import CourseError
from helpers.language import ENGLISH, speaking

from . import checking, colab, extension, fonts, front, guides, mistakes, modules, sharing, units, words
from .place import Site

NAMES = {ENGLISH: "English", "ru": "Русский", "zh": "中文"}
# As Sphinx calls them, where that is not the code.
_SPHINX = {"zh": "zh_CN"}
_THEME = Path(__file__).with_name("theme")


def make(
    site: Site,
    chosen: Sequence[str],
    languages: Sequence[str],
    with_modules: bool = True,
    tell: Callable[[str], None] = lambda step: None,
) -> checking.Weight:
    """Make the site anew in `site.built`.

    Args:
        site: where, and where the course's repository is.
        chosen: names of units.
        languages: codes; English first if it is among them.
        with_modules: whether the English part has the pages of the modules.
        tell: called with each step.

    Returns:
        what the site weighs.

    Raises:
        CourseError: something of the course cannot be shown, a link leads nowhere, or the site is too heavy.
    """
    for folder in (site.sources, site.built):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
    pages: dict[str, list[str]] = {}
    for language in languages:
        with speaking(language):
            _write(site, tuple(chosen), language, with_modules and language == ENGLISH, tell)
        tree = site.sources / language
        pages[language] = sorted(
            path.relative_to(tree).with_suffix("").as_posix() for path in tree.rglob("*") if path.is_file()
        )
    tell("pages")
    settings = []
    for language in languages:
        with speaking(language):
            settings.append(_settings(site, language, pages))
    # Sphinx keeps the first language of a process, so each has one of its own.
    with multiprocessing.get_context("spawn").Pool(
        min(len(languages), os.cpu_count() or 1), maxtasksperchild=1
    ) as pool:
        pool.starmap(_build, [(site, *each) for each in zip(languages, settings)], chunksize=1)
    # myst-nb puts the notebooks that it read beside the pages.
    shutil.rmtree(site.built / "jupyter_execute", ignore_errors=True)
    sharing.share(site.built, list(languages))
    (site.built / "index.html").write_text(sharing.door({code: NAMES.get(code, code) for code in languages}), "utf-8")
    tell("links, texts and weight")
    return checking.check(site.built)


def _write(site: Site, chosen: tuple[str, ...], language: str, with_modules: bool, tell: Callable[[str], None]) -> None:
    """Write one language's sources."""
    tree = site.sources / language
    shown = {}
    for unit in chosen:
        tell(f"{language}: {unit}")
        with speaking(language, unit):
            page = units.page(unit, language, site)
        shown[unit] = units.first_pictures(page)
        if site.repository:
            _put(site.built / colab.place(unit, language), colab.notebook(unit, language, site.repository))
        _put(tree / "units" / f"{unit}.ipynb", nbformat.writes(page))
    known = mistakes.units_with_mistakes(chosen)
    _put(tree / "mistakes" / "index.md", mistakes.index(known))
    for unit in known:
        with speaking(language, unit):
            _put(tree / "mistakes" / f"{unit}.md", mistakes.page(unit))
    for name in guides.GUIDES:
        _put(tree / "guides" / f"{name}.md", guides.page(name, language, site))
    if with_modules:
        for name, text in modules.pages().items():
            _put(tree / "modules" / f"{name}.md", text)
    _put(tree / "index.md", front.page(chosen, shown, site, with_modules))


def _put(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def _settings(site: Site, language: str, pages: dict[str, list[str]]) -> dict[str, Any]:
    """Sphinx's settings for one language."""
    settings: dict[str, Any] = {
        "project": words.site_title(),
        "html_title": words.site_title(),
        "author": "",
        "copyright": "",
        "extensions": ["sphinx.ext.autodoc", "sphinx.ext.napoleon", "myst_nb", extension.__name__],
        "language": _SPHINX.get(language, language),
        "exclude_patterns": [],
        "nb_execution_mode": "off",
        "nb_merge_streams": True,
        "myst_enable_extensions": ["dollarmath"],
        "myst_dmath_double_inline": True,
        "myst_heading_anchors": 4,
        "myst_update_mathjax": False,
        "html_math_renderer": "mathml",
        "html_theme": "sphinx_book_theme",
        "html_theme_options": {
            "article_header_end": ["languages", "article-header-buttons"],
            "use_download_button": False,
            "use_fullscreen_button": False,
            # The search stands in the sidebar alone.
            "navbar_persistent": [],
            "navbar_center": [],
            "navbar_end": [],
            "navbar_start": [],
            "show_toc_level": 2,
        },
        "html_context": {"default_mode": "auto"},
        "html_static_path": [str(_THEME / "static"), *map(str, fonts.files())],
        "templates_path": [str(_THEME / "templates")],
        "html_css_files": ["site.css", "formulas.css"],
        "html_js_files": ["strips.js"],
        "html_use_index": False,
        "html_domain_indices": False,
        "html_copy_source": False,
        "html_show_sourcelink": False,
        "html_show_sphinx": False,
        "html_show_copyright": False,
        # Pages are read from a disk, where a script may not fetch another page.
        "html_show_search_summary": False,
        "html_search_scorer": str(_THEME / "scorer.js"),
        "autodoc_typehints": "signature",
        "autodoc_member_order": "bysource",
        "napoleon_numpy_docstring": False,
        "elsewhere": pages,
        "language_names": {code: NAMES.get(code, code) for code in pages},
        "words": asdict(words.navigation()),
    }
    if language == "zh":
        settings["html_search_options"] = {"dict": str(_terms(site))}
    return settings


def _terms(site: Site) -> Path:
    """Write the glossary's Chinese terms as words that stand together, for the search."""
    path = site.folder / "terms.txt"
    with (catalogs.ROOT / "zh.glossary.csv").open(encoding="utf-8", newline="") as lines:
        terms = {row[1].strip() for row in csv.reader(lines) if len(row) > 1}
    path.write_text("".join(f"{term} 100000\n" for term in sorted(terms) if term.isalnum()), encoding="utf-8")
    return path


def _build(site: Site, language: str, settings: dict[str, Any]) -> None:
    """Have Sphinx build one language.

    Raises:
        CourseError: Sphinx warns of something: what, and where.
    """
    from sphinx.application import Sphinx
    from sphinx.errors import SphinxError
    from sphinx.util.console import nocolor
    from sphinx.util.docutils import docutils_namespace, patch_docutils

    nocolor()
    if "html_search_options" in settings:
        import jieba

        # It tells of each step of its start.
        jieba.setLogLevel(logging.ERROR)
    warned = io.StringIO()
    source, built = site.sources / language, site.built / language
    try:
        with patch_docutils(), docutils_namespace():
            app = Sphinx(
                source, None, built, site.folder / "doctrees" / language, "html", confoverrides=settings,
                status=None, warning=warned, freshenv=True,
            )  # fmt: skip
            app.build(force_all=True)
    except SphinxError as error:
        raise CourseError(f"the site in {language}: {error}") from error
    if warned.getvalue():
        raise CourseError(f"the site in {language}:\n{warned.getvalue().strip()}")
    (built / "_static" / "formulas.css").write_text(extension.style(), encoding="utf-8")
    # Sphinx 9.0 hands a Chinese search the stemmer of English words, and names another that is not there.
    words_of_search = built / "_static" / "language_data.js"
    text = words_of_search.read_text(encoding="utf-8")
    words_of_search.write_text(text.replace("= ChineseStemmer;", "= EnglishStemmer;"), encoding="utf-8")
    for name in (".buildinfo", "objects.inv"):
        (built / name).unlink(missing_ok=True)


def repository() -> str:
    """Return the address of the course's repository that `pyproject.toml` has; "" until it is known."""
    told = tomllib.loads((course.ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    return str(told["tool"]["attention"]["repository"])


def languages() -> list[str]:
    """Return the languages that a site can have: all in which the course is written."""
    return [ENGLISH, *catalogs.languages()]
