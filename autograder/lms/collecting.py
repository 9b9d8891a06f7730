"""Takes a learning management system's download of submissions into a class.

Two plugins for `nbgrader zip_collect`, which the class's configuration names, and around them `autograder collect`:

1. `archives.SafeExtractor` opens the downloaded archives and the zips that learners packed.
2. `placement.LmsCollector` says of each extracted file whose it is (`recognition`) and what it is to be called.
"""

from __future__ import annotations

import copy
import logging
import shutil
import zipfile
from dataclasses import dataclass
from pathlib import Path

from nbgrader.apps.zipcollectapp import ZipCollectApp
from nbgrader.utils import rmtree
from sqlalchemy.exc import SQLAlchemyError

from autograder.classroom.classroom import Classroom, told_by_database
from autograder.course import CourseError

from .archives import SafeExtractor
from .placement import LmsCollector, released


@dataclass(frozen=True)
class Report:
    """What `collect` did: students with a submission, those marked late, and a line for what was left out."""

    students: tuple[str, ...]
    late: tuple[str, ...]
    left: tuple[str, ...]


def collect(classroom: Classroom, unit: str, download: Path, worksheet: Path | None = None) -> Report:
    """Run `nbgrader zip_collect` on a download: what it holds becomes the submissions of its students.

    Submissions that a student of the download already has are replaced; those of other students stay.

    Args:
        classroom: the class.
        unit: the unit that was handed in.
        download: the zip from Moodle or Canvas, or a folder in which it was unpacked.
        worksheet: Moodle's grading worksheet, or None.

    Raises:
        CourseError: the download cannot be read, or holds nothing of this class.
    """
    config = copy.deepcopy(classroom.config)
    config.CourseDirectory.assignment_id = unit
    config.ZipCollectApp.extractor_plugin = SafeExtractor
    config.ZipCollectApp.collector_plugin = LmsCollector
    config.ZipCollectApp.force = True
    if worksheet is not None:
        config.LmsCollector.worksheet = str(worksheet)
    log = logging.getLogger("attention-collect")
    log.addHandler(logging.NullHandler())
    log.propagate = False
    app = ZipCollectApp(config=config, log=log)
    app.coursedir = classroom.directory(log, unit)
    if not released(app.coursedir):
        raise CourseError(f"{unit} is not released in this class: run `autograder init {classroom.root}`")
    if not download.is_dir() and not zipfile.is_zipfile(download):
        raise CourseError(f"{download} is no folder and no whole zip file: download the submissions again")
    archive = Path(app._format_collect_path(app.archive_directory))
    _bring(download.absolute(), archive)
    try:
        app.init_plugins()
        app.extract_archive_files()
        found = app.collector_plugin_inst.collected
        app.process_extracted_files()
    except SQLAlchemyError as error:
        raise CourseError(told_by_database(error, classroom.db_url)) from error
    students = {student for student, _ in found.files.values()}
    if not students and not found.left:
        raise CourseError(f"{download} holds no submissions as Moodle or Canvas names them")
    return Report(tuple(sorted(students)), tuple(sorted(found.late)), tuple(found.left))


def _bring(download: Path, archive: Path) -> None:
    """Make a copy of the download the only thing in nbgrader's archive folder."""
    if archive in (download, *download.parents):
        return
    if archive.exists():
        rmtree(str(archive))
    if download.is_dir():
        shutil.copytree(download, archive, symlinks=True)
    else:
        archive.mkdir(parents=True)
        shutil.copyfile(download, archive / download.name)
