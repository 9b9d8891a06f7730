"""The gradebook on a PostgreSQL server: the same end as with SQLite."""

import os
import pwd
import shutil
import subprocess
import tempfile
from pathlib import Path

import nbformat
import pytest

from autograder.authoring import releasing, sample
from autograder.classroom import classroom
from autograder.grading import coordinator

from .classes import UNIT, copied, gradebook, make, submit

STUDENTS = 8


@pytest.fixture(scope="module")
def server():
    """A PostgreSQL server of its own on a Unix socket; it refuses to run as root, so root starts it as nobody."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin")) or [
        Path(shutil.which("pg_ctl") or "/missing/pg_ctl").parent
    ]
    binaries = found[-1]
    assert (binaries / "pg_ctl").is_file(), "PostgreSQL's server is missing: `.ci/install` puts it there"
    folder = Path(tempfile.mkdtemp(prefix="pg-"))
    user = "nobody" if os.getuid() == 0 else pwd.getpwuid(os.getuid()).pw_name
    if os.getuid() == 0:
        shutil.chown(folder, "nobody")

    def run(*call):
        done = subprocess.run(
            call,
            capture_output=True,
            text=True,
            cwd=folder,
            user=user if os.getuid() == 0 else None,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr

    data = str(folder / "data")
    run(binaries / "initdb", "-D", data, "-U", "grader", "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync")
    log = str(folder / "log")
    run(
        binaries / "pg_ctl",
        "-D",
        data,
        "-l",
        log,
        "-w",
        "-o",
        f"-c listen_addresses='' -c unix_socket_directories={folder} -c fsync=off",
        "start",
    )
    yield f"postgresql+psycopg://grader@/postgres?host={folder}"
    run(binaries / "pg_ctl", "-D", data, "-m", "immediate", "stop")
    shutil.rmtree(folder)


# Texts that this database does not take as they are: it has no NUL and no half of a surrogate pair.
UNSTORABLE = {
    "nul": "raise ValueError('a\\x00b')",
    "surrogate": "raise ValueError('a\\ud800b')",
    "nul_in_a_name": "raise type('Odd\\x00', (Exception,), {})('x')",
}


def test_points_comments_and_resume_are_those_of_sqlite(server, tmp_path):
    before = make(tmp_path / "before", STUDENTS)
    for student, line in UNSTORABLE.items():
        answer = {"hello_attention": f"print('\\x00')\ndef hello_attention():\n    {line}"}
        submit(before.root, student, nbformat.writes(sample.answered(UNIT, answer)))
    sqlite = copied(before, tmp_path / "sqlite")
    coordinator.grade(sqlite, [UNIT], feedback=False, jobs=1)
    root = tmp_path / "postgresql"
    root.mkdir()
    (root / classroom.CONFIG).write_text(
        (before.root / classroom.CONFIG).read_text(encoding="utf-8") + f"\nc.CourseDirectory.db_url = {server!r}\n",
        encoding="utf-8",
    )
    shutil.copytree(before.root / ".attention", root / ".attention")
    shutil.copytree(before.root / "submitted", root / "submitted")
    releasing.init(root, [UNIT], duedate="2026-10-01 12:00:00 UTC")
    room = classroom.Classroom.open(root)
    results = coordinator.grade(room, [UNIT], jobs=1)
    assert gradebook(room.db_url) == gradebook(sqlite.db_url)
    ends = {one.student: (one.score, one.outcome.state) for one in results if one.student in UNSTORABLE}
    assert ends == dict.fromkeys(UNSTORABLE, (0, "graded"))
    assert (root / "feedback" / "s000" / UNIT / f"{UNIT}.html").is_file()
    again = coordinator.grade(room, [UNIT], jobs=1)
    assert not any(result.fresh for result in again) and [r.score for r in again] == [r.score for r in results]
