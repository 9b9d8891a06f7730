"""Authoring: a solution becomes source, release and preview; the sample class."""
