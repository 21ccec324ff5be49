"""What kinds of target a loss takes, as far as its tags tell."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from lossary_factory._spec import LossSpec, PartSpec

if TYPE_CHECKING:
    from collections.abc import Iterator

TargetKind = Literal["binary", "labels", "values"]
"""Zeros and ones of the input's shape; class indices; or numbers of the input's shape."""

Keys = tuple[Any, ...]
"""What leads to a value: the name of a parameter, then keys and indexes."""

KINDS: tuple[TargetKind, ...] = ("binary", "labels", "values")

_KIND_OF_TAG: dict[str, TargetKind] = {
    "binary": "binary",
    "multilabel": "binary",
    "multiclass": "labels",
    "regression": "values",
}
_PER_CLASS = ("weight", "pos_weight", "class_weights", "class_counts")


def kinds_of(spec: LossSpec[Any]) -> list[TargetKind]:
    """Return the kinds of target that a loss and all losses within take; all kinds where no tag tells."""
    inside = [child for _, child in nested(spec)]
    found = [kinds_of(child) for child in inside] if inside else [_by_tags(spec)]
    common: list[TargetKind] = [kind for kind in KINDS if all(kind in kinds for kinds in found)]
    return common or found[0]


def classes_of(spec: LossSpec[Any]) -> int | None:
    """Return how many classes there must be for what a loss, or one within, is given for each of them."""
    for parameter in _PER_CLASS:
        value = spec.params.get(parameter)
        if isinstance(value, (list, tuple)):
            return len(value)
    found = (classes_of(child) for _, child in nested(spec))
    return next((classes for classes in found if classes), None)


def needs_several(spec: LossSpec[Any]) -> bool:
    """Tell whether a loss, or one within, is of several labels at a time, and never of one alone."""
    tags = _tags(spec)
    return ("multilabel" in tags and "binary" not in tags) or any(
        needs_several(child) for _, child in nested(spec)
    )


def nested(spec: LossSpec[Any]) -> Iterator[tuple[Keys, LossSpec[Any]]]:
    """Yield the losses directly inside a loss, and no parts, after the keys that lead to each."""
    return ((keys, child) for keys, child in spec.children() if not isinstance(child, PartSpec))


def _by_tags(spec: LossSpec[Any]) -> list[TargetKind]:
    kinds = {_KIND_OF_TAG[tag] for tag in _tags(spec) if tag in _KIND_OF_TAG}
    return [kind for kind in KINDS if kind in kinds] or list(KINDS)


def _tags(spec: LossSpec[Any]) -> tuple[str, ...]:
    return () if spec.origin is None else tuple(spec.origin.registry.entry(spec.name).tags)
