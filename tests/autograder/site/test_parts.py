"""The parts of the site one by one: pictures, links, what is shared, addresses, and what a check of it finds."""

import base64
import io

import pytest
from PIL import Image, ImageChops

from autograder import course
from autograder.course import CourseError
from autograder.site import checking, extension, guides, mistakes, pictures, sharing
from autograder.site.place import Repository, Site
from helpers.judging import catalog


def png(colour="red", size=(8, 4)):
    out = io.BytesIO()
    Image.new("RGB", size, colour).save(out, "PNG")
    return out.getvalue()


def shown(alt, data):
    return f'<p><img alt="{alt}" width="8" style="x" src="data:image/png;base64,{base64.b64encode(data).decode()}"></p>'


def test_a_picture_becomes_a_file_and_equal_ones_are_one(tmp_path):
    first, second = (pictures.taken_out(shown(alt, png()), tmp_path, "../../", "here") for alt in ("a &lt; b", "c"))
    (file,) = tmp_path.iterdir()
    assert f'alt="a &lt; b" width="8" height="4" loading="lazy" src="../../pictures/{file.name}"' in first
    assert file.name in second
    assert Image.open(file).convert("RGB").tobytes() == Image.new("RGB", (8, 4), "red").tobytes()
    assert pictures.SHOWN.search(first)["name"] == file.name


def test_no_colour_of_a_picture_moves_far(tmp_path):
    many = Image.linear_gradient("L").resize((64, 256))
    out = io.BytesIO()
    Image.merge("RGB", (many, many.rotate(180), many)).save(out, "PNG")
    kept = Image.open(tmp_path / pictures.write(out.getvalue(), tmp_path)).convert("RGB")
    before = Image.open(io.BytesIO(out.getvalue())).convert("RGB")
    assert max(high for _, high in ImageChops.difference(before, kept).getextrema()) <= 12


@pytest.mark.parametrize(
    "text, told",
    [
        (shown("", png()), "a picture without a text"),
        (shown("  ", png()), "a picture without a text"),
        ('<img src="data:image/gif;base64,AAAA">', "not written as `plots.show` writes one"),
    ],
)
def test_a_picture_that_cannot_be_shown_names_its_cell(tmp_path, text, told):
    with pytest.raises(CourseError, match=f"u1, cell 3: .*{told}"):
        pictures.taken_out(text, tmp_path, "", "u1, cell 3")


def test_an_address_gives_binder_and_colab():
    at = Repository.at("https://github.com/someone/attention.git/")
    assert at.address == "https://github.com/someone/attention"
    assert at.file("README.md") == "https://github.com/someone/attention/blob/main/README.md"
    assert at.binder("notebooks/u1/u1.ipynb") == (
        "https://mybinder.org/v2/gh/someone/attention/main?urlpath=lab/tree/notebooks/u1/u1.ipynb"
    )
    assert at.colab("colab/en/u1.ipynb") == (
        "https://colab.research.google.com/github/someone/attention/blob/gh-pages/colab/en/u1.ipynb"
    )
    elsewhere = Repository.at("https://git.school.org/someone/attention")
    assert "/git/https%3A%2F%2Fgit.school.org%2Fsomeone%2Fattention/main" in elsewhere.binder("x")


@pytest.mark.parametrize("address", ["someone/attention", "http://github.com/someone/attention", "https://github.com"])
def test_what_is_no_address_is_told(address):
    with pytest.raises(CourseError, match="is no repository's address; write it as https://"):
        Repository.at(address)


@pytest.mark.parametrize("name", guides.GUIDES)
def test_every_link_of_a_guide_leads_to_a_page_or_says_where_the_file_is(name, tmp_path):
    text = guides.page(name, "en", Site(tmp_path))
    assert "../README.md" not in text and ".png)" not in text
    linked = guides.page(name, "en", Site(tmp_path, Repository.at("https://github.com/a/b")))
    assert linked.count("](") >= text.count("](")


def test_a_link_of_a_guide_that_leads_nowhere_is_told(tmp_path, monkeypatch):
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "learners.md").write_text("# L\n\n`[a](b.md)` [here](gone.md#x)\n", encoding="utf-8")
    monkeypatch.setattr(course, "ROOT", tmp_path)
    with pytest.raises(CourseError, match=r"docs/learners.md: the link \[here\]\(gone.md#x\) leads nowhere"):
        guides.page("learners", "en", Site(tmp_path))


