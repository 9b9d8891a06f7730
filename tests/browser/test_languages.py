"""Unit 2 worked through in JupyterLab in Chinese and in Russian: prose, checks, a named mistake, a hint, a figure."""

import shutil

import nbformat
import pytest
from playwright.sync_api import expect

from autograder.authoring import sample
from autograder.authoring.building import notebook_path

from .lab import Lab, server, shot

UNIT = "u2_softmax_scaling"
WRONG = "def scale_scores(scores, d_k):\n    return scores / d_k"
# What stands in the notebook, and what its learner is told.
SAID = {
    "zh": {
        "prose": "从得分到注意力",
        "mistake": "除以了 d_k，而不是 √d_k",
        "right": "所有性质都成立",
        "hint": "条提示",
        "figure": "权重",
        "open": "8 个练习中 5 个通过",
        "done": "8 个练习中 8 个通过",
    },
    "ru": {
        "prose": "От оценок к вниманию",
        "mistake": "оценки разделены на d_k, а не на √d_k",
        "right": "все свойства выполнены",
        "hint": "подсказка",
        "figure": "вес",
        "open": "5 из 8",
        "done": "8 из 8",
    },
}


def answered(language):
    """The unit in a language with every exercise answered, one of them wrong."""
    notebook = nbformat.read(notebook_path(UNIT, language), as_version=4)
    answers = {cell.id: cell.source for cell in sample.answered(UNIT).cells}
    for cell in notebook.cells:
        marks = cell.metadata.get("nbgrader", {})
        if cell.cell_type == "code" and marks.get("solution"):
            cell.source = WRONG if cell.id == "scale_scores" else answers[cell.id]
    return notebook


@pytest.fixture(params=SAID)
def lab(request, browser, tmp_path):
    language = request.param
    mine = tmp_path / "mine"
    (mine / UNIT).mkdir(parents=True)
    images = notebook_path(UNIT, language).parent / "images"
    if images.is_dir():
        shutil.copytree(images, mine / UNIT / "images")
    nbformat.write(answered(language), mine / UNIT / f"{UNIT}.ipynb")
    (tmp_path / "home" / "config").mkdir(parents=True)
    with server(mine, tmp_path / "home", "--LabApp.news_url=None") as address:
        lab = Lab(browser, address)
        lab.language, lab.said = language, SAID[language]
        yield lab
        lab.close()
    assert lab.outside == [], "the course works without a network"
    assert lab.errors == []


def test_unit_2_is_worked_through(lab):
    said = lab.said
    lab.open_notebook(f"{UNIT}/{UNIT}.ipynb")
    expect(lab.page.locator(".jp-RenderedMarkdown h1").first).to_contain_text(said["prose"])
    lab.menu("Run", "runmenu:run-all")
    last = lab.cell('progress("u2")')
    expect(lab.card(last)).to_contain_text(said["open"])
    lab.wait_idle()
    expect(lab.page.locator('[data-mime-type="application/vnd.jupyter.stderr"]')).to_have_count(0)
    expect(lab.page.locator('[data-mime-type="application/vnd.jupyter.error"]')).to_have_count(0)
    expect(lab.card(lab.cell("check(softmax)"))).to_contain_text(said["right"])
    wrong = lab.cell("check(scale_scores)")
    expect(lab.card(wrong)).to_contain_text(said["mistake"])
    shot(wrong, f"check_{lab.language}")
    figure = lab.page.locator(".jp-OutputArea-output img").first
    assert said["figure"] in figure.get_attribute("alt").lower()
    figure.scroll_into_view_if_needed()
    shot(lab.page, f"learner_{lab.language}")

    lab.write(last, 'progress("u2")', 'hint("scale_scores")')
    asks = lab.cell('hint("scale_scores")')
    lab.run(asks)
    expect(lab.card(asks)).to_contain_text(said["hint"])
    lab.write(asks, 'hint("scale_scores")', 'progress("u2")')
    answer = lab.cell("return scores / d_k")
    lab.write(answer, "return scores / d_k", "return scores / np.sqrt(d_k)")
    lab.run(lab.cell("return scores / np.sqrt(d_k)").first)
    lab.run(wrong)
    expect(lab.card(wrong)).to_contain_text(said["right"])
    expect(lab.card(wrong)).not_to_contain_text(said["mistake"])
    # Two later exercises call this one.
    lab.menu("Run", "runmenu:run-all")
    expect(lab.card(lab.cell('progress("u2")'))).to_contain_text(said["done"])
    expect(lab.card(lab.cell('progress("u2")'))).not_to_contain_text("question")
