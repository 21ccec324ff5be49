"""ListNet's cross entropy against the formula in NumPy and torch's, and where other implementations fail."""

import numpy as np
import pytest
import torch
from torch.nn import functional
from torch.testing import assert_close

from lossary_losses import InputValueError, ListSoftmaxLoss, loss_registry

BOTH = pytest.mark.parametrize("distribution", ["normalized", "softmax"])


def draw(lists=3, documents=5, seed=0):
    """Draw scores and relevance."""
    generator = torch.Generator().manual_seed(seed)
    scores = torch.randn(lists, documents, generator=generator, dtype=torch.float64).requires_grad_()
    return scores, torch.randint(0, 4, (lists, documents), generator=generator)


def formula(scores, relevance, distribution, temperature):
    """Write the cross entropy of one list down."""
    probability = np.exp(scores / temperature) / np.exp(scores / temperature).sum()
    gain = np.exp(relevance) if distribution == "softmax" else relevance
    return -(gain / gain.sum() * np.log(probability)).sum()


@BOTH
@pytest.mark.parametrize("temperature", [1.0, 0.3])
@pytest.mark.parametrize("documents", [1, 2, 7])
def test_it_is_the_formula(documents, temperature, distribution):
    """Each list has the cross entropy of the formula."""
    scores, relevance = draw(4, documents)
    relevance[:, 0] += 1
    loss = ListSoftmaxLoss(distribution=distribution, temperature=temperature, reduction="none")
    expected = [
        formula(*each, distribution, temperature)
        for each in zip(scores.detach().numpy(), relevance.double().numpy(), strict=True)
    ]
    assert_close(loss(scores, relevance).detach(), torch.tensor(expected, dtype=torch.float64))


def test_it_is_torchs_cross_entropy():
    """Value and gradient are those of torch's cross entropy with the distribution as its target."""
    scores, relevance = draw()
    relevance = relevance.double() + 0.5
    theirs = functional.cross_entropy(scores, relevance / relevance.sum(1, keepdim=True))
    ours = ListSoftmaxLoss()(scores, relevance)
    assert_close(ours, theirs)
    assert_close(torch.autograd.grad(ours, scores), torch.autograd.grad(theirs, scores))


@BOTH
@pytest.mark.parametrize("poison", [float("nan"), float("inf"), -float("inf"), 1e30])
def test_one_more_place_changes_nothing(distribution, poison):
    """A place without a document may hold anything, as score and as relevance, and has no gradient."""
    scores, relevance = draw()
    relevance = relevance.double()
    loss = ListSoftmaxLoss(distribution=distribution)
    expected = loss(scores, relevance)
    column = torch.full((3, 1), poison, dtype=torch.float64)
    longer = torch.cat([scores.detach(), column], dim=1).requires_grad_()
    mask = torch.ones(3, 6, dtype=torch.bool)
    mask[:, -1] = False
    value = loss(longer, torch.cat([relevance, column], dim=1), mask=mask)
    assert_close(value, expected)
    (gradient,) = torch.autograd.grad(value, longer)
    assert_close(gradient[:, :-1], torch.autograd.grad(expected, scores)[0])
    assert (gradient[:, -1] == 0).all()


@BOTH
def test_lists_of_any_length(distribution):
    """Lists of different lengths in one batch cost what each costs alone."""
    scores, relevance = draw(3, 6, seed=1)
    relevance[:, 0] = 2
    lengths = torch.tensor([1, 4, 6])
    mask = torch.arange(6) < lengths.unsqueeze(1)
    each = ListSoftmaxLoss(distribution=distribution, reduction="none")(scores, relevance, mask=mask)
    alone = ListSoftmaxLoss(distribution=distribution)
    for index, length in enumerate(lengths):
        part = slice(index, index + 1), slice(0, int(length))
        assert_close(each[index], alone(scores[part], relevance[part]))


def test_a_list_without_relevance():
    """Normalised, a list of which no document is relevant is no part of the mean, and has no gradient."""
    scores, relevance = draw()
    relevance = relevance + 1
    relevance[1] = 0
    value = ListSoftmaxLoss()(scores, relevance)
    assert_close(value, ListSoftmaxLoss()(scores[::2], relevance[::2]))
    assert (torch.autograd.grad(value, scores)[0][1] == 0).all()
    alone = ListSoftmaxLoss()(scores[1:2], relevance[1:2])
    assert alone == 0
    assert (torch.autograd.grad(alone, scores)[0] == 0).all()


