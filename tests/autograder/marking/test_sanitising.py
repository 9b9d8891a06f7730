"""Outputs and text of a learner in what formgrader and feedback show: nothing runs, and what is honest stays."""

import base64
import sys

import nbformat
import pytest
from nbconvert.exporters import HTMLExporter
from nbformat import NotebookNode, from_dict
from nbgrader.server_extensions.formgrader import handlers
from traitlets.config import Config

from autograder.marking import markup, plugin, sanitising, shortening
from autograder.marking.markdown import MOST_MARKDOWN, render, too_costly
from autograder.marking.markup import clean_html, defused
from autograder.marking.outcomes import Outcome

from .hostile import ASKED, GIF, LINKS, MARKUP, PNG, SIZES, dangers, scripts


def sanitised(*cells: NotebookNode, metadata: dict | None = None) -> NotebookNode:
    notebook = nbformat.v4.new_notebook()
    notebook.cells, notebook.metadata = list(cells), from_dict(metadata or {})
    resources = {"nbgrader": {"outcome": Outcome("ada", "u")}}
    return sanitising.SanitizeLearner()(notebook, resources)[0]


def shown(data: dict, metadata: dict | None = None) -> NotebookNode:
    output = NotebookNode(output_type="display_data", data=from_dict(data), metadata=from_dict(metadata or {}))
    return sanitising.rebuilt(output)


def page(exporter: HTMLExporter, *cells: NotebookNode) -> str:
    return exporter.from_notebook_node(nbformat.v4.new_notebook(cells=list(cells)), resources=dict(ASKED))[0]


@pytest.mark.parametrize("hostile", MARKUP)
def test_no_markup_runs_in_an_output(hostile):
    for text in (hostile, f"<div><p>a{hostile}b</p></div>", hostile.upper(), f"<table><tr><td>{hostile}"):
        assert not dangers(clean_html(text))
        for kind in ("text/html", "text/markdown", "text/latex"):
            assert not dangers(shown({kind: text, "text/plain": "x"}).data.get("text/html", ""))


@pytest.mark.parametrize("hostile", [*LINKS, *MARKUP])
def test_no_written_answer_runs_or_leads_to_what_runs(exporter, hostile):
    assert not dangers(render(hostile))
    made = page(exporter, nbformat.v4.new_markdown_cell(hostile), nbformat.v4.new_raw_cell(hostile))
    begin = made.index('id="notebook-container"')
    assert not dangers(made[begin : made.index('<div class="help">')])


@pytest.mark.parametrize("hostile", MARKUP)
def test_a_page_made_without_our_filters_runs_no_markup_either(hostile):
    notebook = sanitised(nbformat.v4.new_markdown_cell(hostile), nbformat.v4.new_raw_cell(hostile))
    plain, _ = HTMLExporter(template_name="basic").from_notebook_node(notebook)
    found = dangers(plain)
    # A link's scheme is a matter of the page; tags and handlers are not even in the notebook.
    assert not [one for one in found if not one.startswith(("href=", "src="))], found


@pytest.mark.parametrize("size", SIZES, ids=repr)
@pytest.mark.parametrize("nested", [True, False])
def test_the_size_of_a_picture_is_a_number_or_not_there(exporter, size, nested):
    given = dict.fromkeys(("width", "height", "alt", "unconfined"), size)
    output = shown({"image/png": PNG}, {"image/png": given} if nested else given)
    assert all(type(value) is int and 0 < value <= 10_000 for own in output.metadata.values() for value in own.values())
    cell = nbformat.v4.new_code_cell("x", outputs=[output])
    assert "ran()" not in page(exporter, cell)


def test_a_good_size_stays():
    output = shown({"image/png": PNG}, {"image/png": {"width": 300, "height": 200.0}})
    assert output.metadata == {"image/png": {"width": 300, "height": 200}} and output.data["image/png"] == PNG


@pytest.mark.parametrize("data", ["AAAA", 'x" onerror="ran()', PNG[:20], "<svg>", "", "é", PNG + "!"])
def test_what_is_no_picture_is_not_shown_as_one(data):
    for kind in ("image/png", "image/jpeg", "image/gif"):
        assert shown({kind: data}).data == {"text/plain": sanitising.LEFT_OUT}


def test_pictures_and_drawings_stay():
    drawing = '<svg xmlns="http://www.w3.org/2000/svg" onload="ran()"><script>ran()</script><circle r="9"/></svg>'
    inside = shown({"image/svg+xml": drawing}).data["text/html"]
    assert not dangers(inside) and base64.b64encode(drawing.encode()).decode() in inside
    assert GIF in shown({"image/gif": GIF}).data["text/html"]
    jpeg = b"\xff\xd8\xff\xe0\x00\x10JFIF" + b"\0" * 10 + b"\xff\xc0\x00\x11\x08\x00\x02\x00\x03\x03" + b"\0" * 9
    data = base64.b64encode(jpeg).decode()
    assert shown({"image/jpeg": data[:10] + "\n" + data[10:]}).data["image/jpeg"] == data


