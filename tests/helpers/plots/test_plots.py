"""Figures: what a reader gets with widgets, without them, and when something goes wrong while drawing."""

import base64
import re
import sys

import numpy as np
import pytest
from ipywidgets.widgets import widget
from matplotlib.figure import Figure

from helpers import plots
from helpers.plots import (
    core,
    interactive,
    u1_dot_products,
    u2_softmax_scaling,
    u3_positional_encoding,
    u4_multi_head,
    u5_add_and_norm,
    u7_transformer,
    u8_modern_attention,
)
from helpers.plots.u2_softmax_scaling import scales
from helpers.plots.u4_multi_head import example


@pytest.fixture
def desk(monkeypatch):
    """A notebook without its front end: a shell with a kernel, what it displays, and the widgets it made."""
    desk = Desk()
    monkeypatch.delenv("NBGRADER_EXECUTION", raising=False)
    monkeypatch.setattr("IPython.get_ipython", lambda: desk)
    monkeypatch.setattr("IPython.display.display", desk.display)
    widgets_of = interactive._widgets
    monkeypatch.setattr(interactive, "_widgets", lambda *args: desk.widgets.update(widgets_of(*args)) or desk.widgets)
    return desk


class Desk:
    kernel = object()

    def __init__(self):
        self.displayed, self.widgets = [], {}

    def display(self, bundle, raw, display_id=False):
        assert raw
        self.displayed.append(bundle)
        return self

    def update(self, bundle, raw):
        self.displayed[-1] = bundle

    @property
    def picture(self):
        return self.displayed[-1]


def bars(height, colour="blue"):
    drawn = undescribed(height, colour)
    return plots.describe(drawn, f"A {colour} bar of {height}.")


def undescribed(height, colour="blue"):
    drawn, axes = plots.grid(1, 1)
    axes[0, 0].bar([0], [height], color=colour)
    axes[0, 0].set_title(f"a bar\nof {height}")
    return drawn


def image(bundle):
    return re.search(r'src="data:image/png;base64,([^"]+)"', bundle["text/html"]).group(1)


def test_a_control_redraws_the_picture_in_place_and_its_text(desk):
    plots.explore(bars, start={"height": 2}, height=[1, 2, 3], colour=["blue", "red"])
    panel, first = desk.displayed
    assert first["text/plain"] == "[figure: A blue bar of 2.]"
    assert any("widget-view" in kind for kind in panel) and not any("widget-view" in kind for kind in first)
    desk.widgets["height"].value = 3
    assert len(desk.displayed) == 2 and image(desk.picture) != image(first)
    assert 'alt="A blue bar of 3."' in desk.picture["text/html"]
    desk.widgets["colour"].value = "red"
    assert desk.picture["text/plain"] == "[figure: A red bar of 3.]"


def test_a_text_given_with_the_figure_goes_before_its_own(desk):
    plots.explore(bars, alt="A bar.", height=[1, 2])
    assert desk.picture["text/plain"] == "[figure: A bar. Here height = 1. a bar of 1.]"
    plots.explore(bars, alt=lambda height: f"It is {height} high.", height=[1, 2])
    assert desk.picture["text/plain"] == "[figure: It is 1 high.]"
    plots.show(bars(3), "So high.")
    assert desk.picture["text/plain"] == "[figure: So high.]"


def test_a_figure_is_shown_with_the_text_it_brings_and_an_axes_with_that_of_its_figure(desk):
    plots.show(bars(3))
    assert desk.picture["text/plain"] == "[figure: A blue bar of 3.]"
    assert 'alt="A blue bar of 3."' in desk.picture["text/html"]
    plots.show(plots.heatmap([[1, 2]], title="numbers"))
    assert desk.picture["text/plain"] == "[figure: numbers. row 0: column 0 1, column 1 2.]" and image(desk.picture)


def test_a_figure_without_a_text_is_shown_with_its_titles_and_is_an_error_to_the_author(desk):
    plots.show(undescribed(3))
    assert desk.picture["text/plain"] == "[figure: A figure that has no description. a bar of 3.]"
    plots.explore(undescribed, height=[1, 2])
    assert desk.picture["text/plain"] == "[figure: A figure that has no description. a bar of 1.]"
    with pytest.raises(
        LookupError, match=r"'a bar of 3\.' has no alt text; the function that draws it should end with"
    ):
        plots.alt_of(undescribed(3))


