"""The command ``lossary``: what it answers, and how the answers look."""
