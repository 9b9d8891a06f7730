"""What a learner sees and presses in JupyterLab, from opening unit 0 to handing in."""

import shutil
import subprocess
import sys

import pytest
from playwright.sync_api import expect

from autograder import course
from autograder.authoring import releasing
from helpers.judging import catalog

from .lab import Lab, server, shot

U0, U1 = "u0_start_here", "u1_dot_products"
MISTAKE = catalog.find("similarity_matrix").mistakes[0]


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    return tmp_path_factory.mktemp("learner")


def hand_out(folder):
    for unit in (U0, U1):
        shutil.rmtree(folder / unit, ignore_errors=True)
        shutil.copytree(course.NOTEBOOKS / unit, folder / unit, ignore=shutil.ignore_patterns(".*"))


@pytest.fixture(scope="module")
def address(root):
    """The course as a learner has it, opened for the first time, and an exchange to which a class released unit 0."""
    downloaded = root / "course"
    hand_out(downloaded / "notebooks")
    shutil.copyfile(course.ROOT / "jupyter_lab_config.py", downloaded / "jupyter_lab_config.py")
    exchange = root / "exchange"
    exchange.mkdir(mode=0o777)
    exchange.chmod(0o777)
    setting = f'c = get_config()\nc.Exchange.root = "{exchange}"\n'
    (root / "home" / "config").mkdir(parents=True)
    (root / "home" / "config" / "nbgrader_config.py").write_text(setting, encoding="utf-8")
    school = root / "class"
    releasing.init(school, [U0])
    call = [
        sys.executable,
        "-m",
        "nbgrader",
        "release_assignment",
        U0,
        f"--Exchange.root={exchange}",
        f"--Exchange.cache={root / 'cache'}",
    ]
    subprocess.run(call, cwd=school, check=True, capture_output=True)
    with server(downloaded, root / "home", "--config=jupyter_lab_config.py") as address:
        yield address


@pytest.fixture
def lab(browser, address, root):
    hand_out(root / "my_attention")
    lab = Lab(browser, address)
    yield lab
    lab.close()
    assert lab.outside == [], "the course works without a network"
    assert lab.errors == []


def test_it_opens_on_unit_0_with_its_contents_beside_it(lab):
    lab.open("/")
    expect(lab.page).to_have_url(f"{lab.address}/lab/tree/{U0}/{U0}.ipynb")
    contents = lab.page.locator(".jp-TableOfContents")
    expect(contents.get_by_text("hello_attention · exercise")).to_be_visible()
    expect(lab.page.get_by_role("button", name="Validate")).to_be_visible()
    lab.wait_idle()
    shot(lab.page, "learner_opens")
    lab.page.get_by_role("tab", name="File Browser").click()
    lab.page.locator(".jp-BreadCrumbs-home").click()
    files = lab.page.locator(".jp-DirListing-itemName")
    expect(files).to_have_text([U0, U1])
    lab.page.get_by_role("menuitem", name="Nbgrader", exact=True).click()
    expect(lab.page.locator(".lm-Menu-item:visible")).to_have_text(["Assignment List"])


def test_unit_1_runs_unanswered_to_its_end(lab):
    lab.open_notebook(f"{U1}/{U1}.ipynb")
    lab.menu("Run", "runmenu:run-all")
    for exercise in catalog.unit_exercises(U1):
        expect(lab.card(lab.cell(f"check({exercise})"))).to_contain_text("not answered yet")
    lab.wait_idle()
    expect(lab.page.locator('[data-mime-type="application/vnd.jupyter.stderr"]')).to_have_count(0)
    expect(lab.card(lab.cell("progress("))).to_contain_text(f"0 of {len(catalog.unit_exercises(U1))} exercises")
    figure = lab.page.locator(".jp-OutputArea-output img").first
    assert figure.get_attribute("alt")


def test_a_mistake_is_named_and_a_right_answer_turns_the_card(lab):
    lab.open_notebook(f"{U1}/{U1}.ipynb")
    lab.run(lab.cell("import numpy as np"))
    answer, test = lab.cell("def similarity_matrix"), lab.cell("check(similarity_matrix)")
    lab.write(answer, "raise NotImplementedError", "return np.swapaxes(X, -1, -2) @ X")
    lab.run(answer)
    lab.run(test)
    expect(lab.card(test)).to_contain_text(MISTAKE.name)
    expect(lab.card(test)).to_contain_text("✗")
    shot(test, "check_wrong")

    lab.write(answer, "return np", "return X @ np.swapaxes(X, -1, -2)")
    lab.run(answer)
    lab.run(test)
    expect(lab.card(test)).to_have_count(1)
    expect(lab.card(test)).to_contain_text("✓")
    expect(lab.card(test)).not_to_contain_text(MISTAKE.name)
    shot(test, "check_right")


