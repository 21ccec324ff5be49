"""Binary cross entropy on logits."""

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
from lossary_losses._core.stable import binary_sides, binary_surprise, bounded, softplus, times
from lossary_losses.loss_registry_setup import loss_registry

__all__ = ["BCELoss", "binary_cross_entropy"]


def binary_cross_entropy(logits: Tensor, target: Tensor, pos_weight: Tensor | None, *, hard: bool) -> Tensor:
    """Compute the surprise of each element, that of positives times ``pos_weight``."""
    if torch.is_grad_enabled():
        # Of two surprises autograd and compilers would keep the logarithm of each.
        size, above, exponential = binary_sides(logits)
        positive, negative = times(target, pos_weight), 1 - target
        value = times(exponential.log1p(), None if pos_weight is None else positive + negative)
        return value + size * torch.where(above, negative, positive)
    if pos_weight is not None:
        positive, negative = binary_surprise(logits)
        return target * pos_weight * positive + (1 - target) * negative
    logits = bounded(logits)
    if hard:
        return softplus(logits.mul_(target.mul(-2).add_(1)))
    common = softplus(logits.abs().neg_())
    return torch.addcmul(common, logits, target, value=-1).add_(logits.relu_())


@loss_registry.register(
    name="bce_loss",
    aliases=["BCELoss"],
    tags=["segmentation", "classification", "binary", "multilabel", "cross_entropy"],
    metadata={"first_choice": ["multilabel"]},
)
@define_loss
class BCELoss(PointwiseLoss):
    r"""Binary cross entropy between logits and targets from 0 to 1, each element for itself.

    .. math:: \ell = -w \left( \rho\, t \log p + (1 - t) \log (1 - p) \right), \quad p = \sigma(x)

    Convention:
        ``input`` holds logits, always; torch's ``BCELoss`` takes probabilities, and this is its
        ``BCEWithLogitsLoss``. ``pos_weight`` multiplies the loss of positives and does not enter the mean, as
        in torch. ``weight`` is one number per class, and the mean divides by the sum of what counted; with
        torch's ``weight`` of this loss the mean divides by the number of elements.

    Shapes:
        ``input``: any, with its classes in dimension 1 where there are two or more dimensions.
        ``target``: the input's, of any dtype, values from 0 to 1.
        Result: a scalar, or the input's shape with ``reduction="none"``.

    Args:
        weight: One factor per class, >= 0. Default: None, all one.
        pos_weight: One factor per class for the positives, or one number, >= 0. Default: None, one.
        ignore_index: Elements where the target equals it do not count. Default: None, all count.
        reduction: ``"mean"`` (default), ``"sum"`` or ``"none"``.
        process_group: The processes that share a batch: their gradients, once averaged, are then those of the
            whole batch in one process. Default: None, each process for itself.

    Raises:
        OptionTypeError: An option has the wrong type.
        OptionValueError: An option is out of its bounds.

    Example:
        >>> import torch
        >>> loss = BCELoss(pos_weight=2.0)
        >>> loss(torch.zeros(2, 1, 4, 4), torch.ones(2, 1, 4, 4))
        tensor(1.3863)

    Reference:
        Good 1952, "Rational Decisions", doi:10.1111/j.2517-6161.1952.tb00104.x.
    """

    claims: ClassVar = Claims(targets={"binary": {}, "soft": {}}, at_soft="lowest", learns_at=1000.0)

    weight: Sequence[float] | Tensor | None = per_class(default=None)
    pos_weight: float | Sequence[float] | Tensor | None = per_class(default=None, one_for_all=True)
    ignore_index: int | None = integer(default=None)

    def prepare(self, input: Tensor, target: Tensor, *, mask: Tensor | None, weight: Tensor | None) -> Dense:
        """Take the target as one probability per element."""
        return prepare(input, target, Selection(self.ignore_index, mask, weight), "probabilities")

    def point(self, ready: Ready) -> Elements:
        """Give the cross entropy of each element of the input."""
        class_weight = per_channel(self.weight, ready.input, "weight")
        pos_weight = per_channel(self.pos_weight, ready.input, "pos_weight")
        value = binary_cross_entropy(ready.input, ready.target, pos_weight, hard=ready.hard)
        return weigh(times(value, class_weight), ready.share, class_weight)

    def slope(self, ready: Ready) -> Tensor:
        """Give ``(1 - t) p - t (1 - p)``, with the weights."""
        return self.slope_given(ready, ready.input.sigmoid())

    def slope_given(self, ready: Ready, probability: Tensor) -> Tensor:
        """Give the slope, which is made of the probabilities."""
        input, target, share = ready.input, ready.target, ready.share
        pos_weight = per_channel(self.pos_weight, input, "pos_weight")
        slope = (
            probability - target
            if pos_weight is None
            else (1 - target) * probability - target * pos_weight * (-input).sigmoid()
        )
        return times(times(slope, per_channel(self.weight, input, "weight")), share)
