"""The softmax over classes and its logarithm, in the form that is fastest where they are computed.

torch's own functions take one pass, and differentiate as if the gradient of every class had to be asked for.
A compiler fuses the textbook's form with what comes after it, and then knows what adds up to one.
"""

from typing import NamedTuple

import torch
from torch import Tensor

from lossary_losses._core.dense import class_membership
from lossary_losses._core.stable import bounded

__all__ = ["LogProbabilities", "log_softmax", "softmax"]


class LogProbabilities(NamedTuple):
    """Logarithms of the probabilities of classes, less a number of each position that is yet to be taken."""

    shifted: Tensor
    """``(B, C, *S)``, at most zero."""
    excess: Tensor | None
    """``(B, 1, *S)``; None where it is zero."""

    def of(self, labels: Tensor) -> Tensor:
        """Give those of class indices ``(B, 1, *S)``."""
        if self.excess is None:
            return self.shifted.gather(1, labels)
        # The gradient of an index is written by index, into zeros that are written first.
        selected = torch.where(class_membership(labels, self.shifted.shape[1]), self.shifted, 0)
        return selected.sum(dim=1, keepdim=True) - self.excess

    def expected(self, target: Tensor) -> Tensor:
        """Give what a distribution of classes expects; a class without mass has no part in it."""
        expected = (target * bounded(self.shifted)).sum(dim=1, keepdim=True)
        return expected if self.excess is None else expected - target.sum(dim=1, keepdim=True) * self.excess


def log_softmax(logits: Tensor) -> LogProbabilities:
    """Compute the logarithms of the probabilities of classes, in dimension 1."""
    if not torch.compiler.is_compiling():
        return LogProbabilities(logits.log_softmax(dim=1), None)
    shifted = _shifted(logits)
    return LogProbabilities(shifted, shifted.exp().sum(dim=1, keepdim=True).log())


def softmax(logits: Tensor) -> Tensor:
    """Compute the probabilities of classes, in dimension 1."""
    if not torch.compiler.is_compiling():
        return logits.softmax(dim=1)
    exponentials = _shifted(logits).exp()
    return exponentials * exponentials.sum(dim=1, keepdim=True).reciprocal()


def _shifted(logits: Tensor) -> Tensor:
    """Bring the largest logit of each position to zero, so that no exponential is infinite."""
    # What all classes are shifted by changes nothing, and has no gradient.
    return logits - logits.detach().amax(dim=1, keepdim=True)
