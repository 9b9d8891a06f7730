"""Collecting destroys nothing: another unit's download, an older attempt, and archives that impersonate; and it knows a
notebook by the cells in it, whatever it is called.
"""

import json

import nbformat
import pytest

from autograder.authoring import sample
from autograder.classroom import forgetting
from autograder.course import CourseError
from autograder.lms import collecting, keeping
from autograder.marking import choice

from .downloads import NOTEBOOK, UNIT, collect, download, submitted, zipped

OTHER = "u2_softmax_scaling"
BLANK = nbformat.writes(sample.released()).encode()
ANSWERED = nbformat.writes(sample.answered()).encode()
HALF = nbformat.writes(sample.answered(UNIT, {"project": "solution"})).encode()


def of_other_unit():
    return nbformat.writes(sample.answered(OTHER)).encode()


def whole(room):
    return {
        str(path.relative_to(room.root)): path.read_bytes()
        for path in sorted(room.root.rglob("*"))
        if path.is_file() and path.name != "grading.lock"
    }


def test_another_units_download_is_refused_and_nothing_changes(room):
    collect(room, {f"lovelaceada_101_1_{NOTEBOOK}": ANSWERED})
    before = whole(room)
    wrong = {f"lovelaceada_101_9_{OTHER}.ipynb": of_other_unit(), f"bartókbéla_102_8_{NOTEBOOK}": of_other_unit()}
    with pytest.raises(CourseError, match=rf"is a download of {OTHER}, not of {UNIT}.*nothing was changed.*--force"):
        collect(room, wrong)
    assert whole(room) == before
    assert collect(room, wrong, force=True).students == ("ada", "bela")


def test_one_notebook_of_another_unit_is_left_out_and_the_rest_collected(room):
    files = {f"lovelaceada_101_9_{NOTEBOOK}": ANSWERED, f"bartókbéla_102_8_{NOTEBOOK}": of_other_unit()}
    report = collect(room, files)
    assert report.students == ("ada",) and report.left == (f"bela: handed in {OTHER}, not {UNIT} ({NOTEBOOK})",)


def test_what_is_replaced_is_kept_and_undo_brings_it_back_step_by_step(room):
    collect(room, {f"lovelaceada_101_1_{NOTEBOOK}": b"1"})
    first = submitted(room), sorted(path.name for path in (room.root / "downloaded").rglob("*"))
    report = collect(room, {f"lovelaceada_101_3_{NOTEBOOK}": b"3", f"bartókbéla_102_2_{NOTEBOOK}": b"2"})
    assert report.replaced == ("ada",)
    done = keeping.undo(room)
    assert (done.unit, done.restored, done.removed) == (UNIT, ("ada",), ("bela",))
    assert (submitted(room), sorted(path.name for path in (room.root / "downloaded").rglob("*"))) == first
    kept = [path.read_bytes() for path in (room.root / ".attention" / "kept").rglob(NOTEBOOK)]
    assert {b"3", b"2"} <= set(kept)
    assert keeping.undo(room).removed == ("ada",) and submitted(room) == {}
    with pytest.raises(CourseError, match="nothing was collected"):
        keeping.undo(room)


