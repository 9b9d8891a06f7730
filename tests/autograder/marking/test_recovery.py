"""What other editors do to a notebook costs no points and accuses nobody: marks, line ends, new cells, pictures."""

import base64
import json
from types import SimpleNamespace

import nbformat
import pytest
from nbconvert.exporters import HTMLExporter
from traitlets.config import Config

from autograder.authoring import building, sample
from autograder.marking import intake, pages, pictures
from autograder.marking.repair import Roles, repair
from autograder.marking.sanitising import SanitizeLearner
from helpers.folder import recovery

UNITS = ("u1_dot_products", "u2_softmax_scaling", "u4_multi_head")
WRITTEN = "why_two_projections"
HEAD = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + (8).to_bytes(4, "big") * 2 + b"picture by hand"
PNG = base64.b64encode(HEAD).decode()


def kit(unit):
    """Released cells, roles and prose of a unit, as the gradebook and the source have them."""
    source = building.source_notebook(unit)
    cells, grades, answers = [], {}, set()
    for cell in sample.released(unit).cells:
        marks = cell.metadata.get("nbgrader")
        if marks:
            name = marks["grade_id"]
            cells.append(
                SimpleNamespace(
                    name=name, cell_type=cell.cell_type, source=cell.source, locked=marks["locked"], checksum=""
                )
            )
            grades |= {name: marks["points"]} if marks["grade"] else {}
            answers |= {name} if marks["solution"] else set()
    prose = frozenset(
        recovery.plain(cell.source)
        for cell in source.cells
        if "nbgrader" not in cell.metadata and cell.cell_type != "code"
    )
    return cells, Roles(grades, {}, frozenset(answers)), prose


def repaired(notebook, unit=UNITS[0], change=lambda tree: None):
    tree = json.loads(nbformat.writes(notebook))
    change(tree)
    clean = intake.clean(json.dumps(tree).encode())
    return clean, repair(clean, *kit(unit))


def named(notebook):
    return {name: cell.source for cell in notebook.cells if (name := cell.metadata.get("nbgrader", {}).get("grade_id"))}


def unmark(tree):
    for cell in tree["cells"]:
        cell["metadata"] = {}


def write(notebook, text, name=WRITTEN):
    next(cell for cell in notebook.cells if cell.id == name).source = text
    return notebook


@pytest.mark.parametrize("unit", UNITS)
def test_marks_gone_from_all_cells_are_found_again(unit):
    notebook = sample.answered(unit)
    written = [one.name for one in kit(unit)[0] if one.cell_type == "markdown"]
    for name in written:
        write(notebook, f"What I think of {name}.", name)
    whole, _ = repaired(notebook, unit)
    found, notes = repaired(notebook, unit, unmark)
    assert named(found) == named(whole)
    assert "were gone; found again by what the cells define and check" in notes[0]
    assert all(any(name in note and "a person looks at it" in note for note in notes) for name in written)
    assert not any("missing" in note for note in notes)


def test_an_untouched_notebook_without_marks_has_no_answer():
    found, notes = repaired(sample.released(), change=unmark)
    assert named(found) == named(sample.released()) and not any("person" in note for note in notes)


def test_an_answer_pasted_below_the_untouched_stub_without_marks_counts():
    notebook = sample.released()
    answer = "def project(X, W_q, W_k, W_v):\n    return X @ W_q, X @ W_k, X @ W_v"
    place = next(place for place, cell in enumerate(notebook.cells) if cell.id == "project") + 1
    notebook.cells.insert(place, nbformat.v4.new_code_cell(answer))
    assert named(repaired(notebook, change=unmark)[0])["project"] == answer


@pytest.mark.parametrize("unit", UNITS)
def test_a_notebook_as_it_was_released_has_nothing_to_repair(unit):
    for notebook in (sample.released(unit), sample.answered(unit)):
        assert repaired(notebook, unit)[1] == []


def windows(tree):
    for cell in tree["cells"]:
        cell["source"] = "".join(cell["source"]).replace("\n", "\r\n")


def final_newlines(tree):
    for cell in tree["cells"]:
        cell["source"] = "".join(cell["source"]) + "\n"


def trailing_spaces(tree):
    for cell in tree["cells"]:
        cell["source"] = "".join(cell["source"]).replace("\n", "  \n")


@pytest.mark.parametrize("editor", [windows, final_newlines, trailing_spaces])
def test_what_editors_change_of_themselves_is_no_tampering(editor):
    assert repaired(sample.released(), change=editor)[1] == []


def test_line_ends_of_windows_leave_an_untouched_answer_untouched():
    assert named(repaired(sample.released(), change=windows)[0]) == named(sample.released())


