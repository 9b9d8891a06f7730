"""Hostile work in formgrader's page and in feedback, in a real browser: nothing of it runs, and grading goes on."""

import json

import nbformat
import pytest
from nbconvert.exporters import HTMLExporter
from playwright.sync_api import expect

from autograder.authoring import releasing, sample
from autograder.grading import coordinator

from .lab import TOKEN, Lab, fill_in, server

UNIT = sample.UNIT
# What runs acts as the grader: full points for the written question, and a file beside the class.
RUN = (
    "window.RAN=1;document.title='RAN';"
    "fetch('/api/contents/OWNED.txt',{method:'PUT',"
    "headers:{'X-XSRFToken':(document.cookie.match(/_xsrf=([^;]*)/)||[])[1]},"
    "body:JSON.stringify({type:'file',format:'text',content:'x'})});"
    "(window.models?models.grades.each(function(g){g.save({manual_score:20})}):0)"
)
DRAWING = f"<svg xmlns='http://www.w3.org/2000/svg' onload={json.dumps(RUN)}/>"
SHOW = f"""
from IPython.display import publish_display_data
publish_display_data({{'image/png': 'AAAA'}}, {{'image/png': {{'width': '1 onerror=window.RAN=1 '}}}})
publish_display_data({{'text/html': {json.dumps(f"<img src=x onerror={json.dumps(RUN)}><script>{RUN}</script>")}}})
publish_display_data({{'text/markdown': {json.dumps(f"[x](javascript:{RUN})")}}})
publish_display_data({{'application/javascript': {json.dumps(RUN)}}})
publish_display_data({{'image/svg+xml': {json.dumps(DRAWING)}}})
"""
RAISE = f"def similarity_matrix(X):\n    return {{}}[{json.dumps(f'<img src=x onerror={json.dumps(RUN)}>')}]"
ADDRESS = "javascript:" + RUN.replace(" ", "%20").replace("(", "%28").replace(")", "%29")
WRITTEN = f"Because.\n\n[press me]({ADDRESS}) [beside](evil.html) <img src=x onerror='window.RAN=1'>"
BESIDE = f"<!doctype html><title>beside</title><script>{RUN}</script>"


def submission(answers=None):
    return sample.answered(UNIT, answers if answers is not None else {})


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    room = releasing.init(tmp_path_factory.mktemp("pages") / "class", [UNIT])
    sizes, raises, writes, direct = submission(), submission({"similarity_matrix": RAISE}), submission(), submission()
    sizes.cells.append(nbformat.v4.new_code_cell(SHOW, id="show"))
    next(cell for cell in writes.cells if cell.id == "why_two_projections").source = WRITTEN
    for name, notebook in {"sizes": sizes, "raises": raises, "writes": writes, "direct": direct}.items():
        folder = room.root / "submitted" / name / UNIT
        folder.mkdir(parents=True)
        nbformat.write(notebook, folder / f"{UNIT}.ipynb")
        (folder / "evil.html").write_text(BESIDE, encoding="utf-8")
    coordinator.grade(room, [UNIT], jobs=1)
    # As if cleaning had a hole: the second wall alone has to hold.
    path = room.root / "autograded" / "direct" / UNIT / f"{UNIT}.ipynb"
    path.chmod(0o644)
    notebook = nbformat.read(path, 4)
    hole = (
        f"<script>{RUN}</script><img src=x onerror={json.dumps(RUN)}><a href={json.dumps('javascript:' + RUN)}>go</a>"
    )
    tested = next(cell for cell in notebook.cells if cell.metadata.get("nbgrader", {}).get("grade") and cell.outputs)
    tested.outputs.append(nbformat.v4.new_output("display_data", {"text/html": hole}))
    nbformat.write(notebook, path)
    (room.root / "feedback" / "direct" / UNIT / f"{UNIT}.html").unlink()
    coordinator.grade(room, [UNIT], jobs=1)
    return room


@pytest.fixture(scope="module")
def lab(browser, root):
    with server(root.root, root.root.parent / "home") as address:
        lab = Lab(browser, address)
        lab.open()
        yield lab
        lab.close()


def number(room, student):
    with room.gradebook() as gradebook:
        return gradebook.find_submission(UNIT, student).notebooks[0].id


def score(room, student):
    with room.gradebook() as gradebook:
        return gradebook.find_submission(UNIT, student).score


def quiet(page, root):
    """Nothing has run: not in the page, and nothing that it would have done is done."""
    page.wait_for_timeout(300)
    assert page.evaluate("window.RAN") is None and page.title() != "RAN"
    assert not (root.root / "OWNED.txt").exists()


