"""Losses of images."""
