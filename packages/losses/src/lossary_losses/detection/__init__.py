"""Losses that compare boxes."""
