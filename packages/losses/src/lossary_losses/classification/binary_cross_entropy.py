"""Binary cross entropy on logits."""

from collections.abc import Sequence

from torch import Tensor

from lossary_losses._core.base import ReducedLoss, define_loss
from lossary_losses._core.dense import Selection, per_channel, prepare_values
from lossary_losses._core.options import integer, per_class
from lossary_losses._core.reduction import Elements, weigh
from lossary_losses._core.stable import binary_surprise, times
from lossary_losses.loss_registry_setup import loss_registry

__all__ = ["BCELoss", "binary_cross_entropy"]


def binary_cross_entropy(logits: Tensor, target: Tensor, pos_weight: Tensor | None = None) -> Tensor:
    """Compute the surprise of each element, that of positives times ``pos_weight``."""
    positive, negative = binary_surprise(logits)
    return target * times(positive, pos_weight) + (1 - target) * negative


@loss_registry.register(
    name="bce_loss",
    aliases=["BCELoss"],
    tags=["segmentation", "classification", "binary", "multilabel", "cross_entropy"],
)
@define_loss
class BCELoss(ReducedLoss):
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

    weight: Sequence[float] | Tensor | None = per_class(default=None)
    pos_weight: float | Sequence[float] | Tensor | None = per_class(default=None, one_for_all=True)
    ignore_index: int | None = integer(default=None)

    def elements(
        self, input: Tensor, target: Tensor, *, mask: Tensor | None = None, weight: Tensor | None = None
    ) -> Elements:
        """Give the cross entropy of each element of the input."""
        selection = Selection(self.ignore_index, mask, weight)
        dense = prepare_values(input, target, selection, probabilities=True)
        pos_weight = per_channel(self.pos_weight, dense.input, "pos_weight")
        class_weight = per_channel(self.weight, dense.input, "weight")
        value = times(binary_cross_entropy(dense.input, dense.target, pos_weight), class_weight)
        return weigh(value, dense.share, class_weight)
