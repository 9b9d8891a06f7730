"""The site in a real browser, from the disk and without a network: every page, light and dark, desk and phone."""

import os
import re
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from playwright.sync_api import expect

from autograder import course
from autograder.authoring.building import source_notebook
from autograder.site import making
from autograder.site.place import Site

UNITS = ("u0_start_here", "u1_dot_products")
SOLUTION = re.compile(r"### BEGIN SOLUTION\n(.*?)### END SOLUTION", re.DOTALL)
CONTRAST = Path(__file__).with_name("contrast.js").read_text(encoding="utf-8")
# Whether the languages stand beside the buttons, inside of the header, and one is the page's.
HEADER = """(() => {
    const place = one => document.querySelector(one)?.getBoundingClientRect()
    const box = place('.languages'), bar = place('.bd-header-article')
    if (box !== undefined && document.querySelectorAll('.languages [aria-current]').length !== 1) return false
    return box === undefined || box.top >= bar.top && box.bottom <= bar.bottom && box.right <= innerWidth
})()"""
# Sentences in a table that have no room for two words in a line.
NARROW = """[...document.querySelectorAll('.bd-article td')]
    .filter(one => one.innerText.length > 60 && one.getBoundingClientRect().width < 120).map(one => one.innerText)"""
DESK, PHONE = {"width": 1280, "height": 900}, {"width": 390, "height": 844}


