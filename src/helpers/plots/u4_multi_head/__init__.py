"""Figures of unit 4: the array split and merged, heads side by side, what they cost, and the flow chart.

Each figure computes what it shows in a line or two of its own.
"""

from .costs import costs, one_picture_or_eight, side_by_side
from .example import DOG, FAVOURITES, example_layer
from .heads import bridge, filters, one_head, story, two_heads
from .layer import flow_chart, masks, stacked_weights
from .splitting import bare_reshape, merge_picture, split_picture
from .trained import trained_heads

__all__ = [
    "DOG",
    "FAVOURITES",
    "bare_reshape",
    "bridge",
    "costs",
    "example_layer",
    "filters",
    "flow_chart",
    "masks",
    "merge_picture",
    "one_head",
    "one_picture_or_eight",
    "side_by_side",
    "split_picture",
    "stacked_weights",
    "story",
    "trained_heads",
    "two_heads",
]
