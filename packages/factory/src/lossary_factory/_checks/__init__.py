"""What a parameter accepts: one small class per kind of value.

A check tells whether a value is of its kind (``fits``), turns it into what the constructor gets (``read``),
describes itself (``text``) and knows a value that it accepts (``example``).
"""

from __future__ import annotations

from ._base import Anything, AsIs, Check, Null
from ._containers import Entries, Fields, FixedItems, Items
from ._objects import Instance, Nested, Part
from ._scalars import Boolean, Choice, Integer, Member, Number, PathText, Text
from ._union import AnyOf, any_of

__all__ = [
    "AnyOf",
    "Anything",
    "AsIs",
    "Boolean",
    "Check",
    "Choice",
    "Entries",
    "Fields",
    "FixedItems",
    "Instance",
    "Integer",
    "Items",
    "Member",
    "Nested",
    "Null",
    "Number",
    "Part",
    "PathText",
    "Text",
    "any_of",
]
