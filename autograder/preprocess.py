"""What nbgrader runs instead of its own: executing in the sandbox, and points from the judge's verdicts."""

from __future__ import annotations

import asyncio
import contextlib
import os
import time
from pathlib import Path
from typing import Any

import nbformat
from jupyter_client.kernelspec import NATIVE_KERNEL_NAME, KernelSpecManager, NoSuchKernel
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionComplete
from nbconvert.filters import strip_ansi
from nbformat import NotebookNode
from nbgrader import utils
from nbgrader.preprocessors import ClearHiddenTests, Execute, NbGraderPreprocessor, SaveAutoGrades
from traitlets import Bool

from helpers import catalog, feedback
from helpers.verdict import FAILED, Finding, Verdict

from . import zygote
from .intake import NOTES
from .judging import JudgeDesk
from .kernels import SandboxKernelManager
from .limits import MB, Limits
from .sandbox import Run, Sandbox, SandboxError
from .secret import class_secret
from .verdicts import Outcome, write_outcome

TEST = "test_"
_ENDED = {
    zygote.EXIT_MEMORY: "the notebook used more than {memory} MB of memory and was stopped",
    zygote.EXIT_PROCESSES: "the notebook started more than {processes} processes and was stopped",
    zygote.EXIT_TIME: "the notebook ran for more than {seconds} seconds and was stopped",
}


def course_root(preprocessor: NbGraderPreprocessor) -> Path:
    """Return the class folder that a preprocessor works in: its exporter's converter knows it."""
    coursedir = getattr(getattr(preprocessor.parent, "parent", None), "coursedir", None)
    return Path(coursedir.root if coursedir is not None else os.getcwd())


class OutOfTime(Exception):
    """The notebook has used up its time; the message says how much that is."""