def made(folder, *options):
    """Make the site as it is made by hand."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST")}
    line = [sys.executable, "-c", "from autograder.cli import main; main()", "site", *UNITS, "--folder", str(folder)]
    done = subprocess.run([*line, *options], capture_output=True, text=True, check=False, env=environment)
    assert done.returncode == 0 and "MB; the heaviest page has" in done.stdout, done.stdout + done.stderr
    return Site(folder)


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    return made(tmp_path_factory.mktemp("site"))


@pytest.fixture(scope="module")
def pages(site):
    return sorted(path.relative_to(site.built).as_posix() for path in site.built.rglob("*.html"))


@pytest.fixture
def reader(browser):
    """Opens pages as a reader without a network would; at the end nothing was complained of, nothing asked for."""
    contexts, said = [], []

    def opened(address, colours="light", size=DESK):
        context = browser.new_context(color_scheme=colours, viewport=size, offline=True, service_workers="block")
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda one: said.append(f"{one.type}: {one.text}") if one.type != "log" else None)
        page.on("pageerror", lambda error: said.append(f"error: {error}"))
        page.on("requestfailed", lambda one: said.append(f"failed: {one.url}"))
        page.on("request", lambda one: said.append(f"asked: {one.url}") if not local(one.url) else None)
        page.goto(address)
        return page

    yield opened
    for context in contexts:
        context.close()
    assert said == []


def local(address):
    return address.startswith(("file:", "data:", "blob:"))


@pytest.mark.parametrize("colours, size", [("light", DESK), ("dark", DESK), ("light", PHONE)])
def test_every_page_opens_from_the_disk_and_can_be_read(site, pages, reader, colours, size):
    page = reader("about:blank", colours, size)
    wide, faults, pale = [], [], {}
    for name in pages:
        page.goto((site.built / name).as_uri())
        expect(page.locator("h1").first).to_be_attached()
        if not page.evaluate(HEADER):
            faults.append((name, "the switch of languages is cut"))
        if size is DESK and (narrow := page.evaluate(NARROW)):
            faults.append((name, narrow))
        if page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth + 1"):
            wide.append(name)
        levels = page.evaluate(
            "[...document.querySelectorAll('article :is(h1, h2, h3, h4, h5)')].map(h => +h.tagName[1])"
        )
        if (
            not name.endswith("search.html")
            and levels.count(1) != 1
            or any(after > before + 1 for before, after in zip(levels, levels[1:]))
        ):
            faults.append((name, levels))
        # The theme changes its colours slowly.
        page.add_style_tag(content="*, ::before, ::after { transition: none !important }")
        pale |= {f"{name}: {one}": text for one, text in page.evaluate(CONTRAST).items()}
        if page.evaluate(
            "[...document.querySelectorAll('a, button, input, select, summary')].some(e => e.tabIndex < -1)"
        ):
            faults.append((name, "keyboard"))
    assert (wide, faults, pale) == ([], [], {})


def test_pictures_turn_dark_with_the_page(site, reader):
    address = (site.built / "en" / "units" / f"{UNITS[1]}.html").as_uri()
    colours = {}
    for theme in ("light", "dark"):
        page = reader(address, theme)
        picture = page.locator("img.figure").first
        expect(picture).to_be_visible()
        colours[theme] = (
            picture.evaluate("one => getComputedStyle(one).filter"),
            page.evaluate("getComputedStyle(document.body).backgroundColor"),
        )
    assert colours["light"][0] == "none" and "invert" in colours["dark"][0]
    assert colours["light"][1] != colours["dark"][1]


def test_a_control_chooses_among_the_pictures_by_the_keyboard_too(site, reader):
    page = reader((site.built / "en" / "units" / f"{UNITS[1]}.html").as_uri())
    strip = page.locator(".attention-strip").first
    menu = strip.locator("select")
    first = strip.locator("img:visible").get_attribute("src")
    menu.focus()
    page.keyboard.press("ArrowDown")
    expect(strip.locator("img:visible")).to_have_count(1)
    expect(strip.locator("img:visible")).not_to_have_attribute("src", first)


@pytest.mark.parametrize("language, word", [("en", "softmax"), ("ru", "маска"), ("zh", "注意力")])
def test_the_search_finds_a_word_without_a_server(site, reader, language, word):
    if language not in making.languages():
        assert not (site.built / language).exists()
        return
    page = reader((site.built / language / "search.html").as_uri() + f"?q={word}")
    expect(page.locator("#search-results li a").first).to_be_visible()


def test_the_mistakes_of_an_exercise_are_behind_a_fold(site, reader):
    page = reader((site.built / "en" / "units" / f"{UNITS[1]}.html").as_uri())
    fold = page.locator("details.mistakes").first
    expect(fold.locator("dt").first).to_be_hidden()
    fold.locator("summary").click()
    expect(fold.locator("dt").first).to_be_visible()


def test_the_first_page_leads_to_a_language(site, reader):
    page = reader((site.built / "index.html").as_uri())
    expect(page).to_have_url(re.compile(r"/en/index\.html$"))
    expect(page.locator("ol.map li")).to_have_count(len(UNITS))


def test_no_solution_and_no_hidden_test_is_in_any_file(site):
    texts = {
        path: path.read_text(encoding="utf-8", errors="replace") for path in site.built.rglob("*") if text_file(path)
    }
    shown = {
        re.sub(r"<[^>]+>", "", text).replace("&gt;", ">").replace("&lt;", "<").replace("&amp;", "&")
        for text in texts.values()
    }
    released = "".join(
        cell.source for unit in UNITS for cell in nbformat.read(course.NOTEBOOKS / unit / f"{unit}.ipynb", 4).cells
    )
    lines = {
        line.strip()
        for unit in UNITS
        for cell in source_notebook(unit).cells
        for part in SOLUTION.findall(cell.source)
        for line in part.splitlines()
        if len(line.strip()) > 12 and line.strip() not in released
    }
    assert len(lines) > 10
    assert [line for line in lines if any(line in text for text in shown)] == []
    units = {path: text for path, text in texts.items() if path.parent.name == "units"}
    assert len(units) >= len(UNITS)
    assert not any("hidden=True" in text or "BEGIN SOLUTION" in text for text in units.values())


def text_file(path):
    return path.is_file() and path.suffix in (".html", ".js", ".css", ".ipynb", ".txt", ".json")


@pytest.fixture(scope="module")
def published(site, tmp_path_factory):
    """The English site, made twice of the same executed notebooks, with an address that it links."""
    sites = []
    for name in ("once", "again"):
        folder = tmp_path_factory.mktemp(name)
        (folder / "executed").symlink_to(site.kept)
        sites.append(made(folder, "--language", "en", "--repository", "https://github.com/someone/attention"))
    return sites


def test_the_same_notebooks_make_the_same_site(published):
    once, again = (files(one.built) for one in published)
    assert once == again and len(once) > 50


def files(folder):
    return {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_with_the_repository_s_address_a_unit_opens_elsewhere(site, published):
    there = published[0]
    page = (there.built / "en" / "units" / f"{UNITS[1]}.html").read_text(encoding="utf-8")
    assert (
        f"https://mybinder.org/v2/gh/someone/attention/main?urlpath=lab/tree/notebooks/{UNITS[1]}/{UNITS[1]}.ipynb"
        in page
    )
    assert f"someone/attention/blob/gh-pages/colab/en/{UNITS[1]}.ipynb" in page
    first = nbformat.read(there.built / "colab" / "en" / f"{UNITS[1]}.ipynb", 4).cells[0].source
    assert "%pip install --quiet git+https://github.com/someone/attention" in first
    plain = (site.built / "en" / "units" / f"{UNITS[1]}.html").read_text(encoding="utf-8")
    assert "mybinder" not in plain and "colab" not in plain


@pytest.mark.parametrize(
    "options, told",
    [
        (("--language", "fr"), "there is no language 'fr'; the course is written in en"),
        (("--repository", "somewhere"), "'somewhere' is no repository's address"),
    ],
)
def test_a_wrong_option_is_told_in_a_line(tmp_path, options, told):
    line = [sys.executable, "-c", "from autograder.cli import main; main()", "site", "u0", "--folder", str(tmp_path)]
    done = subprocess.run([*line, *options], capture_output=True, text=True, check=False)
    assert done.returncode == 2 and told in done.stderr and "Traceback" not in done.stderr
