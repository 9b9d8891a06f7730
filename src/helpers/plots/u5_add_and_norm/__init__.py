"""Figures of unit 5: residual roads, layer norm, the two orders of the norm, attention maps layer by layer."""

from __future__ import annotations

from .attention import layer_maps, who_moves
from .flow_charts import encoder_map, norm_orders
from .measurements import roads, training_curves
from .norms import averaged_together, norm_forgets, norm_steps, sum_then_norm

__all__ = [
    "averaged_together",
    "encoder_map",
    "layer_maps",
    "norm_forgets",
    "norm_orders",
    "norm_steps",
    "roads",
    "sum_then_norm",
    "training_curves",
    "who_moves",
]
