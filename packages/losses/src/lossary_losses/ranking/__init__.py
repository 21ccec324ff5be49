"""Losses that order the documents of a list."""