def test_the_payloads_run_where_nothing_stops_them(browser):
    page = browser.new_page()
    output = nbformat.v4.new_output("display_data", {"image/png": "AAAA"})
    output.metadata["image/png"] = {"width": "1 onerror=window.RAN=1 "}
    cell = nbformat.v4.new_code_cell("x", outputs=[output])
    plain, _ = HTMLExporter(template_name="basic").from_notebook_node(nbformat.v4.new_notebook(cells=[cell]))
    page.set_content(plain)
    page.wait_for_function("window.RAN === 1")
    page.set_content(f"<script>{RUN.split(';')[0]}</script>")
    assert page.evaluate("window.RAN") == 1
    page.close()


@pytest.mark.parametrize("student", ["sizes", "raises", "writes", "direct"])
def test_nothing_runs_in_formgraders_page(lab, root, student):
    before = score(root, student)
    refused = []
    lab.page.on("console", lambda message: refused.append(message.text))
    lab.page.goto(f"{lab.address}/formgrader/submissions/{number(root, student)}/?token={TOKEN}")
    expect(lab.page.locator("#why_two_projections")).to_be_visible()
    quiet(lab.page, root)
    for link in lab.page.locator('#notebook a:text-matches("press me|go")').all():
        # Not at a place of the screen: a page that is still being laid out moves its links away.
        link.evaluate("link => link.click()")
        quiet(lab.page, root)
    assert score(root, student) == before
    assert (student != "direct") or any("Content Security Policy" in text for text in refused)


@pytest.mark.parametrize("student", ["sizes", "raises", "writes", "direct"])
def test_nothing_runs_in_a_feedback_page(browser, root, student):
    page, refused = browser.new_page(), []
    page.on("console", lambda message: refused.append(message.text))
    page.route("http*://**", lambda route: route.abort())
    page.goto((root.root / "feedback" / student / UNIT / f"{UNIT}.html").as_uri())
    expect(page.locator("#notebook .graded").first).to_be_visible()
    quiet(page, root)
    for link in page.locator('#notebook a:text-matches("press me|go")').all():
        # Not at a place of the screen: a page that is still being laid out moves its links away.
        link.evaluate("link => link.click()")
        quiet(page, root)
    if student == "raises":
        expect(page.locator(".comment").first).to_contain_text("<img src=x onerror=")
    assert (student != "direct") or any("Content Security Policy" in text for text in refused)
    page.close()


def set_formulas(page):
    """How many formulas a page shows; none of them is empty."""
    sizes = page.evaluate("[...document.querySelectorAll('math')].map(one => one.getBoundingClientRect().width)")
    assert sizes and min(sizes) > 3
    return len(sizes)


def test_formgrader_needs_nothing_from_another_host(lab, root):
    lab.outside.clear()
    lab.errors.clear()
    said = []
    lab.page.on("console", lambda message: said.append(message.text))
    lab.page.bring_to_front()
    lab.page.goto(f"{lab.address}/formgrader/submissions/{number(root, 'writes')}/?token={TOKEN}&index=1")
    # What comes after formulas in the page's script: it goes to the field in the address, and sets up its keys.
    field = lab.page.locator(".tabbable").nth(1)
    expect(field).to_be_focused()
    assert set_formulas(lab.page) > 20
    lab.page.keyboard.press("Escape")
    expect(field).not_to_be_focused()
    lab.page.keyboard.press("Enter")
    expect(field).to_be_focused()
    assert lab.outside == [] and lab.errors == [] and said == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_feedback_page_needs_nothing_from_anywhere(browser, root, scheme):
    page, asked, said = browser.new_page(color_scheme=scheme), [], []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("request", lambda request: asked.append(request.url))
    address = (root.root / "feedback" / "raises" / UNIT / f"{UNIT}.html").as_uri()
    page.goto(address)
    assert set_formulas(page) > 20 and asked == [address] and said == []
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    page.close()


def test_a_page_beside_the_notebook_runs_nothing_under_formgraders_address(lab, root):
    lab.page.goto(f"{lab.address}/formgrader/submissions/{number(root, 'writes')}/evil.html?token={TOKEN}")
    assert lab.page.title() == "beside"
    quiet(lab.page, root)


def test_the_grader_still_grades(lab, root):
    lab.page.goto(f"{lab.address}/formgrader/submissions/{number(root, 'writes')}/?token={TOKEN}")
    fill_in(lab.page, lab.page, "#why_two_projections", "1")
    assert score(root, "writes") == 1
    # The eye beside the number is a handler in nbgrader's template, and stays allowed.
    lab.page.locator("span.glyphicon-eye-open").click()
    expect(lab.page.locator("a.name-shown")).to_be_visible()
    assert lab.errors == []
