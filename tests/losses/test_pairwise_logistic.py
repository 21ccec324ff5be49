"""RankNet's loss against the formula in NumPy and torch's, and where other implementations fail."""

import numpy as np
import pytest
import torch
from torch.nn import functional
from torch.testing import assert_close

from lossary_losses import InputValueError, PairwiseLogisticLoss, loss_registry
from lossary_losses.ranking import pairs


def draw(lists=3, documents=6, seed=0):
    """Draw scores and relevance."""
    generator = torch.Generator().manual_seed(seed)
    scores = torch.randn(lists, documents, generator=generator, dtype=torch.float64).requires_grad_()
    return scores, torch.randint(-1, 3, (lists, documents), generator=generator)


def formula(scores, relevance, sigma):
    """Write the sum of one list down, and how many pairs it has."""
    each = [
        np.log1p(np.exp(-sigma * (scores[i] - scores[j])))
        for i in range(len(scores))
        for j in range(len(scores))
        if relevance[i] > relevance[j]
    ]
    return sum(each), len(each)


@pytest.fixture(params=[None, 1, 40, 100], ids="parts of {} pairs".format)
def cut(request, monkeypatch):
    """Compute all pairs at once, or those of a few documents."""
    if request.param:
        monkeypatch.setattr(pairs, "_PART", {"cpu": request.param})


@pytest.mark.usefixtures("cut")
@pytest.mark.parametrize("sigma", [1.0, 0.3])
def test_it_is_the_formula(sigma):
    """Sums are those of the formula, and the mean is over the pairs of all lists, by weight."""
    scores, relevance = draw()
    found = [formula(*each, sigma) for each in zip(scores.detach().numpy(), relevance.numpy(), strict=True)]
    sums, counts = torch.tensor(found, dtype=torch.float64).T
    assert_close(PairwiseLogisticLoss(sigma=sigma, reduction="none")(scores, relevance), sums)
    weight = torch.tensor([0.5, 1.0, 2.0], dtype=torch.float64)
    value = PairwiseLogisticLoss(sigma=sigma)(scores, relevance, weight=weight)
    assert_close(value, (weight * sums).sum() / (weight * counts).sum())


@pytest.mark.usefixtures("cut")
def test_it_is_torchs_cross_entropy():
    """Value and gradient are those of torch's binary cross entropy of the differences, under a mask, too."""
    scores, relevance = draw()
    mask = torch.rand(3, 6, generator=torch.Generator().manual_seed(1)) < 0.7
    more = (relevance.unsqueeze(2) > relevance.unsqueeze(1)) & mask.unsqueeze(2) & mask.unsqueeze(1)
    differences = (scores.unsqueeze(2) - scores.unsqueeze(1))[more]
    theirs = functional.binary_cross_entropy_with_logits(differences, torch.ones_like(differences))
    ours = PairwiseLogisticLoss()(scores, relevance, mask=mask)
    assert_close(ours, theirs)
    assert_close(torch.autograd.grad(2 * ours, scores), torch.autograd.grad(2 * theirs, scores))


@pytest.mark.usefixtures("cut")
def test_derivatives():
    """First and second derivatives agree with finite differences, in parts as in the whole."""
    scores, relevance = draw()
    loss = PairwiseLogisticLoss(reduction="none")
    assert torch.autograd.gradcheck(lambda s: loss(s, relevance), scores)
    assert torch.autograd.gradgradcheck(lambda s: loss(s, relevance), scores)


@pytest.mark.usefixtures("cut")
@pytest.mark.parametrize("poison", [float("nan"), float("inf"), -1.0])
def test_one_more_place_changes_nothing(poison):
    """A place without a document may hold anything, as score and as relevance, and has no gradient."""
    scores, relevance = draw()
    column = torch.full((3, 1), poison, dtype=torch.float64)
    longer = torch.cat([scores.detach(), column], dim=1).requires_grad_()
    mask = torch.arange(7).expand(3, 7) < 6
    value = PairwiseLogisticLoss()(longer, torch.cat([relevance.double(), column], dim=1), mask=mask)
    expected = PairwiseLogisticLoss()(scores, relevance)
    assert_close(value, expected)
    (gradient,) = torch.autograd.grad(value, longer)
    assert_close(gradient[:, :-1], torch.autograd.grad(expected, scores)[0])
    assert (gradient[:, -1] == 0).all()


@pytest.mark.parametrize("shape", [(2, 0), (0, 3), (2, 1), (2, 4)], ids=str)
def test_no_pair(shape):
    """Without lists or documents, or where all are equally relevant, it is zero, and so is the gradient."""
    scores = torch.randn(shape, generator=torch.Generator().manual_seed(0)).requires_grad_()
    value = PairwiseLogisticLoss()(scores, torch.zeros(shape))
    assert value == 0
    assert (torch.autograd.grad(value, scores)[0] == 0).all()


@pytest.mark.usefixtures("cut")
@pytest.mark.parametrize("size", [40.0, 100.0, 1e4])
def test_the_worst_order_has_a_gradient(size):
    """Scores that are wrong by far cost in proportion, and the gradient is one, not zero."""
    scores = torch.tensor([[-size, size]], requires_grad=True)
    value = PairwiseLogisticLoss()(scores, torch.tensor([[1, 0]]))
    assert_close(value.item(), 2 * size)
    assert_close(torch.autograd.grad(value, scores)[0], torch.tensor([[-1.0, 1.0]]))


def test_unknown_relevance():
    """NaN as a relevance raises: it has no place in an order."""
    with pytest.raises(InputValueError, match="target must not hold NaN"):
        PairwiseLogisticLoss()(torch.zeros(1, 2), torch.tensor([[0.0, torch.nan]]))


def test_other_names():
    """It is found as RankNet's loss, and as that of Bayesian personalised ranking."""
    assert {loss_registry.get(name) for name in ("rank_net_loss", "bpr_loss")} == {PairwiseLogisticLoss}