def test_a_unit_s_page_of_mistakes_has_each_mistake_of_its_exercises():
    text = mistakes.page("u1_dot_products")
    for exercise in catalog.unit_exercises("u1_dot_products").values():
        assert f"## `{exercise.name}`" in text
    known = sum(len(one.mistakes) for one in catalog.unit_exercises("u1_dot_products").values())
    assert text.count("<details") == known > 20


def written(folder, **files):
    for name, text in files.items():
        path = folder / name.replace("__", "/").replace("_html", ".html").replace("_js", ".js")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def test_what_all_languages_have_lies_there_once(tmp_path):
    page = '<script src="../_static/same.js?v=1"></script><script src="../_static/own.js"></script>'
    for language, own in (("en", "1"), ("ru", "2")):
        for name, text in (("same.js", "x"), ("own.js", own), ("deep/same.js.map", "m")):
            path = tmp_path / language / "_static" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        (tmp_path / language / "units").mkdir()
        (tmp_path / language / "units" / "u1.html").write_text(page, encoding="utf-8")
    sharing.share(tmp_path, ["en", "ru"])
    files = sorted(path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file())
    assert files == [
        "_static/same.js", "en/_static/own.js", "en/units/u1.html", "ru/_static/own.js", "ru/units/u1.html",
    ]  # fmt: skip
    assert (tmp_path / "ru" / "units" / "u1.html").read_text(encoding="utf-8") == (
        '<script src="../../_static/same.js?v=1"></script><script src="../_static/own.js"></script>'
    )


@pytest.mark.parametrize(
    "body, told",
    [
        ('<a href="gone.html">x</a>', "leads nowhere: gone.html"),
        ('<a href="b.html#gone">x</a>', "leads nowhere: b.html#gone"),
        ('<a href="#gone">x</a>', "leads nowhere: #gone"),
        ('<img alt="x" src="gone.webp">', "leads nowhere: gone.webp"),
        ('<img src="b.html">', "a picture without alt: b.html"),
        ('<script src="https://example.org/x.js"></script>', "asks another host: https://example.org/x.js"),
        ('<link rel="stylesheet" href="//example.org/x.css">', "asks another host: //example.org/x.css"),
        ("x" * 1_000_001, "a.html has 1,000,0"),
    ],
)
def test_a_fault_of_a_page_is_found(tmp_path, body, told):
    written(tmp_path, a_html=f"<p>{body}</p>", b_html='<h1 id="here">b</h1>')
    with pytest.raises(CourseError) as found:
        checking.check(tmp_path)
    assert told in str(found.value)


def test_a_site_without_faults_is_weighed(tmp_path):
    good = '<a href="b.html#here">b</a><a href="https://example.org">o</a><a href="#">t</a><img alt="" src="b.html">'
    written(tmp_path, a_html=good, b_html='<h1 id="here">b</h1>')
    weight = checking.check(tmp_path)
    assert weight.pages == 2 and weight.heaviest == len(good) and weight.total > len(good)


def test_a_site_that_is_too_heavy_is_told(tmp_path, monkeypatch):
    monkeypatch.setattr(checking, "MOST", 10)
    written(tmp_path, a_html="<p>more than ten bytes</p>")
    with pytest.raises(CourseError, match="the whole site has 26 bytes"):
        checking.check(tmp_path)


@pytest.mark.parametrize(
    "text, wanted",
    [
        ("`a` and *b*, |c| and d_", r"``a``\ " + r" and \*b\*, \|c\| and d\_"),
        ("Several\n`Case`s of `a\nb`.", "Several\n``Case``\\ s of ``a\nb``\\ ."),
        (
            "A layout:\n\n    <a>/*.py   `x`\n\n    more\n\nand *so* on.",
            "A layout::\n\n    <a>/*.py   `x`\n\n    more\n\nand \\*so\\* on.",
        ),
        ("Args:\n    x: a *star*.", "Args:\n    x: a \\*star\\*."),
    ],
)
def test_a_docstring_is_plain_text(text, wanted):
    assert extension.plain(text) == wanted
