"""The z loss: logits whose partition is near one."""

from typing import ClassVar

import torch
from torch import Tensor

from lossary_losses._core.base import define_loss, full_precision
from lossary_losses._core.claims import Claims
from lossary_losses._core.dense import Dense, Ready, Selection, position_shape, prepare, ready
from lossary_losses._core.pointwise import PointwiseLoss
from lossary_losses._core.reduced import TargetlessLoss
from lossary_losses._core.reduction import Elements, Fraction, weigh
from lossary_losses._core.spread import wherever_spread
from lossary_losses._core.stable import times
from lossary_losses._core.streaming import streamed_sums
from lossary_losses.loss_registry_setup import loss_registry

__all__ = ["ZLoss"]


@loss_registry.register(
    name="z_loss",
    aliases=["ZLoss", "router_z_loss"],
    tags=["language", "multiclass", "regularization", "pointwise"],
)
@define_loss
class ZLoss(TargetlessLoss):
    r"""Squared logarithm of the softmax's partition, which keeps logits from growing all together.

    .. math:: \ell = \Big( \log \sum_c e^{x_c} \Big)^2

    Convention:
        There is no target, and no coefficient: give the loss a weight where it is added to another, 1e-4 in
        PaLM, 1e-3 for the router in ST-MoE. The mean divides by the positions that count. Liger's
        ``lse_square_scale`` and CCE's z loss are this number times their coefficient. It is zero where the
        probabilities are the exponentials of the logits, whatever they are. Megatron's padding mask is True
        where a position does not count; here a mask is True where it does.

    Shapes:
        ``input``: ``(B, C, *S)``, logits; there is no target. ``mask`` and ``weight``: ``(B, *S)``.
        Result: a scalar, or ``(B, *S)`` with ``reduction="none"``.

    Args:
        reduction: ``"mean"`` (default), ``"sum"`` or ``"none"``.
        process_group: The processes that share a batch: their gradients, once averaged, are then those of the
            whole batch in one process. Default: None, each process for itself.

    Raises:
        OptionTypeError: An option has the wrong type.
        OptionValueError: An option is out of its bounds.

    Example:
        >>> import torch
        >>> ZLoss()(torch.zeros(2, 4))
        tensor(1.9218)

    Reference:
        Chowdhery et al. 2022, "PaLM: Scaling Language Modeling with Pathways", arXiv:2204.02311. For routers:
        Zoph et al. 2022, "ST-MoE: Designing Stable and Transferable Sparse Expert Models", arXiv:2202.08906.
    """

    claims: ClassVar = Claims(
        targets={"nothing": {}},
        learns_at=1000.0,
        memory=4,
    )

    def elements(
        self, input: Tensor, *, mask: Tensor | None = None, weight: Tensor | None = None
    ) -> Elements:
        """Give the loss of each position."""
        value, share = _PARTITION.point(ready(_prepared(input, mask, weight)))
        return Elements(value.squeeze(1), None if share is None else share.squeeze(1))

    @wherever_spread
    def fraction(
        self, input: Tensor, *, mask: Tensor | None = None, weight: Tensor | None = None
    ) -> Fraction:
        """Give the mean as a numerator and a denominator, whatever ``reduction`` says."""
        with full_precision(input):
            numerator, denominator = streamed_sums(_PARTITION, _prepared(input, mask, weight))
        return Fraction(numerator.sum(), denominator.sum())


def _prepared(input: Tensor, mask: Tensor | None, weight: Tensor | None) -> Dense:
    """Check the shapes of everything; what has no labels has the first one everywhere."""
    labels = torch.zeros((), dtype=torch.int64, device=input.device).expand(position_shape(input))
    return prepare(input, labels, Selection(None, mask, weight), "labels")


class _Partition(PointwiseLoss):
    """What the partition of each position costs."""

    def point(self, ready: Ready) -> Elements:
        """Give the square of its logarithm."""
        return weigh(ready.input.logsumexp(dim=1, keepdim=True).square(), ready.share)

    def slope(self, ready: Ready) -> Tensor:
        """Give twice the logarithm, of each class as much as its probability."""
        log_sum = ready.input.logsumexp(dim=1, keepdim=True)
        return (ready.input - log_sum).exp_().mul_(times(2 * log_sum, ready.share))


_PARTITION = _Partition()
