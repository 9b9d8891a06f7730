"""Tables of our own in the gradebook, beside nbgrader's."""

from __future__ import annotations

import sqlalchemy as sa

TABLES = sa.MetaData()
# What was graded of each submission; it changes in one transaction with the points.
GRADED = sa.Table(
    "attention_graded",
    TABLES,
    sa.Column("student", sa.String(128), primary_key=True),
    sa.Column("unit", sa.String(128), primary_key=True),
    sa.Column("fingerprint", sa.String(64), nullable=False),
    sa.Column("late_seconds", sa.Float, nullable=False),
    sa.Column("feedback", sa.String(64)),
)
# Extensions, which may be given before there is a submission to keep them with.
EXTENSIONS = sa.Table(
    "attention_extensions",
    TABLES,
    sa.Column("student", sa.String(128), primary_key=True),
    sa.Column("assignment", sa.String(32), primary_key=True),
    sa.Column("length", sa.Interval, nullable=False),
)
