"""Feedback pages on their way back: a zip for Moodle or Canvas, and nbgrader's exchange.

Both systems find the student by the name of the file in the zip, which has to be the one of their own download; so
a zip can be made for submissions that came with `autograder collect` or `nbgrader zip_collect`.
"""

from __future__ import annotations

import glob
import io
import logging
import os
import re
import zipfile
from dataclasses import dataclass
from pathlib import Path

from nbgrader.apps.zipcollectapp import ZipCollectApp
from nbgrader.exchange.default import ExchangeReleaseFeedback

from autograder.classroom.classroom import Classroom
from autograder.classroom.naming import chosen_students
from autograder.course import CourseError

from .placement import plan, released
from .recognition import Handed, read_roster

_EPOCH = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True)
class Feedback:
    """What `zip_feedback` wrote: the zip, students with a page in it, and a line for each that has none."""

    path: Path
    students: tuple[str, ...]
    without: tuple[str, ...]


def zip_feedback(
    classroom: Classroom,
    unit: str,
    system: str,
    to: Path | None = None,
    worksheet: Path | None = None,
    students: list[str] | None = None,
) -> Feedback:
    """Write the feedback pages of a unit into a zip that Moodle or Canvas takes back.

    - Moodle, "Upload multiple feedback files in a zip": `Ada Lovelace_1234_assignsubmission_file/u1_dot_products.html`.
    - Canvas, "Re-Upload Submissions": `lovelaceada_101_555_u1_dot_products.html`.

    Args:
        classroom: the class.
        unit: the unit.
        system: "moodle" or "canvas".
        to: the zip; None writes `feedback_<unit>_<system>.zip` into the class folder.
        worksheet: Moodle's grading worksheet, if the submissions were collected with one.
        students: only their pages.

    Raises:
        CourseError: the unit was not collected from this system, has no feedback pages, or the zip cannot be written.
    """
    directory = classroom.directory(logging.getLogger("attention"), unit)
    app = ZipCollectApp(config=classroom.config)
    app.coursedir = directory
    extracted = Path(app._format_collect_path(app.extracted_directory))
    sheet = str(worksheet) if worksheet else classroom.config.LmsCollector.get("worksheet", "")
    found = plan(extracted, read_roster(directory.db_url, sheet), released(directory))
    labels = {student: handed for student, handed in found.labels.items() if handed.system == system}
    if not labels:
        raise CourseError(
            f"{unit} was not collected from {system.capitalize()}: its names are those of the download; "
            "run `autograder collect` first"
        )
    chosen = chosen_students(students, labels, f"submission of {unit} from {system.capitalize()}")
    if chosen is not None:
        labels = {student: labels[student] for student in chosen}
    pages, without = [], []
    for student, handed in sorted(labels.items()):
        folder = Path(directory.format_path(directory.feedback_directory, student, unit))
        mine = (
            sorted(path for path in folder.glob("*.html") if path.is_file() and not path.is_symlink())
            if folder.is_dir()
            else []
        )
        if not mine:
            without.append(
                f"{student}: no feedback page; grade with feedback, or run `nbgrader generate_feedback {unit}`"
            )
        pages += [(_name(handed, page), page) for page in mine]
    if not pages:
        raise CourseError(f"{unit} has no feedback pages: run `nbgrader generate_feedback {unit}` in {classroom.root}")
    path = to or classroom.root / f"feedback_{unit}_{system}.zip"
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w") as archive:
        for name, page in sorted(pages):
            entry = zipfile.ZipInfo(name, _EPOCH)
            entry.create_system, entry.external_attr, entry.compress_type = 3, 0o100644 << 16, zipfile.ZIP_DEFLATED
            archive.writestr(entry, page.read_bytes())
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    draft.write_bytes(whole.getvalue())
    os.replace(draft, path)
    told = {line.split(":")[0] for line in without}
    return Feedback(path, tuple(student for student in sorted(labels) if student not in told), tuple(without))


def _name(handed: Handed, page: Path) -> str:
    if handed.system == "moodle":
        # A download without folders has the file's name after the label; the label alone is what Moodle looks for.
        label = _beginning(r"[^_]+_\d+_assignsubmission_file_?", handed.label)
        return f"{label}/{page.name}"
    head = _beginning(r"\w+?_\d+_\d+_", handed.label)
    return f"{head}{page.name}"


def _beginning(pattern: str, label: str) -> str:
    found = re.match(pattern, label)
    # It was recognised by this pattern when it was collected.
    assert found is not None, label
    return found[0]


class ReleaseFeedback(ExchangeReleaseFeedback):  # type: ignore[misc]  # nbgrader has no types
    """nbgrader's release of feedback, which goes on past a submission that did not come through the exchange.

    Such a submission has no secret by which its student could fetch the page; nbgrader would stop there, and every
    student after it would get nothing.
    """

    def copy_files(self) -> None:
        course = self.coursedir
        for folder in glob.glob(
            course.format_path(course.feedback_directory, course.student_id or "*", course.assignment_id)
        ):
            if all((Path(folder) / name).is_file() for name in ("submission_secret.txt", "timestamp.txt")):
                continue
            student = Path(folder).parent.name
            self.log.warning(
                "%s did not submit through the exchange: hand this feedback back another way, "
                "as with `autograder feedback --zip`",
                student,
            )
            course.student_id_exclude = ",".join(filter(None, [course.student_id_exclude, student]))
        super().copy_files()
