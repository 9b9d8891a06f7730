"""Unit 8: cases, mistakes and hints of the exercises on what changed since 2017.

Where scores are large the entries are multiples of 1/8 and d_k is 4, so that every order of summing and scaling gives
exactly the same scores in float32 and no right answer is lost to rounding.
"""
