"""Grades what is submitted in a class: each submission to exactly one end, in parallel, and from where it was stopped.

Executing and judging is done by workers (`autograder.marking.submission`). This is the coordinator. It leads the steps:

1. `reading`: a unit and its submissions become tasks; what has not changed since it was graded is kept.
2. `distribution`: tasks are handed out to workers, a few ahead.
3. `writing`: for each result the graded notebook and its outcome are written and brought to the disk; then the points
   of the whole batch go into the gradebook in one transaction, with what was graded (`records`); then the feedback
   pages, which the workers have made but for what the gradebook says.
4. `feedback`: other pages that are missing or stale are written, as after grading by hand.

It alone writes the class folder and the gradebook. So at every instant the gradebook's table says what is done, and all
that it says is there. A run that was killed is started again with the same command: what is done stays, the rest is
graded.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace

from sqlalchemy.exc import SQLAlchemyError

from autograder.classroom import assignments
from autograder.classroom.classroom import Classroom, told_by_database
from autograder.classroom.layout import only_grader
from autograder.classroom.standing import Standing
from autograder.course import CourseError
from autograder.marking.outcomes import Outcome, read_outcome
from autograder.sandbox.outside import bubblewrap
from autograder.sandbox.outside.errors import SandboxError
from autograder.sandbox.run_folder import run_folder

from . import readiness
from .distribution import Distribution, Workers
from .faults import FULL, Faults, Unfinished
from .feedback import Feedback
from .places import Places
from .reading import Reader, notebook_names, read_kit
from .records import Mark, Records
from .results import Result, Stopped, Tell, silent
from .settings import check_settings, near
from .writing import Writer

__all__ = ["Result", "Stopped", "Unfinished", "grade", "grade_one"]


def grade(
    classroom: Classroom,
    units: list[str],
    unsafe: bool = False,
    feedback: bool = True,
    tell: Tell = silent,
    jobs: int | None = None,
    scheduler: str | None = None,
    regrade: bool = False,
    students: list[str] | None = None,
    skip: Sequence[str] = (),
    standing: Standing | None = None,
) -> list[Result]:
    """Grade what is new or changed among the submissions of the units and return a result for every one.

    Args:
        classroom: the class.
        units: names of units.
        unsafe: go on where the sandbox cannot be had, and mark the grades.
        feedback: also write feedback pages.
        tell: called with what happens as it happens: a kind, and named values (see `autograder.grading.progress`).
        jobs: worker processes; as many as cores if None, fewer for a few submissions.
        scheduler: address of a Dask scheduler whose workers execute instead.
        regrade: also grade what has not changed.
        students: only these.
        skip: not these; what the gradebook has of them stays.
        standing: is told of each writing into the gradebook.

    Raises:
        CourseError: the class cannot be graded at all: a wrong setting, another grader, no gradebook, no sandbox, no
            kernel, a full disk.
        Unfinished: some submissions could not be graded through no fault of theirs; all others are.
        Stopped: Ctrl-C; what was graded is kept.
    """
    check_settings(classroom)
    with only_grader(classroom.root), run_folder() as folder:
        released = assignments.released(classroom)
        missing = [unit for unit in units if unit not in released and classroom.submitted(unit)]
        if missing:
            raise CourseError("; ".join(assignments.how_to_release(classroom, unit) for unit in missing))
        if not unsafe and scheduler is None:
            _need_sandbox()
        workers = Workers(folder, unsafe, jobs, scheduler, tell)
        writing = contextlib.nullcontext if standing is None else standing.writing
        coordinator = Coordinator(classroom, workers, unsafe, regrade, tell, frozenset(skip), writing)
        return coordinator.run([unit for unit in units if unit in released], students, feedback)


def grade_one(classroom: Classroom, unit: str, student: str, unsafe: bool = False, feedback: bool = True) -> Result:
    """Grade one submission anew and return its result."""
    return grade(classroom, [unit], unsafe, feedback, regrade=True, students=[student])[0]


def _need_sandbox() -> None:
    try:
        bubblewrap.need()
    except SandboxError as error:
        raise CourseError(f"{error}. With --unsafe, grading goes on without it and marks the grades") from error


@dataclass
class Coordinator:
    """Leads one run over some units of a class."""

    classroom: Classroom
    workers: Workers
    unsafe: bool
    regrade: bool
    tell: Tell
    skip: frozenset[str] = frozenset()
    writing: Callable[[], AbstractContextManager[None]] = contextlib.nullcontext
    results: list[Result] = field(default_factory=list)
    graded: int = 0

    def __post_init__(self) -> None:
        self.faults = Faults(self.classroom.root)

    def run(self, units: list[str], students: list[str] | None, feedback: bool) -> list[Result]:
        """Grade these units of these students (of all, if None) and return a result for each submission."""
        handed_in = {
            unit: [one for one in self.classroom.submitted(unit) if students is None or one in students]
            for unit in units
        }
        everyone = sorted({student for students in handed_in.values() for student in students})
        for name in sorted(self.skip):
            if name not in everyone:
                raise CourseError(f"--skip {name}: nobody of that name handed in{near(name, everyone)}")
            self.tell("told", text=f"{name}: skipped, not graded now")
        handed_in = {
            unit: [student for student in students if student not in self.skip] for unit, students in handed_in.items()
        }
        misnamed = {unit: {} if students is not None else self.classroom.misnamed(unit) for unit in units}
        total = sum(map(len, (*handed_in.values(), *misnamed.values())))
        with self._database():
            remote = self.workers.scheduler is not None
            for line in readiness.check(self.classroom, [unit for unit in units if handed_in[unit]], remote):
                self.tell("told", text=line)
        self.tell("start", total=total)
        try:
            # Free late days are spent in this order.
            for unit in assignments.by_due(self.classroom, units):
                if handed_in[unit] or misnamed[unit]:
                    with self._database():
                        self._unit(unit, handed_in[unit], misnamed[unit], feedback)
            self.workers.close()
        except KeyboardInterrupt:
            self.workers.kill()
            raise Stopped(
                f"stopped: {self.graded} submissions were graded and are kept; the same command goes on with the rest"
            ) from None
        except BaseException:
            self.workers.kill()
            raise
        results = sorted(self.results, key=lambda result: (units.index(result.unit), result.student))
        self.faults.end(results)
        self.tell("end", graded=self.graded, total=total)
        return results

    @contextlib.contextmanager
    def _database(self) -> Iterator[None]:
        try:
            yield
        except SQLAlchemyError as error:
            raise CourseError(told_by_database(error, self.classroom.db_url)) from error
        except OSError as error:
            if error.errno in FULL:
                # No fault of a student's, and no ground for 0 points: stop here, what is graded is kept.
                raise CourseError(
                    f"no space is left in {self.classroom.root}: free some and run the same command again; "
                    "nothing is lost"
                ) from error
            raise

    def _unit(self, unit: str, students: list[str], misnamed: dict[str, str], feedback: bool) -> None:
        with self.classroom.gradebook() as gradebook:
            places = Places(self.classroom, unit, notebook_names(gradebook, unit))
            records = Records(gradebook, unit, self.classroom.config, self.writing)
            for name, reason in misnamed.items():
                # No gradebook can hold it, so there is nothing to write; it is said each time.
                told = f"the folder's name in submitted/ cannot be a student's id, {reason}: rename it"
                self.graded += 1
                mark = Mark(0.0, records.max_score, 0, 0.0)
                self.tell("graded", result=self._result(unit, name, mark, Outcome(name, unit, told), fresh=True))
            kit = read_kit(self.classroom, places, gradebook, self.unsafe)
            known = {} if self.regrade else records.known()
            reader = Reader(self.classroom, places, kit, known, self.tell, pages=feedback)

            def written(student: str, mark: Mark, outcome: Outcome) -> None:
                self.graded += 1
                self.tell("graded", result=self._result(unit, student, mark, outcome, fresh=True))

            pages = Feedback(self.classroom, places, records, self.workers, self.tell) if feedback else None
            writer = Writer(self.classroom, places, kit, records, self.faults, written, pages.fill if pages else None)
            Distribution(kit, self.workers, writer, self.faults, self.tell).run(reader.tasks(students), len(students))
            again = [student for student in reader.kept if known[student].late_changed]
            if again:
                records.penalise_again(again)
                known |= {student: replace(known[student], mark=mark) for student, mark in records.marks(again).items()}
            for student in reader.kept:
                outcome = read_outcome(self.classroom.root, unit, student)
                assert outcome is not None
                self._result(unit, student, known[student].mark, outcome, fresh=False)
            if pages is not None:
                pages.write([result.student for result in self.results if result.unit == unit])

    def _result(self, unit: str, student: str, mark: Mark, outcome: Outcome, fresh: bool) -> Result:
        result = Result(
            student, unit, mark.score, mark.max_score, mark.by_hand, mark.late_seconds, outcome, fresh, mark.late_told
        )
        self.results.append(result)
        return result
