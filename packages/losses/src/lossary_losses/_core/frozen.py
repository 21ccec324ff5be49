"""Formulas as they are now: what a backward pass computes with, whatever becomes of a loss in between."""

from collections import OrderedDict
from typing import Any, TypeVar

from torch import Tensor, nn

__all__ = ["freeze"]

_Formula = TypeVar("_Formula")


def freeze(formula: _Formula) -> tuple[_Formula, tuple[Tensor, ...]]:
    """Copy a formula down to its tensors, and give these as well; they are those of the original.

    Modules, tuples, lists and mappings are copied, to any depth; found are parameters, buffers (those of
    ``functional_call`` too) and tensors that are plain attributes. Whatever else there is is shared.
    """
    found: list[Tensor] = []
    return _copied(formula, found, {}), tuple(found)


def _copied(value: Any, found: list[Tensor], twins: dict[int, nn.Module]) -> Any:  # noqa: ANN401 - anything that a module holds
    if isinstance(value, Tensor):
        found.append(value)
        return value
    if isinstance(value, nn.Module):
        twin = twins.get(id(value))
        if twin is None:
            twin = twins[id(value)] = object.__new__(type(value))
            twin.__dict__.update((name, _copied(each, found, twins)) for name, each in vars(value).items())
        return twin
    if type(value) in (dict, OrderedDict):
        return type(value)((key, _copied(each, found, twins)) for key, each in value.items())
    if type(value) is list:
        return [_copied(each, found, twins) for each in value]
    if isinstance(value, tuple):
        parts = [_copied(each, found, twins) for each in value]
        return type(value)(*parts) if hasattr(value, "_fields") else tuple(parts)
    return value
