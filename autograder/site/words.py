"""The words of the site's pages that are not in a notebook or a guide, and the sentence of each unit on its map."""

from __future__ import annotations

from dataclasses import dataclass

from helpers.language import told

# A sentence for each unit.
MAP = {
    "u0_start_here": "How a unit works, one exercise to see a check at work, and the way through the course.",
    "u1_dot_products": "One number says how alike two vectors are: dot products, projections, and the table of scores.",
    "u2_softmax_scaling": "Scores become weights, weights mix values, and the root of the width keeps them awake.",
    "u3_positional_encoding": "Attention cannot see order. Clocks of sines and cosines tell each word where it stands.",
    "u4_multi_head": "One question for each word is too few: several heads look in several ways at once.",
    "u5_add_and_norm": "What lets twenty-four layers train: residual roads, layer norm, and a small net for each word.",
    "u6_masked_decoder": "A decoder writes word by word: masks hide the future, and cross attention reads the source.",
    "u7_transformer": "All pieces together: a Transformer that you train to read digits and to translate number words.",
    "u8_modern_attention": "What is built today: rotary positions, grouped queries, caches, and softmax in one pass.",
    "u9_language_model": "A decoder alone, trained on English text, writes on from what you begin.",
}
# Which of its pictures stands beside it; unit 0 has none, and shows a check.
PICTURES = {
    "u1_dot_products": 2,
    "u2_softmax_scaling": 0,
    "u3_positional_encoding": 3,
    "u4_multi_head": 1,
    "u5_add_and_norm": 0,
    "u6_masked_decoder": 1,
    "u7_transformer": 1,
    "u8_modern_attention": 1,
    "u9_language_model": 1,
}


def site_title() -> str:
    """The name of the site."""
    return told("Attention, written by you")


def front_lines() -> list[str]:
    """The first paragraphs of the front page."""
    return [
        told(
            "A course in notebooks: you write every piece of Transformer attention yourself and watch it do its work."
            " You need some Python and no more of linear algebra than what a matrix product is."
        ),
        told(
            "Each exercise has a check that says what went wrong, shows where, and gives a hint. Here you read all"
            " units; to write, open one on your own computer, with the line at the top of its page."
        ),
    ]


def check_picture() -> str:
    """What the picture of a check shows, for those who do not see it."""
    return told(
        "A check in a notebook. It names the mistake of an answer, shows the numbers that came out beside those that"
        " should have, and gives a hint."
    )


@dataclass(frozen=True)
class Navigation:
    """Headings of the navigation and titles of pages, by what they lead to."""

    units: str
    guides: str
    mistakes: str
    modules: str
    doors: str
    language: str


def navigation() -> Navigation:
    """Return the headings in the language that is spoken."""
    return Navigation(
        units=told("The course"),
        guides=told("Guides"),
        mistakes=told("What people get wrong"),
        modules=told("Modules"),
        doors=told("Where to begin"),
        language=told("Language"),
    )


def mistakes_lines() -> list[str]:
    """What the index of mistakes begins with."""
    return [
        told(
            "Each exercise of the course knows wrong ideas that people really have. Its check recognises them by the"
            " numbers that come out, and names them. Here they all are, by exercise; open one for its hint."
        )
    ]


def mistakes_of(unit: str) -> str:
    """The title of a unit's page of mistakes."""
    return told(f"What people get wrong: {unit}")


def mistakes_fold(exercise: str) -> str:
    """The fold of one exercise's mistakes in its unit."""
    return told(f"What people get wrong here: {exercise}")


def mistakes_known(count: int) -> str:
    """How many mistakes an exercise knows."""
    return told("1 mistake") if count == 1 else told(f"{count} mistakes")


def to_unit() -> str:
    """The way from a page of mistakes to the unit."""
    return told("To the unit")


def try_it(command: str) -> str:
    """The line that opens a notebook."""
    return told(f"To write your own answers, open this notebook on your computer: `{command}`.")


def installing() -> str:
    """How to get there, from a unit's page."""
    return told("How to install the course")


def online() -> tuple[str, str]:
    """The links to services that run a notebook."""
    return told("Open in Binder"), told("Open in Colab")


def colab_setup() -> str:
    """What stands over the cell that Colab needs."""
    return told("On Colab, run this first: it installs the course.")


def english_only() -> str:
    """What a page begins with that is in English in a site of another language."""
    return told("This page is in English.")


def doors(learners: str, instructors: str, authors: str) -> list[str]:
    """The lines of the front page for each kind of reader, who goes on to these pages."""
    return [
        told(f"[To learn]({learners}): install the course, open unit 0, and write."),
        told(f"[To teach]({instructors}): hand units out, collect, grade a class, give feedback."),
        told(f"[To write a unit]({authors}): an exercise with its check, its mistakes and its figures."),
    ]
