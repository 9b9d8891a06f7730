"""Practice beside the points: wrong versions to catch with one's own tests, and reviews spaced over days."""

from .commands import by_hand, catch, review, spot

__all__ = ["by_hand", "catch", "review", "spot"]
