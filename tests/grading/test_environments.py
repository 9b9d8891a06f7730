"""A Python environment that a class names for an assignment: its notebooks run there, wherever they are executed, and
what it lacks is said before anybody is graded.
"""

import json
import subprocess
import sys

import nbformat
import pytest
from nbformat.v4 import new_code_cell

from autograder import course
from autograder.authoring import releasing
from autograder.classroom import examination
from autograder.classroom.classroom import CONFIG, Classroom
from autograder.course import CourseError
from autograder.grading import coordinator
from autograder.sandbox.outside import bubblewrap
from autograder.sandbox.outside import environments as outside
from tests import environments
from tests.autograder.grading import plain

UNIT = "moving_averages"
NAME = "hw1"
# What a module that is installed there alone knows.
FACTS = "GRAVITY = 9.81\n"
STUDENTS = {"ada": "weight = 2 * GRAVITY", "ben": "weight = 2", "cora": ""}
POINTS = {"ada": 3, "ben": 0, "cora": 0}


def assignment(root, environment, kernel=None, imports="import physics_facts\nfrom physics_facts import GRAVITY"):
    """A class with one assignment whose notebook says where it runs."""
    room = releasing.init(root, [])
    folder = room.root / "source" / NAME
    folder.mkdir()
    made = plain.notebook(
        plain.cell("code", imports, "setup", locked=True),
        plain.cell("code", "### BEGIN SOLUTION\nweight = 2 * GRAVITY\n### END SOLUTION", "q1", solution=True),
        plain.cell("code", "import sys\nprint('runs in', sys.prefix)\nassert weight == 19.62", "check", 3, locked=True),
    )
    nbformat.write(made, folder / f"{NAME}.ipynb")
    releasing.release(room, NAME)
    if kernel is not None:
        with room.gradebook() as book:
            book.find_notebook(NAME, NAME).kernelspec = json.dumps(kernel)
            book.db.commit()
    for student, answer in STUDENTS.items():
        plain.submit(room, student, {NAME: {"q1": answer}}, [NAME])
    if environment is not None:
        with open(room.root / CONFIG, "a", encoding="utf-8") as file:
            file.write(f"c.SandboxedExecute.environments = {{{NAME!r}: {str(environment)!r}}}\n")
    return Classroom.open(room.root)


def graded(room, **options):
    results = coordinator.grade(room, [NAME], feedback=False, **options)
    for result in results:
        text = (room.root / "autograded" / result.student / NAME / f"{NAME}.ipynb").read_text(encoding="utf-8")
        yield result.student, result.score, text


@pytest.fixture(scope="module")
def environment(tmp_path_factory):
    return environments.make(tmp_path_factory.mktemp("environment") / "physics", physics_facts=FACTS)


@pytest.mark.parametrize("jobs", [1, 2], ids=["in one process", "by a pool"])
def test_notebooks_run_in_it(environment, tmp_path, jobs):
    room = assignment(tmp_path / "class", environment)
    for student, score, text in graded(room, jobs=jobs):
        assert score == POINTS[student] and f"runs in {environment}" in text
    assert [result.fresh for result in coordinator.grade(room, [NAME], feedback=False)] == [False] * 3


def test_notebooks_run_in_it_on_a_cluster(environment, tmp_path):
    import distributed

    room = assignment(tmp_path / "class", environment)
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, dashboard_address=":0", local_directory=str(tmp_path), silence_logs=50
    ) as cluster:
        found = list(graded(room, scheduler=cluster.scheduler_address))
        assert [f"runs in {environment}" in text for _, _, text in found] == [True] * 3
        assert {student: score for student, score, _ in found} == POINTS
        lacking = environments.make(tmp_path / "lacking")
        room = assignment(tmp_path / "another", lacking)
        with pytest.raises(CourseError, match="no worker can grade: .* lacks physics_facts"):
            list(graded(room, scheduler=cluster.scheduler_address))
    assert plain.points(room, NAME) == {}


def test_a_run_goes_on_where_another_stopped(environment, tmp_path):
    room = assignment(tmp_path / "class", environment)
    assert [result.fresh for result in coordinator.grade(room, [NAME], feedback=False, students=["ben"])] == [True]
    results = coordinator.grade(Classroom.open(room.root), [NAME], feedback=False)
    assert {result.student: result.fresh for result in results} == {"ada": True, "ben": False, "cora": True}
    assert {result.student: result.score for result in results} == POINTS


