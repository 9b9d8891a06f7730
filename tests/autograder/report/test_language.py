"""The report in the language of its class."""

import re

import pytest

from helpers import language
from helpers.language import FOLDER
from tests import pseudo

from .pages import UNIT, rows, written
from .synthetic import draw, fill

# The course's names for things, and those of people and of the class.
NAMES = re.compile(r"u\d_\w+|\bs\d\d\b|[\w]+_\w+|\w+\.csv|UTC|Report on \w+")


def in_language(room, monkeypatch, code):
    fill(room, UNIT, draw(UNIT, [f"s{i:02d}" for i in range(20)], seed=3))
    room.config["Attention"]["language"] = code
    return written(room)


def test_no_word_of_the_page_stays_english(room, monkeypatch, tmp_path):
    with pseudo.spoken(tmp_path, longer=False):
        page = in_language(room, monkeypatch, pseudo.NAME)
        # Rules of style come before the first heading.
        text = page.text.partition("@media print")[2].partition("\n}")[2]
        assert len(text) > 1000
        assert pseudo.left(NAMES.sub(" ", text)) == []


@pytest.mark.parametrize("code, said", [("zh", "哪些需要重讲"), ("ru", "Что объяснить ещё раз")])
def test_the_page_follows_the_class_and_the_files_for_programs_do_not(room, monkeypatch, code, said):
    page = in_language(room, monkeypatch, code)
    assert said in page.text and "What to teach again" not in page.text
    assert [dict(attributes)["lang"] for tag, attributes in page.elements if tag == "html"] == [code]
    assert "lost points" in rows(room, "mistakes")[0]
    assert language.spoken() == language.ENGLISH and (FOLDER / f"{code}.json").is_file()
