"""Quantile loss: an absolute error that is dearer on one side."""

from collections.abc import Sequence
from typing import cast

import torch
from torch import Tensor

from lossary_losses._core.base import define_loss
from lossary_losses._core.checks import values_readable
from lossary_losses._core.dense import (
    Dense,
    Ready,
    incompatible_shapes,
    per_channel,
    position_shape,
)
from lossary_losses._core.options import number, per_class
from lossary_losses._core.reduction import Elements, weigh
from lossary_losses._core.stable import times
from lossary_losses.errors import OptionValueError
from lossary_losses.loss_registry_setup import loss_registry
from lossary_losses.regression.difference import DifferenceLoss

__all__ = ["QuantileLoss"]


@loss_registry.register(name="quantile_loss", aliases=["QuantileLoss"], tags=["regression", "pointwise"])
@define_loss
class QuantileLoss(DifferenceLoss):
    r"""Absolute error that is dearer on one side, and so smallest at a quantile: the pinball loss.

    .. math:: \ell = \max \left( q\, (t - x),\ (q - 1)\, (t - x) \right)

    Convention:
        As in the paper. ``quantile=0.5`` is half of :class:`L1Loss`: the median. At the difference of zero
        the slope is the middle between those of the two sides. Several quantiles are one per channel, and
        share the target where it has no channels; the mean is over channels too. pytorch-forecasting 1.8
        divides by Q as well, and has twice each, so its value halved is ours; neuralforecast adds up over
        quantiles, its value over Q is ours. ``crossing`` adds what a quantile is above the next one, times
        itself, to the element of the lower one: the quantiles must rise then. Both elements must count.

    Shapes:
        ``input``: any, with the quantiles in dimension 1 where there are several.
        ``target``: the input's; for several quantiles of one value also ``(B, *S)``, without their
        dimension.
        Result: a scalar, or the input's shape with ``reduction="none"``.

    Args:
        quantile: The quantile, above 0 and below 1, or one per channel. Default: 0.5, the median.
        crossing: What it costs that a quantile is above the next one, for each unit, >= 0. Default: 0.
        ignore_index: Elements where the target equals it, a "no data" value, do not count. Default: None.
        reduction: ``"mean"`` (default), ``"sum"`` or ``"none"``.
        process_group: The processes that share a batch: their gradients, once averaged, are then those of
            the whole batch in one process. Default: None, each process for itself.

    Raises:
        OptionTypeError: An option has the wrong type.
        OptionValueError: An option is out of its bounds.

    Example:
        >>> import torch
        >>> loss = QuantileLoss(quantile=[0.1, 0.9], reduction="none")
        >>> loss(torch.tensor([[0.0, 4.0]]), torch.tensor([2.0]))
        tensor([[0.2000, 0.2000]])

    Reference:
        Koenker and Bassett 1978, "Regression Quantiles", doi:10.2307/1913643.
    """

    quantile: float | Sequence[float] | Tensor = per_class(default=0.5, one_for_all=True, above=0, below=1)
    crossing: float = number(default=0.0, at_least=0)

    def __attrs_post_init__(self) -> None:
        """Refuse a cost of crossing where there is no order to keep."""
        super().__attrs_post_init__()
        quantile = self.quantile
        if self.crossing and not (isinstance(quantile, Tensor) and quantile.ndim and _rises(quantile)):
            raise OptionValueError(f"crossing={self.crossing:g} needs several quantiles, from low to high")

    def prepare(self, input: Tensor, target: Tensor, *, mask: Tensor | None, weight: Tensor | None) -> Dense:
        """Take the target as one value per element, or as one for all quantiles of a position."""
        several = isinstance(self.quantile, Tensor) and self.quantile.ndim > 0
        # What is no tensor is left to be refused below.
        shape = getattr(target, "shape", input.shape)
        if several and shape != input.shape and input.ndim > 1:
            if target.shape != position_shape(input):
                accepted = f"{tuple(input.shape)} or {tuple(position_shape(input))} (one for all quantiles)"
                raise incompatible_shapes(input, target, accepted)
            target = target.unsqueeze(1).expand_as(input)
        return super().prepare(input, target, mask=mask, weight=weight)

    def point(self, ready: Ready) -> Elements:
        """Give the dearer of the two sides, and what crosses."""
        difference = ready.input - ready.target
        below, above = self._sides(difference)
        cost = torch.maximum(below * -difference, above * difference)
        if self.crossing:
            excess = _excess(ready)
            # The highest quantile has none above it.
            cost = cost + self.crossing * torch.cat([excess.relu(), torch.zeros_like(cost[:, :1])], dim=1)
        return weigh(cost, ready.share)

    def slope(self, ready: Ready) -> Tensor:
        """Give the slope of the side, and between the sides the middle; and that of what crosses."""
        sign = (ready.input - ready.target).sign()
        below, above = self._sides(sign)
        slope = times((above - below + sign) / 2, ready.share)
        if self.crossing:
            crossed = self.crossing * (_excess(ready) > 0).to(slope.dtype)
            if ready.share is not None:
                crossed = crossed * ready.share.expand_as(slope)[:, :-1]
            nothing = torch.zeros_like(slope[:, :1])
            slope = slope + torch.cat([crossed, nothing], dim=1) - torch.cat([nothing, crossed], dim=1)
        return slope

    def _sides(self, difference: Tensor) -> tuple[Tensor, Tensor]:
        """Give what a difference of one costs below the target, and above it."""
        quantile = cast("Tensor", per_channel(self.quantile, difference, "quantile"))
        return quantile, 1 - quantile


def _rises(values: Tensor) -> bool:
    return not values_readable(values) or bool((values.diff() > 0).all())


def _excess(ready: Ready) -> Tensor:
    """Give what each quantile but the highest is above the next one; below zero where one does not count."""
    excess = ready.input[:, :-1] - ready.input[:, 1:]
    if ready.share is None:
        return excess
    counted = ready.share.expand_as(ready.input) > 0
    return torch.where(counted[:, :-1] & counted[:, 1:], excess, -1)
