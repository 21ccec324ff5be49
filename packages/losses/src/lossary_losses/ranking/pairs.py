"""Sums over the pairs of documents of each list: what it costs that the less relevant one scores higher.

A list has as many pairs as the square of its documents. Those of a few documents with all are computed,
added up and forgotten; what they leave is the gradient. Where a graph is compiled, transformed or
differentiated twice, the plain formula is evaluated on all of them: the numbers are the same.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple, Protocol

import torch
from torch import Tensor

from lossary_losses._core.lists import Lists
from lossary_losses._core.stable import softplus
from lossary_losses._core.streaming import is_large

__all__ = ["Pairs", "WeighedPairs", "logistic_sums", "number_of_pairs", "pairs_of"]

_PART = {"cpu": 2**18, "cuda": 2**25}
"""How many pairs are held at once."""


class WeighedPairs(Protocol):
    """Pairs of documents, each with a weight that has no gradient."""

    def weights(self, first: int, last: int) -> Tensor:
        """Give how much each pair of some documents with all counts, ``(B, last - first, L)``."""
        ...


class Pairs(NamedTuple):
    """What says which pairs of documents are in an order; of ``(B, L)``, and without a gradient."""

    relevance: Tensor
    there: Tensor
    """Bool, True where there is a document."""

    def weights(self, first: int, last: int) -> Tensor:
        """Tell which of some documents are more relevant than which of all, ``(B, last - first, L)``."""
        more = self.relevance[:, first:last].unsqueeze(2) > self.relevance.unsqueeze(1)
        return more & self.there[:, first:last].unsqueeze(2) & self.there.unsqueeze(1)


def pairs_of(lists: Lists) -> Pairs:
    """Give what says which pairs of documents are in an order."""
    there = torch.ones_like(lists.relevance, dtype=torch.bool) if lists.there is None else lists.there
    return Pairs(lists.relevance.detach(), there)


def number_of_pairs(pairs: Pairs) -> Tensor:
    """Count, for each list, the pairs of which one document is more relevant than the other."""
    known = torch.where(pairs.there, pairs.relevance, torch.inf)
    less = torch.searchsorted(known.sort(dim=1).values, known.contiguous())
    return torch.where(pairs.there, less, 0).sum(dim=1)


def logistic_sums(scores: Tensor, pairs: WeighedPairs, sigma: float) -> Tensor:
    """Add up, for each list, the logistic loss of the difference of scores of each pair, by its weight."""
    part = _PART.get(scores.device.type)
    if part is not None and is_large(scores, more_than=0) and scores.numel() * scores.shape[1] > part:
        sums: tuple[Tensor, Tensor] = _LogisticSums.apply(pairs, sigma, scores)  # type: ignore[no-untyped-call]
        return sums[0]
    return _all_at_once(scores, pairs, sigma)


def _all_at_once(scores: Tensor, pairs: WeighedPairs, sigma: float) -> Tensor:
    behind = sigma * (scores.unsqueeze(1) - scores.unsqueeze(2))
    weights = pairs.weights(0, scores.shape[1])
    return (weights.to(scores.dtype) * softplus(behind)).sum(dim=(1, 2))


def _parts(scores: Tensor) -> Iterator[tuple[int, int]]:
    """Cut documents into parts whose pairs with all others are few enough."""
    size = max(1, _PART[scores.device.type] // max(1, scores.numel()))
    for first in range(0, scores.shape[1], size):
        yield first, min(first + size, scores.shape[1])


class _LogisticSums(torch.autograd.Function):
    """The sums, and the gradient of each with respect to the scores of its list."""

    @staticmethod
    def forward(pairs: WeighedPairs, sigma: float, scores: Tensor) -> tuple[Tensor, Tensor]:
        """Add up what each part gives, and keep the slopes."""
        sums, slopes = scores.new_zeros(len(scores)), torch.zeros_like(scores)
        for first, last in _parts(scores):
            behind = sigma * (scores.unsqueeze(1) - scores[:, first:last].unsqueeze(2))
            weights = pairs.weights(first, last).to(scores.dtype)
            sums += (weights * softplus(behind)).sum(dim=(1, 2))
            slope = behind.sigmoid_().mul_(weights)
            slopes += slope.sum(dim=1)
            slopes[:, first:last] -= slope.sum(dim=2)
        return sums, slopes.mul_(sigma)

    @staticmethod
    def setup_context(
        ctx: Any,  # noqa: ANN401 - torch's own signature
        inputs: tuple[WeighedPairs, float, Tensor],
        output: tuple[Tensor, Tensor],
    ) -> None:
        """Keep the slopes, and what they are made of."""
        ctx.pairs, ctx.sigma, scores = inputs
        ctx.save_for_backward(scores, output[1])
        ctx.mark_non_differentiable(output[1])

    @staticmethod
    def backward(ctx: Any, upstream: Tensor, _: Tensor) -> tuple[Tensor | None, ...]:  # noqa: ANN401 - as above
        """Multiply the slopes; to be differentiated again, by the plain formula."""
        scores, slopes = ctx.saved_tensors
        if not torch.is_grad_enabled():
            return None, None, upstream.unsqueeze(1) * slopes
        sums = _all_at_once(scores, ctx.pairs, ctx.sigma)
        return None, None, *torch.autograd.grad(sums, scores, upstream, create_graph=True)
