"""The kinds of values that a parameter accepts, a small class each.

A kind tells whether a value is of it (``fits``), turns it into what the constructor gets (``read``),
describes itself (``text``) and knows a value that it accepts (``example``).
"""

from __future__ import annotations

from .arrays import Array
from .base import Anything, AsIs, Kind, Null
from .combined import COMPARISONS, AnyOf, Bound, Bounded, annotated_bounds, any_of, bounded
from .containers import Entries, Fields, FixedItems, Items
from .nested import Instance, Nested, Part
from .scalars import Boolean, Choice, Integer, Member, Number, PathText, Text

__all__ = [
    "COMPARISONS",
    "AnyOf",
    "Anything",
    "Array",
    "AsIs",
    "Boolean",
    "Bound",
    "Bounded",
    "Choice",
    "Entries",
    "Fields",
    "FixedItems",
    "Instance",
    "Integer",
    "Items",
    "Kind",
    "Member",
    "Nested",
    "Null",
    "Number",
    "Part",
    "PathText",
    "Text",
    "annotated_bounds",
    "any_of",
    "bounded",
]
