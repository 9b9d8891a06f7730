"""Moodle's grading worksheet tells who was late in whatever language the Moodle speaks, or says that it does not."""

import csv
import io

import pytest

from autograder.course import CourseError
from autograder.lms import worksheets

from .downloads import NOTEBOOK, collect, submitted
from .test_collect_safely import ANSWERED, UNIT

# Heading of the first column, of the time, and 1 October 2026 at 14:30 as Moodle's language packs write it.
MOODLES = {
    "English": ("Participant", "Last modified (submission)", "Thursday, 1 October 2026, 2:30 PM"),
    "English, 24 hours": ("Participant", "Last modified (submission)", "Thursday, 1 October 2026, 14:30"),
    "American": ("Participant", "Last modified (submission)", "Thursday, October 1, 2026, 2:30 PM"),
    "German": ("Teilnehmer/in", "Zuletzt geändert (Abgabe)", "Donnerstag, 1. Oktober 2026, 14:30"),
    "French": ("Participant", "Dernière modification (travail remis)", "jeudi 1 octobre 2026, 14:30"),
    "Spanish": ("Participante", "Última modificación (entrega)", "jueves, 1 de octubre de 2026, 14:30"),
    "Italian": ("Partecipante", "Ultima modifica (consegna)", "giovedì, 1 ottobre 2026, 14:30"),
    "Portuguese": ("Participante", "Última modificação (envio)", "quinta-feira, 1 de outubro de 2026 às 14:30"),
    "Dutch": ("Deelnemer", "Laatst gewijzigd (inzending)", "donderdag, 1 oktober 2026, 14:30"),
    "Polish": ("Uczestnik", "Ostatnio modyfikowane (zadanie)", "czwartek, 1 października 2026, 14:30"),
    "Czech": ("Účastník", "Naposledy změněno (odevzdání)", "čtvrtek, 1. října 2026, 14.30"),
    "Finnish": ("Osallistuja", "Viimeksi muokattu (palautus)", "torstai, 1. lokakuuta 2026, 14.30"),
    "Danish": ("Deltager", "Sidst ændret (aflevering)", "torsdag den 1. oktober 2026 14:30"),
    "Turkish": ("Katılımcı", "Son değiştirme (gönderim)", "1 Ekim 2026, Perşembe, 14:30"),
    "Russian": ("Участник", "Последнее изменение (ответ)", "четверг, 1 октября 2026, 14:30"),
    "Greek": ("Συμμετέχων", "Τελευταία τροποποίηση (υποβολή)", "Πέμπτη, 1 Οκτωβρίου 2026, 14:30"),
    "Chinese": ("参与者", "最后修改 (提交)", "2026年10月1日 星期四 14:30"),
    "Japanese": ("参加者", "最終更新日時 (提出)", "2026年 10月 1日(木曜日) 14:30"),
    "numbers": ("Participant", "Changed", "2026-10-01 14:30"),
    "numbers with points": ("Teilnehmer", "Geändert", "01.10.2026, 14:30"),
}
LATE = "2026-10-01 14:30:00"


def worksheet(folder, kind, times=None, graded="-", delimiter=","):
    word, title, time = MOODLES[kind]
    times = times or [time]
    text = io.StringIO()
    write = csv.writer(text, delimiter=delimiter)
    write.writerow(["#", "Name", "Mail", "Status", "Grade", "Max", "Yes/No", title, "Graded", "Comments"])
    for number, one in enumerate(times):
        row = [f"{word} {7001 + number}", "Ada Lovelace", f"a{number}@example.org", "1 hour late", "", "20,00", "Yes"]
        write.writerow([*row, one, graded, ""])
    path = folder / "worksheet.csv"
    path.write_text(text.getvalue(), encoding="utf-8-sig")
    return path


@pytest.mark.parametrize("kind", MOODLES)
def test_the_time_of_handing_in_is_found_in_any_language(tmp_path, kind):
    assert worksheets.read_worksheet(worksheet(tmp_path, kind))["7001"]["time"] == LATE
    path = worksheet(tmp_path, kind, [MOODLES[kind][2], "-"], graded=MOODLES["English"][2], delimiter=";")
    people = worksheets.read_worksheet(path)
    assert (people["7001"]["time"], people["7002"]["time"]) == (LATE, "")


@pytest.mark.parametrize("kind", ["German", "Japanese"])
def test_who_was_late_is_late_in_another_language_too(room, tmp_path, monkeypatch, kind):
    monkeypatch.setitem(room.config.LmsCollector, "timezone", "UTC")
    name = f"Ada Lovelace_7001_assignsubmission_file/{NOTEBOOK}"
    report = collect(room, {name: ANSWERED}, worksheet=worksheet(tmp_path, kind))
    assert report.left == () and submitted(room)[f"ada/{UNIT}/timestamp.txt"].decode() == LATE


def test_without_a_time_for_anybody_nothing_is_collected(room, tmp_path):
    files = {f"Ada Lovelace_7001_assignsubmission_file/{NOTEBOOK}": ANSWERED}
    for times in (["-"], ["den här texten 2026 är ingen tid"]):
        with pytest.raises(CourseError, match=r"no times found in .*late submissions would count as on time"):
            collect(room, files, worksheet=worksheet(tmp_path, "English", times))
        assert submitted(room) == {}


def test_words_that_mean_two_months_are_not_guessed(tmp_path):
    """In Polish it is November, in Croatian October."""
    with pytest.raises(CourseError, match="more than one way"):
        worksheets.read_worksheet(worksheet(tmp_path, "Polish", ["4 listopada 2026, 14:30"]))
    with pytest.raises(CourseError, match="more than one way"):
        worksheets.read_worksheet(worksheet(tmp_path, "English", ["03/10/2026 14:30"]))


def test_a_day_that_can_only_be_a_day_settles_the_order(tmp_path):
    path = worksheet(tmp_path, "English", ["03/10/2026 14:30", "25/10/2026 14:30"])
    assert worksheets.read_worksheet(path)["7001"]["time"] == "2026-10-03 14:30:00"
