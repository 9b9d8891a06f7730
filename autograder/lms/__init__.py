"""Learning management systems: packing, collecting, exporting, feedback files, nbgrader's exchange."""
