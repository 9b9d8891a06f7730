"""Takes a learning management system's download of submissions into a class.

Two plugins for `nbgrader zip_collect`, which the class's configuration names, and around them `autograder collect`:

1. `archives.SafeExtractor` opens the downloaded archives and the zips that learners packed.
2. `placement.LmsCollector` says of each extracted file whose it is (`recognition`) and what it is to be called.

Both work in a folder aside. Only when the download is found to be one of the unit is anything in the class replaced,
and what is replaced is kept (`keeping`), so that `autograder collect --undo` brings it back.
"""

from __future__ import annotations

import contextlib
import copy
import logging
import os
import shutil
import zipfile
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from nbgrader.apps.zipcollectapp import ZipCollectApp
from nbgrader.coursedir import CourseDirectory
from nbgrader.utils import rmtree
from sqlalchemy.exc import SQLAlchemyError

from autograder.classroom.assignments import how_to_release
from autograder.classroom.classroom import Classroom, told_by_database
from autograder.classroom.layout import FOLDER, only_grader
from autograder.classroom.times import UnreadableTime, read_time
from autograder.course import CourseError

from . import keeping
from .archives import SafeExtractor
from .placement import Collected, LmsCollector, plan, released
from .recognition import read_roster


@dataclass(frozen=True)
class Report:
    """What `collect` did, or would do.

    Attributes:
        students: those with a submission.
        late: those marked late.
        left: a line for what was left out.
        notes: a line for each choice among several files.
        replaced: students who had a submission before; it is kept.
    """

    students: tuple[str, ...]
    late: tuple[str, ...]
    left: tuple[str, ...]
    notes: tuple[str, ...] = ()
    replaced: tuple[str, ...] = ()


def collect(
    classroom: Classroom,
    unit: str,
    download: Path,
    worksheet: Path | None = None,
    dry_run: bool = False,
    force: bool = False,
    groups: Path | None = None,
) -> Report:
    """Run `nbgrader zip_collect` on a download: what it holds becomes the submissions of its students.

    Submissions that a student of the download already has are replaced, and kept aside; those of other students stay.

    Args:
        classroom: the class.
        unit: the unit that was handed in.
        download: the zip from Moodle, Canvas or Blackboard, or a folder in which it was unpacked.
        worksheet: Moodle's grading worksheet, or None.
        dry_run: change nothing, only report.
        force: collect although the notebooks are those of another unit, or older than what is there.
        groups: a table of groups, each of whose members gets what one of them handed in; or None.

    Raises:
        CourseError: the download cannot be read, holds nothing of this class, or is another unit's.
    """
    config = copy.deepcopy(classroom.config)
    config.CourseDirectory.assignment_id = unit
    config.ZipCollectApp.extractor_plugin = SafeExtractor
    config.ZipCollectApp.collector_plugin = LmsCollector
    config.ZipCollectApp.force = True
    config.LmsCollector.any_unit = force
    if worksheet is not None:
        config.LmsCollector.worksheet = str(worksheet)
    if groups is not None:
        config.LmsCollector.groups = str(groups)
    log = logging.getLogger("attention-collect")
    log.addHandler(logging.NullHandler())
    log.propagate = False
    if not released(classroom.directory(log, unit)):
        raise CourseError(how_to_release(classroom, unit))
    if not download.is_dir() and not zipfile.is_zipfile(download):
        raise CourseError(f"{download} is no folder and no whole zip file: download the submissions again")
    with only_grader(classroom.root):
        aside = classroom.root / FOLDER / "collecting"
        if aside.exists():
            rmtree(str(aside))
        config.ZipCollectApp.downloaded_directory = f"{FOLDER}/{aside.name}"
        app = ZipCollectApp(config=config, log=log)
        app.coursedir = classroom.directory(log, unit)
        try:
            return _collect(classroom, unit, download, app, dry_run, force)
        except SQLAlchemyError as error:
            raise CourseError(told_by_database(error, classroom.db_url)) from error
        finally:
            if aside.exists():
                rmtree(str(aside))


def _collect(classroom: Classroom, unit: str, download: Path, app: ZipCollectApp, dry_run: bool, force: bool) -> Report:
    archive = Path(app._format_collect_path(app.archive_directory))
    _bring(download.absolute(), archive)
    app.init_plugins()
    app.extract_archive_files()
    collector: LmsCollector = app.collector_plugin_inst
    found = collector.collected
    before = _folder(classroom, app, unit)
    if not force:
        _need_unit(found, unit, download)
        _drop_older(found, collector.stamps, before, app.coursedir)
    if not found.students and not found.left:
        raise CourseError(f"{download} holds no submissions as Moodle, Canvas or Blackboard names them")
    replaced = tuple(student for student in found.students if keeping.submission(app.coursedir, student, unit).is_dir())
    if not dry_run and found.students:
        with keeping.kept(classroom.root, app.coursedir, unit, found.students, before):
            app.process_extracted_files()
            before.parent.mkdir(parents=True, exist_ok=True)
            os.rename(archive.parent, before)
    return Report(found.students, tuple(sorted(found.late)), tuple(found.left), tuple(found.notes), replaced)


def _folder(classroom: Classroom, app: ZipCollectApp, unit: str) -> Path:
    """Where the class keeps the unit's last download."""
    settings = ZipCollectApp(config=classroom.config)
    settings.coursedir = app.coursedir
    return Path(settings._format_collect_path(settings.archive_directory)).parent


def _need_unit(found: Collected, unit: str, download: Path) -> None:
    """Refuse a download most of whose notebooks are another unit's."""
    if len(found.others) > len(found.students):
        other, count = Counter(found.others).most_common(1)[0]
        raise CourseError(
            f"{download} is a download of {other}, not of {unit} ({count} of its notebooks are {other}'s, "
            f"{len(found.students)} {unit}'s); nothing was changed. Collect it with `autograder collect "
            f"{other.split('_')[0]} {download}`, or insist with --force"
        )


def _drop_older(found: Collected, stamps: dict[str, str], before: Path, coursedir: CourseDirectory) -> None:
    """Leave out who has a newer attempt in the class than the download holds."""
    extracted = before / "extracted"
    earlier = plan(extracted, read_roster(coursedir.db_url), released(coursedir)).labels if extracted.is_dir() else {}
    for student in found.students:
        folder = keeping.submission(coursedir, student, coursedir.assignment_id)
        old, new = earlier.get(student), found.labels[student]
        newer = old is not None and old.system == new.system and old.order > new.order
        stamp = folder / "timestamp.txt"
        if student in stamps and stamp.is_file():
            with contextlib.suppress(UnreadableTime):
                told = stamp.read_text(encoding="utf-8", errors="replace")
                newer = newer or read_time(told) > read_time(stamps[student])
        if newer and folder.is_dir():
            found.drop(student, "has a newer attempt in the class, which stays; --force takes the older one")


def _bring(download: Path, archive: Path) -> None:
    """Make a copy of the download the only thing in nbgrader's archive folder."""
    if download.is_dir():
        shutil.copytree(download, archive, symlinks=True)
    else:
        archive.mkdir(parents=True)
        shutil.copyfile(download, archive / download.name)
