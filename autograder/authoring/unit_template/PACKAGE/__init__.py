"""Checked exercises of the unit NAME."""
