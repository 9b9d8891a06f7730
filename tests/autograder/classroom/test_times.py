"""Times as people write them into `timestamp.txt`: a day is never taken for a month, nor a zone passed over."""

import pytest

from autograder.authoring import releasing, sample
from autograder.classroom import times
from autograder.grading import coordinator


@pytest.mark.parametrize(
    ("text", "utc"),
    [
        ("03.10.2026", "2026-10-03 00:00"),
        ("3.10.2026 14:00 Europe/Berlin", "2026-10-03 12:00"),
        ("25/10/2026 14:00", "2026-10-25 14:00"),
        ("10/25/2026 14:00", "2026-10-25 14:00"),
        ("2026-10-03 14:00:00 +02:00", "2026-10-03 12:00"),
        ("2026-10-03 14:00:00.123456 UTC", "2026-10-03 14:00"),
        ("2026-10-03 2:00 PM", "2026-10-03 14:00"),
    ],
)
def test_a_day_is_a_day(text, utc):
    assert f"{times.read_time(text):%Y-%m-%d %H:%M}" == utc


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("2026-10-03 14:00 MESZ", "the time zone MESZ is not understood"),
        ("03/10/2026", "may be two days"),
        ("14:00", "no whole date"),
        ("October 2026", "no whole date"),
        ("9" * 20, "is no time"),
        ("9" * 6_000_000, "holds no time"),
        ("soon", "is no time"),
    ],
)
def test_what_is_not_certain_is_said(text, told):
    with pytest.raises(times.UnreadableTime, match=told):
        times.read_time(text)


def test_grading_says_of_a_timestamp_that_its_zone_is_not_understood(tmp_path):
    room = releasing.init(tmp_path / "class", ["u0_start_here"], duedate="2026-10-01 12:00 UTC")
    for student, time in (("ada", "03.10.2026 10:00"), ("ben", "2026-10-03 14:00 MESZ")):
        folder = room.root / "submitted" / student / "u0_start_here"
        folder.mkdir(parents=True)
        sample.nbformat.write(sample.released("u0_start_here"), folder / "u0_start_here.ipynb")
        (folder / "timestamp.txt").write_text(time, encoding="utf-8")
    ada, ben = coordinator.grade(room, ["u0_start_here"], feedback=False)
    assert ada.late_seconds == 46 * 3600 and ben.late_seconds == 0
    assert "the time zone MESZ is not understood" in ben.outcome.notes[0]
