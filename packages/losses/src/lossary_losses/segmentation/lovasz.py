"""Lovasz losses: the Jaccard loss of hard predictions, extended to soft ones by sorting."""

from collections.abc import Sequence
from typing import ClassVar, Literal

import torch
from torch import Tensor

from lossary_losses._core.base import define_loss
from lossary_losses._core.checks import check_binary, values_readable
from lossary_losses._core.claims import Claims
from lossary_losses._core.dense import Kind, Selection, class_membership, kind_of, per_channel, prepare, ready
from lossary_losses._core.distribution import connected, gather_over_processes
from lossary_losses._core.options import choice, flag, integer, per_class
from lossary_losses._core.reduced import ReducedLoss
from lossary_losses._core.reduction import Elements, drop_dimension, weigh
from lossary_losses._core.softmax import softmax
from lossary_losses._core.stable import bounded, times
from lossary_losses.errors import InputValueError
from lossary_losses.loss_registry_setup import loss_registry

__all__ = ["LovaszHingeLoss", "LovaszSoftmaxLoss"]


_PART = 2**18
"""How many elements are sorted at once: sorted copies of all of them would be many times the input."""


def lovasz_extension(errors: Tensor, truth: Tensor, share: Tensor) -> Tensor:
    """Extend the Jaccard loss to errors of any size from zero; the last dimension has the positions.

    Taken in falling order, each error is worth what the Jaccard loss rises by when its position is got wrong
    as well. A share other than one makes a position count for more or less than one.
    """
    # Errors decide the order alone, which has no gradient.
    if truth.requires_grad or share.requires_grad:
        rises = jaccard_rises(errors.detach(), truth, share)
    else:
        with torch.no_grad():
            rises = _rises_in_parts(errors, truth, share)
    return (errors * rises).sum(dim=-1)


def jaccard_rises(errors: Tensor, truth: Tensor, share: Tensor) -> Tensor:
    """Compute what the Jaccard loss rises by at each position, wrong together with all of larger errors."""
    order = errors.sort(dim=-1, descending=True, stable=True).indices
    counted = share.gather(-1, order)
    positive = truth.gather(-1, order) * counted
    negative = counted - positive
    total = positive.sum(dim=-1, keepdim=True)
    union = total + negative.cumsum(dim=-1)
    left = total - positive.cumsum(dim=-1)
    there = total > 0
    if values_readable(total) and bool(there.all()):
        rise = _rise(positive, negative, left, union)
    else:
        # Without any truth the first error is the whole loss.
        nothing_yet = (union == 0).sum(dim=-1, keepdim=True)
        first = (torch.arange(union.shape[-1], device=union.device) == nothing_yet).to(union.dtype)
        safe = torch.where(there, union, 1 + negative)
        rise = torch.where(there, _rise(positive, negative, left, safe), first)
    return torch.zeros_like(rise).scatter(-1, order, rise)


def _rise(positive: Tensor, negative: Tensor, left: Tensor, union: Tensor) -> Tensor:
    """Compute each rise by itself: a million differences are too small for the digits of the Jaccard loss."""
    return (positive + (left + positive) * negative / (union - negative)) / union


