"""Formulas as MathML: all of the course's, and nothing that a learner writes runs, grows or moves what is beside it."""

import html
import re
import xml.etree.ElementTree as ET
from pathlib import Path

import nbformat
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autograder.course import NOTEBOOKS
from autograder.marking import formulas
from autograder.marking.formula_spacing import FUNCTION_SPACE
from autograder.marking.formulas import formula, in_text, mathml
from autograder.marking.markdown import render

from .hostile import MARKUP, dangers

HTML = re.compile(r"<(?!/?(?:math|m[a-z]+|span)\b)")


def safe(made: str) -> bool:
    """Whether it is well-formed, and has no other elements and attributes than those of formulas."""
    for element in ET.fromstring(f"<div>{made}</div>").iter():
        known = element.tag in {*formulas._TAGS, "div", "span"}
        if not known or not element.attrib.keys() <= {*formulas._ATTRIBUTES, "display", "class"}:
            return False
    return not dangers(made) and not HTML.search(made)


@pytest.mark.parametrize("path", sorted(Path(NOTEBOOKS).glob("*/*.ipynb")), ids=lambda path: path.stem)
def test_every_formula_of_the_course_is_set(path):
    notebook = nbformat.read(path, as_version=4)
    made = [render(cell.source) for cell in notebook.cells if cell.cell_type == "markdown"]
    assert sum(text.count("<math ") for text in made) >= 4
    assert not [text for text in made if 'class="as-typed"' in text]
    # No sign of LaTeX is left in the text, outside of code and what MathML says.
    for text in made:
        prose = re.sub(r"<(code|pre)\b.*?</\1>", "", text, flags=re.DOTALL)
        assert not re.search(r"\\[a-zA-Z]|\$[^$]+\$", re.sub(r"<[^>]*>", "", prose)), prose


def test_a_formula_says_what_was_typed():
    assert mathml(r"\frac{q k}{\sqrt{d_k}}") == (
        '<math display="inline"><mrow><mfrac><mrow><mi>q</mi><mi>k</mi></mrow><mrow><msqrt><mrow><msub>'
        "<mi>d</mi><mi>k</mi></msub></mrow></msqrt></mrow></mfrac></mrow></math>"
    )
    assert mathml("x", block=True) == '<math display="block"><mrow><mi>x</mi></mrow></math>'
    assert "<mtext>feed_forward</mtext>" in mathml(r"\text{feed\_forward}")


@pytest.mark.parametrize("name", ["aligned", "align", "align*", "split", "eqnarray"])
def test_lines_that_are_aligned_are_a_table(name):
    made = mathml(rf"\begin{{{name}}} x &= 1 \\ y &= 2 \end{{{name}}}")
    assert made == mathml(r"\begin{align*} x &= 1 \\ y &= 2 \end{align*}")
    assert made.count("<mtr>") == 2 and made.count("<mtd") == 4 and "&amp;" not in made and "(1)" not in made


@pytest.mark.parametrize(
    ("latex", "told"),
    [
        (r"a\cos b", "<mi>a</mi>_<mi>cos</mi>_<mi>b</mi>"),
        (r"\sin^2 x", "<msup><mi>sin</mi><mn>2</mn></msup>_<mi>x</mi>"),
        (r"|b|\cos x", '<mo lspace="0" rspace="0" stretchy="false">|</mo>_<mi>cos</mi>'),
        (r"\cos(x)", '<mi>cos</mi><mo form="prefix" stretchy="false">(</mo>'),
        (r"\max(x)", '<mo lspace="0" rspace="0">max</mo><mo form="prefix" stretchy="false">(</mo>'),
        (r"x \approx -1", '<mo>≈</mo><mo form="prefix">−</mo><mn>1</mn>'),
        (r"(x) - 1", '<mo form="postfix" stretchy="false">)</mo><mo>−</mo>'),
        (r"|x|", '<mo lspace="0" rspace="0" stretchy="false">|</mo><mi>x</mi>'),
        (r"\Big(x\Big)^2", '<msup><mo form="postfix" minsize="1.623em" maxsize="1.623em">)</mo><mn>2</mn></msup>'),
    ],
)
def test_spaces_and_brackets_are_as_in_tex(latex, told):
    assert told.replace("_", FUNCTION_SPACE) in mathml(latex)


