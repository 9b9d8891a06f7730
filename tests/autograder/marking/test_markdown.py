"""Markdown with formulas: MathML where a formula stands in text, and as typed where it is part of a tag."""

from autograder.marking.formulas import mathml
from autograder.marking.markdown import render

from .hostile import dangers


def test_formulas_of_every_kind_are_set_in_their_place():
    environment = "\\begin{aligned} x &= 1 \\\\ y &= 2 \\end{aligned}"
    made = render(f"One $a<b$, two\n\n$$\n\\frac{{1}}{{2}}\n$$\n\n{environment}\n\n| $x$ |\n|---|\n| 1 |\n")
    assert f"One {mathml('a<b')}, two" in made and mathml(r"\frac{1}{2}", block=True) in made
    assert "<mtable" in made and f"<th>{mathml('x')}</th>" in made


def test_what_markdown_means_elsewhere_means_nothing_in_a_formula():
    assert mathml("a_1 * b_1 * c_1") in render("$a_1 * b_1 * c_1$")


def test_a_formula_in_a_tag_is_as_it_was_typed():
    assert render('![the $x > 1$ and "$y$"](a.png)') == (
        '<p><img alt="the $x &gt; 1$ and &quot;$y$&quot;" src="a.png"></p>\n'
    )


def test_a_heading_can_be_linked_to_by_its_words_and_formulas():
    made = render("## Why $x < y$ & *so*\n\n[see](#Why)")
    assert f'<h2 id="text-Why-$x &lt; y$-&amp;-so">Why {mathml("x < y")} &amp; <em>so</em></h2>' in made


def test_code_keeps_its_dollars():
    assert render("`$x$`\n\n    $y$\n").count("$") == 4


def test_no_text_can_put_a_formula_where_none_was_typed():
    mark = render("$x$").replace("x", "y")
    forged = "0123456789abcdef0123456789abcdef-0-"
    text = f'{forged} <img alt="{forged}" src=a.png> $\\text{{"onload="}}$'
    made = render(text)
    assert mark not in made and made.count("<math ") == 1 and not dangers(made)


def test_a_learners_own_mathml_is_taken_out():
    made = render(
        '<math><mtext><img src=x onerror=alert(1)></mtext></math> <math href="javascript:x"><mi>y</mi></math> z'
    )
    assert "<math" not in made and "z" in made and not dangers(made)