def test_a_list_without_relevance_after_a_softmax():
    """After a softmax, documents that are all alike are all as relevant, and the list counts."""
    scores, _ = draw()
    fraction = ListSoftmaxLoss(distribution="softmax").fraction(scores, torch.zeros(3, 5))
    assert_close(fraction.numerator, functional.cross_entropy(scores, torch.full((3, 5), 0.2).double()) * 3)
    assert fraction.denominator == 3


@BOTH
@pytest.mark.parametrize("shape", [(2, 0), (0, 3), (0, 0)], ids=str)
def test_no_documents(distribution, shape):
    """Lists without places, and no lists, give zero."""
    scores = torch.zeros(shape, requires_grad=True)
    value = ListSoftmaxLoss(distribution=distribution)(scores, torch.zeros(shape))
    assert value == 0
    value.backward()


@pytest.mark.parametrize("size", [40.0, 100.0, 1e4])
def test_the_worst_order_has_a_gradient(size):
    """Scores that are wrong by far cost in proportion, and the gradient is one, not zero."""
    scores = torch.tensor([[-size, size]], requires_grad=True)
    value = ListSoftmaxLoss()(scores, torch.tensor([[1, 0]]))
    assert_close(value.item(), 2 * size)
    assert_close(torch.autograd.grad(value, scores)[0], torch.tensor([[-1.0, 1.0]]))


@BOTH
def test_scores_know_no_shift_and_documents_no_order(distribution):
    """Adding a number to the scores of a list, or naming its documents in another order, changes nothing."""
    scores, relevance = draw()
    loss = ListSoftmaxLoss(distribution=distribution)
    expected = loss(scores, relevance)
    assert_close(loss(scores + torch.tensor([[5.0], [-700.0], [1e4]]), relevance), expected)
    order = torch.tensor([3, 1, 4, 0, 2])
    assert_close(loss(scores[:, order], relevance[:, order]), expected)


def test_relevance_below_zero():
    """Relevance below zero raises, unless a softmax makes a distribution of it: no value means padding."""
    scores, relevance = draw()
    with pytest.raises(InputValueError, match=r"target must not be negative; it holds -1"):
        ListSoftmaxLoss()(scores, relevance - relevance.max() - 1 + 3)
    loss = ListSoftmaxLoss(distribution="softmax")
    assert_close(loss(scores, relevance - 10), loss(scores, relevance))


@pytest.mark.parametrize("dtype", [torch.uint8, torch.int32, torch.bool, torch.float16], ids=str)
def test_relevance_of_any_dtype(dtype):
    """Relevance may be integers, bools and floats of any precision."""
    scores, relevance = draw()
    relevance = relevance.clamp(max=1)
    assert_close(ListSoftmaxLoss()(scores, relevance.to(dtype)), ListSoftmaxLoss()(scores, relevance))


@BOTH
def test_a_score_of_minus_infinity(distribution):
    """A document that cannot come first, but is relevant, costs as good as infinitely much, and no NaN."""
    scores = torch.tensor([[-torch.inf, 0.0, 1.0]], requires_grad=True)
    value = ListSoftmaxLoss(distribution=distribution)(scores, torch.tensor([[1, 0, 2]]))
    assert value > 1e28
    assert torch.autograd.grad(value, scores)[0].isfinite().all()
    irrelevant = ListSoftmaxLoss()(scores, torch.tensor([[0, 1, 2]]))
    assert_close(irrelevant, ListSoftmaxLoss()(scores[:, 1:], torch.tensor([[1, 2]])))


def test_two_names():
    """It is found as ListNet as well."""
    assert loss_registry.get("list_net_loss") is ListSoftmaxLoss


@BOTH
def test_descent_orders_the_documents(distribution):
    """Minimised, the scores have the order of the relevance."""
    scores = torch.zeros(1, 5, requires_grad=True)
    relevance = torch.tensor([[3.0, 0.5, 2.0, 1.0, 4.0]])
    optimizer = torch.optim.Adam([scores], lr=0.1)
    for _ in range(200):
        optimizer.zero_grad()
        ListSoftmaxLoss(distribution=distribution)(scores, relevance).backward()
        optimizer.step()
    assert (scores.argsort() == relevance.argsort()).all()
