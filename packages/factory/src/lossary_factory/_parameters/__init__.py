"""What a constructor takes, and the kinds of values that its parameters accept."""

from __future__ import annotations

from .annotations import ATTRIBUTE, unknown
from .constructor import Plan, StandIn, is_kind_of, plan_of
from .parameter import UNSAID, Parameter, Rule, Unsaid

__all__ = [
    "ATTRIBUTE",
    "UNSAID",
    "Parameter",
    "Plan",
    "Rule",
    "StandIn",
    "Unsaid",
    "is_kind_of",
    "kinds",
    "plan_of",
    "unknown",
]
