"""What nbgrader runs instead of its own execution: the sandbox, and the judge's verdicts under the test cells."""

from __future__ import annotations

import contextlib
import copy
import dataclasses
import functools
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient
from nbformat import NotebookNode
from nbgrader import utils
from nbgrader.preprocessors import Execute
from traitlets import Bool, Dict, Unicode

from autograder.classroom import environments
from autograder.classroom.secret import class_secret
from autograder.sandbox import probe
from autograder.sandbox.connection import Sandbox
from autograder.sandbox.inside.files import copy_files, statuses
from autograder.sandbox.kernels import Conversation, SandboxKernelManager
from autograder.sandbox.limits import MB, Limits
from autograder.sandbox.outputs import from_message, size_of
from autograder.sandbox.outside.errors import SandboxError
from helpers.desk import feedback
from helpers.folder.cells import TEST
from helpers.judging import catalog
from helpers.language import speaking
from helpers.verdict import FAILED, Finding, Verdict

from . import siblings
from .bringing import Brought
from .cell_errors import error_of, failed_cell
from .endings import KILLED, Disturbed, OutOfTime, Stuck, reason
from .intake import NOTES
from .judge_desk import JudgeDesk
from .languages import language_of
from .outcomes import Outcome
from .plain_cells import mark_not_run, need_python, tagged_to_be_skipped
from .saving import course_root
from .widgets import OutputWidgets

# How often a notebook is tried whose kernel is killed from outside.
ATTEMPTS = 3
# How many cells that cannot be interrupted a notebook may have and still be run without them: a piece that others are
# built on stops each of their checks too. Nothing is run again once the notebook has had its whole time.
LEFT_OUT = 8


