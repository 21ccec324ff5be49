"""Losses that compare predicted classes with given ones, position by position."""
