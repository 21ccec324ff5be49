"""Losses of which of two is preferred."""
