"""Unit 2: cases, mistakes and hints of the softmax, scaling and attention exercises."""