def test_nbgraders_own_command_runs_it_there_too(environment, tmp_path):
    room = assignment(tmp_path / "class", environment)
    environments.nbgrader("autograde", NAME, "--create", folder=room.root)
    text = (room.root / "autograded" / "ada" / NAME / f"{NAME}.ipynb").read_text(encoding="utf-8")
    assert f"runs in {environment}" in text
    assert plain.points(room, NAME)["ada"] == {f"{NAME}/check": 3}


@pytest.mark.parametrize(
    "environment, kernel, told",
    [("nowhere", None, "is no Python environment"), (None, {"name": "ir", "language": "R"}, "its kernel ir is for R")],
)
def test_nbgraders_own_command_stops_with_one_line(tmp_path, environment, kernel, told):
    room = assignment(tmp_path / "class", environment, kernel)
    said = environments.nbgrader("autograde", NAME, "--create", folder=room.root, code=1)
    lines = [line for line in said.splitlines() if "ERROR" in line]
    assert len(lines) == 1 and told in lines[0] and "nobody gets 0" in lines[0], said
    assert "Traceback" not in said and not list((room.root / "autograded").rglob("*.ipynb"))


def test_nbgraders_own_command_stops_with_one_line_for_a_module_that_is_not_there(tmp_path):
    lacking = environments.make(tmp_path / "lacking")
    room = assignment(tmp_path / "class", lacking)
    said = environments.nbgrader("autograde", NAME, "--create", folder=room.root, code=1)
    lines = [line for line in said.splitlines() if "ERROR" in line]
    assert len(lines) == 1 and "lacks physics_facts, which the notebooks import" in lines[0], said
    assert f"install what brings it with `{lacking}/bin/python -m pip`" in lines[0] and "nobody gets 0" in lines[0]
    assert "Traceback" not in said and not list((room.root / "autograded").rglob("*.ipynb"))
    assert not plain.points(room, NAME)


LOOK_AROUND = """
import os, sys
for place in (sys.prefix, os.path.dirname(sys.executable), os.path.join(sys.prefix, 'lib'), '/lib-course'):
    try:
        open(os.path.join(place, 'ESCAPED'), 'w')
        print('ESCAPED', place)
    except OSError:
        pass
print('sees', sorted(os.listdir(os.path.dirname(sys.prefix))), os.path.exists({root!r}))
weight = 2 * GRAVITY
"""


def test_it_is_walled_in_as_ever(environment, tmp_path):
    room = assignment(tmp_path / "class", environment)
    plain.submit(room, "ada", {NAME: {"q1": LOOK_AROUND.format(root=str(room.root))}}, [NAME])
    texts = {student: text for student, _, text in graded(room, jobs=1)}
    (cell,) = (one for one in json.loads(texts["ada"])["cells"] if one.get("id") == "q1")
    assert "".join(cell["outputs"][0]["text"]) == "sees ['physics'] False\n"


def test_what_is_installed_there_later_has_all_graded_again(environment, tmp_path):
    room = assignment(tmp_path / "class", environment)
    list(graded(room, jobs=1))
    about = environments.library(environment) / "another-1.0.dist-info"
    about.mkdir()
    try:
        assert [result.fresh for result in coordinator.grade(room, [NAME], feedback=False)] == [True] * 3
    finally:
        about.rmdir()


def test_a_path_may_begin_with_home_name_the_python_or_lie_in_the_class(environment, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(environment.parent))
    for text in ("~/physics", str(environment / "bin" / "python"), "physics"):
        room = assignment(tmp_path / str(abs(hash(text))), text)
        if text == "physics":
            (room.root / "physics").symlink_to(environment)
        assert {student: score for student, score, _ in graded(room, jobs=1)} == POINTS


def refused(room, *words, **options):
    """The one line that a class is refused with; nobody has points."""
    with pytest.raises(CourseError) as told:
        coordinator.grade(room, [NAME], feedback=False, **options)
    line = str(told.value)
    assert "\n" not in line and "nobody gets 0" in line and all(word in line for word in words), line
    assert plain.points(room, NAME) == {} and not list((room.root / "autograded").rglob("*.ipynb"))