class SandboxedExecute(Limits, Execute):  # type: ignore[misc]  # nbgrader has no types
    """Executes a notebook in a sandboxed kernel and has the answers of its test cells judged outside it."""

    record_timing = False
    # The sandbox has limits of its own.
    untimed = True
    _hidden_waits = True
    # Why each cell that was begun has no result, or "" where it has one.
    _cell_ends: dict[int, str]
    unsafe = Bool(False, help="Grade without the sandbox where the machine cannot give it. The grades are marked.").tag(
        config=True
    )
    environments = Dict(
        key_trait=Unicode(),
        value_trait=Unicode(),
        help="Python environments, made by venv or conda, by the assignments or units that are run in them.",
    ).tag(config=True)

    def preprocess(self, nb: NotebookNode, resources: dict[str, Any]) -> tuple[NotebookNode, dict[str, Any]]:
        names = resources["nbgrader"]
        own = nb.metadata.get(NOTES, {})
        if "environment" not in names:
            named = environments.named(course_root(self), self.config)
            names["environment"] = named.get(names["assignment"], "")
        self._environment = names["environment"]
        unit = (
            names["assignment"]
            if names["assignment"] in catalog.units() and names["notebook"] == names["assignment"]
            else None
        )
        self._exercises = catalog.unit_exercises(unit) if unit else {}
        if unit is None:
            need_python(nb)
        outcome = self._outcome = Outcome(
            student=names["student"], unit=names["assignment"], notes=list(own.get("repaired", ()))
        )
        names["outcome"] = outcome
        outcome.unsafe, self._cell_ends = self.unsafe, {}
        _clear(nb)
        if "ungradable" in own:
            outcome.ungradable = own["ungradable"]
        else:
            with tempfile.TemporaryDirectory(prefix="brought-") as brought:
                self._brought = Brought(Path(brought), self.kept_bytes)
                self._execute(nb, resources, unit)
                self._judge_what_waits(nb, resources, unit)
                outcome.notes += self._brought.keep(Path(resources.get("metadata", {}).get("path") or "."))
            outcome.notes += mark_not_run(nb, self._cell_ends, outcome.stopped, self.judged)
        self._answers = {cell.metadata.nbgrader["grade_id"]: cell for cell in nb.cells if utils.is_solution(cell)}
        with speaking(language_of(nb), names["assignment"]):
            for cell in nb.cells:
                if self.judged(cell):
                    self._show_verdict(cell)
        return nb, resources

    def judged(self, cell: NotebookNode) -> bool:
        """Whether the points of a cell come from the judge: a test cell of an exercise that the course knows."""
        name = cell.metadata.get("nbgrader", {}).get("grade_id", "")
        return (
            utils.is_grade(cell)
            and cell.cell_type == "code"
            and name.startswith(TEST)
            and name[len(TEST) :] in self._exercises
        )

    def _execute(self, nb: NotebookNode, resources: dict[str, Any], unit: str | None) -> None:
        """Execute the notebook; once more, and once more, when somebody outside killed its kernel: that is no fault of
        the learner's. A cell that cannot be interrupted costs itself alone: all others are run in a new kernel.
        """
        disturbed, self._left_out = 0, {}
        self._first = time.monotonic()
        while True:
            try:
                return self._execute_once(nb, resources, unit)
            except Stuck as stuck:
                cell = nb.cells[stuck.place]
                name = cell.metadata.get("nbgrader", {}).get("grade_id", "")
                self._left_out[stuck.place] = (
                    f"{f'the cell {name}' if name else 'a cell'} could not be interrupted when its time was up; it was "
                    "left out and all other cells were run in a new kernel"
                )
            except Disturbed:
                disturbed += 1
                if disturbed == ATTEMPTS:
                    return None
            self._outcome.stopped = ""
            self._outcome.verdicts.clear()
            self._outcome.notes = [*nb.metadata.get(NOTES, {}).get("repaired", ()), *self._left_out.values()]
            _clear(nb)

    def _judge_what_waits(self, nb: NotebookNode, resources: dict[str, Any], unit: str | None) -> None:
        """Run a notebook that ended before its hidden checks once more, as far as they go, for their verdicts alone.

        Outputs, files and texts stay those of the first run, in which no code had seen a hidden case.
        """
        outcome = self._outcome
        names = [name for name, found in outcome.verdicts.items() if _hidden_wanted(found)]
        places = [i for i, cell in enumerate(nb.cells) if self.judged(cell) and self._name(cell) in names]
        if not outcome.stopped or not places:
            return
        shown = dataclasses.replace(outcome, verdicts=outcome.verdicts, notes=list(outcome.notes))
        cell_ends = self._cell_ends
        again = nbformat.v4.new_notebook(cells=copy.deepcopy(nb.cells[: places[-1] + 1]), metadata=dict(nb.metadata))
        outcome.verdicts = {}
        self._hidden_waits = False
        try:
            self._execute(again, resources, unit)
        finally:
            self._hidden_waits, self._cell_ends = True, cell_ends
            judged, outcome.verdicts = outcome.verdicts, shown.verdicts
            outcome.stopped, outcome.notes = shown.stopped, shown.notes
            outcome.seconds += shown.seconds
        for name in names:
            if True in judged.get(name, {}):
                outcome.verdicts[name][True] = judged[name][True]

    def _execute_once(self, nb: NotebookNode, resources: dict[str, Any], unit: str | None) -> None:
        outcome = self._outcome
        start = functools.partial(probe.start, imports=resources["nbgrader"].get("imports", ()))
        sandbox = Sandbox.of(unit, not self.unsafe, start, self._environment)
        run, connection = sandbox.new_run()
        secret = resources["nbgrader"].get("secret") or (class_secret(course_root(self)) if unit else b"")
        desk = self._desk = JudgeDesk(self._exercises, secret, connection)
        began = time.monotonic()
        self._ends = began + self.notebook_seconds
        files = Path(resources.get("metadata", {}).get("path") or ".")
        conversation, before = None, {}
        try:
            copy_files(files, run.files, self.scratch_bytes)
            siblings.prepare(run.files, resources["nbgrader"]["notebook"], self.config)
            before = statuses(run.files)
            manager = SandboxKernelManager(sandbox=sandbox, run=run, limits=self.limits(), kernel_name="python3")
            NotebookClient.__init__(self, nb, manager)
            manager.start_kernel()
            # A failure until here is the grader's own, and no ground for a grade.
            conversation = Conversation(manager)
            self._run_cells(nb, conversation, lambda: sandbox.tell(run, "interrupt"))
        except SandboxError:
            raise
        except Exception as error:
            if conversation is None:
                raise
            # A hostile kernel can make any step fail; the batch goes on and this notebook says why.
            outcome.stopped = reason(run, self, error)
            if run.ended.is_set() and run.code in KILLED:
                raise Disturbed from error
            left = self._first + self.notebook_seconds - time.monotonic()
            if isinstance(error, Stuck) and not run.ended.is_set() and len(self._left_out) < LEFT_OUT and left > 0:
                raise
        finally:
            if conversation is not None:
                conversation.close()
            if run.started:
                sandbox.tell(run, "kill")
                run.ended.wait(10)
            desk.close()
            if self._hidden_waits:
                self._brought.take(run, before)
            sandbox.forget(run)
            outcome.seconds = time.monotonic() - began

    def _run_cells(self, nb: NotebookNode, conversation: Conversation, interrupt: Callable[[], None]) -> None:
        self._interrupt, self._widgets = interrupt, OutputWidgets()
        nb.metadata["language_info"] = {"name": "python"}
        self._cell_ends = {}
        count = 0
        for index, cell in enumerate(nb.cells):
            skipped = not self._exercises and tagged_to_be_skipped(cell)
            if cell.cell_type != "code" or not cell.source.strip() or skipped:
                self._cell_ends[index] = ""
                continue
            if time.monotonic() > self._ends:
                raise OutOfTime(f"the notebook ran for more than {self.notebook_seconds} seconds and was stopped")
            if index in self._left_out:
                cell.outputs = [failed_cell("TimeoutError", self._left_out[index])]
                self._cell_ends[index] = self._left_out[index]
                continue
            self._written, self.clear_before_next_output = 0, False
            count += 1
            cell.execution_count = count
            judged = self.judged(cell)
            if judged:
                self._desk.open_cell(self._name(cell), self._hidden_waits)
            take = functools.partial(self._take, cell=cell, index=index)
            try:
                reply = conversation.run_cell(cell.source, self._get_timeout(cell), self.iopub_timeout, take, interrupt)
            except TimeoutError as error:
                raise Stuck(index) from error
            finally:
                if judged:
                    self._outcome.verdicts[self._name(cell)] = self._desk.close_cell()
            if reply is None:
                self._cell_ends[index] = "its time was up"
                reply = {"status": "error", **self.error_on_timeout}
            elif self._written > self.output_bytes:
                self._cell_ends[index] = "it wrote too much, and its result may be among what was dropped"
            else:
                self._cell_ends[index] = "" if reply.get("status") in ("ok", "error") else "the kernel did not run it"
            self.on_cell_executed(cell=cell, cell_index=index, execute_reply={"content": reply})
        self._check_hidden(nb, conversation, interrupt)

    def _check_hidden(self, nb: NotebookNode, conversation: Conversation, interrupt: Callable[[], None]) -> None:
        """Do the hidden checks that were put off, where the visible one passed: else it is the one that counts.

        What the kernel says meanwhile is taken by nobody.
        """
        cells = {self._name(cell): cell for cell in nb.cells if self.judged(cell)}
        for name, number in self._desk.waiting().items():
            if not _hidden_wanted(self._outcome.verdicts[name]):
                continue
            if time.monotonic() > self._ends:
                raise OutOfTime(f"the notebook ran for more than {self.notebook_seconds} seconds and was stopped")
            source = f"from helpers.running import outpost\noutpost.check_kept({number})"
            seconds = self._get_timeout(cells[name])
            self._desk.open_cell(name, hidden_waits=False)
            try:
                conversation.run_cell(source, seconds, self.iopub_timeout, lambda message: None, interrupt)
            finally:
                found = self._desk.close_cell()
                if True in found:
                    self._outcome.verdicts[name][True] = found[True]

    @staticmethod
    def _name(cell: NotebookNode) -> str:
        grade_id: str = cell.metadata.nbgrader["grade_id"]
        return grade_id[len(TEST) :]

    def _get_timeout(self, cell: NotebookNode | None) -> int | None:
        seconds = super()._get_timeout(cell)
        left = max(1, int(self._ends - time.monotonic()) + 1)
        return left if seconds is None else min(seconds, left)

    def _take(self, msg: dict[str, Any], cell: NotebookNode, index: int) -> None:
        """Take in one message of the kernel, unless the cell has written too much or the message is malformed."""
        self._written += size_of(msg["content"])
        if self._written > self.output_bytes:
            self._too_much(cell)
        elif msg["msg_type"].startswith("comm"):
            # Widgets are not restored in a graded notebook, and their state is the kernel's to fill.
            self._widgets.hear(msg)
        else:
            with contextlib.suppress(Exception):
                self.process_message(self._widgets.taken(msg), cell, index)

    def output(
        self, outs: list[NotebookNode], msg: dict[str, Any], display_id: str | None, cell_index: int
    ) -> NotebookNode | None:
        """Append the output that a message stands for, as nbclient's method of this name does."""
        output = from_message(msg)
        if output is None:
            return None
        last = outs[-1] if outs and not self.clear_before_next_output else None
        if (
            output.output_type == "stream"
            and last is not None
            and last.output_type == "stream"
            and last.name == output.name
        ):
            # How a text was cut into messages is a matter of timing; the graded notebook is not.
            last.text += output.text
            return last
        if self.clear_before_next_output:
            outs[:] = []
            self.clear_display_id_mapping(cell_index)
            self.clear_before_next_output = False
        if display_id:
            self._display_id_map.setdefault(display_id, {}).setdefault(cell_index, []).append(len(outs))
        outs.append(output)
        return output

    def _too_much(self, cell: NotebookNode) -> None:
        if cell.metadata.get("nbgrader", {}).get("grade_id"):
            note = (
                f"the cell {cell.metadata.nbgrader['grade_id']} wrote more than {self.output_bytes / MB:g} MB; "
                "the rest was dropped"
            )
        else:
            note = f"a cell wrote more than {self.output_bytes / MB:g} MB; the rest was dropped"
        if note not in self._outcome.notes:
            self._outcome.notes.append(note)
            self._interrupt()

    def _show_verdict(self, cell: NotebookNode) -> None:
        """Replace whatever the kernel put under a test cell by the judge's verdict."""
        name = self._name(cell)
        verdict = self._outcome.verdict(name) or self._never(cell, name)
        self._outcome.final[name] = verdict
        points = float(cell.metadata.nbgrader["points"])
        data = {"text/html": feedback.as_html(verdict, points), "text/plain": feedback.as_text(verdict)}
        cell.outputs = [NotebookNode(output_type="display_data", data=NotebookNode(data), metadata=NotebookNode())]

    def _never(self, cell: NotebookNode, name: str) -> Verdict:
        """The verdict on a test cell that the judge heard nothing conclusive from."""
        outcome = self._outcome
        reason = outcome.ungradable or outcome.stopped
        if not reason:
            told, earlier = error_of(cell), error_of(self._answers.get(name, cell))
            if told and earlier and self._answers.get(name, cell) is not cell:
                # Why the check finds no answer, and not that it finds none.
                reason = f"the cell of your answer did not run: {earlier}"
            else:
                reason = f"the check did not come to its end: {told}" if told else "the check did not reach the judge"
        return Verdict(name, FAILED, finding=Finding("values", "not judged", reason))


def _hidden_wanted(found: dict[bool, Verdict]) -> bool:
    """Whether a hidden verdict is what is missing: the visible check passed."""
    return True not in found and False in found and found[False].passed


def _clear(nb: NotebookNode) -> None:
    for cell in nb.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
