"""Unit 1: cases, mistakes and hints of the dot-product exercises."""
