"""Rosters as Excel and others write them become students, or a line says where it went wrong; and then nobody is taken
in.
"""

import pytest

from autograder.authoring import releasing
from autograder.classroom import rosters
from autograder.course import CourseError

PLAIN = "id,first_name,last_name,email,lms_user_id\nada,Ada,Lovelace,ada@example.org,101\nbéla,Béla,Bartók,,102\n"
GERMAN = "Benutzername;Vorname;Nachname;E-Mail-Adresse\r\nada;Ada;Lovelace;ada@example.org\r\nbéla;Béla;Bartók;\r\n"
FILES = {
    "plain": PLAIN.encode(),
    "with a mark of its encoding": PLAIN.encode("utf-8-sig"),
    "semicolons": PLAIN.replace(",", ";").encode(),
    "tabs": PLAIN.replace(",", "\t").encode(),
    "Windows's own encoding": PLAIN.replace(",", ";").encode("cp1252"),
    "Excel's Unicode text": PLAIN.replace(",", "\t").encode("utf-16"),
    "UTF-16 without a mark": PLAIN.encode("utf-16-le"),
    "UTF-16 the other way": PLAIN.encode("utf-16-be"),
    "empty last rows": (PLAIN + ",,,,\r\n,,,,\r\n\r\n").encode(),
    "an empty first row": (",,,,\n" + PLAIN).encode(),
    "capitals": PLAIN.replace("id,first_name,last_name,email", "ID,First Name,LAST NAME,E-Mail").encode(),
    "Excel's line on semicolons": ("sep=;\r\n" + PLAIN.replace(",", ";")).encode("cp1252"),
    "German": GERMAN.encode("cp1252"),
    "French": GERMAN.replace("Benutzername;Vorname;Nachname", "Identifiant;Prénom;Nom").encode("utf-8-sig"),
    "Spanish": GERMAN.replace("Benutzername;Vorname;Nachname", "Usuario;Nombre;Apellido(s)").encode("cp1252"),
    "old Mac lines": PLAIN.replace("\n", "\r").encode(),
    "spaces": PLAIN.replace(",", " , ").encode(),
}


@pytest.fixture(scope="module")
def room(tmp_path_factory):
    return releasing.init(tmp_path_factory.mktemp("roster") / "class", [])


def students(room):
    with room.gradebook() as gradebook:
        return {one.id: (one.first_name, one.last_name, one.email, one.lms_user_id) for one in gradebook.students}


@pytest.mark.parametrize("kind", FILES)
def test_every_way_to_write_a_roster_gives_the_same_students(tmp_path, kind):
    (tmp_path / "roster.csv").write_bytes(FILES[kind])
    rows, ignored = rosters.read(tmp_path / "roster.csv")
    people = [{name: row.fields.get(name) for name in ("id", "first_name", "last_name", "email")} for row in rows]
    assert people == [
        {"id": "ada", "first_name": "Ada", "last_name": "Lovelace", "email": "ada@example.org"},
        {"id": "béla", "first_name": "Béla", "last_name": "Bartók", "email": None},
    ]
    assert ignored == ()


def test_students_are_taken_in_corrected_and_never_emptied(room, tmp_path):
    path = tmp_path / "roster.csv"
    path.write_text(PLAIN, encoding="utf-8")
    assert rosters.take_in(room, path).added == ("ada", "béla")
    path.write_text("id;Vorname;Gruppe\nada;Augusta;3\nbéla;;4\nchen;Chen;5\n", encoding="utf-8")
    done = rosters.take_in(room, path)
    assert (done.added, done.changed, done.same, done.ignored) == (("chen",), ("ada",), ("béla",), ("Gruppe",))
    assert students(room)["ada"] == ("Augusta", "Lovelace", "ada@example.org", "101")
    assert students(room)["béla"] == ("Béla", "Bartók", None, "102")


WRONG = {
    "no id": (b"name,email\nAda,a@b.org\n", "line 1: no column is called id (found: name, email)"),
    "an empty id": (b"id,email\nada,a@b.org\n,c@d.org\n", "line 3, column id: '': an id has at least one"),
    "twice": (b"id\nada\nben\nada\n", "line 4, column id: ada stands in line 2 already"),
    "a slash": (b"id\nada/../ben\n", "line 2, column id: 'ada/../ben': an id cannot hold '/'"),
    "a long id": (b"id\n" + b"x" * 240 + b"\n", "at most 128 characters"),
    "a lost delimiter": (b"id,first_name\nada,Ada,Lovelace\n", "line 2: 3 columns, and 2 titles"),
    "no address": (
        b"Login;E-Mail\nada;ada(at)example.org\n",
        "line 2, column E-Mail: 'ada(at)example.org' is no e-mail",
    ),
    "a rounded number": (b'id\n"1,23457E+11"\n', "line 2, column id: 1,23457E+11 was rounded by the spreadsheet"),
    "a workbook": (b"PK\3\4rest", "save it as CSV UTF-8"),
    "nothing": (b"", "is empty"),
    "only titles": (b"id,email\n", "no student below"),
    "two columns for one": (b"id;Benutzername\na;b\n", "the columns id and Benutzername both say id"),
}


@pytest.mark.parametrize("kind", WRONG)
def test_what_cannot_be_read_is_named_with_line_and_column_and_nobody_is_taken_in(room, tmp_path, kind):
    data, told = WRONG[kind]
    path, before = tmp_path / "roster.csv", students(room)
    path.write_bytes(data)
    with pytest.raises(CourseError) as error:
        rosters.take_in(room, path)
    assert told in str(error.value) and str(path) in str(error.value) and students(room) == before
