"""What tensors hold that a loss needs besides input and target, by the words that it claims."""

from collections.abc import Callable, Mapping

import torch
from torch import Tensor
from torch.nn import functional

from lossary_losses.testing.kinds import Kind, Size
from lossary_registry import nearest_names

__all__ = ["ARGUMENTS", "POSITIONAL", "SHARED", "WITHOUT_GRADIENT", "draw_argument"]

Draw = Callable[[Kind, Tensor, Size, torch.Generator], Tensor]


def _positive(_kind: Kind, input: Tensor, _size: Size, generator: torch.Generator) -> Tensor:
    return torch.rand(input.shape, generator=generator, dtype=torch.float64) + 0.5


def _real(_kind: Kind, input: Tensor, _size: Size, generator: torch.Generator) -> Tensor:
    return torch.randn(input.shape, generator=generator, dtype=torch.float64)


def _log_probability(kind: Kind, input: Tensor, size: Size, generator: torch.Generator) -> Tensor:
    return functional.logsigmoid(_real(kind, input, size, generator))


def _area(_kind: Kind, input: Tensor, _size: Size, generator: torch.Generator) -> Tensor:
    return torch.rand(input.shape[:-2], generator=generator, dtype=torch.float64) + 0.5


def _event(_kind: Kind, input: Tensor, _size: Size, generator: torch.Generator) -> Tensor:
    happened = torch.rand(len(input), generator=generator) < 0.7  # noqa: PLR2004 - most of them
    happened[:1] = True
    return happened


def _groups(_kind: Kind, input: Tensor, _size: Size, generator: torch.Generator) -> Tensor:
    return torch.randint(0, 3, (len(input),), generator=generator)


def _same_as_target(kind: Kind, input: Tensor, size: Size, generator: torch.Generator) -> Tensor:
    drawn = kind.draw_target(input, size, generator)
    if drawn is None:
        raise ValueError("an argument is claimed to be the same as the target, of which there is none")
    return drawn


def _scalar(_kind: Kind, _input: Tensor, _size: Size, generator: torch.Generator) -> Tensor:
    return torch.rand((), generator=generator, dtype=torch.float64) + 0.5


def _projection(_kind: Kind, input: Tensor, size: Size, generator: torch.Generator) -> Tensor:
    return torch.randn(size.channels, input.shape[-1], generator=generator, dtype=torch.float64)


def _marks(_kind: Kind, input: Tensor, _size: Size, generator: torch.Generator) -> Tensor:
    return torch.rand(input.shape[:1] + input.shape[2:], generator=generator) < 0.7  # noqa: PLR2004 - most of them


def _labels(_kind: Kind, input: Tensor, size: Size, generator: torch.Generator) -> Tensor:
    return torch.randint(0, size.channels, input.shape[:1] + input.shape[2:], generator=generator)


def _top(_kind: Kind, input: Tensor, _size: Size, generator: torch.Generator) -> Tensor:
    return torch.rand(input.shape, generator=generator).argsort(dim=1)[:, : input.shape[1] // 2]


ARGUMENTS: Mapping[str, Draw] = {
    "positive": _positive,
    "real": _real,
    "log_probability": _log_probability,
    "held_log_probability": _log_probability,
    "area": _area,
    "event": _event,
    "groups": _groups,
    "same_as_target": _same_as_target,
    "scalar": _scalar,
    "projection": _projection,
    "marks": _marks,
    "labels": _labels,
    "top": _top,
}
"""How each kind of argument is drawn: numbers in the input's shape, above zero, any, or logarithms of
probabilities, which may be held; one above zero for each object that has points; for each sample, whether an
event came, or of which group it is; as a target; one number above zero; a row for each class; for each
position, whether it is one of some, or of which class it is; half of the classes of each position, by their
indices."""

WITHOUT_GRADIENT = frozenset({"event", "groups", "held_log_probability", "marks", "labels", "top"})
"""Kinds of argument that have no gradient: what is no number, or what a loss holds as it is."""

POSITIONAL = frozenset({"marks", "labels"})
"""Kinds of argument that have an entry for each position, whatever its channels."""

SHARED = frozenset({"scalar", "projection"})
"""Kinds of argument that belong to no sample."""


def draw_argument(argument: str, kind: Kind, input: Tensor, size: Size, generator: torch.Generator) -> Tensor:
    """Draw what an argument holds.

    Raises:
        ValueError: There is no such kind of argument.
    """
    if argument not in ARGUMENTS:
        near = nearest_names(argument, ARGUMENTS)
        hint = f"did you mean {near[0]!r}?" if near else f"known are {', '.join(ARGUMENTS)}"
        raise ValueError(f"there is no kind of argument {argument!r}: {hint}")
    return ARGUMENTS[argument](kind, input, size, generator)
