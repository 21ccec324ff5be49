"""Absolute errors: plain, and squared near zero in the two usual scalings."""

import torch
from torch import Tensor

from lossary_losses._core.base import define_loss
from lossary_losses._core.options import number
from lossary_losses.loss_registry_setup import loss_registry
from lossary_losses.regression.difference import DifferenceLoss

__all__ = ["HuberLoss", "L1Loss", "SmoothL1Loss"]


@loss_registry.register(name="l1_loss", aliases=["L1Loss"], tags=["regression", "pointwise"])
@define_loss
class L1Loss(DifferenceLoss):
    r"""Mean absolute error.

    .. math:: \ell = |x - t|

    Convention:
        As torch's, but shapes that would only broadcast are refused. The slope is zero where input and target
        are equal.

    Shapes:
        ``input``: any. ``target``: the input's. Any unit, which the result shares.
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
        >>> L1Loss()(torch.tensor([1.0, 2.0]), torch.tensor([1.0, 4.0]))
        tensor(1.)

    Reference:
        Laplace 1774, "Memoir on the Probability of the Causes of Events", doi:10.1214/ss/1177013621, in the
        translation by Stigler.
    """

    def cost(self, difference: Tensor) -> Tensor:
        """Give the size of the difference."""
        return difference.abs()

    def cost_slope(self, difference: Tensor) -> Tensor:
        """Give its sign."""
        return difference.sign()


@loss_registry.register(name="smooth_l1_loss", aliases=["SmoothL1Loss"], tags=["regression", "pointwise"])
@define_loss
class SmoothL1Loss(DifferenceLoss):
    r"""Absolute error that is squared near zero.

    .. math:: \ell = \begin{cases} (x - t)^2 / (2 \beta) & |x - t| < \beta \\
        |x - t| - \beta / 2 & \text{otherwise} \end{cases}

    Convention:
        As torch's: the slope is one far from zero, and ``beta=0`` is the absolute error. :class:`HuberLoss`
        is ``beta`` times this loss, with ``delta=beta``.

    Shapes:
        ``input``: any. ``target``: the input's. Any unit, which the result shares.
        Result: a scalar, or the input's shape with ``reduction="none"``.

    Args:
        beta: Where the square ends, >= 0, in the unit of the input. Default: 1.
        ignore_index: Elements where the target equals it, a "no data" value, do not count. Default: None.
        reduction: ``"mean"`` (default), ``"sum"`` or ``"none"``.
        process_group: The processes that share a batch: their gradients, once averaged, are then those of the
            whole batch in one process. Default: None, each process for itself.

    Raises:
        OptionTypeError: An option has the wrong type.
        OptionValueError: An option is out of its bounds.

    Example:
        >>> import torch
        >>> SmoothL1Loss(beta=1.0)(torch.tensor([0.5, 3.0]), torch.zeros(2))
        tensor(1.3125)

    Reference:
        Girshick 2015, "Fast R-CNN", arXiv:1504.08083.
    """

    beta: float = number(default=1.0, at_least=0)

    def cost(self, difference: Tensor) -> Tensor:
        """Give the squared or absolute difference."""
        size = difference.abs()
        if self.beta == 0:
            return size
        return torch.where(size < self.beta, difference.square() / (2 * self.beta), size - self.beta / 2)

    def cost_slope(self, difference: Tensor) -> Tensor:
        """Give the difference over beta, at most one."""
        return difference.sign() if self.beta == 0 else (difference / self.beta).clamp(-1, 1)


@loss_registry.register(name="huber_loss", aliases=["HuberLoss"], tags=["regression", "pointwise"])
@define_loss
class HuberLoss(DifferenceLoss):
    r"""Squared error that grows linearly far from zero.

    .. math:: \ell = \begin{cases} (x - t)^2 / 2 & |x - t| < \delta \\
        \delta\, (|x - t| - \delta / 2) & \text{otherwise} \end{cases}

    Convention:
        As torch's: the slope is that of half the square near zero, and ``delta`` far from it.

    Shapes:
        ``input``: any. ``target``: the input's. Any unit, which the result has squared.
        Result: a scalar, or the input's shape with ``reduction="none"``.

    Args:
        delta: Where the square ends, > 0, in the unit of the input. Default: 1.
        ignore_index: Elements where the target equals it, a "no data" value, do not count. Default: None.
        reduction: ``"mean"`` (default), ``"sum"`` or ``"none"``.
        process_group: The processes that share a batch: their gradients, once averaged, are then those of the
            whole batch in one process. Default: None, each process for itself.

    Raises:
        OptionTypeError: An option has the wrong type.
        OptionValueError: An option is out of its bounds.

    Example:
        >>> import torch
        >>> HuberLoss(delta=2.0)(torch.tensor([0.5, 3.0]), torch.zeros(2))
        tensor(2.0625)

    Reference:
        Huber 1964, "Robust Estimation of a Location Parameter", doi:10.1214/aoms/1177703732.
    """

    delta: float = number(default=1.0, above=0)

    def cost(self, difference: Tensor) -> Tensor:
        """Give half the square, or its tangent."""
        size = difference.abs()
        return torch.where(size < self.delta, difference.square() / 2, self.delta * (size - self.delta / 2))

    def cost_slope(self, difference: Tensor) -> Tensor:
        """Give the difference, bounded by delta."""
        return difference.clamp(-self.delta, self.delta)
