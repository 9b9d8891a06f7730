"""Variants of the reference: its syntax tree rewritten at one or two places, to see which gives a learner's answers.

`rewriting` has the records, `algebra`, `calls` and `structure` the rules, `making` turns rewrites into functions, and
`search` finds the one that answers every case as the learner does.
"""

from .search import diagnose

__all__ = ["diagnose"]