@pytest.mark.parametrize("jobs", [1, 2], ids=["in one process", "by a pool"])
def test_what_the_notebooks_import_and_it_lacks_is_said_before_grading(tmp_path, jobs):
    lacking = environments.make(tmp_path / "lacking")
    room = assignment(tmp_path / "class", lacking)
    refused(
        room,
        "hw1: Python 3",
        "lacks physics_facts",
        f"install what brings it with `{lacking}/bin/python -m pip`",
        jobs=jobs,
    )


def prefix_of_its_own(folder, **told):
    """The folder of a Python that is no venv, as conda makes it, which says of itself what a test wants."""
    library = folder / "lib" / "python3.12" / "site-packages"
    library.mkdir(parents=True)
    (folder / "bin").mkdir()
    answer = {
        "prefix": str(folder), "base": str(folder), "version": [3, 12, 1], "path": [str(library)],
        "libraries": [str(library)] * 2, "lacks": [], "ipykernel": "7.2.0", "library": "",
    } | told  # fmt: skip
    python = folder / "bin" / "python"
    python.write_text(f"#!/bin/sh\necho '{json.dumps(answer)}'\n", encoding="utf-8")
    python.chmod(0o755)
    return folder


def test_a_prefix_that_is_no_venv_is_shown_with_its_own_library_and_nothing_beside_it(tmp_path):
    folder = prefix_of_its_own(tmp_path / "conda", library=str(tmp_path / "conda" / "lib" / "libpython3.12.so.1.0"))
    (folder / "solutions").mkdir()
    python = outside.of(outside.located(str(folder / "bin" / "python"), tmp_path))
    assert (python.prefix, python.base, python.executable) == (str(folder), str(folder), f"{folder}/bin/python")
    call = bubblewrap.command(tmp_path / "pool", tmp_path / "lib", python)
    shown = [call[place + 2] for place, word in enumerate(call) if word == "--ro-bind"]
    assert {f"{folder}/bin", f"{folder}/lib"} == {place for place in shown if place.startswith(str(folder))}
    assert call[-4:] == bubblewrap.start(python)


def test_a_prefix_that_was_copied_and_loads_the_python_of_the_first_is_refused(tmp_path):
    library = tmp_path / "first" / "lib" / "libpython3.12.so.1.0"
    folder = prefix_of_its_own(tmp_path / "copied", library=str(library))
    refused(assignment(tmp_path / "class", folder), "hw1: Python 3.12.1", f"loads {library}", "was the folder moved")


def test_an_environment_without_ipykernel_is_refused(tmp_path):
    bare = environments.bare(tmp_path / "bare")
    refused(assignment(tmp_path / "class", bare), "lacks ipykernel", f"{bare}/bin/python -m pip install ipykernel")


@pytest.mark.parametrize("value", ["'~/envs'", "{'hw1': 5}", "['~/envs']"])
def test_a_setting_of_the_wrong_kind_is_said(tmp_path, value):
    room = assignment(tmp_path / "class", None)
    with open(room.root / CONFIG, "a", encoding="utf-8") as file:
        file.write(f"c.SandboxedExecute.environments = {value}\n")
    with pytest.raises(CourseError, match=r"c.SandboxedExecute.environments = .* is wrong: it wants a dict"):
        coordinator.grade(Classroom.open(room.root), [NAME], feedback=False)


def test_a_folder_that_is_no_environment_is_refused(tmp_path):
    refused(assignment(tmp_path / "class", tmp_path / "nowhere"), f"{tmp_path}/nowhere is no Python environment")


OLD = '#!/bin/sh\nexec "{}" -c \'import sys; sys.version_info = (3, 6, 1)\nexec(sys.argv[1])\' "$5"\n'


def test_a_python_too_old_is_refused(tmp_path):
    (tmp_path / "old" / "bin").mkdir(parents=True)
    python = tmp_path / "old" / "bin" / "python"
    python.write_text(OLD.format(sys.executable), encoding="utf-8")
    python.chmod(0o755)
    refused(assignment(tmp_path / "class", tmp_path / "old"), "is too old: grading needs Python 3.9 or newer")