def test_each_kind_of_values_has_its_kind_of_control(desk):
    seen = []
    plots.explore(
        lambda **values: seen.append(values) or bars(1),
        numbers=[0.5, 2],
        steps=range(3, 9, 2),
        names=["b", "a"],
        menu={"all": None, "one": 1},
        text="two words",
        single=[7],
    )
    made = {name: type(widget).__name__ for name, widget in desk.widgets.items()}
    assert made == {
        "numbers": "SelectionSlider",
        "steps": "IntSlider",
        "names": "Dropdown",
        "menu": "Dropdown",
        "text": "Text",
    }
    steps = desk.widgets["steps"]
    assert (steps.min, steps.max, steps.step, steps.value) == (3, 7, 2, 3)
    assert seen == [{"numbers": 0.5, "steps": 3, "names": "b", "menu": None, "text": "two words", "single": 7}]
    assert all(widget.description == name for name, widget in desk.widgets.items())


def test_a_menu_may_have_any_value_even_none(desk):
    seen = []
    plots.explore(lambda head: seen.append(head) or bars(1), head={"all": None, "head 0": 0})
    assert desk.widgets["head"].value == "all"
    desk.widgets["head"].value = "head 0"
    desk.widgets["head"].value = "all"
    assert seen == [None, 0, None]


def test_a_mistake_while_drawing_is_told_where_the_picture_was_and_the_next_value_draws_again(desk):
    def draw(n):
        if n == 2:
            raise ValueError("<b>no</b> " + "x" * 5000)
        if n == 3:
            raise NotImplementedError
        return "nothing to see" if n == 4 else bars(n)

    plots.explore(draw, n=[1, 2, 3, 4])
    first = desk.picture
    told = {}
    for n in (2, 3, 4):
        desk.widgets["n"].value = n
        told[n] = desk.picture
        width, height = (pixels + 2 * core.CARD for pixels in core.size_of(bars(1)))
        assert f"width:{width}px;aspect-ratio:{width}/{height}" in desk.picture["text/html"]
    assert (
        told[2]["text/plain"].startswith("✗ There is no picture for n = 2: ValueError: ")
        and len(told[2]["text/plain"]) < 250
    )
    assert "&lt;b&gt;no&lt;/b&gt;" in told[2]["text/html"]
    assert told[3]["text/plain"].startswith("○ ") and "answered" in told[3]["text/plain"]
    assert told[4]["text/plain"] == "nothing to see"
    desk.widgets["n"].value = 1
    assert desk.picture == first


@pytest.mark.parametrize("missing", ["kernel", "ipywidgets"])
def test_without_widgets_there_is_the_picture_alone(desk, missing, monkeypatch):
    if missing == "kernel":
        monkeypatch.setattr("IPython.get_ipython", lambda: None)
    else:
        monkeypatch.setitem(sys.modules, "ipywidgets", None)
    plots.explore(bars, height=[1, 2])
    (only,) = desk.displayed
    assert image(only) and set(only) == {"text/html", "text/plain"}


def test_a_page_without_widgets_says_what_could_be_changed(desk):
    plots.explore(bars, height=[1, 2])
    assert desk.displayed[0]["text/plain"] == "In JupyterLab, run this cell and change height."


def test_nothing_is_drawn_while_nbgrader_executes(desk, monkeypatch):
    monkeypatch.setenv("NBGRADER_EXECUTION", "autograde")
    plots.explore(lambda height: pytest.fail("drawn"), height=[1, 2])
    assert desk.displayed == []


def test_a_picture_tells_its_size_so_that_the_page_keeps_still():
    drawn = bars(1)
    width, height = core.size_of(drawn)
    html = core._image(drawn, '"quoted" <alt>')
    assert f'width="{width}" height="{height}"' in html and 'alt="&quot;quoted&quot; &lt;alt&gt;"' in html
    png = base64.b64decode(image({"text/html": html}))
    assert (int.from_bytes(png[16:20], "big"), int.from_bytes(png[20:24], "big")) == (width, height)


# --- cells that call the learner's functions ----------------------------------------------------------------