def _rises_in_parts(errors: Tensor, truth: Tensor, share: Tensor) -> Tensor:
    """Compute the rises of a few samples and classes at a time, where nothing else needs the graph."""
    if not values_readable(errors) or not values_readable(truth) or errors.numel() <= _PART:
        return jaccard_rises(errors, truth, share)
    rises = torch.empty(errors.shape, dtype=errors.dtype, device=errors.device)
    classes_at_once = max(1, _PART // errors.shape[-1])
    for sample in range(errors.shape[0]):
        for first in range(0, errors.shape[1], classes_at_once):
            part = sample, slice(first, first + classes_at_once)
            rises[part] = jaccard_rises(errors[part], truth[part], share[part])
    return rises


@define_loss
class LovaszLoss(ReducedLoss):
    """One Lovasz extension for each sample and class; subclasses say what an error is."""

    weight: Sequence[float] | Tensor | None = per_class(default=None)
    batch: bool = flag(default=False)
    ignore_index: int | None = integer(default=None)

    @property
    def sums_over_processes(self) -> bool:
        """Whether the batch is one region, wherever its samples are."""
        return self.batch

    @property
    def skips_absent(self) -> bool:
        """Whether a class without truth has no part in the mean."""
        return False

    def kind(self, input: Tensor, target: Tensor) -> Kind:
        """Say what the target holds."""
        raise NotImplementedError(f"{type(self).__name__} must say what its target means")

    def errors(self, input: Tensor, truth: Tensor) -> Tensor:
        """Compute how wrong each element is, given the truth of each."""
        raise NotImplementedError(f"{type(self).__name__} must say what an error is")

    def elements(
        self, input: Tensor, target: Tensor, *, mask: Tensor | None = None, weight: Tensor | None = None
    ) -> Elements:
        """Give the loss of each sample and class, or of each class of the whole batch."""
        kind = self.kind(input, target)
        if input.ndim < 2:  # noqa: PLR2004 - batch and classes
            raise InputValueError(f"input must be of shape (B, C, *S), got {tuple(input.shape)}")
        selection = Selection(self.ignore_index, mask, weight)
        logits, labels, share, *_ = ready(prepare(input, target, selection, kind))
        truth = class_membership(labels, logits.shape[1]).to(logits.dtype) if kind == "labels" else labels
        if kind != "labels":
            check_binary(truth, "target")
        share = torch.ones_like(logits[:, :1]) if share is None else share
        errors, truth, share = (
            self._regions(each.expand_as(logits)) for each in (self.errors(logits, truth), truth, share)
        )
        if self.process_group is not None and self.batch:
            errors, truth, share = (
                gather_over_processes(each, self.process_group) for each in (connected(errors), truth, share)
            )
        value = lovasz_extension(errors, truth, share)
        counted = ((truth if self.skips_absent else 1) * share).sum(dim=-1) > 0
        class_weight = per_channel(self.weight, value, "weight")
        elements = weigh(times(value, class_weight), counted.to(value.dtype), class_weight)
        return drop_dimension(elements, 0) if self.batch else elements

    def _regions(self, values: Tensor) -> Tensor:
        """Bring ``(B, C, *S)`` to ``(B, C, N)``, or to ``(1, C, N)`` where the batch is one region."""
        values = values.unsqueeze(-1).flatten(2)
        return values.transpose(0, 1).flatten(1).unsqueeze(0) if self.batch else values


@loss_registry.register(
    name="lovasz_hinge_loss",
    aliases=["LovaszHingeLoss"],
    tags=["segmentation", "binary", "multilabel", "imbalance", "overlap"],
)
@define_loss
class LovaszHingeLoss(LovaszLoss):
    r"""The Lovasz extension of the Jaccard loss on hinge errors, each channel for itself.

    .. math:: \ell = \overline{\Delta_J}\left( \max(0, 1 - (2 t_i - 1)\, x_i) \right)

    Convention:
        :math:`\overline{\Delta_J}` is the paper's extension of one minus intersection over union to errors of
        any size. The mean is over samples and channels, as with ``per_image=True`` in the authors' code;
        ``batch=True`` is their other form. Targets are 0 or 1: there is no soft form.

    Shapes:
        ``input``: ``(B, C, *S)``, logits. ``target``: the input's, of any dtype, 0 or 1.
        Result: a scalar, or with ``reduction="none"`` ``(B, C)``, ``(C,)`` where the batch is pooled.

    Args:
        weight: One factor per class, >= 0. Default: None, all one.
        batch: Whether the batch is one region. Default: False.
        ignore_index: Positions where the target equals it do not count. Default: None, all count.
        reduction: ``"mean"`` (default), ``"sum"`` or ``"none"``.
        process_group: The processes that share a batch: their gradients, once averaged, are then those of the
            whole batch in one process. Default: None, each process for itself.

    Raises:
        OptionTypeError: An option has the wrong type.
        OptionValueError: An option is out of its bounds.

    Example:
        >>> import torch
        >>> LovaszHingeLoss()(torch.tensor([[[2.0, 0.0, -2.0]]]), torch.tensor([[[1, 1, 0]]]))
        tensor(0.5000)

    Reference:
        Berman et al. 2018, "The Lovasz-Softmax loss: A tractable surrogate for the optimization of the
        intersection-over-union measure in neural networks", arXiv:1705.08790, section 3.
    """

    claims: ClassVar = Claims(targets={"binary": {}})

    def kind(self, input: Tensor, target: Tensor) -> Kind:
        """Take the target as one value per element."""
        del input, target
        return "probabilities"

    def errors(self, input: Tensor, truth: Tensor) -> Tensor:
        """Give how far each element is from the right side of its margin; zero on that side."""
        return (1 - (2 * truth - 1) * bounded(input)).relu()


@loss_registry.register(
    name="lovasz_softmax_loss",
    aliases=["LovaszSoftmaxLoss"],
    tags=["segmentation", "multiclass", "imbalance", "overlap"],
)
@define_loss
class LovaszSoftmaxLoss(LovaszLoss):
    r"""The Lovasz extension of the Jaccard loss on softmax errors, class by class.

    .. math:: \ell = \overline{\Delta_J}\left( |t_i - p_i| \right), \quad p = \mathrm{softmax}(x)

    Convention:
        :math:`\overline{\Delta_J}` is the paper's extension of one minus intersection over union. The mean is
        over samples and the classes that a sample has, as with ``per_image=True, classes="present"`` in the
        authors' code; ``batch=True`` is their default. Targets are labels, or one-hot: there is no soft form.

    Shapes:
        ``input``: ``(B, C, *S)``, logits.
        ``target``: ``(B, *S)`` class indices of any integer dtype, or ``(B, C, *S)`` one-hot.
        Result: a scalar, or with ``reduction="none"`` ``(B, C)``, ``(C,)`` where the batch is pooled.

    Args:
        weight: One factor per class, >= 0. Default: None, all one.
        batch: Whether the batch is one region. Default: False.
        empty: What a sample and class without any truth gives: ``"skip"`` (default), no part in the mean;
            ``"score"``, the formula's value, the largest probability that was given to it.
        ignore_index: Positions where the target equals it do not count. Default: None, all count.
        reduction: ``"mean"`` (default), ``"sum"`` or ``"none"``.
        process_group: The processes that share a batch: their gradients, once averaged, are then those of the
            whole batch in one process. Default: None, each process for itself.

    Raises:
        OptionTypeError: An option has the wrong type.
        OptionValueError: An option is out of its bounds.

    Example:
        >>> import torch
        >>> LovaszSoftmaxLoss()(torch.zeros(1, 2, 4), torch.tensor([[0, 0, 1, 1]]))
        tensor(0.5000)

    Reference:
        Berman et al. 2018, "The Lovasz-Softmax loss: A tractable surrogate for the optimization of the
        intersection-over-union measure in neural networks", arXiv:1705.08790.
    """

    claims: ClassVar = Claims(targets={"labels": {}, "one_hot": {}}, high=1.0)

    empty: Literal["skip", "score"] = choice("skip", "score", default="skip")

    @property
    def skips_absent(self) -> bool:
        """Whether a class without truth has no part in the mean."""
        return self.empty == "skip"

    def kind(self, input: Tensor, target: Tensor) -> Kind:
        """Take the target as class indices, or as one-hot values, by its shape."""
        return "labels" if kind_of(input, target) == "labels" else "distributions"

    def errors(self, input: Tensor, truth: Tensor) -> Tensor:
        """Give how far each probability is from the truth."""
        return (truth - softmax(input)).abs()
