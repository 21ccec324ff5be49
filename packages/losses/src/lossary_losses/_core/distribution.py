"""Sums over processes, so that a batch spread over several of them has the loss of the whole.

DistributedDataParallel averages gradients. What is local is therefore multiplied by the number of processes,
and what is summed here carries the gradients of all of them.
"""

from typing import Any

import torch
from torch import Tensor, distributed
from torch.distributed import ProcessGroup
from torch.nn import functional

from lossary_losses._core.reduction import Fraction

__all__ = ["gather_over_processes", "over_processes", "sum_over_processes"]


def over_processes(fraction: Fraction, group: ProcessGroup) -> Fraction:
    """Give a fraction whose mean over processes is the mean over all that they hold."""
    denominator = fraction.denominator.detach().clone()
    distributed.all_reduce(denominator, group=group)
    return Fraction(fraction.numerator * group.size(), denominator)


def sum_over_processes(local: Tensor, group: ProcessGroup) -> Tensor:
    """Add up a tensor of one shape over the processes, with gradients."""
    total: Tensor = _Sum.apply(local, group)  # type: ignore[no-untyped-call]
    return total


def gather_over_processes(local: Tensor, group: ProcessGroup) -> Tensor:
    """Join what all processes have along the last dimension, with gradients; shorter ones end in zeros."""
    longest = torch.tensor(local.shape[-1], device=local.device)
    distributed.all_reduce(longest, distributed.ReduceOp.MAX, group=group)
    padded = functional.pad(local, (0, int(longest) - local.shape[-1]))
    # Each process puts its part between zeros, so that joining is adding, gradients included.
    before = [torch.zeros_like(padded)] * group.rank()
    after = [torch.zeros_like(padded)] * (group.size() - group.rank() - 1)
    return sum_over_processes(torch.cat([*before, padded, *after], dim=-1), group)


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
        return sum_over_processes(upstream, ctx.group), None
