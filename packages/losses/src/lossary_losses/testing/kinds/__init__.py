"""The kinds of data that losses are examined with, one file for each family of them."""

from lossary_losses.testing.kinds import (
    dense,
    detection,
    features,
    forecasting,
    geometry,
    images,
    language,
    ranking,
    representation,
    scores,
    signals,
    survival,
)
from lossary_losses.testing.kinds.kind import (
    Change,
    Kind,
    Size,
    find_kind,
    kind_registry,
    name_of_kind,
    targets_of,
)

__all__ = [
    "Change",
    "Kind",
    "Size",
    "dense",
    "detection",
    "features",
    "find_kind",
    "forecasting",
    "geometry",
    "images",
    "kind_registry",
    "language",
    "name_of_kind",
    "ranking",
    "representation",
    "scores",
    "signals",
    "survival",
    "targets_of",
]
