"""What the judge knows of each exercise: a folder a unit, a file an exercise, which defines `EXERCISE`."""
