"""Losses of signals over time."""
