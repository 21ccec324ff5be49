"""Data that a collection of losses offers for those of its losses that are no losses of positions."""

from __future__ import annotations

from typing import Any

from lossary_factory._entry_points import entry_points

_GROUP = "lossary.examples"
_DENSE = ("logits", "probabilities", "values")
"""What the input of a loss of positions is claimed to be; such data are made here, in any shape."""


def example(loss_class: type[Any]) -> tuple[Any, Any, dict[str, Any]] | None:
    """Return input, target and other arguments for a loss of another kind of data; None for the rest."""
    claims = getattr(loss_class, "claims", None)
    if getattr(claims, "input", "logits") in _DENSE:
        return None
    for each in entry_points(_GROUP):
        try:
            tensors, arguments = each.load()(loss_class)
        except ValueError:  # a kind of data that this collection does not know
            continue
        input, *target = tensors
        return input, target[0] if target else None, dict(arguments)
    return None
