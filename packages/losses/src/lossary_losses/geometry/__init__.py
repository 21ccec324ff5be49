"""Losses of geometry: depth."""