@pytest.mark.parametrize("kind", ["application/javascript", "application/json", "application/pdf", "text/vnd.mermaid",
                                  "application/vnd.jupyter.widget-view+json", "text/html\" onload"])  # fmt: skip
def test_other_kinds_of_output_are_left_out(kind):
    assert shown({kind: "ran()", "text/plain": "x"}).data == {"text/plain": "x"}


def test_what_people_write_in_html_stays():
    honest = (
        '<div class="alert alert-info" style="color: red; padding: 2px"><b>Note</b> <tt>x</tt></div>'
        "<details><summary>more</summary><p>text &lt;b&gt; &amp; <code>a &lt; b</code></p></details>"
        '<table border="1" class="dataframe"><thead><tr><th></th><th>a</th></tr></thead>'
        '<tbody><tr><th>0</th><td colspan="2">1.5</td></tr></tbody></table>'
        '<a href="https://example.org/?a=1&amp;b=2">x</a> <a href="mailto:a@example.org">y</a>'
        f'<img src="data:image/png;base64,{PNG}" width="20" alt="a dot"><ul><li>a<li>b</ul><hr>a<br>b<sup>2</sup>'
    )
    cleaned = clean_html(honest)
    for part in ("alert alert-info", "color:red", "<tt>x</tt>", "<summary>more</summary>", "text &lt;b&gt; &amp;",
                 'class="dataframe"', "<td colspan=\"2\">1.5</td>", "https://example.org/?a=1&amp;b=2", "mailto:",
                 PNG, "<li>a</li><li>b</li>", "<hr>", "<sup>2</sup>"):  # fmt: skip
        assert part in cleaned, part


def test_a_written_answer_keeps_its_formulas_code_and_headings(exporter):
    text = "## Why\n\n$a < b$ and `x < y`\n\n```python\nif a < b: pass\n```\n\n> quoted\n\n[see](#Why) [out](https://a.org)"
    cell = sanitised(nbformat.v4.new_markdown_cell(text)).cells[0]
    assert cell.source == text
    made = page(exporter, cell)
    for part in ("<mi>a</mi><mo>&lt;</mo>", "<code>x &lt; y</code>", '<span class="k">if</span>', "<blockquote>",
                 'id="text-Why"', 'href="#text-Why"', 'href="https://a.org"'):  # fmt: skip
        assert part in made, part


def test_ids_of_a_learner_are_none_of_the_page(exporter):
    made = page(exporter, nbformat.v4.new_markdown_cell('# statusmessage\n<p id="toc">x</p><a name="top">y</a>'))
    assert 'id="text-statusmessage"' in made and made.count('id="statusmessage"') == 1
    assert 'id="text-toc"' in made and 'name="text-top"' in made


def test_metadata_of_cells_and_notebook_holds_only_what_is_known():
    cell = nbformat.v4.new_code_cell("x")
    cell.metadata.update(
        tags=['"><script>', "fine", 3], widgets={}, alt="<b>", trusted=True, deletable=False,
        nbgrader={"grade_id": '"><img src=x onerror=ran()>', "points": "<b>", "locked": True, "comment": "<script>"},
    )  # fmt: skip
    cell["execution_count"] = "<script>"
    text = nbformat.v4.new_markdown_cell("y")
    text["attachments"] = {"x": {"image/png": '"><script>'}}
    title = {"title": "</title><script>", "widgets": {"application/vnd.jupyter.widget-state+json": {}}}
    notebook = sanitised(cell, text, metadata=title | {"kernelspec": {"name": "python3", "display_name": "<b>"}})
    assert notebook.metadata == {"kernelspec": {"name": "python3", "display_name": "python3"}}
    first, second = notebook.cells
    assert first.metadata == {"tags": ["fine"], "deletable": False, "nbgrader": {"locked": True}}
    assert first.execution_count is None and "attachments" not in second
    nbformat.validate(notebook)


def test_only_what_is_markup_is_taken_out_of_markdown():
    honest = "a < b, <b>bold</b> <img src='a.png' width=20 /> <details open><summary>x</summary></details> 1<2 <-"
    assert defused(honest) == honest
    assert defused("x <script>ran()</script>") == "x &lt;script>ran()&lt;/script>"


