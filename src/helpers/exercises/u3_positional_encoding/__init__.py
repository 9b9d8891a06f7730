"""Unit 3: cases, mistakes and hints of the exercises on positions."""
