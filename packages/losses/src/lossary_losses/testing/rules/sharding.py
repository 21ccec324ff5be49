"""Sharding: tensors that torch spreads over processes have the loss of the whole, and its gradient."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from lossary_losses.testing.data import Data
from lossary_losses.testing.ranks import on_two_ranks_of_a_mesh
from lossary_losses.testing.rule import close, expect, rule
from lossary_losses.testing.sample import Sample
from lossary_losses.testing.subject import Subject

Spread = Callable[[Tensor], Tensor]


@rule("sharding", arguments=["mask"])
def spread_tensors_are_one(subject: Subject, data: Data) -> None:
    """Tensors spread over two ranks by sample, class or space have value and gradient of the whole."""
    sample = data.draw(batch=3 * data.least)
    mask = data.uneven(sample)
    input = sample.input.clone().requires_grad_()
    value = subject.value(sample.at(input), mask=mask)
    (slope,) = torch.autograd.grad(value.sum(), input)
    dimensions = range(sample.input.ndim if data.has_channels else 1)

    def on_rank(rank: int, mesh: Any) -> list[tuple[Tensor, Tensor]]:  # noqa: ANN401 - torch's class is not imported uninvited
        return [_on_rank(subject, sample, mask, _spreading(sample, at, rank, mesh)) for at in dimensions]

    for of_rank in on_two_ranks_of_a_mesh(on_rank):
        for at, (of_all, slope_of_all) in zip(dimensions, of_rank, strict=True):
            close(of_all, value, f"the value, spread along dimension {at}")
            close(slope_of_all, slope, f"the gradient, spread along dimension {at}")


def _on_rank(subject: Subject, sample: Sample, mask: Tensor, spread: Spread) -> tuple[Tensor, Tensor]:
    arguments = {name: spread(each) for name, each in sample.arguments.items()}
    part = sample._replace(arguments={}).every(spread)._replace(arguments=arguments)
    input: Any = part.input.requires_grad_()
    value = subject.value(part, mask=spread(mask))
    (slope,) = torch.autograd.grad(together(value).sum(), input)
    expect(slope.placements == input.placements, "the gradient is not spread as the input is")
    return together(value).detach(), together(slope)


def together(tensor: Any) -> Tensor:  # noqa: ANN401 - a tensor that is spread, or is not
    """Give the whole of a tensor."""
    whole: Tensor = tensor.full_tensor() if hasattr(tensor, "full_tensor") else tensor
    return whole


def _spreading(sample: Sample, at: int, rank: int, mesh: Any) -> Spread:  # noqa: ANN401 - as above
    """Say how tensors are spread: along a dimension of the input, by those that have it."""
    # Here, so that a suite that never gets here needs no distributed tensors.
    from torch.distributed.tensor import DTensor, Replicate, Shard  # noqa: PLC0415

    def spread(tensor: Tensor) -> Tensor:
        dimension = _dimension_of(tensor, sample.input, at)
        if dimension is None:
            return DTensor.from_local(tensor.clone(), mesh, [Replicate()], run_check=False)
        own = tensor.tensor_split(2, dimension)[rank].clone()
        return DTensor.from_local(
            own, mesh, [Shard(dimension)], run_check=False, shape=tensor.shape, stride=tensor.stride()
        )

    return spread


def _dimension_of(tensor: Tensor, input: Tensor, at: int) -> int | None:
    """Tell which dimension of a tensor is that of the input; one may be without the input's classes."""
    if at == 0 or tensor.ndim == input.ndim:
        dimension = at
    elif at == 1:
        return None  # the classes
    else:
        dimension = at - 1
    has_it = dimension < tensor.ndim and tensor.shape[dimension] == input.shape[at]
    return dimension if has_it else None
