"""Figures of unit 8: the block then and now, norms, turning pairs, caches, shared heads, blocks of keys."""

from __future__ import annotations

from .blocks import blocks_by_hand, memory
from .caches import cache_sizes, generation, recomputed, sharing
from .norms import norm_clouds, norm_times
from .overview import then_and_now, three_families
from .positions import neighbours_or_halves, offset_maps, scores_by_offset, turning

__all__ = [
    "blocks_by_hand",
    "cache_sizes",
    "generation",
    "memory",
    "neighbours_or_halves",
    "norm_clouds",
    "norm_times",
    "offset_maps",
    "recomputed",
    "scores_by_offset",
    "sharing",
    "then_and_now",
    "three_families",
    "turning",
]
