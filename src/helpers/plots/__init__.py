"""Figures of the course. Each takes an Axes or makes one, and says in its title what to see.

`core` has what all units share, `wording` the words of alt texts, `interactive` the pictures with controls; each unit's
own figures are in a module or package of its name. A figure brings its alt text along: the function that draws it ends
with `return describe(drawn, alt)`, and `alt_of` reads it. While nbgrader executes a notebook (`NBGRADER_EXECUTION` is
set) nothing is drawn: no one looks, and drawing costs more than all the rest of a notebook.
"""

from .core import DIVERGING, SEQUENTIAL, alt_of, describe, drawing, figure, grid, heatmap, show
from .demonstration import demonstration
from .interactive import explore

__all__ = [
    "DIVERGING",
    "SEQUENTIAL",
    "alt_of",
    "demonstration",
    "describe",
    "drawing",
    "explore",
    "figure",
    "grid",
    "heatmap",
    "show",
]
