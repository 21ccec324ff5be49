"""LambdaRank and LambdaLoss against the formula in NumPy, and where other implementations fail."""

import numpy as np
import pytest
import torch
from torch.testing import assert_close

from lossary_losses import InputValueError, LambdaLoss, PairwiseLogisticLoss
from lossary_losses.ranking import pairs

OPTIONS = [
    {},
    {"mu": 3.0, "sigma": 0.5},
    {"weighting": "ndcg2"},
    {"weighting": "lambdarank"},
    {"k": 2},
    {"weighting": "lambdarank", "k": 3},
]


def draw(lists=3, documents=6, seed=0):
    """Draw scores and relevance."""
    generator = torch.Generator().manual_seed(seed)
    scores = torch.randn(lists, documents, generator=generator, dtype=torch.float64).requires_grad_()
    return scores, torch.randint(0, 4, (lists, documents), generator=generator)


def formula(scores, relevance, *, weighting="ndcg2pp", k=None, mu=10.0, sigma=1.0):
    """Write the sum of one list down, and how many pairs it has."""
    count = len(scores)
    places = np.empty(count)
    places[np.argsort(-scores)] = np.arange(1, count + 1)
    gains = 2.0**relevance - 1
    best = np.sort(gains)[::-1][:k]
    gains = gains / (best / np.log2(1 + np.arange(1, len(best) + 1))).sum()
    total, number = 0.0, 0
    for i in range(count):
        for j in range(count):
            if relevance[i] <= relevance[j]:
                continue
            number += 1
            if k is not None and min(places[i], places[j]) > k:
                continue
            apart = abs(places[i] - places[j])
            by_distance = 1 / np.log2(1 + apart) - 1 / np.log2(2 + apart)
            by_place = abs(1 / np.log2(1 + places[i]) - 1 / np.log2(1 + places[j]))
            moved = {
                "ndcg2pp": mu * by_distance + by_place,
                "ndcg2": by_distance,
                "lambdarank": by_place,
            }
            cost = np.log1p(np.exp(-sigma * (scores[i] - scores[j])))
            total += abs(gains[i] - gains[j]) * moved[weighting] * cost
    return total, number


@pytest.fixture(params=[None, 1, 40], ids="parts of {} pairs".format)
def cut(request, monkeypatch):
    """Compute all pairs at once, or those of a few documents."""
    if request.param:
        monkeypatch.setattr(pairs, "_PART", {"cpu": request.param})


@pytest.mark.usefixtures("cut")
@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_it_is_the_formula(options):
    """Sums are those of the formula, and the mean is over the pairs of all lists."""
    scores, relevance = draw()
    given = zip(scores.detach().numpy(), relevance.numpy(), strict=True)
    sums, counts = torch.tensor([formula(*each, **options) for each in given], dtype=torch.float64).T
    assert_close(LambdaLoss(**options, reduction="none")(scores, relevance), sums)
    assert_close(LambdaLoss(**options)(scores, relevance), sums.sum() / counts.sum())


@pytest.mark.usefixtures("cut")
def test_weights_have_no_gradient():
    """As long as places stay, the gradient is that of differences with constant weights."""
    scores, relevance = draw()
    assert torch.autograd.gradcheck(lambda s: LambdaLoss(reduction="none")(s, relevance), scores)


def test_a_place_without_a_document_changes_nothing():
    """What stands where there is no document is not seen, and has no gradient."""
    scores, relevance = draw()
    longer = torch.cat([scores.detach(), torch.full((3, 1), torch.nan, dtype=torch.float64)], dim=1)
    mask = torch.arange(7).expand(3, 7) < 6
    target = torch.cat([relevance, torch.full((3, 1), 9)], dim=1)
    value = LambdaLoss()(longer.requires_grad_(), target, mask=mask)
    assert_close(value, LambdaLoss()(scores, relevance))
    (slope,) = torch.autograd.grad(value, longer)
    assert_close(slope[:, :6], torch.autograd.grad(LambdaLoss()(scores, relevance), scores)[0])
    assert not slope[:, 6].any()


@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_order_does_not_matter(options):
    """Equal scores and equal relevance have no first and no second."""
    scores = torch.tensor([[1.0, 1.0, 0.0, 1.0, 2.0, 0.0]], dtype=torch.float64)
    relevance = torch.tensor([[0, 2, 1, 2, 0, 1]])
    order = torch.tensor([5, 3, 1, 0, 4, 2])
    loss = LambdaLoss(**options)
    assert_close(loss(scores[:, order], relevance[:, order]), loss(scores, relevance))


def test_equal_scores_share_the_mean_of_their_places():
    """Two documents at the first two places are both at one and a half."""
    scores, relevance = torch.tensor([[1.0, 1.0, 0.0]], dtype=torch.float64), torch.tensor([[0, 1, 2]])
    first, third = 1 / np.log2(2.5), 1 / np.log2(4)
    best = 3 + 1 / np.log2(3)  # gains of 3 and 1, at the first two places
    # What is level has nothing at stake by place; the third document has, against either of the others.
    expected = (3 + 2) / best * (first - third) * np.log1p(np.e) / 3
    value = LambdaLoss(weighting="lambdarank")(scores, relevance)
    assert_close(value, torch.tensor(expected))


@pytest.mark.parametrize("relevance", [[0, 0, 0], [-1, -1, -1], [3, 3, 3]], ids=str)
def test_without_a_pair_it_is_zero(relevance):
    """Lists without an order have a loss and a gradient of zero, and no part in the mean."""
    scores = torch.randn(1, 3, requires_grad=True)
    value = LambdaLoss()(scores, torch.tensor([relevance]))
    value.backward()
    assert value == 0
    assert not scores.grad.any()


@pytest.mark.parametrize("relevance", [[0.5, -2.0, 0.0], [1e4, 0, 5], [-1, -2, -3]], ids=str)
def test_any_relevance_is_finite(relevance):
    """A relevance may be of any sign and any size."""
    scores = torch.tensor([[0.0, 1.0, 2.0]], requires_grad=True)
    value = LambdaLoss()(scores, torch.tensor([relevance]))
    value.backward()
    assert value > 0
    assert scores.grad.isfinite().all()
    assert scores.grad.any()


def test_what_is_far_out_of_order_is_pulled_back():
    """Scores misordered by 1e4 have a gradient, which a clamped logarithm has not."""
    scores = torch.tensor([[0.0, 1e4]], requires_grad=True)
    LambdaLoss()(scores, torch.tensor([[1, 0]])).backward()
    assert scores.grad[0, 0] < -1e-2


def test_more_places_than_documents_are_all():
    """With k beyond the list nothing is left out."""
    scores, relevance = draw()
    assert_close(LambdaLoss(k=100)(scores, relevance), LambdaLoss()(scores, relevance))


def test_large_gains_leave_the_pairs():
    """Where all pairs of neighbours have the same at stake, it is a multiple of RankNet's loss."""
    scores, relevance = torch.tensor([[0.3, -0.2]], dtype=torch.float64), torch.tensor([[1, 0]])
    at_stake = 1 - 1 / np.log2(3)
    value = LambdaLoss(weighting="lambdarank")(scores, relevance)
    assert_close(value, at_stake * PairwiseLogisticLoss()(scores, relevance))


def test_wrong_data_are_named():
    """A relevance of NaN is no relevance, and nothing broadcasts."""
    scores, relevance = draw()
    with pytest.raises(InputValueError, match="target"):
        LambdaLoss()(scores, torch.full((3, 6), torch.nan))
    with pytest.raises(InputValueError, match=r"\(3, 6\)"):
        LambdaLoss()(scores, relevance[:, :5])
