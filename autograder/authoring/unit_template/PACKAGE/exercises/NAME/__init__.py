"""The unit NAME: the mean of every few values that follow each other."""
