"""The project's own promises about itself: versions agree, notebooks are fresh, imports go one way."""

import ast
import re
import runpy
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.version import Version

import helpers
from autograder import course
from autograder.sandbox.inside.constants import TRIED
from tests import conftest

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
CONDA = {"pytorch-cpu": "torch", "matplotlib-base": "matplotlib"}


@pytest.mark.parametrize("user", ["0", "1000"])
def test_make_test_installs_what_it_needs_and_only_root_tests_the_hub(user):
    told = subprocess.run(
        ["make", "--dry-run", "test", f"USER_ID={user}"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    assert told.index(".ci/install") < told.index("-m pytest")
    assert ("--ignore=tests/hub" in told) == ("tests/hub is left out: it starts" in told) == (user != "0")


def test_the_longest_tests_are_there():
    assert [start for start in conftest.LONGEST if not (ROOT / start).exists()] == []


def pins():
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    return {
        name.lower(): Version(version)
        for name, _, version in (line.partition("==") for line in lines if not line.startswith("#"))
    }


def requirements(left_out=()):
    extras = PROJECT["optional-dependencies"]
    lists = [PROJECT["dependencies"], *(lines for extra, lines in extras.items() if extra not in left_out)]
    return [Requirement(line) for each in lists for line in each]


def test_the_lowest_releases_are_the_lower_ends_of_all_ranges():
    script = runpy.run_path(str(ROOT / ".ci/lowest.py"))
    floors = script["lowest"]()
    tried = requirements(script["LEFT_OUT"])
    assert floors.keys() == {one.name for one in tried}
    for one in tried:
        assert floors[one.name] in one.specifier, one
    told = subprocess.run(["make", "--dry-run", "test-lowest"], cwd=ROOT, capture_output=True, text=True, check=True)
    places = [told.stdout.index(part) for part in (".ci/lowest.py", "autograder sample", "grade --course", "-m pytest")]
    assert places == sorted(places)


def test_ipykernels_range_is_the_one_that_the_quick_start_was_tried_with():
    first, last = map(Version, TRIED.split(" to "))
    floors = [spec.version for one in requirements() if one.name == "ipykernel" for spec in one.specifier]
    assert max(map(Version, floors)) == first and pins()["ipykernel"].release[:2] == last.release


def test_every_requirement_is_pinned_to_a_version_that_it_allows():
    for requirement in requirements():
        assert pins()[requirement.name.lower()] in requirement.specifier, requirement.name


def test_torch_is_pinned_exactly():
    assert str(pins()["torch"]) == "2.13.0"


def test_conda_asks_for_what_pip_asks_a_learner_for():
    text = (ROOT / "environment.yml").read_text(encoding="utf-8")
    listed = []
    for name, version in re.findall(r"^  - ([\w-]+)(>=?\S+)$", text, re.M):
        listed.append(Requirement(CONDA.get(name, name) + version))
    conda = {one.name: str(one.specifier) for one in listed}
    assert conda.pop("python") == PROJECT["requires-python"]
    assert conda == {one.name: str(one.specifier) for one in map(Requirement, PROJECT["dependencies"])}


def test_the_changelog_begins_with_the_version():
    assert re.search(r"^## (\S+)", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.M)[1] == helpers.__version__


@pytest.mark.parametrize("unit", course.units())
def test_the_changelog_names_every_unit(unit):
    spans = re.findall(r"\bunits? (\d+)(?: to (\d+))?", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.I)
    number = course.number(unit)
    assert any(int(first) <= number <= int(last or first) for first, last in spans), (
        f"CHANGELOG.md has no line on unit {number}"
    )


def imports(path):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield "." * node.level + (node.module or "")


def test_helpers_never_imports_the_autograder():
    for path in (ROOT / "src").rglob("*.py"):
        assert not [name for name in imports(path) if name.startswith("autograder")], path


def test_references_know_nothing_of_exercises_and_judge():
    for path in (ROOT / "src/helpers/reference").glob("*.py"):
        assert not [name for name in imports(path) if re.search("exercise|judge|compare|runner", name)], path


def test_figures_know_no_reference():
    """In grading the figures are readable to a learner's code; the references of the unit are not."""
    for path in (ROOT / "src/helpers/plots").rglob("*.py"):
        assert not [name for name in imports(path) if re.search("reference|exercises", name)], path


@pytest.mark.parametrize("module", ["helpers", "helpers.exercises.u1_dot_products"])
def test_importing_loads_neither_torch_nor_matplotlib(module):
    code = f"import sys, {module}; print([m for m in ('torch', 'matplotlib') if m in sys.modules])"
    assert (
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "[]"
    )


def test_what_runs_inside_the_sandbox_imports_nothing_of_the_autograder():
    modules = list((ROOT / "autograder/sandbox/inside").rglob("*.py"))
    assert len(modules) > 1
    for path in modules:
        assert not [name for name in imports(path) if name.startswith(("..", "autograder"))], path


PLACEHOLDERS = {"<unit>": "u1_dot_products", "<exercise>": "cosine_similarity"}
_LINK = re.compile(r"\]\(([^)#:]+)\)")
_IN_BACKTICKS = re.compile(r"`([^`\s]+)`")


@pytest.mark.parametrize("name", ["docs/architecture.md", "SECURITY.md", "CONTRIBUTING.md"])
def test_every_path_that_a_document_names_exists(name):
    text = (ROOT / name).read_text(encoding="utf-8")
    prose = re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL)
    told = [(ROOT, path) for path in _IN_BACKTICKS.findall(prose) if is_path(path)]
    told += [((ROOT / name).parent, path) for path in _LINK.findall(prose)]
    missing = [path for folder, path in told if not (folder / filled(path)).exists()]
    assert told and not missing, f"{name} names what does not exist: {', '.join(missing)}"


def is_path(text):
    """Whether a word in backticks is a path of the repository: `__init__.py` and /tmp are none."""
    inside = "/" in text.lstrip("/") or text.endswith((".md", ".toml", ".txt", ".yml"))
    return inside and not text.startswith("/") and "(" not in text


def filled(path):
    for placeholder, example in PLACEHOLDERS.items():
        path = path.replace(placeholder, example)
    return path


def test_every_room_stands_on_the_page_of_the_architecture():
    text = (ROOT / "docs/architecture.md").read_text(encoding="utf-8")
    places = [path for top in ("autograder", "src/helpers") for path in (ROOT / top).glob("*/__init__.py")]
    rooms = {str(path.parent.relative_to(ROOT)) for path in places} - {"autograder/cli"}
    missing = sorted(room for room in rooms if f"| `{room}/` |" not in text)
    assert rooms and not missing, f"docs/architecture.md has no line on {', '.join(missing)}"
