"""The authors' guide, followed word by word in a copy of the course; then one thing after the other is forgotten."""

import contextlib
import json
import os
import re
import shlex
import shutil
import subprocess
from dataclasses import dataclass

import pytest

from autograder import course

from .. import forks

GUIDE = (course.ROOT / "docs/authors.md").read_text(encoding="utf-8")
# A unit in a package of one's own is another test's.
WHOLE, _, _ = GUIDE.partition("\n## A unit in a package of your own\n")
STEPS, _, TAKING_AWAY = WHOLE.partition("\n## Taking the example away\n")
_BLOCK = re.compile(r"(?:^\*\*`([^`]+)`\*\*\n\n)?^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
COPIED = (
    "autograder", "notebooks", "solutions", "src", "tests/__init__.py", "tests/conftest.py", "tests/environments.py",
    "tests/gradebooks.py", "tests/pseudo.py", "tests/test_units.py", "tests/test_project.py", "tests/helpers",
    "CHANGELOG.md", "README.md", "LICENSE", "docs/learners.md", "constraints.txt", "environment.yml", "jupytext.toml",
    "nbgrader_config.py", "pyproject.toml",
)  # fmt: skip
UNIT, CONTENTS = "u10_entropy", "src/helpers/contents.json"
SOURCE, NOTEBOOK = f"solutions/{UNIT}/{UNIT}.py", f"notebooks/{UNIT}/{UNIT}.ipynb"
REFERENCE, FIGURES = f"src/helpers/reference/{UNIT}.py", f"src/helpers/plots/{UNIT}.py"
DOOR, EXERCISE = (f"src/helpers/exercises/{UNIT}/{name}.py" for name in ("__init__", "attention_entropy"))
REFERENCE_TEST, STYLES = f"tests/helpers/reference/test_{UNIT}.py", f"tests/helpers/styles/{UNIT}.py"


def commands(text):
    return [
        shlex.split(line)
        for _, language, block in _BLOCK.findall(text)
        if language == "sh"
        for line in block.splitlines()
    ]


class Workshop:
    """A copy of the course, and a process that runs commands in it."""

    def __init__(self, root):
        self.root = root
        self._clock = 0
        for name in COPIED:
            source, target = course.ROOT / name, root / name
            target.parent.mkdir(parents=True, exist_ok=True)
            if source.is_dir():
                shutil.copytree(
                    source, target, ignore=shutil.ignore_patterns("__pycache__", "*.egg-info", ".ipynb_checkpoints")
                )
            else:
                shutil.copy2(source, target)
        environment = {
            name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "NBGRADER_"))
        }
        # So wide that no line of a summary is cut.
        environment |= {
            "PYTHONPATH": f"{root / 'src'}{os.pathsep}{root}",
            "COLUMNS": "2000",
            "PYDEVD_DISABLE_FILE_VALIDATION": "1",
        }
        # pytest would complain about plugins that are imported before it starts.
        environment["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
        self._stack = contextlib.ExitStack()
        self._run = self._stack.enter_context(forks.started(environment, also=("torch", "hypothesis", "pytest")))

    def run(self, command):
        return self._run(self.root, command)

    def write(self, name, text):
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        # Python takes a compiled file for fresh when its source has the same second and size.
        self._clock += 1
        os.utime(path, (self._clock, self._clock))

    def read(self, name):
        return (self.root / name).read_text(encoding="utf-8")

    def files(self):
        """What an author would see in git."""
        found = (path for name in COPIED for path in [self.root / name, *(self.root / name).rglob("*")])
        return {
            str(path.relative_to(self.root)): path.read_bytes()
            for path in found
            if path.is_file() and "__pycache__" not in path.parts
        }

    def close(self):
        self._stack.close()


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    shop = Workshop(tmp_path_factory.mktemp("authors") / "course")
    shop.before = shop.files()
    yield shop
    shop.close()


@pytest.fixture(scope="module")
def followed(shop):
    """What each command of the guide printed, after all blocks before it were copied to where the guide says."""
    printed = {}
    for name, language, text in _BLOCK.findall(STEPS):
        if name == "CHANGELOG.md":
            before, version, lines = re.split(r"^(## .*\n\n)", shop.read(name), maxsplit=1, flags=re.MULTILINE)
            shop.write(name, before + version + text + lines)
        elif name:
            shop.write(name, text)
        elif language == "sh":
            for line in text.splitlines():
                code, output = shop.run(shlex.split(line))
                assert code == 0, f"{line}\n{output}"
                printed[line] = output
    return printed


def test_the_guide_leads_to_a_unit_that_passes_its_tests(shop, followed):
    after = shop.files()
    assert set(after) - set(shop.before) == {
        SOURCE, NOTEBOOK, REFERENCE, REFERENCE_TEST, DOOR, EXERCISE, STYLES, FIGURES,
    }  # fmt: skip
    # Whether the notebooks of the other units were fresh to begin with is another test's business.
    changed = {name for name in shop.before if after.get(name) != shop.before[name]}
    assert {name for name in changed if not name.startswith("notebooks/")} == {
        "CHANGELOG.md",
        "src/helpers/contents.json",
    }
    assert UNIT in json.loads(shop.read("src/helpers/contents.json"))
    (told,) = [output for line, output in followed.items() if line.startswith("pytest")]
    assert "passed" in told and not re.search(r"failed|error|skipped", told)
    assert "1 figures" in followed["autograder preview u10"]
    assert "sharp: k₁ 1, k₂ 0, k₃ 0, k₄ 0; two: k₁ 0.5, k₂ 0.5" in shop.read(f"build/preview/{UNIT}/{UNIT}.ipynb")


def test_right_and_wrong_answers_to_it_get_what_the_guide_says(shop, followed):
    (table,) = [output for line, output in followed.items() if line.startswith("autograder grade")]
    rows = {cells[0]: cells[1:] for cells in map(str.split, table.splitlines()) if cells}
    assert f"{UNIT}:" in rows
    assert rows["right"][:4] == ["16", "20", "1", "graded"] and rows["wrong"][:2] == ["0", "20"]
    page = shop.read(f"build/class/feedback/wrong/{UNIT}/{UNIT}.html")
    assert "forgot the minus sign" in page and "an entropy is never negative" in page


@dataclass(frozen=True)
class Forgotten:
    """One thing left out of a unit that is right otherwise.

    Attributes:
        what: what an author forgot.
        file: where.
        old, new: the text that is replaced there; the whole file is missing where `old` is "".
        test: which has to fail.
        words: what its line in pytest's summary must say.
    """

    what: str
    file: str
    old: str
    new: str
    test: str
    words: str


_UNITS, _EVERY, _CONTENTS = (
    "tests/test_units.py::test_",
    "tests/helpers/test_every_exercise.py::test_",
    "tests/helpers/test_contents.py::test_",
)
_PARTS, _CELLS = _UNITS + "no_unit_of_the_course_lacks_a_part", _UNITS + "points_and_cells_are_those_of_the_curriculum"
_RUNS = _UNITS + "released_notebook_runs_unanswered_without_a_crash"
_FRESH = _UNITS + "the_notebook_in_git_is_the_one_that_the_source_makes"
_ORACLE, _RIGHT, _NAMES = (
    _EVERY + "the_reference_is_tested_by_itself",
    _EVERY + "accepts_every_right_style",
    _EVERY + "names_every_mistake",
)
_HIDDEN = "### BEGIN HIDDEN TESTS\ncheck(attention_entropy, hidden=True)\n### END HIDDEN TESTS\n"
_MEAN = "lambda weights: -_terms(weights).mean(axis=-1)"
FORGOTTEN = (
    Forgotten("solution file", SOURCE, "", "", _PARTS, f"missing: {SOURCE}"),
    Forgotten("reference", REFERENCE, "", "", _PARTS, f"missing: {REFERENCE}"),
    Forgotten("sentence on the door", DOOR, "", "", _PARTS, f"missing: {DOOR}"),
    Forgotten(
        "exercise",
        EXERCISE,
        "",
        "",
        _CELLS,
        f"checked in solutions/{UNIT}, but with no file in src/helpers/exercises/{UNIT}/: attention_entropy",
    ),
    Forgotten(
        "name of the record in its file", EXERCISE, "EXERCISE = ", "ENTROPY = ", _CELLS, "has no attribute 'EXERCISE'"
    ),
    Forgotten("figures", FIGURES, "", "", _RUNS, f"cannot import name '{UNIT}' from 'helpers.plots'"),
    Forgotten("reference test", REFERENCE_TEST, "", "", _ORACLE, f"missing: {REFERENCE_TEST}"),
    Forgotten(
        "reference test of this exercise",
        REFERENCE_TEST,
        "reference.attention_entropy(",
        "reference.other(",
        _ORACLE,
        f"{REFERENCE_TEST} has no test of attention_entropy",
    ),
    Forgotten("styles", STYLES, "", "", _RIGHT, f"missing: {STYLES}"),
    Forgotten(
        "styles of this exercise",
        STYLES,
        'RIGHT = {\n    "attention',
        'RIGHT = {\n    "other',
        _RIGHT,
        f"attention_entropy is missing in RIGHT of {STYLES}",
    ),
    Forgotten("a fourth right style", STYLES, "        _loops,\n", "", _RIGHT, "attention_entropy has 3 right styles"),
    Forgotten(
        "an eighth wrong answer",
        STYLES,
        '        "changes its input in place": _in_place,\n',
        "",
        _EVERY + "rejects_further_wrong_answers",
        "attention_entropy has 7 wrong answers",
    ),
    Forgotten(
        "hints",
        EXERCISE,
        '        "Write it for one row on paper first, and look at what a weight of 0 must give.",\n',
        "",
        "tests/helpers/desk/test_hints.py::test_every_exercise_has_steps_and_none_is_a_line_of_the_reference",
        "attention_entropy has 1 hints in its record, and needs 2",
    ),
    Forgotten(
        "a mistake's hint",
        EXERCISE,
        '"In the formula nothing is divided by the number of keys."',
        '""',
        _NAMES,
        "the mistake 'took the mean instead of the sum' of attention_entropy has no hint",
    ),
    Forgotten(
        "a case for a mistake",
        EXERCISE,
        'Case("zero weights", (',
        'Case("zero weights", (0.1 + ',
        _NAMES,
        "the mistake 'took the logarithm of zero weights' of attention_entropy passes every case",
    ),
    Forgotten(
        "what tells two mistakes apart",
        EXERCISE,
        _MEAN,
        "lambda weights: -_terms(weights).sum(axis=-1) / np.log(2)",
        _NAMES,
        "the mistake 'took the logarithm to base 2' of attention_entropy answers every case as"
        " 'took the mean instead of the sum' does",
    ),
    Forgotten(
        "to draw cases from rng",
        EXERCISE,
        "def _entropy_cases(rng: np.random.Generator) -> list[Case]:\n",
        "def _entropy_cases(rng: np.random.Generator) -> list[Case]:\n    rng = np.random.default_rng(0)\n",
        _EVERY + "cases_are_the_same_for_the_same_seed_and_others_for_another",
        "the cases of attention_entropy do not use `rng`",
    ),
    Forgotten(
        "the record's name",
        EXERCISE,
        'name="attention_entropy"',
        'name="entropy"',
        _CELLS,
        f"{UNIT}/attention_entropy.py defines another exercise",
    ),
    Forgotten(
        "a point",
        SOURCE,
        '"points": 16',
        '"points": 15',
        _CELLS,
        f"the points in solutions/{UNIT} add up to 19, not to 20",
    ),
    Forgotten(
        "a grade_id of its own",
        SOURCE,
        '"what_entropy_misses"',
        '"test_attention_entropy"',
        _CELLS,
        "two cells have the grade_id 'test_attention_entropy'",
    ),
    Forgotten(
        "a grade_id that no other unit has",
        SOURCE,
        '"what_entropy_misses"',
        '"why_two_projections"',
        _UNITS + "grade_ids_are_unique_in_the_course",
        f"'why_two_projections' in u1_dot_products and {UNIT}",
    ),
    Forgotten(
        "hidden tests", SOURCE, _HIDDEN, "", _CELLS, f"the cell test_attention_entropy in solutions/{UNIT} must be"
    ),
    Forgotten(
        "the lines around a solution",
        SOURCE,
        "    ### BEGIN SOLUTION\n    log",
        "    log",
        _CELLS,
        f"the answer cell attention_entropy in solutions/{UNIT} has no ### BEGIN SOLUTION",
    ),
    Forgotten(
        "marking guide",
        SOURCE,
        "*Marking guide.*",
        "",
        _CELLS,
        f"the question what_entropy_misses in solutions/{UNIT} has no *Marking guide.*",
    ),
    Forgotten(
        "progress",
        SOURCE,
        '\n# %%\nfrom helpers import progress\n\nprogress("u10")\n',
        "",
        _CONTENTS + "the_last_cell_shows_the_progress_of_its_own_unit",
        f"the last cell of solutions/{UNIT} must be",
    ),
    Forgotten("the first build", NOTEBOOK, "", "", _FRESH, f"notebooks/{UNIT} is not made yet: run `make build`"),
    Forgotten(
        "a second build",
        SOURCE,
        "## 1. Three queries",
        "## 1. Queries",
        _FRESH,
        f"notebooks/{UNIT} is older than solutions/{UNIT}: run `make build`",
    ),
    Forgotten(
        "a build after new points",
        SOURCE,
        '"points": 16',
        '"points": 15',
        _CONTENTS + "the_file_is_the_one_that_the_sources_of_the_course_make",
        "src/helpers/contents.json is older than the solutions: run `make build`",
    ),
    Forgotten(
        "changelog line",
        "CHANGELOG.md",
        "- Unit 10: how sharp attention is.\n",
        "",
        "tests/test_project.py::test_the_changelog_names_every_unit",
        "CHANGELOG.md has no line on unit 10",
    ),
)


@pytest.mark.parametrize("forgotten", FORGOTTEN, ids=lambda forgotten: forgotten.what.replace(" ", "_"))
def test_a_test_of_the_guide_says_what_was_forgotten_and_where(shop, followed, forgotten):
    (selection,) = [command for command in commands(STEPS) if command[0] == "pytest"]
    assert forgotten.test.startswith(tuple(argument for argument in selection if argument.startswith("tests/")))
    whole = shop.read(forgotten.file)
    assert forgotten.old in whole
    try:
        if forgotten.old:
            shop.write(forgotten.file, whole.replace(forgotten.old, forgotten.new))
        else:
            (shop.root / forgotten.file).unlink()
        code, output = shop.run(["pytest", forgotten.test, *selection[selection.index("-k") :]])
    finally:
        shop.write(forgotten.file, whole)
    said = [line for line in output.splitlines() if line.startswith("FAILED")]
    assert code == 1 and any(forgotten.words in line for line in said), output


def test_the_example_can_be_taken_away_without_a_trace(shop, followed):
    changelog = shop.read("CHANGELOG.md")
    for command in commands(TAKING_AWAY):
        if command[0] == "rm":
            subprocess.run(command, cwd=shop.root, check=True)
        else:
            assert shop.run(command)[0] == 0
    shop.write("CHANGELOG.md", changelog.replace("- Unit 10: how sharp attention is.\n", ""))
    left, before = shop.files(), dict(shop.before)
    assert left.keys() == before.keys()
    for files in (left, before):
        # The workshop has no other language, and a question's cell knows all that there are.
        files[CONTENTS] = re.sub(rb'"blanks": \[[^]]*\]', b"", files[CONTENTS])
    # Whether the notebooks of the other units were fresh to begin with is another test's business.
    assert {name for name in left if left[name] != before[name] and not name.startswith("notebooks/")} == set()
