"""The rules, by what they are about: one file for each part of the contract."""

from lossary_losses.testing.rules import (
    compilers,
    cost,
    distribution,
    documentation,
    exclusion,
    layout,
    meaning,
    neighbours,
    options,
    precision,
    reduction,
    scale,
    sharding,
    signature,
    state,
)

__all__ = [
    "compilers",
    "cost",
    "distribution",
    "documentation",
    "exclusion",
    "layout",
    "meaning",
    "neighbours",
    "options",
    "precision",
    "reduction",
    "scale",
    "sharding",
    "signature",
    "state",
]
