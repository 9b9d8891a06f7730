"""Training in a notebook: a progress bar, a live loss curve, going on after a stop."""

from .run import Training, device
from .trial import trying

__all__ = ["Training", "device", "trying"]
