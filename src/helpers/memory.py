"""`Peak`, with which a notebook measures memory."""

from helpers.running.memory import Peak

__all__ = ["Peak"]
