"""Sums over processes, so that a batch spread over several of them has the loss of the whole.

DistributedDataParallel averages gradients. What is local is therefore multiplied by the number of processes,
and what is summed here carries the gradients of all of them.

That is so too where the positions of a sample are spread: each process has the loss of the whole sample then,
and of its gradient what its own positions have, times the number of processes. An engine that averages over
these processes as well gives the gradient of the whole; one that adds up is to be given the loss divided by
their number.
"""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, distributed
from torch.distributed import ProcessGroup
from torch.nn import functional

from lossary_losses._core.reduction import Fraction

__all__ = [
    "connected",
    "gather_over_processes",
    "gather_rows",
    "over_processes",
    "sum_over_processes",
]


def over_processes(fraction: Fraction, group: ProcessGroup) -> Fraction:
    """Give a fraction whose mean over processes is the mean over all that they hold."""
    denominator = fraction.denominator.detach().clone()
    distributed.all_reduce(denominator, group=group)
    return Fraction(fraction.numerator * group.size(), denominator)


def sum_over_processes(local: Sequence[Tensor], group: ProcessGroup) -> tuple[Tensor, ...]:
    """Add tensors up over the processes, each with those of its place, in one message, with gradients."""
    message = connected(torch.cat([each.flatten() for each in local]))
    total: Tensor = _Sum.apply(message, group)  # type: ignore[no-untyped-call]
    parts = torch.split(total, [each.numel() for each in local])
    return tuple(part.view_as(each) for part, each in zip(parts, local, strict=True))


def connected(local: Tensor) -> Tensor:
    """Make sure that a tensor has a graph: backwards too, every process has to take part."""
    return local.detach().requires_grad_() if torch.is_grad_enabled() and not local.requires_grad else local


def gather_over_processes(local: Tensor, group: ProcessGroup) -> Tensor:
    """Join what all processes have along the last dimension, with gradients; shorter ones end in zeros."""
    longest = torch.tensor(local.shape[-1], device=local.device)
    distributed.all_reduce(longest, distributed.ReduceOp.MAX, group=group)
    padded = functional.pad(local, (0, int(longest) - local.shape[-1]))
    # Each process puts its part between zeros, so that joining is adding, gradients included.
    before = [torch.zeros_like(padded)] * group.rank()
    after = [torch.zeros_like(padded)] * (group.size() - group.rank() - 1)
    joined: Tensor = _Sum.apply(torch.cat([*before, padded, *after], dim=-1), group)  # type: ignore[no-untyped-call]
    return joined


def gather_rows(local: Tensor, group: ProcessGroup) -> tuple[Tensor, slice]:
    """Put the rows of all processes below one another, with gradients; say which are those of this one."""
    lengths = [int(each) for each in _gathered(torch.tensor([len(local)], device=local.device), group)]
    longest, rank = max(lengths), group.rank()
    padding = [0, 0] * (local.ndim - 1) + [0, longest - len(local)]
    padded = functional.pad(connected(local) if local.is_floating_point() else local, padding)
    joined: Tensor = _Gather.apply(padded, group)  # type: ignore[no-untyped-call]
    if any(each < longest for each in lengths):
        parts = joined.chunk(group.size())
        joined = torch.cat([part[:length] for part, length in zip(parts, lengths, strict=True)])
    first = sum(lengths[:rank])
    return joined, slice(first, first + len(local))


def _gathered(local: Tensor, group: ProcessGroup) -> Tensor:
    """Put equally many rows of each process below one another, without gradients."""
    joined = local.new_empty((group.size() * len(local), *local.shape[1:]))
    distributed.all_gather([*joined.chunk(group.size())], local.contiguous(), group=group)
    return joined


class _Gather(torch.autograd.Function):
    """All processes use all rows, so each one's have the gradients of all."""

    @staticmethod
    def forward(local: Tensor, group: ProcessGroup) -> Tensor:
        """Put the rows below one another."""
        return _gathered(local, group)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor, ProcessGroup], output: Tensor) -> None:  # noqa: ANN401, ARG004 - torch's own signature
        """Remember between whom."""
        ctx.group = inputs[1]

    @staticmethod
    def backward(ctx: Any, upstream: Tensor) -> tuple[Tensor, None]:  # noqa: ANN401 - torch's own signature
        """Add up what all processes have for each one's rows, differentiably."""
        return _Scatter.apply(upstream, ctx.group), None  # type: ignore[no-untyped-call]


class _Scatter(torch.autograd.Function):
    """Add up over processes, and leave to each its own rows."""

    @staticmethod
    def forward(joined: Tensor, group: ProcessGroup) -> Tensor:
        """Add up."""
        own = joined.new_empty((len(joined) // group.size(), *joined.shape[1:]))
        # What torch 2.13 calls reduce_scatter_single has a longer name before, which warns since.
        reduce_scatter = (
            getattr(distributed, "reduce_scatter_single", None) or distributed.reduce_scatter_tensor
        )
        reduce_scatter(own, joined.contiguous(), group=group)
        return own

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor, ProcessGroup], output: Tensor) -> None:  # noqa: ANN401, ARG004 - torch's own signature
        """Remember between whom."""
        ctx.group = inputs[1]

    @staticmethod
    def backward(ctx: Any, upstream: Tensor) -> tuple[Tensor, None]:  # noqa: ANN401 - torch's own signature
        """Put the gradients of all below one another, differentiably."""
        return _Gather.apply(upstream, ctx.group), None  # type: ignore[no-untyped-call]


class _Sum(torch.autograd.Function):
    """All processes use the sum, so each one's part has the gradients of all."""

    @staticmethod
    def forward(local: Tensor, group: ProcessGroup) -> Tensor:
        """Add up."""
        total = local.clone()
        distributed.all_reduce(total, group=group)
        return total

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor, ProcessGroup], output: Tensor) -> None:  # noqa: ANN401, ARG004 - torch's own signature
        """Remember between whom."""
        ctx.group = inputs[1]

    @staticmethod
    def backward(ctx: Any, upstream: Tensor) -> tuple[Tensor, None]:  # noqa: ANN401 - torch's own signature
        """Add up the gradients, differentiably."""
        return _Sum.apply(upstream, ctx.group), None  # type: ignore[no-untyped-call]