def test_a_demonstration_that_runs_says_nothing(desk):
    with plots.demonstration("softmax"):
        plots.show(bars(1))
    assert [bundle["text/plain"] for bundle in desk.displayed] == ["[figure: A blue bar of 1.]"]


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (NotImplementedError(), "○ This cell needs project and attention_scores. Answer them, then run this cell"),
        (NotImplementedError("no forward"), "✗ This cell needs project and attention_scores, and with what stands"),
        (ValueError("<b>shapes</b>\n" + "x" * 5000), "Run All Cells. ValueError: <b>shapes</b> xxx"),
    ],
)
def test_a_demonstration_of_an_open_or_a_wrong_answer_is_a_sentence(desk, error, told):
    with plots.demonstration("project", "attention_scores"):
        raise error
    assert told in desk.picture["text/plain"] and len(desk.picture["text/plain"]) < 500
    assert "<b>" not in desk.picture["text/html"]


def test_a_demonstration_can_be_interrupted(desk):
    with pytest.raises(KeyboardInterrupt), plots.demonstration("softmax"):
        raise KeyboardInterrupt
    assert desk.displayed == []


def test_a_picture_is_a_card_on_a_dark_page_and_a_menu_keeps_its_arrow(desk):
    plots.explore(bars, height=[1, 2], colour=["blue", "red"])
    assert f"padding:{core.CARD}px;background:white" in desk.picture["text/html"]
    view = next(value for kind, value in desk.displayed[0].items() if "widget-view" in kind)
    box = widget._instances[view["model_id"]]
    assert "attention-controls" in box._dom_classes and "<style>" in box.children[-1].value


# --- the figures that listen -----------------------------------------------------------------------------


def test_typed_words_are_cut_and_counted():
    assert u2_softmax_scaling.typed("  Don't EAT, eat!  ") == ["don't", "eat", "eat"]
    assert u2_softmax_scaling.typed(" ?! ") == []
    assert len(u2_softmax_scaling.typed("word " * 5000)) == u2_softmax_scaling.MOST_WORDS


def test_words_of_like_spelling_are_alike_and_the_same_word_is_the_same():
    X = u2_softmax_scaling.spelled(["singing", "singer", "burger", "singing"])
    scores = X @ X.T / 8
    assert np.allclose(np.diag(scores), 2.5) and np.array_equal(X[0], X[3])
    assert scores[0, 1] > 0.8 > abs(scores[0, 2])
    assert np.array_equal(X[2:3], u2_softmax_scaling.spelled(["burger"]))


@pytest.mark.parametrize(
    "sentence", ["one", "the same the same", "long " * 40, "四万 кошка ∀ 🙂 " + "x" * 300, "\u0378 odd"]
)
def test_every_sentence_that_can_be_typed_has_a_picture_of_one_size(sentence):
    """Warnings are errors here, so a character that no font has would fail."""
    words = u2_softmax_scaling.typed(sentence)
    drawn = u2_softmax_scaling.reading(words, np.full((len(words), len(words)), 1 / len(words)))
    assert isinstance(drawn, Figure) and core.size_of(drawn) == (1056, 484)
    core._image(drawn, "")


def test_an_empty_sentence_and_weights_of_a_wrong_shape_are_told():
    assert "Type a few" in u2_softmax_scaling.reading([], None)
    assert "(2, 2); yours have (2, 3)" in u2_softmax_scaling.reading(["a", "b"], np.ones((2, 3)))


def test_the_strongest_look_at_a_different_word_is_the_title():
    words = ["the", "cat", "the"]
    weights = np.array([[0.4, 0.1, 0.5], [0.3, 0.5, 0.2], [0.5, 0.2, 0.3]])
    assert (
        u2_softmax_scaling.reading(words, weights).get_suptitle()
        == "The strongest look at a different word: “cat” gives “the” 0.30"
    )
    assert "nothing but this word" in u2_softmax_scaling.reading(["so", "so"], np.full((2, 2), 0.5)).get_suptitle()


@pytest.mark.parametrize("d_k", [1, 4, 16, 64, 256, 1024])
def test_the_root_of_the_width_is_the_temperature_that_makes_up_for_it(d_k):
    averages = dict(zip(u2_softmax_scaling.TEMPERATURES, scales.largest_on_average(d_k)))
    root = int(d_k**0.5)
    assert averages[root] == pytest.approx(
        scales.largest_on_average(1)[u2_softmax_scaling.TEMPERATURES.index(1)], abs=0.03
    )
    assert list(averages.values()) == sorted(averages.values(), reverse=True)


