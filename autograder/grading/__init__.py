"""Grading a class: who is graded, where, what is written, progress, and going on after a stop."""
