"""Marking: one submission from bytes to points: intake, repair, execution, the judge's desk, scoring, outcome,
sanitising.
"""
