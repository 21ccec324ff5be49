"""How large a config may be: far beyond any loss, and small enough to be refused at once."""

from __future__ import annotations

MOST_CHARACTERS = 1 << 20
MOST_VALUES = 100_000
DEEPEST = 100
MOST_PROBLEMS = 1000
LARGEST_INTEGER = 1 << 1024
"""Beyond the floats, and far below the number of digits that Python agrees to write."""
