"""Figures of unit 6: what each word may see, models that cheat, looking across, the loss, writing word by word."""

from __future__ import annotations

from .cheating import cheaters, cheaters_look, train_cheaters
from .decoders import across, decoder_layers, three_attentions
from .masking import both_masks, last_words, leaking_fills, leaks, masks, one_row, views
from .predictions import final_layer, steps, surprise, teacher_forcing

__all__ = [
    "across",
    "both_masks",
    "cheaters",
    "cheaters_look",
    "decoder_layers",
    "final_layer",
    "last_words",
    "leaking_fills",
    "leaks",
    "masks",
    "one_row",
    "steps",
    "surprise",
    "teacher_forcing",
    "three_attentions",
    "train_cheaters",
    "views",
]