def test_an_equation_is_its_formula():
    assert mathml(r"\begin{equation}x\end{equation}") == mathml("{x}")


def test_a_sign_that_cleaning_made_a_reference_is_that_sign():
    assert mathml("i &lt;n") == mathml("i <n") == mathml("i < n")


@pytest.mark.parametrize(
    "latex",
    [r"\frac{1", r"\frac{1}", "}{", r"\foo{x}", "x_1_2", r"\left( x", r"\begin{matrix} a", "{", "", " ",
     r"\begin{tikzpicture}x\end{tikzpicture}", "a & b"],
)  # fmt: skip
def test_what_is_no_formula_is_shown_as_it_was_typed(latex):
    typed = f"${latex}$"
    assert mathml(latex) is None
    assert formula(latex, typed) == f'<span class="as-typed">{html.escape(typed)}</span>'


@pytest.mark.parametrize(
    "latex",
    [
        r"\text{<img src=x onerror=alert(1)>}",
        r"\text{&lt;script&gt;alert(1)&lt;/script&gt;}",
        r"\mathrm{<script>}alert(1)\mathrm{</script>}",
        r"\href{javascript:alert(1)}{x}",
        r"\class{x\" onclick=\"alert(1)}{x}",
        r"\style{position:fixed}{x}",
        r"\color{red\" onload=\"alert(1)}x",
        r"\colorbox{red\"><script>}{x}",
        r"\unicode{60}script\unicode{62}",
        r"\begin{array}{c\" onload=\"x}a\end{array}",
        r"\operatorname{<svg/onload=alert(1)>}",
        r"<script>alert(1)</script>",
        r"\genfrac{<}{>}{1em\" onload=\"x}{0}{a}{b}",
        *(rf"\text{{{one}}}" for one in MARKUP),
    ],
)
def test_nothing_runs_in_a_formula(latex):
    assert safe(formula(latex, f"${latex}$"))
    assert safe(in_text(f"a ${latex}$ b")) and not dangers(render(f"a ${latex}$ b\n\n$$\n{latex}\n$$"))


SIGNS = r"""
\frac \text \href \left \right \begin{array} \end{array} \color \style \hspace \rule \raisebox \not \mathbf \sqrt \over
\limits { } ( ) [ ] < > & _ ^ ' " $ % # ~ x 1 em javascript: \\ =
"""


@settings(max_examples=150, deadline=None, derandomize=True, database=None)
@given(st.lists(st.sampled_from(SIGNS.split())))
def test_no_row_of_signs_makes_anything_else(signs):
    latex = " ".join(signs)
    assert safe(formula(latex, latex))


@pytest.mark.parametrize(
    "latex",
    [
        r"\newcommand{\a}{xxxxxxxxxx}\newcommand{\b}{\a\a\a\a\a\a\a\a}\b\b\b\b",
        r"\def\a{x}\a",
        r"\DeclareMathOperator{\a}{x}\a",
        "{" * 400 + "}" * 400,
        "x_{" * 200 + "}" * 200,
        r"\sqrt" * 190 + "x",
        "x" * (formulas.MOST_LATEX + 1),
    ],
)
def test_what_could_grow_without_end_is_not_read(latex):
    assert mathml(latex) is None


@pytest.mark.parametrize(
    "latex",
    [r"\hspace{-50em}x", r"\hspace{1000em}x", r"\rule{1000em}{1000em}", r"\kern-99em x", r"\raisebox{-99em}{$x$}",
     r"\moveleft 99em x", r"\genfrac{}{}{99em}{0}{a}{b}"],
)  # fmt: skip
def test_a_formula_covers_nothing_of_the_page(latex):
    assert not re.search(r"\d\d+(\.\d+)?e[mx]|-[1-9]", mathml(latex) or "")


def test_an_output_in_latex_is_set_too():
    assert in_text("a < $x$") == "a &lt; " + mathml("x")
    assert in_text("$$x$$") == mathml("x", block=True)
    assert in_text("$5") == "$5" and in_text("<b>") == "&lt;b&gt;"
    assert in_text("$x$ " * formulas.MOST_TEXT).startswith("<pre")