@pytest.mark.parametrize(
    "text", ["\x1b[38mx", "\x1b[48;5mx", "\x1b[38;2;999;1;1mx", "\x1b[mx" * 5000, "\x1b[1mx" + "\x1b" * 9999]
)
def test_colours_that_are_malformed_or_too_many_spoil_no_page(exporter, text):
    output = sanitising.rebuilt(NotebookNode(output_type="stream", name="stdout", text=text + "<b>"))
    made = page(exporter, nbformat.v4.new_code_cell("x", outputs=[output]))
    assert "x&lt;b&gt;" in made or "&lt;b&gt;" in made


PATTERNS = (
    "<div>",
    "<b id=%d>",
    "<p>",
    "<",
    '<a "',
    "<a b='",
    "<!--",
    "</b><i>",
    "<li>",
    "<table><tr><td>",
    "<svg>",
    "&",
    ">",
)


@pytest.mark.parametrize("pattern", PATTERNS)
def test_cleaning_does_twice_the_work_for_twice_the_text(pattern):
    """Counted in calls; and what reaches the parser is neither deep nor longer than what it was made of."""

    def work(text: str) -> int:
        calls = 0

        def count(*_: object) -> None:
            nonlocal calls
            calls += 1

        sys.setprofile(count)
        try:
            clean_html(text)
        finally:
            sys.setprofile(None)
        return calls

    once, twice = ("".join(pattern % i if "%" in pattern else pattern for i in range(n)) for n in (10_000, 20_000))
    assert work(twice) <= 2.2 * work(once) + 1000
    balanced = markup._balanced(twice)
    depth = deepest = 0
    for piece in balanced.split("<")[1:]:
        name = piece.lstrip("/").split(">")[0].split(" ")[0]
        if name not in markup._VOID:
            depth += -1 if piece.startswith("/") else 1
            deepest = max(deepest, depth)
    assert depth == 0 and deepest <= 60 and len(balanced) <= 6 * len(twice)


def test_formatting_that_is_opened_again_in_every_paragraph_makes_no_longer_text():
    text = "<p>" + "".join(f"<b title={i}>" for i in range(5000)) + "</p>" + "<p>x</p>" * 5000
    assert len(clean_html(text)) < len(text)


def test_markdown_that_a_renderer_takes_minutes_for_is_shown_as_typed():
    for text in ("\\\\[" * 5000, "\\begin{a}" * 3000, "$a" * 9000, "x" * (MOST_MARKDOWN + 1)):
        assert too_costly(text) and render(text).startswith("<pre") and not dangers(render(text))
    assert not too_costly("$x$ " * 100)


def test_a_page_is_cut_to_what_can_be_read(exporter):
    long = nbformat.v4.new_code_cell("x = 1\n" * 50_000)
    long.outputs = [NotebookNode(output_type="stream", name="stdout", text="o" * 2_000_000) for _ in range(8)]
    notebook = nbformat.v4.new_notebook(cells=[long, *[nbformat.v4.new_markdown_cell("m" * 15_000) for _ in range(60)]])
    shortening.shorten(notebook)
    size = sum(len(cell.source) + sum(len(o.text) for o in cell.get("outputs", ())) for cell in notebook.cells)
    assert size < shortening.MOST_SOURCES + shortening.MOST_OUTPUT_TEXT + 100 * len(notebook.cells)
    assert "more characters" in notebook.cells[0].source


def test_only_the_templates_scripts_have_the_nonce_and_it_is_another_one_for_another_page(exporter):
    output = nbformat.v4.new_output("display_data", {"text/html": "<script>ran()</script>"})
    # Unsanitised, as if cleaning had a hole.
    first = page(exporter, nbformat.v4.new_code_cell("x", outputs=[output], id="a"))
    again = page(exporter, nbformat.v4.new_code_cell("x", outputs=[output], id="a"))
    other = page(exporter, nbformat.v4.new_code_cell("y", outputs=[output], id="a"))
    assert first == again
    own, strange = (
        [one for one in scripts(first) if "nonce" in one],
        [one for one in scripts(first) if "nonce" not in one],
    )
    assert len(own) > 10 and strange == [{}] and len({one["nonce"] for one in own}) == 1
    nonce = own[0]["nonce"]
    policy = first[first.index("<meta") : first.index("/>")]
    assert f"'nonce-{nonce}'" in policy and "default-src 'none'" in policy
    assert "'unsafe-inline'" not in policy.split("script-src")[1].split(";")[0] and "unsafe-eval" not in policy
    assert first.index("<head>") < first.index("Content-Security-Policy") < first.index("<script")
    assert nonce not in other


def test_files_beside_a_notebook_are_served_by_formgrader_without_scripts():
    plugin.configure(Config())
    policy = handlers.SubmissionFilesHandler.content_security_policy.fget(None)
    assert "sandbox" in policy and "allow-scripts" not in policy and "default-src 'none'" in policy
