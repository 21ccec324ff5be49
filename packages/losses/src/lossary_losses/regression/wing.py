"""Wing loss: small errors taken seriously."""

import math

import torch
from torch import Tensor

from lossary_losses._core.base import define_loss
from lossary_losses._core.options import number
from lossary_losses.loss_registry_setup import loss_registry
from lossary_losses.regression.difference import DifferenceLoss

__all__ = ["WingLoss"]


@loss_registry.register(name="wing_loss", aliases=["WingLoss"], tags=["regression", "pointwise"])
@define_loss
class WingLoss(DifferenceLoss):
    r"""Logarithmic near zero, to take small errors seriously, and linear far from it.

    .. math:: \ell = \begin{cases} w \log (1 + |x - t| / \epsilon) & |x - t| < w \\
        |x - t| - C & \text{otherwise} \end{cases}, \quad C = w - w \log (1 + w / \epsilon)

    Convention:
        As in the paper, with its options. The slope near zero is ``width / epsilon``, of either sign; where
        input and target are equal it is zero.

    Shapes:
        ``input``: any. ``target``: the input's. In the paper they are landmarks, in pixels.
        Result: a scalar, or the input's shape with ``reduction="none"``.

    Args:
        width: Where the logarithm ends, > 0, in the unit of the input. Default: 10.
        epsilon: How steep it is at zero: the smaller, the steeper; > 0. Default: 2.
        ignore_index: Elements where the target equals it, a "no data" value, do not count. Default: None.
        reduction: ``"mean"`` (default), ``"sum"`` or ``"none"``.
        process_group: The processes that share a batch: their gradients, once averaged, are then those of the
            whole batch in one process. Default: None, each process for itself.

    Raises:
        OptionTypeError: An option has the wrong type.
        OptionValueError: An option is out of its bounds.

    Example:
        >>> import torch
        >>> WingLoss()(torch.tensor([2.0]), torch.zeros(1))
        tensor(6.9315)

    Reference:
        Feng et al. 2018, "Wing Loss for Robust Facial Landmark Localisation with Convolutional Neural
        Networks", arXiv:1711.06753.
    """

    width: float = number(default=10.0, above=0)
    epsilon: float = number(default=2.0, above=0)

    def cost(self, difference: Tensor) -> Tensor:
        """Give the logarithm, or the line that continues it."""
        size = difference.abs()
        offset = self.width - self.width * math.log1p(self.width / self.epsilon)
        return torch.where(size < self.width, self.width * (size / self.epsilon).log1p(), size - offset)

    def cost_slope(self, difference: Tensor) -> Tensor:
        """Give the slope of the logarithm, or one."""
        size = difference.abs()
        return difference.sign() * torch.where(size < self.width, self.width / (self.epsilon + size), 1)
