"""Divergences of distributions over classes, with all their digits where both are nearly the same.

The logarithms of two probabilities that are nearly equal say little about how much they differ, and terms of
both signs, which cancel, say less. So the ratio is made of the difference of the logits, and a divergence is
a sum of terms none of which is negative.
"""

import math
from typing import NamedTuple

import torch
from torch import Tensor

from lossary_losses._core.stable import bounded

__all__ = ["Comparison", "compare", "divergence"]

_FEW = 20.0
"""Up to such a logarithm of a ratio its exponential has room in any sum."""

_NEAR = 0.05
"""Below it a difference has lost digits, and ten terms of a series have all those of double precision."""

_TERMS = 10


class Comparison(NamedTuple):
    """Two distributions over classes, in dimension 1, and how they compare."""

    truth: Tensor
    """The probabilities of the one that judges."""
    other: Tensor
    """The probabilities of the one that is judged."""
    log_ratio: Tensor
    """The logarithm of the other's over the truth's, finite where one of them is zero."""

    def swapped(self) -> "Comparison":
        """Let each judge the other."""
        return Comparison(self.other, self.truth, -self.log_ratio)

    def mixed(self, share: float) -> "Comparison":
        """Mix a share of the truth into the other, 0 to below 1."""
        if not share:
            return self
        other = share * self.truth + (1 - share) * self.other
        near = self.log_ratio.abs() < 1
        inside, outside = torch.where(near, self.log_ratio, 0), torch.where(near, 0, self.log_ratio)
        far = torch.logaddexp(outside + math.log1p(-share), torch.full_like(outside[:1, :1], math.log(share)))
        return Comparison(self.truth, other, torch.where(near, ((1 - share) * inside.expm1()).log1p(), far))


def compare(truth: Tensor, other: Tensor, temperature: float = 1.0) -> Comparison:
    """Compare the distributions of two logits ``(B, C, *S)``; minus infinity stands for what cannot be."""
    truth, other = bounded(truth), bounded(other)
    log_truth, log_other = (bounded(each / temperature).log_softmax(dim=1) for each in (truth, other))
    probability = log_truth.exp()
    # Divided after they are subtracted: what is rounded before would be all that is left.
    gap = bounded((other - truth) / temperature)
    # What is taken off all classes alike changes no ratio, and has no gradient.
    gap = gap - (probability * gap).sum(dim=1, keepdim=True).detach()
    is_near = gap.detach().amax(dim=1, keepdim=True) < _FEW
    near = torch.where(is_near, gap, 0)
    excess = (probability * near.expm1()).sum(dim=1, keepdim=True).log1p()
    far = bounded(log_other) - bounded(log_truth)
    return Comparison(probability, log_other.exp(), torch.where(is_near, near - excess, far))


def divergence(comparison: Comparison) -> Tensor:
    """Give the Kullback-Leibler divergence of each position, ``(B, 1, *S)``, never below zero.

    It is the sum of what the truth's probabilities times ``exp(d) - 1 - d`` are, d being the logarithm of the
    ratio: the two further terms add up to zero.
    """
    truth, other, log_ratio = comparison
    is_near, is_more = log_ratio.abs() < _NEAR, log_ratio > 1
    # Each branch sees only arguments that it can take, or its gradient would spoil the others'.
    less = torch.where(is_near | is_more, 0, log_ratio)
    more = torch.where(is_more, log_ratio, 0)
    cost = torch.where(is_near, _series(torch.where(is_near, log_ratio, 0)), less.expm1() - less)
    return torch.where(is_more, other - truth - truth * more, truth * cost).sum(dim=1, keepdim=True)


def _series(values: Tensor) -> Tensor:
    """Compute ``exp(values) - 1 - values`` near zero."""
    total = torch.ones_like(values)
    for term in range(_TERMS, 2, -1):
        total = 1 + total * values / term
    return values.square() / 2 * total
