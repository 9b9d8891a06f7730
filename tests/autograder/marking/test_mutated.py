"""Thousands of mutated outputs and notebooks through reading, cleaning and writing: no script, no crash, linear work.

`ATTENTION_EXAMPLES=10000` tries so many of each; the usual run tries a hundredth.
"""

import json
import os
import random
import sys
import zlib

import nbformat
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from nbformat import from_dict

from autograder.marking import sanitising
from autograder.marking.intake import Ungradable, clean
from autograder.marking.outcomes import Outcome

from .hostile import ASKED, GIF, LINKS, MARKUP, PNG, SIZES, dangers, scripts

MANY = int(os.environ.get("ATTENTION_EXAMPLES", "100"))
SETTINGS = settings(
    max_examples=MANY,
    derandomize=True,
    database=None,
    deadline=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)
KINDS = (
    "text/html", "text/markdown", "text/latex", "text/plain", "image/svg+xml", "image/png", "image/jpeg", "image/gif",
    "application/javascript", "application/json", "application/vnd.jupyter.widget-view+json", "text/vnd.mermaid", "",
)  # fmt: skip
PIECES = (
    *MARKUP, *LINKS, PNG, GIF, "\x1b[1;31m", "\x1b[38m", "\ud800", "\0", "<", ">", '"', "'", "`", "&lt;", "$", "\\[",
    "</div>", "<p>", "<table>", "<b>", "-->", "<!--", "\n\n", "    ", "# ", "> ", "- ", "é", "\u202e", "a", "{{ x }}",
)  # fmt: skip


def mutated(seed: int) -> str:
    """A text of hostile pieces, some of them cut, doubled, or with a letter exchanged."""
    rng = random.Random(seed)
    text = []
    for _ in range(rng.randrange(1, 8)):
        piece = rng.choice(PIECES)
        change = rng.randrange(5)
        if change == 0:
            piece = piece[: rng.randrange(len(piece) + 1)]
        elif change == 1:
            piece = piece[rng.randrange(len(piece)) :]
        elif change == 2:
            at = rng.randrange(len(piece))
            piece = piece[:at] + rng.choice("<>\"'=/ \t\n\x00&;:`x") + piece[at + 1 :]
        elif change == 3:
            piece *= rng.randrange(1, 4)
        text.append(piece)
    return "".join(text)


texts = st.integers(0, 2**48).map(mutated)
values = st.recursive(
    st.one_of(texts, st.none(), st.booleans(), st.integers(), st.floats(), st.sampled_from(SIZES)),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(texts, inner, max_size=3)),
    max_leaves=4,
)
bundles = st.dictionaries(st.sampled_from(KINDS), st.one_of(texts, texts, values), max_size=4)
sizes = st.dictionaries(
    st.sampled_from(("width", "height", "alt", "isolated", "filenames", *KINDS)), values, max_size=3
)
outputs = st.one_of(
    st.fixed_dictionaries(
        {"output_type": st.sampled_from(("display_data", "execute_result")), "data": bundles},
        optional={"metadata": st.one_of(sizes, st.fixed_dictionaries({"image/png": sizes})), "execution_count": values},
    ),
    st.fixed_dictionaries({"output_type": st.just("stream"), "name": values, "text": st.one_of(texts, values)}),
    st.fixed_dictionaries(
        {"output_type": st.just("error"), "ename": values, "evalue": texts, "traceback": st.lists(texts, max_size=3)}
    ),
    st.fixed_dictionaries({"output_type": values}),
)
cells = st.fixed_dictionaries(
    {"cell_type": st.sampled_from(("code", "markdown", "raw")), "source": st.one_of(texts, values)},
    optional={
        "id": texts,
        "metadata": st.dictionaries(
            st.sampled_from(("nbgrader", "tags", "alt", "deletable", "name")), values, max_size=3
        ),
        "attachments": values,
        "outputs": st.lists(outputs, max_size=2),
        "execution_count": values,
    },
)
notebooks = st.fixed_dictionaries(
    {"cells": st.lists(cells, min_size=1, max_size=4), "nbformat": st.just(4), "nbformat_minor": st.just(5)},
    optional={"metadata": st.dictionaries(st.sampled_from(("kernelspec", "title", "widgets")), values, max_size=2)},
)


class Work:
    """Counts calls in its body."""

    def __enter__(self):
        self.calls = 0
        sys.setprofile(self._count)
        return self

    def _count(self, *_):
        self.calls += 1

    def __exit__(self, *_):
        sys.setprofile(None)


def small(work, size):
    """So many calls for so many characters: the rest is what each output and attribute costs, whatever its size."""
    return work.calls <= 4000 + 60 * size


@SETTINGS
@given(outputs)
def test_no_mutated_output_runs_or_fails(output):
    with Work() as work:
        rebuilt = sanitising.rebuilt(from_dict(output))
    markdown = "text/markdown" in output.get("data", {})
    assert markdown or small(work, len(repr(output)))
    assert not dangers(rebuilt.get("data", {}).get("text/html", ""))
    json.dumps(rebuilt, ensure_ascii=False, allow_nan=False).encode("utf-8")
    for own in rebuilt.get("metadata", {}).values():
        assert set(own) <= {"width", "height"} and all(type(value) is int for value in own.values())


@SETTINGS
@given(tree=notebooks, written=st.lists(outputs, max_size=3))
def test_no_mutated_notebook_runs_or_fails(exporter, tree, written):
    try:
        notebook = clean(json.dumps(tree).encode("utf-8", "surrogatepass"))
    except Ungradable:
        return
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs = [from_dict(output) for output in written]
    with Work() as work:
        sanitising.SanitizeLearner()(notebook, {"nbgrader": {"outcome": Outcome("ada", "u")}})
        text = nbformat.writes(notebook)
    assert any("text/markdown" in one.get("data", {}) for one in written) or small(work, len(text) + 5000)
    nbformat.validate(nbformat.reads(text.encode("utf-8").decode("utf-8"), as_version=4))
    plain = (
        exporter.from_notebook_node(notebook, resources=dict(ASKED))[0]
        if MANY <= 100 or zlib.crc32(text.encode()) % 20 == 0
        else ""
    )
    assert not [one for one in scripts(plain) if "nonce" not in one]
    body = plain[plain.find('id="notebook-container"') : plain.rfind('<div class="help">')]
    assert not dangers(body)


def test_the_look_out_sees_what_runs():
    """Nothing would be shown by the tests above if `dangers` found nothing in what is dangerous."""
    missed = [text for text in MARKUP if not dangers(text)]
    assert len(missed) <= 3, missed
