"""`catch` in JupyterLab, in Chromium: three exercises, each from the cell that its unit has for it."""

import pytest
from playwright.sync_api import expect

from autograder import course

from .lab import Lab, server, shot

# For each: the unit, the line to change, what is tried instead, and what the card then says.
SESSIONS = (
    (
        "attention_scores",
        "u1_dot_products",
        (("# K: (n_k, d_k)", "np.array([[0.0, 1.0], [1.0, 1.0], [3.0, 0.5]]),  # K: (n_k, d_k) = (3, 2)"),),
    ),
    ("softmax", "u2_softmax_scaling", (('catch("softmax"', 'catch("softmax", np.array([[1e4, 1.0], [-1e4, 0.0]]))'),)),
    (
        "merge_heads",
        "u4_multi_head",
        (('catch("merge_heads"', 'catch("merge_heads", np.arange(12.0).reshape(2, 3, 2))  # 2 heads'),),
    ),
)


@pytest.fixture
def lab(browser, tmp_path, monkeypatch):
    root = tmp_path
    monkeypatch.setenv("ATTENTION_FOLDER", str(root / "mine"))
    (root / "home" / "config").mkdir(parents=True)
    with server(root, root / "home", f"--config={course.ROOT / 'jupyter_lab_config.py'}") as address:
        lab = Lab(browser, address)
        yield lab
        lab.close()


def test_a_session_of_catch_on_three_exercises(lab):
    for name, unit, tried in SESSIONS:
        lab.open_notebook(f"{unit}/{unit}.ipynb")
        lab.run(lab.cell("import numpy as np").first)
        cell = lab.cell(f'"{name}",').first
        lab.run(cell)
        card = lab.card(cell)
        expect(card).to_contain_text(f"catch {name}:")
        expect(card).to_contain_text("free")
        before = int(card.inner_text().partition(f"catch {name}: ")[2].split()[0])
        for old, new in tried:
            lab.write(cell, old, new)
        lab.run(cell)
        expect(card).to_contain_text("right")
        after = int(lab.card(cell).inner_text().partition(f"catch {name}: ")[2].split()[0])
        assert after > before, f"the input tried on {name} catches more"
        shot(cell, f"catch_{name}")
    assert lab.errors == [] and lab.outside == []
