"""Figures of unit 2: softmax, mixtures, growing scores, scales, typed sentences, windows, other scores."""

from .distances import near_and_far, reach, windows
from .other_scores import other_scores
from .scales import TEMPERATURES, saturation, scales_by_width, temperatures, three_scales, variance_growth
from .sentences import MOST_WORDS, attention, reading, spelled, typed
from .shares import mixture, softmax_steps
from .toys import toys
from .walk import one_word

__all__ = [
    "MOST_WORDS",
    "TEMPERATURES",
    "attention",
    "mixture",
    "near_and_far",
    "one_word",
    "other_scores",
    "reach",
    "reading",
    "saturation",
    "scales_by_width",
    "softmax_steps",
    "spelled",
    "temperatures",
    "three_scales",
    "toys",
    "typed",
    "variance_growth",
    "windows",
]