def test_a_collecting_that_is_killed_half_way_can_be_undone(room, monkeypatch):
    collect(room, {f"lovelaceada_101_1_{NOTEBOOK}": b"1"})
    before = submitted(room)

    def killed(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("nbgrader.apps.zipcollectapp.shutil.copy", killed)
        with pytest.raises(KeyboardInterrupt):
            collect(room, {f"lovelaceada_101_3_{NOTEBOOK}": b"3"})
    assert submitted(room) == {}
    keeping.undo(room)
    assert submitted(room) == before


def test_a_dry_run_says_what_would_be_and_changes_nothing(room):
    collect(room, {f"lovelaceada_101_1_{NOTEBOOK}": b"1"})
    before = whole(room)
    report = collect(room, {f"lovelaceada_101_3_{NOTEBOOK}": b"3", f"bartókbéla_102_2_{NOTEBOOK}": b"2"}, dry_run=True)
    assert report.students == ("ada", "bela") and report.replaced == ("ada",)
    assert whole(room) == before


def test_an_older_attempt_replaces_no_newer_one_unless_told(room):
    collect(room, {f"lovelaceada_101_5_{UNIT}-1.ipynb": b"new"})
    older = {f"lovelaceada_101_3_{NOTEBOOK}": b"old"}
    report = collect(room, older)
    assert report.students == () and "ada: has a newer attempt" in report.left[0]
    assert submitted(room) == {f"ada/{UNIT}/{NOTEBOOK}": b"new"}
    assert collect(room, older, force=True).students == ("ada",)


def test_forgetting_a_student_takes_what_collecting_has_kept(room):
    for number in (1, 2):
        collect(room, {f"oneildana_777_{number}_{NOTEBOOK}": b"hers %d" % number})
    forgetting.forget(room, "dana")
    assert not [path for path in (room.root / ".attention" / "kept").rglob("*") if path.suffix == ".ipynb"]
    with room.gradebook() as gradebook:
        gradebook.update_or_create_student("dana", first_name="Dana", last_name="O'Neil")


MASKS = {
    "moodle": f"Ada Lovelace_7001_assignsubmission_file_/{NOTEBOOK}",
    "canvas": f"lovelaceada_101_900_{NOTEBOOK}",
    "canvas resubmission": f"lovelaceada_101_900_{UNIT}-1.ipynb",
    "below a folder": f"unit 1/Ada Lovelace_7001_assignsubmission_file_/{NOTEBOOK}",
}
PLACES = {
    "moodle": f"Béla Bartók_7002_assignsubmission_file_/{UNIT}.zip",
    "moodle flat": f"Béla Bartók_7002_assignsubmission_file_{UNIT}.zip",
    "canvas": f"bartókbéla_102_9_{UNIT}.zip",
    "without a label": f"{UNIT}.zip",
}


@pytest.mark.parametrize("mask", MASKS)
@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("unpacked", [False, True])
def test_a_learners_archive_is_never_a_download(room, tmp_path, mask, place, unpacked):
    files = {
        PLACES[place]: zipped({MASKS[mask]: b"{bela as ada}"}),
        f"Ada Lovelace_7001_assignsubmission_file_/{NOTEBOOK}": ANSWERED,
    }
    if unpacked:
        for name, data in files.items():
            (tmp_path / "folder" / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / "folder" / name).write_bytes(data)
        collecting.collect(room, UNIT, tmp_path / "folder")
    else:
        collect(room, files)
    assert submitted(room)[f"ada/{UNIT}/{NOTEBOOK}"] == ANSWERED


NAMES = [
    "Copy of u1_dot_products.ipynb",
    "Kopie von u1_dot_products.ipynb",
    "u1_dot_products copy.ipynb",
    "u1_dot_products - Copy.ipynb",
    "u1_dot_products - Copy (2).ipynb",
    "u1_dot_products 2.ipynb",
    "u1_dot_products(1).ipynb",
    "u1_dot_products-Copy1.ipynb",
    "ada_u1_dot_products.ipynb",
    "u1_dot_products_ada_lovelace.ipynb",
    "U1_Dot_Products.ipynb",
    "u1_dot_products.IPYNB",
    "u1-dot-products.ipynb",
    "u1.ipynb",
    "Hausaufgabe.ipynb",
    "Untitled.ipynb",
    "final final.ipynb",
    "作业.ipynb",
]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("kind", ["moodle", "canvas"])
def test_a_notebook_is_known_by_the_cells_in_it(room, name, kind):
    label = "Ada Lovelace_1_assignsubmission_file_/" if kind == "moodle" else "lovelaceada_101_5_"
    report = collect(room, {label + name: ANSWERED})
    assert submitted(room) == {f"ada/{UNIT}/{NOTEBOOK}": ANSWERED} and report.left == ()


def unmarked(data):
    """The notebook as another editor leaves it: nothing in the metadata of its cells."""
    tree = json.loads(data)
    for cell in tree["cells"]:
        cell["metadata"] = {}
    return json.dumps(tree).encode()


def test_a_notebook_without_nbgraders_marks_is_known_by_the_checks_that_it_calls(room):
    data = unmarked(ANSWERED)
    assert choice.see(data) == choice.Seen(UNIT, 6)
    collect(room, {"lovelaceada_101_5_Hausaufgabe.ipynb": data})
    assert submitted(room) == {f"ada/{UNIT}/{NOTEBOOK}": data}


@pytest.mark.parametrize(
    ("files", "counts", "why"),
    [
        ({f"{UNIT} (1).ipynb": (BLANK, 6), NOTEBOOK: (ANSWERED, 5)}, NOTEBOOK, "it is answered, no other is"),
        ({f"Copy of {NOTEBOOK}": (ANSWERED, 6), NOTEBOOK: (BLANK, 5)}, f"Copy of {NOTEBOOK}", "it is answered"),
        (
            {f"Copy of {NOTEBOOK}": (HALF, 6), NOTEBOOK: (ANSWERED, 5)},
            f"Copy of {NOTEBOOK}",
            "it is the newest attempt",
        ),
        (
            {f"{UNIT}-2.ipynb": (HALF, 7), f"{UNIT}-1.ipynb": (ANSWERED, 6)},
            f"{UNIT}-2.ipynb",
            "it is the newest attempt",
        ),
        ({NOTEBOOK: (ANSWERED[:900], 6), "x.ipynb": (HALF, 5)}, "x.ipynb", "it alone is a readable notebook"),
    ],
)
def test_of_several_attempts_in_canvas_one_counts_and_a_line_says_why(room, files, counts, why):
    report = collect(room, {f"lovelaceada_101_{number}_{name}": data for name, (data, number) in files.items()})
    assert submitted(room) == {f"ada/{UNIT}/{NOTEBOOK}": files[counts][0]}
    assert len(report.notes) == 1 and f"{counts} counts: {why}" in report.notes[0]


@pytest.mark.parametrize(
    ("files", "counts", "why"),
    [
        ({f"Copy of {NOTEBOOK}": ANSWERED, NOTEBOOK: HALF}, NOTEBOOK, "the unit's own name"),
        ({"a.ipynb": HALF, "b.ipynb": ANSWERED}, "b.ipynb", "the most answers"),
        ({"deep/a.ipynb": ANSWERED, "b.ipynb": ANSWERED}, "b.ipynb", "least deep"),
        ({"b.ipynb": ANSWERED, "a.ipynb": ANSWERED}, "a.ipynb", "comes first"),
    ],
)
def test_of_several_notebooks_in_one_upload_one_counts_and_a_line_says_why(room, files, counts, why):
    report = collect(room, {f"Ada Lovelace_1_assignsubmission_file_/{name}": data for name, data in files.items()})
    assert submitted(room) == {f"ada/{UNIT}/{NOTEBOOK}": files[counts]}
    assert f"{counts} counts" in report.notes[0] and why in report.notes[0]


def test_small_files_beside_the_notebook_come_along_and_the_rest_is_named(room):
    packed = zipped(
        {
            f"work/{NOTEBOOK}": ANSWERED,
            "work/pictures/heads.png": b"png",
            "work/weights.npy": b"npy",
            "work/essay.pdf": b"%PDF",
            "work/huge.csv": b"0" * 6_000_000,
            "work/timestamp.txt": b"2020-01-01 00:00 UTC",
        }
    )
    report = collect(room, {f"Ada Lovelace_1_assignsubmission_file_/{UNIT}.zip": packed})
    assert set(submitted(room)) == {f"ada/{UNIT}/{n}" for n in (NOTEBOOK, "pictures/heads.png", "weights.npy")}
    assert report.notes == ("ada: left out, beside the notebook: essay.pdf, huge.csv",)


def test_files_beside_the_notebook_in_canvas_get_their_own_names(room):
    files = {f"lovelaceada_101_5_{NOTEBOOK}": ANSWERED, "lovelaceada_101_6_helper-1.py": b"x = 1"}
    collect(room, files)
    assert submitted(room)[f"ada/{UNIT}/helper.py"] == b"x = 1"


def test_a_download_is_read_where_it_lies_also_in_the_class(room):
    collect(room, {f"lovelaceada_101_1_{NOTEBOOK}": b"1"})
    there = next((room.root / "downloaded" / UNIT / "archive").iterdir())
    assert collecting.collect(room, UNIT, there).students == ("ada",)
    assert download(room, {}).is_file() and submitted(room) == {f"ada/{UNIT}/{NOTEBOOK}": b"1"}
