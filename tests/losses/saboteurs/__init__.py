"""Losses that each break one promise of the suite, to see that it notices."""

from saboteurs import (
    exclusion,
    kinds,
    layout,
    meaning,
    precision,
    reduction,
    scale,
    signature,
    state,
    transforms,
)
from saboteurs.breaking import SABOTEURS, Saboteur
from saboteurs.plain import Plain

__all__ = [
    "SABOTEURS",
    "Plain",
    "Saboteur",
    "exclusion",
    "kinds",
    "layout",
    "meaning",
    "precision",
    "reduction",
    "scale",
    "signature",
    "state",
    "transforms",
]
