"""What a learner reads, in other languages: texts found in notebooks and code, catalogs, translated notebooks."""
