"""What the judge knows of each exercise: `uN_x/<exercise>.py` defines `EXERCISE`, its cases, mistakes and hints."""
