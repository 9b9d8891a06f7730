"""Figures of unit 7: the data, the flow chart, training, attention over digits and between words, the ablation."""

from __future__ import annotations

from .architecture import flow_chart
from .attention import attention_of, heads_of, maps_of, three_attentions
from .examples import rows_as_tokens, teacher_forcing, ten_classes
from .heads import heads_on_digit, heads_received
from .studies import ablation, ablation_table
from .training import loss_curve, misread
from .words import typed, words_of

__all__ = [
    "ablation",
    "ablation_table",
    "attention_of",
    "flow_chart",
    "heads_of",
    "heads_on_digit",
    "heads_received",
    "loss_curve",
    "maps_of",
    "misread",
    "rows_as_tokens",
    "teacher_forcing",
    "ten_classes",
    "three_attentions",
    "typed",
    "words_of",
]
