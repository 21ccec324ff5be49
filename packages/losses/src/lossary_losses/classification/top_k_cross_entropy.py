"""Cross entropy of the hardest positions alone."""

from typing import ClassVar

import attrs
import torch
from torch import Tensor
from torch.distributed import ProcessGroup

from lossary_losses._core.base import define_loss, full_precision
from lossary_losses._core.dense import Dense, Ready, position_shape, ready
from lossary_losses._core.distribution import gather_over_processes
from lossary_losses._core.options import flag, number
from lossary_losses._core.reduction import Elements, Fraction, drop_dimension, to_fraction, weigh
from lossary_losses._core.spread import wherever_spread
from lossary_losses._core.streaming import cut_out, flattened, is_large, parts_of, streamed_sums
from lossary_losses.classification.cross_entropy import CrossEntropyLoss
from lossary_losses.loss_registry_setup import loss_registry

__all__ = ["TopKCrossEntropyLoss"]


@loss_registry.register(
    name="top_k_cross_entropy_loss",
    aliases=["TopKCrossEntropyLoss"],
    tags=["segmentation", "classification", "multiclass", "cross_entropy", "imbalance"],
)
@define_loss
class TopKCrossEntropyLoss(CrossEntropyLoss):
    r"""Cross entropy of the hardest positions alone: online hard example mining.

    .. math:: \ell = -\frac{1}{K} \sum_{i \in \text{hardest } K} \log p_{i, y_i},
        \quad K = \lceil \text{hardest} \cdot N \rceil

    Convention:
        N are the positions of the batch that count, so that one position or more is among the hardest
        wherever any counts. Hardest is what costs most, class weights and smoothing included; of positions
        that cost the same, the earlier come first. ``hardest=1`` is :class:`CrossEntropyLoss`. The mean
        divides by the weights of the labels that are in it, as there. nnU-Net's ``TopKLoss(k=10)`` is
        ``hardest=0.1``, except that it divides by their number, rounds K down, and counts ignored positions
        into N. A ``weight`` given to ``forward`` says how many times a position is there, the smallest of
        them being the unit that K is rounded to; of the last position some of these times may be among the
        hardest, and others not.

    Shapes:
        ``input``: ``(B, C, *S)``, logits.
        ``target``: ``(B, *S)`` class indices of any integer dtype, or ``(B, C, *S)`` probabilities.
        Result: a scalar, or ``(B, *S)`` with ``reduction="none"``, zero where a position is not among the
        hardest.

    Args:
        hardest: The share of the positions that enters the loss, above 0 and at most 1. Default: 0.1.
        batch: Whether the hardest are sought in the batch as a whole. Default: True; False seeks them in
            each sample.
        weight: One factor per class, >= 0. Default: None, all one.
        label_smoothing: How much of each target is spread over all classes, 0 to 1. Default: 0.
        ignore_index: Positions where the target equals it do not count. Default: None, all count.
        reduction: ``"mean"`` (default), ``"sum"`` or ``"none"``.
        process_group: The processes that share a batch: the hardest are sought in what all of them have,
            and their gradients, once averaged, are then those of the whole batch in one process. Default:
            None, each process for itself.

    Raises:
        OptionTypeError: An option has the wrong type.
        OptionValueError: An option is out of its bounds.

    Example:
        >>> import torch
        >>> loss = TopKCrossEntropyLoss(hardest=0.5, reduction="none")
        >>> loss(torch.tensor([[0.0, 0.0], [9.0, 0.0]]), torch.tensor([0, 0]))
        tensor([0.6931, 0.0000])

    Reference:
        Wu et al. 2016, "Bridging Category-level and Instance-level Semantic Image Segmentation",
        arXiv:1605.06885.

        Shrivastava et al. 2016, "Training Region-based Object Detectors with Online Hard Example Mining",
        arXiv:1604.03540.
    """

    claims: ClassVar = attrs.evolve(
        CrossEntropyLoss.claims,
        at_soft="elsewhere",
        adds_up="no",
        exempt={
            "sums_of_parts_add_up": "the hardest are sought in the batch as a whole",
            "fractions_of_parts_add_up": "the hardest are sought in the batch as a whole",
            "large_inputs_are_their_parts": "the hardest are sought in the batch as a whole",
            "wrong_predictions_have_a_gradient": "a sample may have none of the hardest positions",
        },
    )

    hardest: float = number(default=0.1, above=0, at_most=1)
    batch: bool = flag(default=True)

    def elements(
        self, input: Tensor, target: Tensor, *, mask: Tensor | None = None, weight: Tensor | None = None
    ) -> Elements:
        """Give the loss of each position, zero where it is not among the hardest."""
        logits, truth, share, kind, hard = ready(self.prepare(input, target, mask=mask, weight=weight))
        value, class_share = self.point(Ready(logits, truth, None, kind, hard))
        share = torch.ones_like(value) if share is None else share.expand_as(value)
        # Without weights every position that counts is there once, and the unit need not be sought.
        counted = self._counted(value.detach(), share, whole=weight is None)
        # Selected, not multiplied: a position may cost infinitely much, and be one too many.
        value = torch.where(counted > 0, value, 0)
        return drop_dimension(weigh(value, counted, class_share), 1)

    @wherever_spread
    def fraction(
        self, input: Tensor, target: Tensor, *, mask: Tensor | None = None, weight: Tensor | None = None
    ) -> Fraction:
        """Give the mean as a numerator and a denominator, whatever ``reduction`` says."""
        with full_precision(input):
            dense = self.prepare(input, target, mask=mask, weight=weight)
            if not is_large(dense.input):
                return to_fraction(self.elements(input, target, mask=mask, weight=weight))
            costs, shares = self._costs(dense)
            counted = self._counted(costs, shares, whole=weight is None).view(position_shape(dense.input))
            counted = counted.unsqueeze(1)
            numerator, denominator = streamed_sums(self, dense._replace(mask=counted > 0, weight=counted))
        return Fraction(numerator.sum(), denominator.sum())

    @torch.no_grad()
    def _costs(self, dense: Dense) -> tuple[Tensor, Tensor]:
        """Give what each position costs, and how often it is there, ``(B, 1, N)``: part by part.

        Positions know of each other, but by no more than these: what is of the input's size, the logarithms
        of the probabilities, need not be kept.
        """
        dense = flattened(dense)
        dtype = torch.promote_types(dense.input.dtype, torch.float32)
        costs = dense.input.new_empty(dense.input[:, :1].shape, dtype=dtype)
        shares = torch.ones_like(costs)
        for batch, positions in parts_of(dense.input):
            part = ready(cut_out(dense, batch, positions))
            costs[batch, :, positions] = self.point(part._replace(share=None)).value
            if part.share is not None:
                shares[batch, :, positions] = part.share
        return costs, shares

    def _counted(self, cost: Tensor, share: Tensor, *, whole: bool) -> Tensor:
        """Give how much of each position's share is among the hardest."""
        if self.hardest == 1:
            return share
        group = self.process_group if self.batch else None
        costs, shares = (each.flatten() if self.batch else each.flatten(1) for each in (cost, share))
        local = costs.shape[-1]
        if group is not None:
            costs, shares = (gather_over_processes(each, group) for each in (costs, shares))
        counted = hardest(costs, shares, self.hardest, whole=whole)
        if group is not None:
            counted = _own_part(counted, local, group)
        return counted.to(share.dtype).reshape(share.shape)


