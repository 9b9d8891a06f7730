"""Reference implementations, one module a unit: the text a learner reads after the exercise."""
