"""Notebooks run from top to bottom in a language that nobody speaks: nothing that is shown stays English."""

import contextlib
import html
import io
import re

import IPython.display
import pytest
from matplotlib.text import Text

from autograder.authoring import building
from autograder.authoring.translating import notebooks
from helpers import language
from helpers.plots import core, interactive, translating
from tests import pseudo

# What is code or a name in any language, where a page shows it without a mark of code.
NAMES = re.compile(r"catch \w+|question: [\w ]+|inf inf inf")


class Handle:
    """What `display` returns, for a picture that is shown again."""

    def update(self, data, **options):
        shown.append(data)


shown: list = []


@pytest.fixture(params=["u1_dot_products", "u2_softmax_scaling"])
def run(request, tmp_path, monkeypatch):
    """What a solution shows, in the pseudo-language: figures with their alt texts, HTML, and what is printed."""
    shown.clear()
    figures, real = [], core._image

    def image(drawn, alt):
        figures.append((drawn, alt))
        return real(drawn, alt)

    def display(data, *rest, **options):
        shown.append(data)
        return Handle()

    monkeypatch.setattr(core, "_image", image)
    monkeypatch.setattr(interactive, "_image", image)
    monkeypatch.setattr(IPython.display, "display", display)
    monkeypatch.chdir(tmp_path)
    printed = io.StringIO()
    with pseudo.spoken(tmp_path, longer=False):
        source = building.source_notebook(request.param)
        notebook = notebooks.mapped(source, lambda text: pseudo.accented(text, longer=False), pseudo.NAME)
        names = {"__name__": "__main__"}
        with contextlib.redirect_stdout(printed):
            for cell in notebook.cells:
                if cell.cell_type == "code":
                    exec(compile(cell.source, cell.id, "exec"), names)
        assert len(figures) > 5
        texts = [text.get_text() for drawn, _ in figures for text in drawn.findobj(Text)]
        alts = [language.told(alt) for _, alt in figures]
        pages = [data["text/html"] for data in shown if isinstance(data, dict) and "text/html" in data]
        yield texts, alts, pages, printed.getvalue()


def visible(page):
    """The text of a card, without code."""
    page = re.sub(r"<(pre|code|style)\b.*?</\1>", " ", page, flags=re.DOTALL)
    return html.unescape(re.sub(r"<[^>]+>", " | ", page))


def test_nothing_that_a_notebook_shows_stays_english(run):
    texts, alts, pages, printed = run
    english = [one for text in [*texts, *map(visible, pages), printed] for one in pseudo.left(text)]
    assert [one for one in english if not NAMES.search(one)] == []
    # An alt text puts many pieces together; whole sentences are none of them.
    assert [one for alt in alts for one in pseudo.left(alt) if len(one.split()) > 4] == []


@pytest.mark.parametrize(
    ("text", "columns", "lines"),
    [
        # Lines about equally long, broken after a mark, never before one; words of letters and numbers whole.
        ("3. softmax：权重", 11, ["3. softmax：", "权重"]),
        ("残差主路：编码器", 11, ["残差主路：", "编码器"]),
        ("运行下面的单元格：什么成立，什么没通过", 26, ["运行下面的单元格：", "什么成立，什么没通过"]),
        ("一个 softmax", 8, ["一个", "softmax"]),
        ("three words here", 11, ["three words", "here"]),
    ],
)
def test_lines_of_chinese_are_about_equally_long(text, columns, lines):
    assert translating.broken(text, columns) == lines
