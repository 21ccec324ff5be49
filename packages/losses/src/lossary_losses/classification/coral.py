"""CORAL: classes in an order, told by whether each threshold between them is passed."""

from collections.abc import Sequence
from typing import ClassVar

import torch
from torch import Tensor

from lossary_losses._core.base import define_loss
from lossary_losses._core.claims import Claims
from lossary_losses._core.dense import Dense, Ready, Selection, per_channel, prepare
from lossary_losses._core.options import integer, per_class
from lossary_losses._core.pointwise import PointwiseLoss
from lossary_losses._core.reduction import Elements, weigh
from lossary_losses._core.stable import times
from lossary_losses.classification.binary_cross_entropy import binary_cross_entropy
from lossary_losses.loss_registry_setup import loss_registry

__all__ = ["CoralLoss"]


@loss_registry.register(
    name="coral_loss", aliases=["CoralLoss"], tags=["classification", "ordinal", "cross_entropy"]
)
@define_loss
class CoralLoss(PointwiseLoss):
    r"""Binary cross entropies of whether each threshold between classes in an order is passed, added up.

    .. math:: \ell = -\sum_{k=0}^{K-2} \lambda_k \left( [y > k] \log p_k + [y \le k] \log (1 - p_k) \right),
        \quad p = \sigma(x)

    Convention:
        As in the paper and in coral-pytorch's ``coral_loss``: a sum over the K - 1 thresholds, a mean over
        positions. That all thresholds have one weight vector and a bias each, by which the probabilities
        fall from threshold to threshold, is up to the model. The class that is predicted is the number of
        thresholds whose logit is above zero. It is not the CORAL of domain adaptation.

    Shapes:
        ``input``: ``(B, K - 1, *S)``, logits of the thresholds. ``target``: ``(B, *S)``, class indices from 0
        to K - 1 of any integer dtype. Result: a scalar, or ``(B, *S)`` with ``reduction="none"``.

    Args:
        importance: One factor per threshold, >= 0, which the mean does not divide by. Default: None, all one.
        ignore_index: Positions where the target equals it do not count. Default: None, all count.
        reduction: ``"mean"`` (default), ``"sum"`` or ``"none"``.
        process_group: The processes that share a batch: their gradients, once averaged, are then those of the
            whole batch in one process. Default: None, each process for itself.

    Raises:
        OptionTypeError: An option has the wrong type.
        OptionValueError: An option is out of its bounds.

    Example:
        >>> import torch
        >>> CoralLoss()(torch.tensor([[2.0, 0.0, -2.0]]), torch.tensor([1]))
        tensor(0.9470)

    Reference:
        Cao et al. 2019, "Rank consistent ordinal regression for neural networks with application to age
        estimation", arXiv:1901.07884.
    """

    claims: ClassVar = Claims(
        targets={"ordinal": {}},
        learns_at=1000.0,
        exempt={"order_of_classes_does_not_matter": "the order is what it is about"},
    )

    importance: Sequence[float] | Tensor | None = per_class(default=None)
    ignore_index: int | None = integer(default=None)

    def prepare(self, input: Tensor, target: Tensor, *, mask: Tensor | None, weight: Tensor | None) -> Dense:
        """Take the target as class indices, of which there is one more than channels."""
        selection = Selection(self.ignore_index, mask, weight)
        return prepare(input, target, selection, "labels", thresholds=True)

    def point(self, ready: Ready) -> Elements:
        """Add up what all thresholds cost."""
        each = binary_cross_entropy(ready.input, _passed(ready), None, hard=True)
        value = times(each, per_channel(self.importance, each, "importance"))
        return weigh(value.sum(dim=1, keepdim=True), ready.share)

    def slope(self, ready: Ready) -> Tensor:
        """Give by how much each probability is too large."""
        slope = ready.input.sigmoid() - _passed(ready)
        return times(times(slope, per_channel(self.importance, slope, "importance")), ready.share)


def _passed(ready: Ready) -> Tensor:
    """Give one for each threshold that the class is beyond."""
    input, target = ready.input, ready.target
    thresholds = torch.arange(input.shape[1], device=target.device, dtype=target.dtype)
    return (target > thresholds.reshape(1, -1, *(1 for _ in target.shape[2:]))).to(input.dtype)
