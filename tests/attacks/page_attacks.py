"""Attacks on whoever reads the graded notebook, and on the cleaning before that; right answers keep their points."""

from __future__ import annotations

import json

from nbformat import NotebookNode, v4

from autograder.authoring.sample import UNIT, answered

from .corpus import ATTACKS, DENY, FULL, SPY, TAMPER, cell, changed, code, honest_code

# The whole corpus, for who imports it from here.
__all__ = ["ATTACKS", "RUN"]
RUN = "document.title='RAN'"
SHOW = "from IPython.display import publish_display_data as show\n"

honest_code(
    "a picture whose width is a handler",
    TAMPER,
    SHOW
    + f"""show({{'image/png': 'AAAA'}}, {{'image/png': {{'width': "1 onerror={RUN} ", 'height': '1><script>x'}}}})""",
)
honest_code(
    "markup, links and scripts of every kind of output",
    TAMPER,
    SHOW
    + f"""
for kind in ('text/html', 'text/markdown', 'text/latex', 'image/svg+xml', 'application/javascript', 'image/png'):
    show({{kind: "<img src=x onerror={RUN}><script>{RUN}</script>[x](javascript:{RUN})<svg onload={RUN}>"}},
         {{'text/html': {{'isolated': True}}, 'filenames': {{kind: '"><script>'}}, 'alt': '"><script>'}})
""",
)
code(
    "markup in an exception that becomes the comment",
    TAMPER,
    f'def similarity_matrix(X): raise ValueError("<img src=x onerror={RUN}>[x](javascript:{RUN})")',
)
honest_code(
    "a hundred thousand open elements",
    DENY,
    SHOW + "for i in range(8): show({'text/html': '<div>' * 100_000})",
)
honest_code(
    "formatting opened again in every paragraph",
    DENY,
    SHOW + "show({'text/html': '<p>' + ''.join(f'<b id={i}>' for i in range(9000)) + '</p>' + '<p>x</p>' * 9000})",
)
honest_code("a colour for every letter", DENY, "print('\\x1b[1mx' * 200_000)\nprint('\\x1b[38m')")
honest_code(
    "formulas that never end",
    DENY,
    SHOW + "show({'text/markdown': '\\\\\\\\[' * 100_000})\nshow({'text/markdown': '\\\\begin{a}' * 50_000})",
)
code(
    "hidden inputs told by the next check",
    SPY,
    """
SEEN = []
def similarity_matrix(X): SEEN.append(X); return X @ np.swapaxes(X, -1, -2)
def cosine_similarity(X): raise ValueError("ESCAPED" if len(SEEN) > 30 else "")
""",
    2.0,
)


@changed("a written answer of 800 kB of open elements, and links that run", FULL, base=lambda: answered(UNIT))
def _(notebook: NotebookNode) -> None:
    answer = cell(notebook, "why_two_projections")
    answer["source"] = "<div>" * 160_000 + f"\n\n[x](javascript:{RUN})"
    for number in range(20):
        notebook["cells"].append(
            v4.new_markdown_cell(f"[x](javascript:{RUN}) <img src=x onerror={RUN}>", id=f"e{number}")
        )


@changed("tags, ids, counts, attachments and titles that are markup", 2.0)
def _(notebook: NotebookNode) -> None:
    bad = f'"><img src=x onerror={RUN}>'
    notebook["metadata"] |= {
        "title": f"</title>{bad}",
        "kernelspec": {"name": bad, "display_name": bad, "language": bad},
    }
    for number, one in enumerate(notebook["cells"]):
        one["metadata"]["tags"] = [bad]
        one["metadata"]["alt"] = bad
        one["attachments"] = {bad: {bad: bad}}
        if one["cell_type"] == "code":
            one["execution_count"] = bad
        if "nbgrader" not in one["metadata"]:
            one["id"] = bad + str(number)
            one["metadata"]["nbgrader"] = {"grade_id": bad, "grade": True, "solution": True, "points": json.dumps(bad)}
