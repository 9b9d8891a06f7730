"""Learning management systems: collecting, exporting, feedback files, nbgrader's exchange."""
