"""Running: the runner that calls a learner's code, and the wire to the judge. It has no idea what is right."""
