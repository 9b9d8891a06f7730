"""`Study`, with which a notebook trains models that lack a part."""

from helpers.training.ablation import Study

__all__ = ["Study"]
