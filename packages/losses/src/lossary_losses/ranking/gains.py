"""By how much the normalised discounted cumulative gain would change, were two documents exchanged."""

from typing import Literal, NamedTuple

import torch
from torch import Tensor

from lossary_losses.ranking.pairs import Pairs

__all__ = ["GainPairs", "Weighting", "gain_pairs"]

Weighting = Literal["lambdarank", "ndcg2", "ndcg2pp"]


class GainPairs(NamedTuple):
    """Pairs in an order, which count by the gain that is at stake; of ``(B, L)``, and without a gradient."""

    pairs: Pairs
    gains: Tensor
    """What each document adds to the gain of its list at the first place, as a share of the best list's."""
    ranks: Tensor
    """The places by score, from 1 on; equal scores share the mean of theirs."""
    weighting: Weighting
    mu: float
    k: int | None

    def weights(self, first: int, last: int) -> Tensor:
        """Give how much each pair of some documents with all counts, ``(B, last - first, L)``."""
        own, all_ranks = self.ranks[:, first:last].unsqueeze(2), self.ranks.unsqueeze(1)
        at_stake = (self.gains[:, first:last].unsqueeze(2) - self.gains.unsqueeze(1)).abs()
        weights = self.pairs.weights(first, last).to(at_stake.dtype) * at_stake * self._moved(own, all_ranks)
        if self.k is None:
            return weights
        return torch.where((own <= self.k) | (all_ranks <= self.k), weights, 0)

    def _moved(self, own: Tensor, all_ranks: Tensor) -> Tensor:
        """Give by how much the discounts of two places differ."""
        by_place = (_discount(own) - _discount(all_ranks)).abs()
        if self.weighting == "lambdarank":
            return by_place
        # Documents that share a place would be neighbours in whatever order they came.
        apart = (own - all_ranks).abs().clamp(min=1)
        by_distance = _discount(apart) - _discount(apart + 1)
        return by_distance if self.weighting == "ndcg2" else self.mu * by_distance + by_place


def gain_pairs(pairs: Pairs, scores: Tensor, weighting: Weighting, mu: float, k: int | None) -> GainPairs:
    """Find the gains and the present places of documents."""
    return GainPairs(pairs, _shares_of_gain(pairs, k), _ranks(scores.detach(), pairs.there), weighting, mu, k)


def _discount(place: Tensor) -> Tensor:
    return 1 / torch.log2(1 + place)


def _shares_of_gain(pairs: Pairs, k: int | None) -> Tensor:
    """Give ``2 ** relevance - 1`` as a share of the gain of the best order, whatever the relevance is.

    What has a gain below zero has no part in that one.
    """
    relevance = torch.where(pairs.there, pairs.relevance, 0)
    most = relevance.amax(dim=1, keepdim=True).clamp(min=0) if relevance.shape[1] else relevance
    gains = torch.exp2(relevance - most) - torch.exp2(-most)
    best = torch.where(pairs.there, gains, 0).clamp(min=0).sort(dim=1, descending=True).values[:, :k]
    places = torch.arange(1, best.shape[1] + 1, dtype=gains.dtype, device=gains.device)
    whole = (best * _discount(places)).sum(dim=1, keepdim=True)
    return gains / torch.where(whole > 0, whole, 1)


def _ranks(scores: Tensor, there: Tensor) -> Tensor:
    """Give the place of each document that is there, by score; equal ones share the mean of theirs."""
    # What is not there has no part: it stands below all that is.
    known = torch.where(there, scores, -torch.inf).contiguous()
    ordered = known.sort(dim=1).values
    above = scores.shape[1] - torch.searchsorted(ordered, known, right=True)
    not_below = scores.shape[1] - torch.searchsorted(ordered, known)
    return (above + not_below + 1).to(scores.dtype) / 2