def test_the_card_can_be_read_in_the_dark_theme(lab):
    lab.open_notebook(f"{U1}/{U1}.ipynb")
    change_theme(lab, "JupyterLab Dark")
    lab.run(lab.cell("import numpy as np"))
    answer, test = lab.cell("def cosine_similarity"), lab.cell("check(cosine_similarity)")
    lab.write(answer, "raise NotImplementedError", "return X @ np.swapaxes(X, -1, -2)")
    lab.run(answer)
    lab.run(test)
    expect(lab.card(test)).to_contain_text("✗")
    assert min(lab.card(test).evaluate(CONTRASTS)) >= 3
    shot(test, "check_dark")
    change_theme(lab, "JupyterLab Light")


def change_theme(lab, name):
    lab.page.get_by_role("menuitem", name="Settings", exact=True).click()
    lab.page.locator(".lm-Menu-item", has_text="Theme").first.hover()
    lab.page.locator(".lm-Menu-itemLabel").get_by_text(name, exact=True).click()
    expect(lab.page.locator("body")).to_have_attribute("data-jp-theme-light", str(name.endswith("Light")).lower())


# WCAG's contrast of each piece of text with what is painted behind it, all layers mixed.
CONTRASTS = """card => {
  const paint = text => { const c = document.createElement('canvas').getContext('2d');
    c.fillStyle = text; c.fillRect(0, 0, 1, 1);
    const [r, g, b, a] = c.getImageData(0, 0, 1, 1).data; return [r, g, b, a / 255]; };
  const over = (top, below) => [0, 1, 2].map(i => top[i] * top[3] + below[i] * (1 - top[3])); const light = rgb => {
  const [r, g, b] = rgb.map(v => (v /= 255) <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
  const ground = e => { const layers = []; for (let n = e; n; n = n.parentElement)
      layers.unshift(paint(getComputedStyle(n).backgroundColor));
    return layers.reduce((below, top) => over(top, below), [255, 255, 255]); };
  const found = [];
  for (const e of [card, ...card.querySelectorAll('*')]) {
    if (![...e.childNodes].some(n => n.nodeType === 3 && n.data.trim()) || !e.checkVisibility()) continue;
    const below = ground(e), ink = light(over(paint(getComputedStyle(e).color), below)), back = light(below);
    found.push((Math.max(ink, back) + 0.05) / (Math.min(ink, back) + 0.05));
  }
  return found;
}"""


def test_validate_tells_wrong_unanswered_and_right_apart(lab):
    dialog = lab.page.locator(".jp-Dialog-content")
    lab.open_notebook(f"{U1}/{U1}.ipynb")
    answer = lab.cell("def similarity_matrix")
    lab.write(answer, "raise NotImplementedError", "return np.swapaxes(X, -1, -2) @ X")
    lab.page.get_by_role("button", name="Validate").click()
    expect(dialog).to_contain_text(MISTAKE.name)
    expect(dialog).to_contain_text("attention_scores: not answered yet")
    shot(lab.page, "validate_wrong")
    dialog.get_by_role("button", name="Ok").click()

    lab.open_notebook(f"{U0}/{U0}.ipynb")
    lab.write(lab.cell("def hello_attention"), "raise NotImplementedError", 'return "attend"')
    lab.page.get_by_role("button", name="Validate").click()
    expect(dialog).to_contain_text("Success! Your notebook passes all the tests.")
    shot(lab.page, "validate", "solutions/u0_start_here/images", clip={"x": 0, "y": 0, "width": 1280, "height": 560})


def test_a_unit_is_handed_in_through_the_assignment_list(lab):
    lab.open()
    lab.menu("Nbgrader", "nbgrader:open-assignment-list")
    row = lab.page.locator("#nbgrader-assignment-list .list_item", has_text=U0)
    row.get_by_role("button", name="Submit").click()
    expect(lab.page.locator("#submitted_assignments_list")).to_contain_text(U0)
    shot(lab.page, "submit", "solutions/u0_start_here/images", clip={"x": 0, "y": 0, "width": 1280, "height": 420})
