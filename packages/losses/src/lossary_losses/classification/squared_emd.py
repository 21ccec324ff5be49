"""Squared earth mover's distance: classes in an order, wrong by how far the probability has to be moved."""

from typing import ClassVar

import torch
from torch import Tensor

from lossary_losses._core.base import define_loss
from lossary_losses._core.claims import Claims
from lossary_losses._core.dense import Dense, Kind, Ready, Selection, kind_of, prepare
from lossary_losses._core.options import integer, number
from lossary_losses._core.pointwise import PointwiseLoss
from lossary_losses._core.reduction import Elements, weigh
from lossary_losses._core.softmax import softmax
from lossary_losses._core.stable import power_of_nonnegative
from lossary_losses.loss_registry_setup import loss_registry

__all__ = ["SquaredEMDLoss"]


@loss_registry.register(
    name="squared_emd_loss",
    aliases=["SquaredEMDLoss", "ranked_probability_score_loss"],
    tags=["classification", "ordinal", "probabilistic"],
)
@define_loss
class SquaredEMDLoss(PointwiseLoss):
    r"""Squared difference of cumulative probabilities: classes in an order, and how far wrong a guess is.

    .. math:: \ell = \sum_{k=0}^{K-2} \Big| \sum_{c \le k} (p_c - t_c) \Big|^q, \quad p = \mathrm{softmax}(x)

    Convention:
        The sum of the paper, which is the ranked probability score of forecasts: it is divided by nothing,
        where some divide by K or K - 1, and has no root, where NIMA has one of the mean. ``power=1`` is the
        distance itself: the probability that is in the wrong place, times by how many classes it is.

    Shapes:
        ``input``: ``(B, K, *S)``, logits.
        ``target``: ``(B, *S)`` class indices of any integer dtype, or ``(B, K, *S)`` probabilities.
        Result: a scalar, or ``(B, *S)`` with ``reduction="none"``.

    Args:
        power: What differences are raised to, >= 1. Default: 2.
        ignore_index: Positions where the target equals it do not count. Default: None, all count.
        reduction: ``"mean"`` (default), ``"sum"`` or ``"none"``.
        process_group: The processes that share a batch: their gradients, once averaged, are then those of the
            whole batch in one process. Default: None, each process for itself.

    Raises:
        OptionTypeError: An option has the wrong type.
        OptionValueError: An option is out of its bounds.

    Example:
        >>> import torch
        >>> loss = SquaredEMDLoss(reduction="none")
        >>> loss(torch.tensor([[0.0, 99.0, 0.0], [0.0, 99.0, 0.0]]), torch.tensor([1, 0]))
        tensor([0., 1.])

    Reference:
        Hou et al. 2016, "Squared Earth Mover's Distance-based Loss for Training Deep Neural Networks",
        arXiv:1611.05916.
    """

    claims: ClassVar = Claims(
        targets={"labels": {}, "distributions": {}},
        exempt={"order_of_classes_does_not_matter": "the order is what it is about"},
    )

    power: float = number(default=2.0, at_least=1)
    ignore_index: int | None = integer(default=None)

    def prepare(self, input: Tensor, target: Tensor, *, mask: Tensor | None, weight: Tensor | None) -> Dense:
        """Take the target as class indices or as class probabilities, by its shape."""
        kind: Kind = "labels" if kind_of(input, target) == "labels" else "distributions"
        return prepare(input, target, Selection(self.ignore_index, mask, weight), kind)

    def point(self, ready: Ready) -> Elements:
        """Compare cumulative probabilities; the last of them are one, whatever was predicted."""
        probability = softmax(ready.input)
        if ready.kind == "labels":
            difference = probability.cumsum(dim=1)[:, :-1] - _reached(ready)
        else:
            difference = (probability - ready.target).cumsum(dim=1)[:, :-1]
        return weigh(self._raised(difference).sum(dim=1, keepdim=True), ready.share)

    def _raised(self, difference: Tensor) -> Tensor:
        if self.power == 2:  # noqa: PLR2004 - of which the second derivative is known at zero as well
            return difference.square()
        return power_of_nonnegative(difference.abs(), self.power)


def _reached(ready: Ready) -> Tensor:
    """Give one for each class but the last that is at the truth or beyond."""
    target = ready.target
    classes = torch.arange(ready.input.shape[1] - 1, device=target.device, dtype=target.dtype)
    return (classes.reshape(1, -1, *(1 for _ in target.shape[2:])) >= target).to(ready.input.dtype)
