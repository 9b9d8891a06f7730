"""The learner's own folder: made from the course, brought up to date, put back cell by cell, packed to hand in."""
