"""Unit 7: cases, mistakes and hints of the whole machine.

What a learner's model computes depends on weights and a design of its own, so `DigitClassifier` and `Transformer` are
judged by what must hold for every right design: what may change an output, and what may not. How well the trained
models do is measured on held-out data with the weights that the notebook saved.
"""
