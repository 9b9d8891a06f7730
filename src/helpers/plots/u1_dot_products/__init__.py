"""Figures of unit 1: vectors and their dot products, the mall, queries and keys, all pairs at once."""

from .products import loops_against_product, rows_and_columns
from .queries import all_pairs, design, flow, one_asks, one_or_two_projections, scores
from .shopping import GOODS, WINDOWS, WISHES, mall
from .similarity import embedding, loud_and_alike, sentence_similarity, vectors_in_plane

__all__ = [
    "GOODS",
    "WINDOWS",
    "WISHES",
    "all_pairs",
    "design",
    "embedding",
    "flow",
    "loops_against_product",
    "loud_and_alike",
    "mall",
    "one_asks",
    "one_or_two_projections",
    "rows_and_columns",
    "scores",
    "sentence_similarity",
    "vectors_in_plane",
]
