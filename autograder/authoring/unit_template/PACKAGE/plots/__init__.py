"""Figures: one module for each unit. They import no reference."""
