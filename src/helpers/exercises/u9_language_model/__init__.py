"""Unit 9: cases, mistakes and hints of the exercises on a language model.

Nothing here trains. The one case that needs trained weights reads the learner's own file and measures them on text that
comes along with the case.
"""