def hardest(costs: Tensor, shares: Tensor, fraction: float, *, whole: bool) -> Tensor:
    """Give how much of each share is within the fraction that costs most, along the last dimension.

    ``whole`` says that every share is zero or one.
    """
    # Counting in float32 would stand still at 2 ** 24; Metal has nothing wider.
    wide = shares.float() if shares.device.type == "mps" else shares.double()
    # What does not count goes last. A cost of NaN stays in front, so that it shows.
    order = torch.where(wide > 0, costs, -float("inf")).argsort(dim=-1, descending=True, stable=True)
    in_order = wide.gather(-1, order)
    wanted = _rounded_up(fraction * wide.sum(dim=-1, keepdim=True), 1 if whole else _smallest(wide))
    before = in_order.cumsum(dim=-1) - in_order
    counted = torch.minimum((wanted - before).clamp(min=0), in_order)
    return torch.zeros_like(wide).scatter(-1, order, counted)


def _rounded_up(amount: Tensor, unit: Tensor | int) -> Tensor:
    # A tenth of seventy is seven, not the eight that the rounding of 0.1 would make of it; and never none.
    return (amount / unit - 1e-6).ceil().clamp(min=1) * unit


def _smallest(shares: Tensor) -> Tensor | int:
    """Give the smallest share above zero."""
    if shares.shape[-1] == 0:
        return 1
    smallest = torch.where(shares > 0, shares, float("inf")).amin(dim=-1, keepdim=True)
    return torch.where(smallest.isfinite(), smallest, 1)


def _own_part(gathered: Tensor, length: int, group: ProcessGroup) -> Tensor:
    """Give the part of what was gathered over processes that is this one's."""
    start = group.rank() * (gathered.shape[-1] // group.size())
    return gathered[..., start : start + length]
