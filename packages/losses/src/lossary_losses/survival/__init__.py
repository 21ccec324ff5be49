"""Losses of the time until something happens."""
