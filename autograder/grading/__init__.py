"""Grading a class: who is graded, where, what is written, progress, and going on after a stop."""

from .coordinator import Result, Stopped, Unfinished, grade, grade_one

__all__ = ["Result", "Stopped", "Unfinished", "grade", "grade_one"]
