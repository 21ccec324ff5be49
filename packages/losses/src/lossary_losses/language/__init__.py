"""Losses of language models, over vocabularies and experts."""
