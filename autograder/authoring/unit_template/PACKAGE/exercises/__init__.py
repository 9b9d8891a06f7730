"""The exercises: one folder for each unit, one file for each exercise."""