def test_a_python_that_does_not_start_is_refused(tmp_path):
    (tmp_path / "broken" / "bin").mkdir(parents=True)
    (tmp_path / "broken" / "bin" / "python").write_text("no program", encoding="utf-8")
    (tmp_path / "broken" / "bin" / "python").chmod(0o755)
    refused(assignment(tmp_path / "class", tmp_path / "broken"), "does not say what it is")


def test_doctor_tries_each_environment(environment, tmp_path):
    room = assignment(tmp_path / "class", environment)
    with open(room.root / CONFIG, "a", encoding="utf-8") as file:
        file.write(f"c.SandboxedExecute.environments['hw2'] = {str(tmp_path / 'nowhere')!r}\n")
    rows = {row.name: row for row in examination.examine(room.root)}
    assert rows["environment of hw1"].present and f"in {environment}, ipykernel" in rows["environment of hw1"].seen
    assert not rows["environment of hw2"].present and "is no Python environment" in rows["environment of hw2"].seen


@pytest.mark.parametrize(
    "kernel, told",
    [
        ({"name": "ir", "display_name": "R", "language": "R"}, "its kernel ir is for R"),
        ({"name": "julia-1.10", "display_name": "Julia 1.10", "language": "julia"}, "is for julia"),
        ({"name": "gone", "display_name": "Gone"}, "its kernel gone is not installed here, and nothing in it says"),
    ],
)
def test_a_notebook_of_another_language_is_refused_in_one_line(tmp_path, kernel, told):
    refused(assignment(tmp_path / "class", None, kernel), f"{NAME}: ", told)


def test_notebooks_of_one_kernel_are_named_together(tmp_path):
    room = plain.make(tmp_path / "class")
    with room.gradebook() as book:
        for name in ("part1", "part2"):
            book.find_notebook(name, plain.NAME).kernelspec = json.dumps({"name": "java", "language": "java"})
        book.db.commit()
    plain.submit(room, "ada", {})
    with pytest.raises(CourseError, match="^hw1/part1, hw1/part2: its kernel java is for java"):
        coordinator.grade(room, [plain.NAME])


def test_a_python_kernel_that_was_removed_is_run_by_ours_and_it_is_said(tmp_path):
    kernel = {"name": "physics-2019", "display_name": "Python (physics)", "language": "python"}
    room = assignment(tmp_path / "class", None, kernel, "GRAVITY = 9.81")
    said = []
    found = list(graded(room, jobs=1, tell=lambda kind, **about: said.append(about.get("text", ""))))
    assert {student: score for student, score, _ in found} == POINTS
    assert any("its kernel physics-2019 is not installed here; it is run by the Python in" in text for text in said)


def test_a_kernel_that_is_another_environment_is_named_with_the_setting_for_it(environment, tmp_path, monkeypatch):
    spec = tmp_path / "data" / "kernels" / "physics"
    spec.mkdir(parents=True)
    argv = [str(environment / "bin" / "python"), "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    told = {"argv": argv, "display_name": "Physics", "language": "python"}
    (spec / "kernel.json").write_text(json.dumps(told), encoding="utf-8")
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path / "data"))
    room = assignment(tmp_path / "class", None, {"name": "physics", "display_name": "Physics", "language": "python"})
    said = []
    list(graded(room, jobs=1, tell=lambda kind, **about: said.append(about.get("text", ""))))
    assert any(f"c.SandboxedExecute.environments = {{'hw1': '{environment}'}}" in text for text in said)
    # It is missing in ours, where stock gives 0 as well; that is said too.
    assert any("hw1: the notebooks import what is not there: physics_facts" in text for text in said)


def test_a_kernel_that_a_learner_names_counts_for_nothing(tmp_path):
    room = assignment(tmp_path / "class", None, {}, "GRAVITY = 9.81")
    path = room.root / "submitted" / "ada" / NAME / f"{NAME}.ipynb"
    tree = json.loads(path.read_text(encoding="utf-8"))
    tree["metadata"]["kernelspec"] = {"name": "ir", "language": "R", "display_name": "R"}
    path.write_text(json.dumps(tree), encoding="utf-8")
    assert {student: score for student, score, _ in graded(room, jobs=1)} == POINTS


