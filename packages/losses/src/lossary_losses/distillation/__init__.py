"""Losses of what a network learns from another one, its teacher."""
