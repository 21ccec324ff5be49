"""ArcFace: cross entropy with a margin on the angle to the centre of the class."""

import math

import torch
from torch import Tensor

from lossary_losses._core.base import define_loss
from lossary_losses._core.dense import Dense
from lossary_losses._core.options import flag, integer, number
from lossary_losses.classification.cosine_margin import CosineMarginLoss
from lossary_losses.errors import InputValueError
from lossary_losses.loss_registry_setup import loss_registry

__all__ = ["ArcFaceLoss"]


@loss_registry.register(
    name="arcface_loss",
    aliases=["ArcFaceLoss"],
    tags=["classification", "multiclass", "cross_entropy", "representation"],
)
@define_loss
class ArcFaceLoss(CosineMarginLoss):
    r"""Cross entropy of cosines to the centres of classes, with a margin on the angle to the true one.

    .. math:: \ell = -\log \frac{e^{s \cos(\theta_y + m)}}{e^{s \cos(\theta_y + m)} +
        \sum_{c \ne y} e^{s x_c}}, \quad \theta_y = \arccos x_y

    Convention:
        The input is the cosine between normalised embeddings and normalised centres, which are weights of
        the model: ``normalize(embedding) @ normalize(centres).T``. It is never turned into an angle: at a
        centre, and opposite to it, the gradient is finite, and a cosine that rounding made larger than one is
        one. The margin is in radians; pytorch-metric-learning's 28.6 degrees are about as many as 0.5. Where
        the angle with its margin would be beyond a half turn, and the cosine would grow again, it is
        :math:`x_y - m \sin m` instead, as in insightface and in pytorch-metric-learning; with ``easy``,
        the margin is for angles below a quarter turn only. Smoothing spreads over the classes after the
        margin is off.
        With several centres for each class, channels ``c K`` to ``c K + K - 1`` are those of class ``c``, and
        the nearest one counts.

    Shapes:
        ``input``: ``(B, C, *S)``, cosines, or ``(B, C K, *S)`` with K centres for each class.
        ``target``: ``(B, *S)`` class indices of any integer dtype.
        Result: a scalar, or ``(B, *S)`` with ``reduction="none"``.

    Args:
        margin: What is added to the angle of the truth, in radians, 0 to pi. Default: 0.5.
        scale: What cosines are multiplied by, > 0. Default: 64.
        easy: Whether only angles below a quarter turn get the margin. Default: False.
        sub_centers: How many centres each class has, >= 1. Default: 1.
        weight: One factor per class, >= 0. Default: None, all one.
        label_smoothing: How much of each target is spread over all classes, 0 to 1. Default: 0.
        ignore_index: Positions where the target equals it do not count. Default: None, all count.
        reduction: ``"mean"`` (default), ``"sum"`` or ``"none"``.
        process_group: The processes that share a batch: their gradients, once averaged, are then those of the
            whole batch in one process. Default: None, each process for itself.

    Raises:
        OptionTypeError: An option has the wrong type.
        OptionValueError: An option is out of its bounds.

    Example:
        >>> import torch
        >>> ArcFaceLoss(scale=1.0)(torch.zeros(1, 2), torch.tensor([1]))
        tensor(0.9613)

    Reference:
        Deng et al. 2018, "ArcFace: Additive Angular Margin Loss for Deep Face Recognition",
        arXiv:1801.07698; its later versions have several centres for each class.
    """

    margin: float = number(default=0.5, at_least=0, at_most=math.pi)
    easy: bool = flag(default=False)
    sub_centers: int = integer(default=1, at_least=1)

    def prepare(self, input: Tensor, target: Tensor, *, mask: Tensor | None, weight: Tensor | None) -> Dense:
        """Give each class the cosine to the nearest of its centres."""
        return super().prepare(self._nearest(input), target, mask=mask, weight=weight)

    def with_margin(self, cosine: Tensor) -> Tensor:
        """Give the cosine of the angle and its margin, where that falls with the angle."""
        turned = cosine * math.cos(self.margin) - self._sine(cosine) * math.sin(self.margin)
        return torch.where(self._has_margin(cosine), turned, self._beyond(cosine))

    def steepness(self, cosine: Tensor) -> Tensor:
        """Give the derivative, which at the centre and opposite to it has no part of the sine."""
        sine = self._sine(cosine)
        away = torch.where(sine > 0, cosine / torch.where(sine > 0, sine, 1), 0)
        turned = math.cos(self.margin) + away * math.sin(self.margin)
        return torch.where(self._has_margin(cosine), turned, 1)

    def _nearest(self, input: Tensor) -> Tensor:
        if self.sub_centers == 1:
            return input
        if input.ndim < 2 or input.shape[1] % self.sub_centers:  # noqa: PLR2004 - batch and classes
            raise InputValueError(
                f"with sub_centers={self.sub_centers} the input has as many channels for each class in "
                f"dimension 1, got {tuple(input.shape)}"
            )
        # The gradient of one index: that of a maximum of NaN, which may be masked, would be NaN.
        classes = input.shape[1] // self.sub_centers
        shape = (input.shape[0], classes, self.sub_centers, *input.shape[2:])
        return input.reshape(shape).max(dim=2).values

    def _has_margin(self, cosine: Tensor) -> Tensor:
        return cosine > (0.0 if self.easy else -math.cos(self.margin))

    def _beyond(self, cosine: Tensor) -> Tensor:
        return cosine if self.easy else cosine - self.margin * math.sin(self.margin)

    @staticmethod
    def _sine(cosine: Tensor) -> Tensor:
        """Give the sine, whose slope would be infinite where it is zero, and counts as zero there."""
        cosine = cosine.clamp(-1, 1)
        squared = (1 - cosine) * (1 + cosine)
        nothing = squared == 0
        return torch.where(nothing, 0, torch.where(nothing, 1, squared).sqrt())
