"""The general robust loss, and the density that lets its shape and scale be learned."""

import math
from typing import Annotated, cast

import torch
from torch import Tensor, nn

from lossary_losses._core.base import define_loss
from lossary_losses._core.dense import Dense, Ready, per_channel
from lossary_losses._core.options import ALLOW_INFINITY, flag, integer, number
from lossary_losses._core.pointwise import PointwiseLoss
from lossary_losses._core.reduction import Elements, weigh
from lossary_losses._core.stable import log_cosh
from lossary_losses.errors import InputValueError, OptionValueError
from lossary_losses.loss_registry_setup import loss_registry
from lossary_losses.regression.difference import DifferenceLoss

__all__ = ["AdaptiveRobustLoss"]

_LEAST_ALPHA, _MOST_ALPHA = 0.001, 1.999
"""Between these alpha is learned: at 2 its slope is infinite, at 0 the likelihood has no more to gain."""
_LEAST_SCALE = 1e-5
"""Below this a learned scale does not fall, where residuals that are all zero would drive it to zero."""
_AS_GOOD_AS_INFINITE = -1e9
"""Below this the shape cannot be told from minus infinity, whose formula does not overflow."""


@loss_registry.register(
    name="adaptive_robust_loss",
    aliases=["AdaptiveRobustLoss"],
    tags=["regression", "pointwise", "robust"],
)
@define_loss
class AdaptiveRobustLoss(DifferenceLoss):
    r"""The robust loss that contains most others, with a shape that is given or learned.

    .. math:: \rho(d, \alpha, c) = \frac{|\alpha - 2|}{\alpha} \left(
        \left( \frac{(d / c)^2}{|\alpha - 2|} + 1 \right)^{\alpha / 2} - 1 \right), \quad d = x - t

    Convention:
        As in the paper, continued to its limits: ``alpha=2`` is half the square (half of :class:`MSELoss`
        for ``scale=1``), 1 Charbonnier's loss, 0 Cauchy's, -2 Geman and McClure's, minus infinity Welsch's.
        Above 2 the loss grows faster than the square, and overflows soon. With ``learned``, the loss is the
        negative log-likelihood :math:`\rho + \log c + \log Z(\alpha)` of the paper's density, from whose
        normalisation Z a small alpha or scale gets its price; it may be negative. Alpha is then learned
        between 0.001 and 1.999, as the authors' code does by default, through a sigmoid, and the scale
        above 1e-5 through an exponential. Z is integrated when needed, where their code reads a table of
        splines.

    Shapes:
        ``input``: any, with its channels in dimension 1 where ``channels`` is given.
        ``target``: the input's.
        Result: a scalar, or the input's shape with ``reduction="none"``.

    Args:
        alpha: The shape: any number, or minus infinity; the smaller, the less outliers count. What it
            starts from if learned, between 0.001 and 1.999. Default: 1.
        scale: How large a difference is no outlier, > 0, in the unit of the input. What it starts from if
            learned. Default: 1.
        learned: Whether shape and scale are parameters, to be given to the optimiser along with the
            model's, and saved in the ``state_dict``. Default: False.
        channels: With ``learned``, how many channels have a shape and a scale of their own, >= 1. Default:
            None, all elements share one.
        ignore_index: Elements where the target equals it, a "no data" value, do not count. Default: None.
        reduction: ``"mean"`` (default), ``"sum"`` or ``"none"``.
        process_group: The processes that share a batch: their gradients, once averaged, are then those of
            the whole batch in one process. Default: None, each process for itself.

    Raises:
        OptionTypeError: An option has the wrong type.
        OptionValueError: An option is out of its bounds, or only makes sense with another.

    Example:
        >>> import torch
        >>> AdaptiveRobustLoss(alpha=0.0)(torch.tensor([2.0]), torch.tensor([0.0]))
        tensor(1.0986)

    Reference:
        Barron 2019, "A General and Adaptive Robust Loss Function", arXiv:1701.03077.
    """

    alpha: Annotated[float, ALLOW_INFINITY] = number(default=1.0, or_minus_infinity=True)
    scale: float = number(default=1.0, above=0)
    learned: bool = flag(default=False)
    channels: int | None = integer(default=None, at_least=1)

    def __attrs_post_init__(self) -> None:
        """Make parameters of what is to be learned."""
        super().__attrs_post_init__()
        if not self.learned:
            if self.channels is not None:
                raise OptionValueError("channels says how many shapes are learned: it needs learned=True")
            return
        if not _LEAST_ALPHA < self.alpha < _MOST_ALPHA:
            raise OptionValueError(
                f"alpha must be above {_LEAST_ALPHA} and below {_MOST_ALPHA} where it is learned, "
                f"got {self.alpha!r}"
            )
        if self.scale <= _LEAST_SCALE:
            raise OptionValueError(
                f"scale must be above {_LEAST_SCALE} where it is learned, got {self.scale!r}"
            )
        shape = () if self.channels is None else (self.channels,)
        share = (self.alpha - _LEAST_ALPHA) / (_MOST_ALPHA - _LEAST_ALPHA)
        # As other modules' parameters, but never in half precision, in which they could hardly change.
        dtype = torch.promote_types(torch.get_default_dtype(), torch.float32)
        start = math.log(share / (1 - share)), math.log(self.scale - _LEAST_SCALE)
        self.alpha_logit, self.log_scale = (
            nn.Parameter(torch.full(shape, each, dtype=dtype)) for each in start
        )

    def learned_alpha(self) -> Tensor:
        """Give the present shape, one number or one per channel; it can be differentiated."""
        return _LEAST_ALPHA + (_MOST_ALPHA - _LEAST_ALPHA) * self.alpha_logit.sigmoid()

    def learned_scale(self) -> Tensor:
        """Give the present scale, one number or one per channel; it can be differentiated."""
        return _LEAST_SCALE + self.log_scale.exp()

    def prepare(self, input: Tensor, target: Tensor, *, mask: Tensor | None, weight: Tensor | None) -> Dense:
        """Take the target as one value per element, in as many channels as were declared."""
        dense = super().prepare(input, target, mask=mask, weight=weight)
        present = input.shape[1] if input.ndim > 1 else 1
        if self.channels is not None and self.channels != present:
            raise InputValueError(f"channels is {self.channels}, and the input has {present} in dimension 1")
        return dense

    def point(self, ready: Ready) -> Elements:
        """Give the cost of each element, or with what is learned its negative log-likelihood."""
        difference = ready.input - ready.target
        if not self.learned:
            return weigh(self.cost(difference), ready.share)
        alpha = cast("Tensor", per_channel(self.learned_alpha(), difference, "alpha"))
        scale = cast("Tensor", per_channel(self.learned_scale(), difference, "scale"))
        bend = 2 - alpha
        power = (alpha / 2) * ((difference / scale).square() / bend).log1p()
        value = (bend / alpha) * power.expm1() + scale.log() + log_partition(alpha)
        return weigh(value, ready.share)

    def slope(self, ready: Ready) -> Tensor:
        """Give the slope of each element; by autograd where shape and scale were learned."""
        return PointwiseLoss.slope(self, ready) if self.learned else super().slope(ready)

    def cost(self, difference: Tensor) -> Tensor:
        """Give the general robust loss, without the singularities that its formula has at 0 and 2."""
        square = (difference / self.scale).square()
        if self.alpha == 2:  # noqa: PLR2004 - the least squares
            return square / 2
        if self.alpha < _AS_GOOD_AS_INFINITE:
            return -(-square / 2).expm1()
        bend = abs(self.alpha - 2)
        growth = (square / bend).log1p()
        power = (self.alpha / 2) * growth
        if not self.alpha:
            return growth
        if abs(self.alpha) < 1e-6:  # noqa: PLR2004 - here the series is exact, and the quotient rounds
            return (bend / 2) * growth * (1 + power / 2 + power.square() / 6)
        return (bend / self.alpha) * power.expm1()

    def cost_slope(self, difference: Tensor) -> Tensor:
        """Give the difference over the squared scale, less for what is far away."""
        slope = difference / self.scale**2
        if self.alpha == 2:  # noqa: PLR2004 - as above
            return slope
        square = (difference / self.scale).square()
        if self.alpha < _AS_GOOD_AS_INFINITE:
            return slope * (-square / 2).exp()
        return slope * ((self.alpha / 2 - 1) * (square / abs(self.alpha - 2)).log1p()).exp()


_STEP, _STEPS = 0.125, 320
"""How finely and how far the density is integrated: a tail of exp(-40) is left out."""


def log_partition(alpha: Tensor) -> Tensor:
    r"""Compute the logarithm of the integral of ``exp(-rho(x, alpha, 1))``, for ``0 < alpha < 2``.

    With ``x = sqrt(b) sinh u``, b being ``2 - alpha``, it is that of ``exp(-(b / alpha) (cosh(u)**alpha -
    1))`` times ``sqrt(b) cosh u``: smooth, and falling at least as fast as ``exp(-u)``, for which the
    trapezoidal rule converges exponentially.
    """
    steps = torch.arange(_STEPS + 1, device=alpha.device, dtype=alpha.dtype) * _STEP
    growth = log_cosh(steps)
    bend = (2 - alpha).unsqueeze(-1)
    alpha = alpha.unsqueeze(-1)
    exponents = growth - (bend / alpha) * (alpha * growth).expm1()
    # Both halves are alike, and share the point in the middle.
    sides = 1 + (steps > 0).to(steps.dtype)
    return (_STEP * sides * exponents.exp()).sum(dim=-1).log() + bend.squeeze(-1).log() / 2