def test_a_typed_number_is_read_or_it_is_told_why_not():
    from helpers import data

    ids, wrong = u7_transformer.typed("Forty-two thousand, three hundred and SEVEN!")
    assert (ids, wrong) == (data.source_ids(42_307, "English"), "")
    assert u7_transformer.typed("四万二千三百零七") == (data.source_ids(42_307, "Chinese"), "")
    for sentence, told in (
        (" - ", "no word to read"),
        ("seven cats", "never seen “cats”"),
        ("<pad> seven", "never seen “pad”"),
        ("one " * 13, "these are 13"),
    ):
        ids, wrong = u7_transformer.typed(sentence)
        assert ids == [] and told in wrong


WITH_CONTROLS = [
    (u1_dot_products.mall, {"wish": "just warm"}, {"wish": "not cheap"}),
    (u2_softmax_scaling.temperatures, {"d_k": 1, "temperature": 32}, {"d_k": 1024, "temperature": 0.5}),
    (u2_softmax_scaling.three_scales, {"d_k": 1}, {"d_k": 1024}),
    (u3_positional_encoding.clocks_at, {"position": 0}, {"position": 100}),
    (u3_positional_encoding.rotating_pairs, {"offset": -20, "position": 20}, {"offset": 40, "position": 60}),
    (
        u4_multi_head.one_head,
        *({"weights": example.example_weights(), "tokens": u4_multi_head.DOG, "head": head} for head in (0, 7)),
    ),
    (u5_add_and_norm.norm_forgets, {"scale": 0.2, "shift": -5}, {"scale": 3, "shift": 5}),
    (u8_modern_attention.turning, {"position": 0}, {"position": 100}),
]


@pytest.mark.parametrize(("draw", "least", "most"), WITH_CONTROLS, ids=lambda value: getattr(value, "__name__", None))
def test_a_figure_with_controls_keeps_its_size_and_its_words_inside(draw, least, most):
    drawn = [draw(**least), draw(**most)]
    assert core.size_of(drawn[0]) == core.size_of(drawn[1])
    for one in drawn:
        one.canvas.draw()
        width, height = core.size_of(one)
        heading = one._suptitle.get_window_extent().y0 if one.get_suptitle() else height
        for ax in one.axes:
            for words in filter(lambda text: text.get_text(), (ax.title, ax.xaxis.label, ax.yaxis.label)):
                box = words.get_window_extent()
                assert box.x0 >= -1 and box.x1 <= width + 1 and box.y0 >= -1 and box.y1 <= heading + 1, words.get_text()


def test_texts_for_readers_who_do_not_see_follow_the_controls():
    assert "coats 3, hot cocoa 4, ice cream 1, books 0" in plots.alt_of(u1_dot_products.mall("warm and sweet"))
    assert "coats -3, hot cocoa 0, ice cream 5, books 0" in plots.alt_of(u1_dot_products.mall("cool and sweet"))
    weights = np.array([np.eye(2), [[0.3, 0.7], [0.6, 0.4]]])
    assert plots.alt_of(u4_multi_head.one_head(weights, ("we", "eat"), 1)).endswith("we at eat 0.70; eat at we 0.60.")


# --- fonts -----------------------------------------------------------------------------------------------


def translation():
    from helpers.data import source_ids

    source = u7_transformer.words_of(source_ids(40_721, "Chinese"))
    n, m = len(source), 2
    maps = {"encoder": np.ones((1, n, n)) / n, "decoder": np.ones((1, m, m)) / m, "cross": np.ones((1, m, n)) / n}
    return maps | {"language": "Chinese", "source": source, "read": ["bos", "4"], "target": ["bos→4", "4→eos"]}


def test_without_a_chinese_font_figures_write_pinyin(monkeypatch):
    """A missing character would warn, and warnings are errors."""
    monkeypatch.setattr(core, "chinese_font", lambda: None)
    one = translation()
    assert one["source"] == "sì wàn líng qī bǎi èr shí yī".split()
    core._image(u7_transformer.three_attentions([one]), "")


def test_a_font_that_is_gone_is_not_used(monkeypatch):
    from matplotlib.font_manager import FontEntry, fontManager

    monkeypatch.setattr(fontManager, "ttflist", [FontEntry(fname="/nowhere/simhei.ttf", name="SimHei")])
    monkeypatch.setattr(core.importlib.util, "find_spec", lambda name: None)
    assert core.chinese_font.__wrapped__() is None
