"""What the judge knows of each exercise, one module a unit; each defines `EXERCISES`."""
