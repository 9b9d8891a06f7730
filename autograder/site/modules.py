"""The pages of the modules, from their docstrings: what a notebook, an author or another grader may call."""

from __future__ import annotations

from autograder import course
from helpers.judging import catalog

from . import words


def modules() -> dict[str, tuple[str, tuple[str, ...]]]:
    """Return by page its title and its modules; both in English, as the docstrings are."""
    return {
        "helpers": ("helpers: what a notebook calls", ("helpers",)),
        "exercise": (
            "The records of an exercise",
            ("helpers.exercise", "helpers.verdict", "helpers.tolerance", "helpers.contents", "helpers.sources"),
        ),
        "reference": (
            "The reference implementations",
            tuple(f"helpers.reference.{unit}" for unit in course.units() if unit in catalog.units()),
        ),
        "judging": (
            "The judge",
            ("helpers.judging.judge", "helpers.judging.catalog", "helpers.judging.traits", "helpers.judging.relations"),
        ),
        "plots": ("Figures", ("helpers.plots.core", "helpers.plots.interactive")),
        "training": ("Training", ("helpers.training",)),
        "language": ("Languages", ("helpers.language",)),
    }


def pages() -> dict[str, str]:
    """Return the text of each page by its name, and of their index."""
    every = modules()
    listed = "\n".join(every)
    index = f"# {words.navigation().modules}\n\n```{{toctree}}\n:maxdepth: 2\n\n{listed}\n```\n"
    return {"index": index} | {name: _page(title, inside) for name, (title, inside) in every.items()}


def _page(title: str, inside: tuple[str, ...]) -> str:
    parts = [f"# {title}"]
    for module in inside:
        parts.append(f"## `{module}`\n\n```{{eval-rst}}\n.. automodule:: {module}\n   :members:\n```")
    return "\n\n".join(parts) + "\n"
