"""The rules, by what they are about: one file for each part of the contract."""

from lossary_losses.testing.rules import (
    compilers,
    distribution,
    documentation,
    exclusion,
    layout,
    meaning,
    options,
    precision,
    reduction,
    scale,
    signature,
    state,
)

__all__ = [
    "compilers",
    "distribution",
    "documentation",
    "exclusion",
    "layout",
    "meaning",
    "options",
    "precision",
    "reduction",
    "scale",
    "signature",
    "state",
]
