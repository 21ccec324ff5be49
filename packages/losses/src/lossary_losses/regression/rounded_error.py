"""Absolute errors whose corner at zero is rounded off by one formula for all."""

from typing import ClassVar

import attrs
from torch import Tensor

from lossary_losses._core.base import define_loss
from lossary_losses._core.options import number
from lossary_losses._core.stable import log_cosh
from lossary_losses.loss_registry_setup import loss_registry
from lossary_losses.regression.difference import DifferenceLoss

__all__ = ["CharbonnierLoss", "LogCoshLoss"]


@loss_registry.register(
    name="charbonnier_loss", aliases=["CharbonnierLoss"], tags=["regression", "pointwise"]
)
@define_loss
class CharbonnierLoss(DifferenceLoss):
    r"""Absolute error that is rounded off at zero.

    .. math:: \ell = \sqrt{(x - t)^2 + \epsilon^2}

    Convention:
        As in the papers, so that the minimum is ``epsilon``, not zero; kornia's has an epsilon of one, which
        it subtracts.

    Shapes:
        ``input``: any. ``target``: the input's. Any unit, which the result shares.
        Result: a scalar, or the input's shape with ``reduction="none"``.

    Args:
        epsilon: How far the rounding reaches, > 0, in the unit of the input. Default: 0.001.
        ignore_index: Elements where the target equals it, a "no data" value, do not count. Default: None.
        reduction: ``"mean"`` (default), ``"sum"`` or ``"none"``.
        process_group: The processes that share a batch: their gradients, once averaged, are then those of the
            whole batch in one process. Default: None, each process for itself.

    Raises:
        OptionTypeError: An option has the wrong type.
        OptionValueError: An option is out of its bounds.

    Example:
        >>> import torch
        >>> CharbonnierLoss(epsilon=3.0)(torch.tensor([4.0]), torch.zeros(1))
        tensor(5.)

    Reference:
        Charbonnier et al. 1994, "Two deterministic half-quadratic regularization algorithms for computed
        imaging", doi:10.1109/ICIP.1994.413553; epsilon as in Lai et al. 2017, arXiv:1710.01992.
    """

    # Its lowest value is epsilon.
    claims: ClassVar = attrs.evolve(DifferenceLoss.claims, low=1e-3, perfect=1e-3)

    epsilon: float = number(default=1e-3, above=0)

    def cost(self, difference: Tensor) -> Tensor:
        """Give the hypotenuse of difference and epsilon, which neither overflows nor underflows."""
        return difference.hypot(difference.new_full((), self.epsilon))

    def cost_slope(self, difference: Tensor) -> Tensor:
        """Give the sine of their angle."""
        return difference / self.cost(difference)


@loss_registry.register(name="log_cosh_loss", aliases=["LogCoshLoss"], tags=["regression", "pointwise"])
@define_loss
class LogCoshLoss(DifferenceLoss):
    r"""Logarithm of the hyperbolic cosine of the error.

    .. math:: \ell = \log \cosh (x - t)

    Convention:
        Half the square near zero, the absolute error less log 2 far from it; smooth everywhere.

    Shapes:
        ``input``: any. ``target``: the input's. A number without unit: scale it to about one.
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
        >>> LogCoshLoss()(torch.tensor([0.0, 1000.0]), torch.zeros(2))
        tensor(499.6534)

    Reference:
        Chen et al. 2018, "Log Hyperbolic Cosine Loss Improves Variational Auto-Encoder",
        openreview:rkglvsC9Ym.
    """

    def cost(self, difference: Tensor) -> Tensor:
        """Give log cosh, without overflow."""
        return log_cosh(difference)

    def cost_slope(self, difference: Tensor) -> Tensor:
        """Give the hyperbolic tangent."""
        return difference.tanh()
