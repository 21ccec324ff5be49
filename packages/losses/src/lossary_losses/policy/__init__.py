"""Losses of policies, which learn from how good what they did turned out to be."""
