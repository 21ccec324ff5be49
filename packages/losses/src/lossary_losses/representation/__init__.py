"""Losses that compare embeddings."""
