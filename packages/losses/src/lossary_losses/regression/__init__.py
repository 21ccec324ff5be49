"""Losses that compare values."""
