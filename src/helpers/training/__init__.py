"""Training in a notebook: a progress bar, a live loss curve, going on after a stop."""

from .run import Training, device

__all__ = ["Training", "device"]
