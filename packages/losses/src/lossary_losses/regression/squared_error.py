"""Squared errors: plain, and with weights that scale them."""

from collections.abc import Sequence

from torch import Tensor

from lossary_losses._core.base import define_loss
from lossary_losses._core.dense import Ready, per_channel
from lossary_losses._core.options import per_class
from lossary_losses._core.reduction import Elements
from lossary_losses._core.stable import times
from lossary_losses.loss_registry_setup import loss_registry
from lossary_losses.regression.difference import DifferenceLoss

__all__ = ["MSELoss", "WeightedMSELoss"]


@loss_registry.register(
    name="mse_loss",
    aliases=["MSELoss"],
    tags=["regression", "pointwise"],
    metadata={"first_choice": ["regression"]},
)
@define_loss
class MSELoss(DifferenceLoss):
    r"""Mean squared error.

    .. math:: \ell = (x - t)^2

    Convention:
        As torch's, but shapes that would only broadcast, ``(N, 1)`` against ``(N,)``, are refused. A
        ``weight`` given to ``forward`` says how much each element counts: the mean divides by its sum.

    Shapes:
        ``input``: any. ``target``: the input's. Any unit, which the result has squared.
        Result: a scalar, or the input's shape with ``reduction="none"``.

    Args:
        ignore_index: Elements where the target equals it, a "no data" value, do not count. Default: None.
        reduction: ``"mean"`` (default), ``"sum"`` or ``"none"``.
        process_group: The processes that share a batch: their gradients, once averaged, are then those of the
            whole batch in one process. Default: None, each process for itself.

    Raises:
        OptionTypeError: An option has the wrong type.
        OptionValueError: An option is out of its bounds.

    Example:
        >>> import torch
        >>> MSELoss()(torch.tensor([1.0, 2.0]), torch.tensor([1.0, 4.0]))
        tensor(2.)

    Reference:
        Gauss 1809, "Theoria motus corporum coelestium", doi:10.3931/e-rara-522.
    """

    def cost(self, difference: Tensor) -> Tensor:
        """Give the square."""
        return difference.square()

    def cost_slope(self, difference: Tensor) -> Tensor:
        """Give twice the difference."""
        return 2 * difference


@loss_registry.register(
    name="weighted_mse_loss", aliases=["WeightedMSELoss"], tags=["regression", "pointwise"]
)
@define_loss
class WeightedMSELoss(MSELoss):
    r"""Mean squared error, scaled as a whole or channel by channel.

    .. math:: \ell = w_c\, (x - t)^2

    Convention:
        ``weight`` scales: twice the weight is twice the loss, and the mean divides by the number of elements
        that count. That is how channels of different units are brought together, with
        :math:`w_c = 1 / \sigma_c^2`. A ``weight`` given to ``forward`` says how much each element counts
        instead: the mean divides by its sum, and a constant changes nothing.

    Shapes:
        ``input``: any, with its channels in dimension 1 where there are two or more dimensions.
        ``target``: the input's. Any unit, which the result has squared, times that of ``weight``.
        Result: a scalar, or the input's shape with ``reduction="none"``.

    Args:
        weight: One factor for all, or one per channel, >= 0. Default: 1.
        ignore_index: Elements where the target equals it, a "no data" value, do not count. Default: None.
        reduction: ``"mean"`` (default), ``"sum"`` or ``"none"``.
        process_group: The processes that share a batch: their gradients, once averaged, are then those of the
            whole batch in one process. Default: None, each process for itself.

    Raises:
        OptionTypeError: An option has the wrong type.
        OptionValueError: An option is out of its bounds.

    Example:
        >>> import torch
        >>> WeightedMSELoss(weight=0.5)(torch.tensor([1.0, 2.0]), torch.tensor([1.0, 4.0]))
        tensor(1.)

    Reference:
        Aitken 1936, "On Least Squares and Linear Combination of Observations",
        doi:10.1017/S0370164600014346.
    """

    weight: float | Sequence[float] | Tensor = per_class(default=1.0, one_for_all=True)

    def point(self, ready: Ready) -> Elements:
        """Give the scaled squared error of each element."""
        value, share = super().point(ready)
        return Elements(times(value, per_channel(self.weight, value, "weight")), share)

    def slope(self, ready: Ready) -> Tensor:
        """Give twice the difference, scaled."""
        slope = super().slope(ready)
        return times(slope, per_channel(self.weight, slope, "weight"))
