"""Unit 4: cases, mistakes and hints of the multi-head exercises."""
