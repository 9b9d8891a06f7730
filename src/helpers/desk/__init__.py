"""The learner's desk: check, hint, progress, and what they show."""
