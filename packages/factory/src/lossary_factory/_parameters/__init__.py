"""What a constructor takes, and the kinds of values that its parameters accept."""

from __future__ import annotations

from . import kinds
from .annotations import ATTRIBUTE, unknown
from .constructor import Constructor, StandIn, is_kind_of
from .known import constructor_of
from .parameter import UNSAID, Parameter, Rule, Unsaid

__all__ = [
    "ATTRIBUTE",
    "UNSAID",
    "Constructor",
    "Parameter",
    "Rule",
    "StandIn",
    "Unsaid",
    "constructor_of",
    "is_kind_of",
    "kinds",
    "unknown",
]