def test_modules_that_pythonpath_alone_has_are_named_with_their_folder(tmp_path):
    (tmp_path / "modules").mkdir()
    (tmp_path / "modules" / "physics_facts.py").write_text(FACTS, encoding="utf-8")
    room = assignment(tmp_path / "class", None)
    said = environments.command(
        "grade", "--enroll", "--no-feedback", "--course", room.root, PYTHONPATH=str(tmp_path / "modules")
    )
    flat = " ".join(said.split())
    assert f"physics_facts: it lies in {tmp_path}/modules, which the sandbox does not show" in flat


def test_a_unit_whose_package_is_installed_there_alone(tmp_path):
    environment = environments.make(tmp_path / "averages")
    package = environments.add_unit(environment, UNIT)
    (tmp_path / "class").mkdir()
    environments.command("init", tmp_path / "class")
    with open(tmp_path / "class" / CONFIG, "a", encoding="utf-8") as file:
        file.write(f"c.SandboxedExecute.environments = {{{UNIT!r}: {str(environment)!r}}}\n")
    environments.command("init", tmp_path / "class", UNIT)
    released = nbformat.read(tmp_path / "class" / "release" / UNIT / f"{UNIT}.ipynb", 4)
    right = (package / "solutions" / UNIT / f"{UNIT}.py").read_text(encoding="utf-8")
    answer = right[right.index("def moving_average") :].split("\n# +")[0].split("\n# %%")[0]
    for student, text in {"right": answer, "thief": f"{THIEF}\n{answer}", "wrong": "moving_average = sum"}.items():
        made = nbformat.from_dict(json.loads(nbformat.writes(released)))
        next(c for c in made.cells if c.metadata.get("nbgrader", {}).get("grade_id") == "moving_average").source = text
        made.cells.append(new_code_cell("import sys\nprint('runs in', sys.prefix)", id="where"))
        folder = tmp_path / "class" / "submitted" / student / UNIT
        folder.mkdir(parents=True)
        nbformat.write(made, folder / f"{UNIT}.ipynb")
    said = environments.command("grade", "--enroll", "--course", tmp_path / "class")
    rows = {cells[0]: cells[1:3] for cells in map(str.split, said.splitlines()) if cells}
    assert [rows[name] for name in ("right", "thief", "wrong")] == [["6", "10"], ["6", "10"], ["0", "10"]], said
    text = (tmp_path / "class" / "autograded" / "thief" / UNIT / f"{UNIT}.ipynb").read_text(encoding="utf-8")
    assert f"runs in {environment}" in text
    assert f"No module named '{UNIT}_unit.reference'" in text and f"No module named '{UNIT}_unit.exercises'" in text
    assert "3 unchanged" in environments.command("grade", "--course", tmp_path / "class")
    environments.command("report", "--course", tmp_path / "class")
    # Worker processes that import everything anew know the unit too, as those that only make pages.
    asked = [sys.executable, "-W", "ignore", "-c", WORKERS, str(tmp_path / "class"), str(tmp_path), UNIT]
    done = subprocess.run(asked, capture_output=True, text=True, cwd=course.ROOT, check=False)
    assert done.stdout.split() == ["True", "True"], done.stderr


WORKERS = """
import sys
from pathlib import Path
import distributed
from autograder.classroom.classroom import Classroom
from autograder.grading import pools
from helpers.judging import catalog
if __name__ == "__main__":
    Classroom.open(Path(sys.argv[1]))
    local = pools.Local(1, Path(sys.argv[2]), lambda *told, **about: None)
    print(sys.argv[3] in local.submit(catalog.units).result())
    local.close()
    with distributed.LocalCluster(1, threads_per_worker=1, dashboard_address=":0", silence_logs=50) as cluster:
        dask = pools.Dask(cluster.scheduler_address, unsafe=False)
        print(sys.argv[3] in dask.submit(catalog.units).result())
        dask.close()
"""


# What a learner of it could look for while it is graded.
THIEF = f"""
import importlib
for name in ("{UNIT}_unit.reference.{UNIT}", "{UNIT}_unit.exercises.{UNIT}.moving_average"):
    try:
        print(importlib.import_module(name).__name__)
    except ImportError as error:
        print(error)
"""