def test_a_locked_cell_that_was_changed_is_still_told():
    notebook = sample.released()
    next(cell for cell in notebook.cells if cell.id == "test_project").source = "check(project)  # mine"
    assert repaired(notebook)[1] == ["the locked cell test_project had been changed; it is as released"]


def test_a_task_cell_left_as_it_was_is_no_tampering():
    shown = "Draw the graph.\n"
    scheme = "### BEGIN MARK SCHEME\n\n* two for the axes\n\n### END MARK SCHEME"
    task = SimpleNamespace(name="task1", cell_type="markdown", source=shown + scheme, locked=True, checksum="")
    cell = nbformat.v4.new_markdown_cell(shown)
    cell.metadata["nbgrader"] = {"grade_id": "task1", "task": True}
    notebook = nbformat.v4.new_notebook(cells=[cell])
    assert repair(notebook, [task], Roles({}, {"task1": 3.0}, frozenset())) == []


def below(notebook, *texts):
    place = next(place for place, cell in enumerate(notebook.cells) if cell.id == WRITTEN) + 1
    for text in reversed(texts):
        notebook.cells.insert(place, nbformat.v4.new_markdown_cell(text))
    return notebook


def test_a_written_answer_in_a_new_cell_below_the_untouched_one_is_for_a_person():
    notebook, notes = repaired(below(sample.released(), "Because asking differs.", "And being found, too."))
    assert named(notebook)[WRITTEN] == "Because asking differs.\n\nAnd being found, too."
    assert notes == [f"the answer to {WRITTEN} stood in a new cell below the untouched one; a person looks at it"]


def test_a_note_below_a_written_answer_stays_a_note():
    notebook, notes = repaired(below(write(sample.released(), "My answer."), "Remember: ask in class."))
    assert named(notebook)[WRITTEN] == "My answer." and notes == []
    assert any(cell.source == "Remember: ask in class." for cell in notebook.cells)


def page(notebook):
    config = Config()
    pages.configure(config)
    return HTMLExporter(config=config).from_notebook_node(SanitizeLearner().preprocess(notebook, {})[0])[0]


def pasted(text, attachments):
    def change(tree):
        cell = next(cell for cell in tree["cells"] if cell["id"] == WRITTEN)
        cell["source"], cell["attachments"] = text, attachments

    notebook = repaired(sample.released(), change=change)[0]
    nbformat.validate(notebook)
    return next(
        cell for cell in notebook.cells if cell.get("metadata", {}).get("nbgrader", {}).get("grade_id") == WRITTEN
    )


def shown(cell):
    return page(nbformat.v4.new_notebook(cells=[cell]))


def test_a_picture_pasted_into_a_written_answer_is_kept_and_shown():
    cell = pasted("See ![heads](attachment:image.png)", {"image.png": {"image/png": PNG}})
    assert f"data:image/png;base64,{PNG}" in shown(cell)


@pytest.mark.parametrize(
    "attachments",
    [
        {},
        None,
        7,
        {"image.png": 7},
        {"image.png": {"image/png": "no base64"}},
        {"image.png": {"image/png": base64.b64encode(b"<script>").decode()}},
        {"image.png": {"text/html": "<script>alert(1)</script>"}},
        {"image.png": {"image/png": PNG + "A" * 20_000_000}},
        {"other.png": {"image/png": PNG}},
    ],
)
@pytest.mark.parametrize(
    "text",
    [
        "See ![heads](attachment:image.png) here",
        '![](<attachment:image.png> "title")',
        "![x][a]\n\n[a]: attachment:image.png",
        '<img src="attachment:image.png">',
        "[link](attachment:image.png)",
    ],
)
def test_a_picture_that_is_not_there_is_words_and_the_page_opens(text, attachments):
    cell = pasted(text, attachments)
    assert (
        "image.png" in shown(cell) and "attachment:image.png" not in cell.source and "<script>alert" not in shown(cell)
    )


def test_pictures_are_kept_up_to_a_limit_for_the_whole_notebook():
    large = base64.b64encode(HEAD + b"0" * 5_000_000).decode()
    cells = [
        {
            "cell_type": "markdown",
            "metadata": {},
            "source": "![](attachment:a.png)",
            "attachments": {"a.png": {"image/png": large}},
        }
        for _ in range(3)
    ]
    kept = intake.clean(json.dumps({"cells": cells}).encode()).cells
    assert ["attachments" in cell for cell in kept] == [True, False, False] and "too large" in kept[1].source


def test_what_is_still_allowed_is_counted_in_bytes_of_the_picture():
    data = HEAD + b"0" * 3000
    text = base64.b64encode(data).decode()
    assert pictures.reencoded("image/png", [text[:500], text[500:]], len(data)) == text
    assert pictures.reencoded("image/png", text, len(data) - 1) is None
    assert pictures.reencoded("image/tiff", text) is None and pictures.reencoded("image/png", 5) is None
