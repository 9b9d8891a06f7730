"""Unit 0, how a unit works: the reference of its one exercise."""

from __future__ import annotations


def hello_attention() -> str:
    """Return the word that this course is about: `"attend"`, in small letters and nothing around it.

    Every exercise has a reference like this one. After your own answer, read it: it is the same computation,
    with the formula, the shapes and the errors written out.
    """
    return "attend"
