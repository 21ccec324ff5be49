"""Tensors that are spread over processes by torch itself: ``torch.distributed.tensor.DTensor``.

Where each process has samples of its own, it computes their sums, and one message of a few numbers for each
dimension of the mesh that cuts samples adds them up. Whatever else is spread, classes say, or positions, is
brought together first, in one message for each tensor: a softmax or neighbours need the whole. Backwards
there is no message in either case, and a gradient is spread as its tensor is. What comes out is plain, and
the same in every process.
"""

from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any, TypeVar, cast

import torch
from torch import Tensor

from lossary_losses._core.reduction import Fraction

__all__ = ["is_spread", "together", "wherever_spread"]

_Method = TypeVar("_Method", bound=Callable[..., Any])

_OF_NO_SAMPLE = frozenset({"scalar", "projection"})
"""What a loss may claim that an argument holds, where its first dimension is not that of the samples."""


def wherever_spread(method: _Method) -> _Method:
    """Let a method that gives fractions, one or several by name, take tensors that are spread."""

    @wraps(method)
    def of_all(loss: Any, input: Any, *tensors: Any, **arguments: Any) -> Any:  # noqa: ANN401 - what the method takes
        if not any(map(is_spread, (input, *tensors, *arguments.values()))):
            return method(loss, input, *tensors, **arguments)
        has_own_samples = _has_own_samples(loss, input, tensors, arguments)
        bring = _own if has_own_samples else together
        fractions = method(
            loss, *map(bring, (input, *tensors)), **{name: bring(each) for name, each in arguments.items()}
        )
        if not has_own_samples:
            return fractions
        if isinstance(fractions, dict):
            return _added_up(fractions, input)
        return _added_up({"": fractions}, input)[""]

    return cast("_Method", of_all)


def is_spread(value: object) -> bool:
    """Tell whether a value is a tensor that is spread, without an import of what spreads it."""
    return hasattr(type(value), "full_tensor")  # a compiler knows the class, and no attributes of it


def together(value: Any) -> Any:  # noqa: ANN401 - what is no tensor stays what it is
    """Give the whole of a tensor that is spread, to each process."""
    return value.full_tensor() if is_spread(value) else value


def _own(value: Any) -> Any:  # noqa: ANN401 - as above
    """Give what this process has of a tensor that is spread."""
    return value.to_local() if is_spread(value) else value


def _has_own_samples(loss: Any, input: Any, tensors: tuple[Any, ...], arguments: Mapping[str, Any]) -> bool:  # noqa: ANN401 - any loss
    """Tell whether samples are all that is spread, and sums of each process all that a loss takes."""
    claims = getattr(loss, "claims", None)
    if claims is None or not loss.adds_up or not _is_cut_into_samples(input, claims.layout):
        return False
    if any(claims.arguments.get(name) in _OF_NO_SAMPLE for name in arguments):
        return False
    # What is learned and not spread needs the gradient of all processes.
    if any(each.requires_grad for each in loss.parameters()):
        return False
    return all(
        _is_cut_alike(each, input) for each in (*tensors, *arguments.values()) if isinstance(each, Tensor)
    )


def _is_cut_into_samples(input: Any, layout: str) -> bool:  # noqa: ANN401 - a tensor, or what a loss refuses
    """Tell whether a tensor is cut along its first dimension alone, and has samples there."""
    if not is_spread(input):
        return False
    of_sample = [name for name in layout.split()[1:] if not name.startswith("*")]
    return input.ndim > len(of_sample) and all(
        each.is_replicate() or each.is_shard(0) for each in input.placements
    )


def _is_cut_alike(other: Any, input: Any) -> bool:  # noqa: ANN401 - two tensors
    """Tell whether a tensor has its part of the same samples in each process."""
    return (
        is_spread(other)
        and other.ndim > 0
        and len(other) == len(input)
        and other.device_mesh == input.device_mesh
        and other.placements == input.placements
    )


def _added_up(fractions: dict[str, Fraction], like: Any) -> dict[str, Fraction]:  # noqa: ANN401 - a tensor that is spread
    """Add fractions up over the processes that have different samples, in one message."""
    # Whoever has such a tensor has imported this.
    from torch.distributed.tensor import DTensor, Partial  # noqa: PLC0415

    message = torch.stack([number for fraction in fractions.values() for number in fraction])
    placements = [each if each.is_replicate() else Partial() for each in like.placements]
    total = DTensor.from_local(message, like.device_mesh, placements, run_check=False).full_tensor()
    numbers = iter(total.unbind())
    return {name: Fraction(next(numbers), next(numbers)) for name in fractions}
