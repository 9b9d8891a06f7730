"""Figures of the course. Each takes an Axes or makes one, and says in its title what to see.

`core` has what all units share, `interactive` the pictures with controls; each unit's own figures are in a module of its
name. While nbgrader executes a notebook (`NBGRADER_EXECUTION` is set) nothing is drawn: no one looks, and drawing costs
more than all the rest of a notebook.
"""

from .core import DIVERGING, SEQUENTIAL, drawing, figure, grid, heatmap, show
from .interactive import explore

__all__ = ["DIVERGING", "SEQUENTIAL", "drawing", "explore", "figure", "grid", "heatmap", "show"]