class SandboxedExecute(Limits, Execute):
    """Executes a notebook in a sandboxed kernel and has the answers of its test cells judged outside it."""

    unsafe = Bool(False, help="Grade without the sandbox where the machine cannot give it. The grades are marked.").tag(config=True)

    def preprocess(self, nb: NotebookNode, resources: dict[str, Any]) -> tuple[NotebookNode, dict[str, Any]]:
        names = resources["nbgrader"]
        own = nb.metadata.get(NOTES, {})
        unit = names["assignment"] if names["assignment"] in catalog.units() and names["notebook"] == names["assignment"] else None
        self._exercises = catalog.unit_exercises(unit) if unit else {}
        if unit is None:
            _need_python(nb)
        outcome = self._outcome = Outcome(student=names["student"], unit=names["assignment"], notes=list(own.get("repaired", ())))
        names["outcome"] = outcome
        outcome.unsafe = self.unsafe
        for cell in nb.cells:
            if cell.cell_type == "code":
                cell.outputs, cell.execution_count = [], None
        if "ungradable" in own:
            outcome.ungradable = own["ungradable"]
        else:
            self._execute(nb, resources, unit)
        for cell in nb.cells:
            if self.judged(cell):
                self._show_verdict(cell)
        return nb, resources

    def judged(self, cell: NotebookNode) -> bool:
        """Whether the points of a cell come from the judge: a test cell of an exercise that the course knows."""
        name = cell.metadata.get("nbgrader", {}).get("grade_id", "")
        return utils.is_grade(cell) and cell.cell_type == "code" and name.startswith(TEST) and name[len(TEST) :] in self._exercises

    def _execute(self, nb: NotebookNode, resources: dict[str, Any], unit: str | None) -> None:
        outcome = self._outcome
        root = course_root(self)
        sandbox = Sandbox.of(unit, sealed=not self.unsafe)
        run, connection = sandbox.new_run()
        desk = self._desk = JudgeDesk(self._exercises, class_secret(root) if unit else b"", connection)
        self._ends = time.monotonic() + self.notebook_seconds
        files = Path(resources.get("metadata", {}).get("path") or ".")
        try:
            zygote.copy_files(files, run.files, self.scratch_bytes)
            (run.files / f"{resources['nbgrader']['notebook']}.ipynb").unlink(missing_ok=True)
            manager = SandboxKernelManager(sandbox=sandbox, run=run, limits=self.limits(), kernel_name="python3", parent=self)
            NotebookClient.__init__(self, nb, manager)
            self.resources = resources
            self._run_cells(nb)
        except SandboxError:
            raise
        except Exception as error:
            if self.kc is None:
                # No line of the learner's has run: the failure is the grader's own, and no ground for a grade.
                raise
            # A hostile kernel can make any step fail; the batch goes on and this notebook says why.
            outcome.stopped = self._reason(run, error)
        finally:
            self._stop(sandbox, run)
            desk.close()
            self._bring_back(run, files)
            sandbox.forget(run)

    def _run_cells(self, nb: NotebookNode) -> None:
        with self.setup_kernel(cleanup_kc=False):
            nb.metadata["language_info"] = {"name": "python"}
            for index, cell in enumerate(nb.cells):
                if cell.cell_type != "code" or not cell.source.strip():
                    continue
                if time.monotonic() > self._ends:
                    raise OutOfTime(f"the notebook ran for more than {self.notebook_seconds} seconds and was stopped")
                self._written = 0
                judged = self.judged(cell)
                if judged:
                    self._desk.open_cell(self._name(cell))
                try:
                    self.execute_cell(cell, index, store_history=True)
                finally:
                    if judged:
                        self._outcome.verdicts[self._name(cell)] = self._desk.close_cell()

    @staticmethod
    def _name(cell: NotebookNode) -> str:
        return cell.metadata.nbgrader["grade_id"][len(TEST) :]

    def _get_timeout(self, cell: NotebookNode | None) -> int | None:
        seconds = super()._get_timeout(cell)
        left = max(1, int(self._ends - time.monotonic()) + 1)
        return left if seconds is None else min(seconds, left)

    def process_message(self, msg: dict[str, Any], cell: NotebookNode, cell_index: int) -> Any:
        """Take in one message of the kernel, unless the cell has written too much or the message is malformed."""
        try:
            if msg["msg_type"] != "status":
                self._written += _size(msg["content"])
                if self._written > self.output_bytes:
                    self._too_much(cell)
                    return None
            if msg["msg_type"].startswith("comm"):
                # Widgets are not restored in a graded notebook, and their state is the kernel's to fill.
                return None
            return super().process_message(msg, cell, cell_index)
        except CellExecutionComplete:
            raise
        except Exception:
            return None

    def _too_much(self, cell: NotebookNode) -> None:
        if cell.metadata.get("nbgrader", {}).get("grade_id"):
            note = f"the cell {cell.metadata.nbgrader['grade_id']} wrote more than {self.output_bytes / MB:g} MB; the rest was dropped"
        else:
            note = f"a cell wrote more than {self.output_bytes / MB:g} MB; the rest was dropped"
        if note not in self._outcome.notes:
            self._outcome.notes.append(note)
            task = asyncio.ensure_future(self.km.interrupt_kernel())
            task.add_done_callback(lambda done: done.cancelled() or done.exception())

    def _reason(self, run: Run, error: Exception) -> str:
        run.ended.wait(0.5)
        if run.code in _ENDED:
            return _ENDED[run.code].format(memory=self.memory_bytes // MB, processes=self.processes, seconds=self.notebook_seconds)
        if isinstance(error, OutOfTime):
            return str(error)
        if isinstance(error, TimeoutError):
            return "a cell did not stop when its time was up, or wrote more than can be received; the notebook was stopped"
        if run.ended.is_set():
            return "the notebook's kernel ended before its last cell (a crash, an exit or a kill in one of its cells)"
        return f"the notebook could not be run to its end ({type(error).__name__})"

    def _stop(self, sandbox: Sandbox, run: Run) -> None:
        with contextlib.suppress(Exception):
            if self.kc is not None:
                self.kc.stop_channels()
                self.kc = None
        with contextlib.suppress(Exception):
            if self.km is not None:
                self.km._close_control_socket()
                self.km.context.destroy(linger=0)
                self.km = None
        if run.started:
            sandbox.tell(run, "kill")
            run.ended.wait(10)

    def _bring_back(self, run: Run, files: Path) -> None:
        """Keep what the notebook wrote beside itself, as nbgrader does; nothing that was there is replaced."""
        with contextlib.suppress(OSError):
            zygote.copy_files(run.files, files, self.scratch_bytes, new_only=True)

    def _show_verdict(self, cell: NotebookNode) -> None:
        """Replace whatever the kernel put under a test cell by the judge's verdict."""
        name = self._name(cell)
        verdict = self._outcome.verdict(name) or self._never(cell, name)
        self._outcome.final[name] = verdict
        points = float(cell.metadata.nbgrader["points"])
        data = {"text/html": feedback.as_html(verdict, points), "text/plain": feedback.as_text(verdict)}
        cell.outputs = [nbformat.v4.new_output("display_data", data=data)]

    def _never(self, cell: NotebookNode, name: str) -> Verdict:
        """The verdict on a test cell that the judge heard nothing conclusive from."""
        outcome = self._outcome
        reason = outcome.ungradable or outcome.stopped
        if not reason:
            told = next((f"{o.ename}: {o.evalue}" for o in cell.outputs if o.output_type == "error"), "")
            told = strip_ansi(told)[:300]
            reason = f"the check did not come to its end: {told}" if told else "the check did not reach the judge"
        return Verdict(name, FAILED, finding=Finding("values", "not judged", reason))


def _need_python(nb: NotebookNode) -> None:
    """For a foreign notebook: fail as nbgrader does when its kernel is not there, or is not Python's."""
    name = nb.metadata.get("kernelspec", {}).get("name")
    if name and name not in ("python", NATIVE_KERNEL_NAME):
        spec = KernelSpecManager().get_kernel_spec(name)
        if spec.language != "python":
            raise NoSuchKernel(f"{name}: the sandbox runs Python notebooks only")


def _size(content: Any) -> int:
    """Characters in a message, counted without building a text of it."""
    if isinstance(content, str):
        return len(content)
    if isinstance(content, dict):
        return sum(_size(k) + _size(v) for k, v in content.items())
    if isinstance(content, (list, tuple)):
        return sum(map(_size, content)) + len(content)
    return 8


class SaveVerdicts(SaveAutoGrades):
    """Writes the points of judged cells from the verdicts and leaves every other cell to nbgrader's own rule."""

    def preprocess(self, nb: NotebookNode, resources: dict[str, Any]) -> tuple[NotebookNode, dict[str, Any]]:
        self._outcome: Outcome | None = resources["nbgrader"].get("outcome")
        nb, resources = super().preprocess(nb, resources)
        if self._outcome is not None:
            write_outcome(course_root(self), self._outcome)
        return nb, resources

    def _verdict(self, cell: NotebookNode) -> Verdict | None:
        name = cell.metadata.nbgrader["grade_id"]
        if self._outcome is None or not name.startswith(TEST):
            return None
        return self._outcome.final.get(name[len(TEST) :])

    def _find(self, what: str, cell: NotebookNode) -> Any:
        return getattr(self.gradebook, what)(cell.metadata["nbgrader"]["grade_id"], self.notebook_id, self.assignment_id, self.student_id)

    def _add_score(self, cell: NotebookNode, resources: dict[str, Any]) -> None:
        verdict = self._verdict(cell)
        if verdict is None and self._outcome is not None and self._outcome.ungradable:
            grade = self._find("find_grade", cell)
            grade.auto_score, grade.needs_manual_grade = 0, False
        elif verdict is not None:
            grade = self._find("find_grade", cell)
            grade.auto_score = verdict.share * float(cell.metadata.nbgrader["points"])
            grade.needs_manual_grade = grade.manual_score is not None
        else:
            super()._add_score(cell, resources)
            return
        self.gradebook.db.commit()

    def _add_comment(self, cell: NotebookNode, resources: dict[str, Any]) -> None:
        super()._add_comment(cell, resources)
        verdict = self._outcome.final.get(cell.metadata["nbgrader"]["grade_id"]) if self._outcome is not None else None
        if verdict is not None and not verdict.passed:
            self._find("find_comment", cell).auto_comment = comment(verdict)
            self.gradebook.db.commit()


def comment(verdict: Verdict) -> str:
    """What a learner reads about a verdict in the gradebook and in feedback: no data of any case."""
    if verdict.status == "not answered":
        return "No response."
    if verdict.diagnosis is not None:
        return f"{verdict.diagnosis.name}. {verdict.diagnosis.hint}"
    finding = verdict.finding
    if finding is None:
        return "not right yet"
    return f"The hidden check found that “{finding.property}” does not hold." if verdict.hidden else finding.message


class HideHiddenTests(NbGraderPreprocessor):
    """Takes out of feedback what could tell of hidden cases: the hidden part of test cells, and a unit's own outputs.

    A learner's function sees the hidden cases while it is judged and can keep them for a later cell to print, so
    of a unit's code cells only the judge's verdicts keep their output. The learner has the others at home.
    """

    def preprocess_cell(self, cell: NotebookNode, resources: dict[str, Any], index: int) -> tuple[NotebookNode, dict[str, Any]]:
        if cell.cell_type != "code":
            return cell, resources
        if "BEGIN HIDDEN TESTS" in cell.source:
            with contextlib.suppress(RuntimeError):
                ClearHiddenTests(parent=self)._remove_hidden_test_region(cell)
        if resources["nbgrader"]["assignment"] in catalog.units() and not utils.is_grade(cell):
            cell.outputs = []
        return cell, resources
