"""Answers that the course's rulings decide: source texts that must not pass, and source texts that must.

In a text `right` is the reference of its exercise, and the references of all other exercises have their own names.
"""
