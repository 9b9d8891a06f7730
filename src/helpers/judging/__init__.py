"""Judging: what is right, and what is wrong with an answer."""
