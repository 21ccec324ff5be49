"""What losses share that take a margin off the cosine of the truth before a cross entropy."""

from typing import ClassVar

import attrs
import torch
from torch import Tensor

from lossary_losses._core.base import define_loss
from lossary_losses._core.dense import Dense, Ready, Selection, class_membership, prepare
from lossary_losses._core.options import number
from lossary_losses._core.reduction import Elements
from lossary_losses.classification.cross_entropy import CrossEntropyLoss

__all__ = ["CosineMarginLoss"]


@define_loss
class CosineMarginLoss(CrossEntropyLoss):
    """Cross entropy of cosines to the centres of classes, spread by a scale, that of the truth made smaller.

    Subclasses say what becomes of the cosine of the truth (:meth:`with_margin`), and how fast that changes
    with the cosine (:meth:`steepness`).
    """

    claims: ClassVar = attrs.evolve(CrossEntropyLoss.claims, targets={"labels": {}})

    scale: float = number(default=64.0, above=0)

    def with_margin(self, cosine: Tensor) -> Tensor:
        """Give what stands for the cosine of the truth."""
        raise NotImplementedError(f"{type(self).__name__} must say what becomes of the cosine of the truth")

    def steepness(self, cosine: Tensor) -> Tensor:
        """Give the derivative of what stands for the cosine of the truth."""
        raise NotImplementedError(f"{type(self).__name__} must say how fast the cosine of the truth changes")

    def prepare(self, input: Tensor, target: Tensor, *, mask: Tensor | None, weight: Tensor | None) -> Dense:
        """Take the target as class indices."""
        return prepare(input, target, Selection(self.ignore_index, mask, weight), "labels")

    def point(self, ready: Ready) -> Elements:
        """Give the cross entropy of each position, with the margin."""
        return super().point(self._spread(ready))

    def slope(self, ready: Ready) -> Tensor:
        """Give the slope of the cross entropy, times that of the logits."""
        spread = self._spread(ready)
        slope = super().slope_given(spread, spread.input.softmax(dim=1)).mul_(self.scale)
        of_truth = slope.gather(1, ready.target) * self.steepness(ready.input.gather(1, ready.target))
        return slope.scatter_(1, ready.target, of_truth)

    def slope_given(self, ready: Ready, probability: Tensor) -> Tensor:
        """Give the slope; probabilities of the cosines as they are say nothing of it."""
        del probability
        return self.slope(ready)

    def _spread(self, ready: Ready) -> Ready:
        """Turn cosines into logits."""
        input, target, share, kind, hard = ready
        of_truth = self.with_margin(input.gather(1, target))
        is_truth = class_membership(target, input.shape[1])
        logits = self.scale * torch.where(is_truth, of_truth, input)
        return Ready(logits, target, share, kind, hard)
