"""Focal loss of heatmaps: points are peaks, and what is near a peak hardly counts as background."""

from typing import ClassVar

import torch
from torch import Tensor

from lossary_losses._core.base import define_loss
from lossary_losses._core.claims import Claims
from lossary_losses._core.dense import Ready
from lossary_losses._core.options import number
from lossary_losses._core.reduction import Elements, weigh
from lossary_losses._core.stable import binary_outcomes, focused, power_of_nonnegative, times
from lossary_losses.detection.logits import LogitLoss
from lossary_losses.loss_registry_setup import loss_registry

__all__ = ["HeatmapFocalLoss"]


@loss_registry.register(
    name="heatmap_focal_loss",
    aliases=["HeatmapFocalLoss"],
    tags=["detection", "binary", "multilabel", "imbalance", "cross_entropy"],
)
@define_loss
class HeatmapFocalLoss(LogitLoss):
    r"""Focal loss of heatmaps: points are peaks, and what is near a peak hardly counts as background.

    .. math:: \ell = \begin{cases} -(1 - p)^\alpha \log p & t \geq \text{peak} \\
        -(1 - t)^\beta\, p^\alpha \log (1 - p) & \text{else} \end{cases} \quad p = \sigma(x)

    Convention:
        ``input`` holds logits; MMDetection's ``GaussianFocalLoss`` takes probabilities, with an epsilon
        within the logarithms. A peak is a one: of a map that was resampled or came in half precision, its
        highest value may be less, so say what ``peak`` is. With ``beta=0`` and a target of zeros and ones it
        is the focal loss without its own ``alpha``; ``alpha`` here is the power of that paper's gamma. The
        mean is over all elements; the papers divide the sum by the number of objects: take
        ``reduction="sum"`` and divide.

    Shapes:
        ``input``: any, logits. ``target``: the input's, values from 0 to 1, a Gaussian around each point.
        Result: a scalar, or the input's shape with ``reduction="none"``.

    Args:
        alpha: How strongly easy positions are looked away from, >= 0. Default: 2.
        beta: How strongly the neighbourhood of a peak is spared, >= 0. Default: 4.
        peak: From which value on a target is a peak, 0 to 1. Default: 1.
        ignore_index: Elements where the target equals it do not count. Default: None, all count.
        reduction: ``"mean"`` (default), ``"sum"`` or ``"none"``.
        process_group: The processes that share a batch: their gradients, once averaged, are then those of the
            whole batch in one process. Default: None, each process for itself.

    Raises:
        OptionTypeError: An option has the wrong type.
        OptionValueError: An option is out of its bounds.

    Example:
        >>> import torch
        >>> loss = HeatmapFocalLoss()
        >>> loss(torch.tensor([-2.0, 0.0, 2.0]), torch.tensor([0.1, 0.6, 1.0]))
        tensor(0.0025)

    Reference:
        Law and Deng 2018, "CornerNet: Detecting Objects as Paired Keypoints", arXiv:1808.01244; Zhou et al.
        2019, "Objects as Points", arXiv:1904.07850.
    """

    claims: ClassVar = Claims(targets={"binary": {}, "soft": {}}, at_soft="elsewhere", learns_at=1000.0)

    alpha: float = number(default=2.0, at_least=0)
    beta: float = number(default=4.0, at_least=0)
    peak: float = number(default=1.0, above=0, at_most=1)

    def point(self, ready: Ready) -> Elements:
        """Give the cost of each element, as a peak or as background."""
        positive, negative, p, q = binary_outcomes(ready.input)
        is_peak, spared = self._background(ready.target)
        value = torch.where(
            is_peak, focused(positive, q, self.alpha), spared * focused(negative, p, self.alpha)
        )
        return weigh(value, ready.share)

    def slope(self, ready: Ready) -> Tensor:
        """Give the derivative of both factors."""
        positive, negative, p, q = binary_outcomes(ready.input)
        is_peak, spared = self._background(ready.target)
        of_peak = -(q**self.alpha) * (q + self.alpha * p * positive)
        of_none = spared * p**self.alpha * (p + self.alpha * q * negative)
        return times(torch.where(is_peak, of_peak, of_none), ready.share)

    def _background(self, target: Tensor) -> tuple[Tensor, Tensor]:
        """Tell where the peaks are, and how much anything else counts as background."""
        is_peak = target >= self.peak
        rest = torch.where(is_peak, 0, 1 - target)
        # To the power of zero, with a gradient that it has none of, and with NaN as it is.
        return is_peak, power_of_nonnegative(rest, self.beta) if self.beta else 1 + 0 * rest
