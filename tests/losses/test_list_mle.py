"""ListMLE against the likelihood in NumPy, against Cox's loss, and where other implementations fail."""

import numpy as np
import pytest
import torch
from torch.testing import assert_close

from lossary_losses import CoxLoss, InputValueError, ListMLELoss

EVERY = pytest.mark.parametrize(
    "options",
    [{}, {"ties": "breslow"}, {"discount": "p_list_mle"}],
    ids=["efron", "breslow", "discount"],
)


def draw(lists=4, documents=6, seed=0):
    """Draw scores and relevance without ties."""
    generator = torch.Generator().manual_seed(seed)
    scores = torch.randn(lists, documents, generator=generator, dtype=torch.float64).requires_grad_()
    return scores, torch.rand(lists, documents, generator=generator, dtype=torch.float64)


def numbers(scores, relevance):
    """Give scores and relevance of each list as arrays."""
    return zip(scores.detach().numpy(), relevance.numpy(), strict=True)


def formula(scores, relevance, weights):
    """Write the likelihood of one list down: draw the documents one after the other."""
    order = np.argsort(-relevance)
    total = 0.0
    for rank, document in enumerate(order):
        rest = scores[order[rank:]]
        total += weights[rank] * (np.log(np.exp(rest).sum()) - scores[document])
    return total


@pytest.mark.parametrize("documents", [1, 2, 6])
def test_it_is_the_formula(documents):
    """Each list has the likelihood of the formula."""
    scores, relevance = draw(4, documents)
    expected = [formula(*each, np.ones(documents)) for each in numbers(scores, relevance)]
    assert_close(ListMLELoss(reduction="none")(scores, relevance).detach(), torch.tensor(np.array(expected)))


@pytest.mark.parametrize("documents", [2, 6])
def test_the_discount_is_that_of_the_paper(documents):
    """With the discount it is position-aware ListMLE over the factor of the first rank."""
    scores, relevance = draw(4, documents)
    factors = 2.0 ** (documents - np.arange(1, documents + 1)) - 1
    expected = [formula(*each, factors) / factors[0] for each in numbers(scores, relevance)]
    value = ListMLELoss(discount="p_list_mle", reduction="none")(scores, relevance)
    assert_close(value.detach(), torch.tensor(np.array(expected)))


@pytest.mark.parametrize("ties", ["efron", "breslow"])
def test_it_is_coxs_loss_of_each_list(ties):
    """With labels that are tied it is Cox's loss, with a time that runs from the most relevant on."""
    scores, relevance = draw()
    relevance = (3 * relevance).floor() - 1
    expected = [
        CoxLoss(ties=ties, reduction="sum")(s, -y) for s, y in zip(scores.unbind(), relevance, strict=True)
    ]
    assert_close(ListMLELoss(ties=ties, reduction="none")(scores, relevance), torch.stack(expected))


@EVERY
@pytest.mark.parametrize("poison", [float("nan"), -float("inf"), 1e30, -1.0])
def test_one_more_place_changes_nothing(options, poison):
    """A place without a document may hold anything, as score and as relevance, and has no gradient."""
    scores, relevance = draw()
    relevance = (3 * relevance).floor() - 2
    loss = ListMLELoss(**options)
    expected = loss(scores, relevance)
    column = torch.full((4, 1), poison, dtype=torch.float64)
    longer = torch.cat([column, scores.detach()], dim=1).requires_grad_()
    mask = torch.ones(4, 7, dtype=torch.bool)
    mask[:, 0] = False
    value = loss(longer, torch.cat([column, relevance], dim=1), mask=mask)
    assert_close(value, expected)
    (gradient,) = torch.autograd.grad(value, longer)
    assert_close(gradient[:, 1:], torch.autograd.grad(expected, scores)[0])
    assert (gradient[:, 0] == 0).all()


@EVERY
@pytest.mark.parametrize("size", [100.0, 1e4])
def test_the_worst_order_has_a_gradient(options, size):
    """In float32, scores that are wrong by far cost in proportion, and the gradient is one."""
    scores = torch.tensor([[-size, size]], requires_grad=True)
    value = ListMLELoss(**options)(scores, torch.tensor([[1, 0]]))
    assert_close(value.item(), 2 * size)
    assert_close(torch.autograd.grad(value, scores)[0], torch.tensor([[-1.0, 1.0]]))


@EVERY
@pytest.mark.parametrize(
    "relevance", [torch.zeros(1, 3), torch.tensor([[-2, -2, -1]]), torch.tensor([[0.5, 0.5, 0.25]])], ids=str
)
def test_the_order_of_equals_does_not_matter(options, relevance):
    """Documents as relevant as each other may stand in any order; the same call gives the same value."""
    scores, _ = draw(1, 3)
    loss = ListMLELoss(**options)
    expected = loss(scores, relevance)
    for order in ([1, 0, 2], [2, 1, 0], [1, 2, 0]):
        assert_close(loss(scores[:, order], relevance[:, order]), expected)
    assert loss(scores, relevance) == expected
    assert expected >= 0


def test_long_lists_do_not_overflow():
    """Two to the power of a list's length overflows in float32, and the discounted loss does not."""
    scores, relevance = draw(1, 300)
    value = ListMLELoss(discount="p_list_mle")(scores.float(), relevance.float())
    assert_close(value.double(), ListMLELoss(discount="p_list_mle")(scores, relevance), rtol=1e-4, atol=0)


@EVERY
def test_lists_of_any_length(options):
    """Lists of different lengths in one batch cost what each costs alone, and an empty one nothing."""
    scores, relevance = draw()
    relevance = (3 * relevance).floor()
    lengths = torch.tensor([1, 4, 6, 0])
    mask = torch.arange(6) < lengths.unsqueeze(1)
    each = ListMLELoss(reduction="none", **options)(scores, relevance, mask=mask)
    for index, length in enumerate(lengths[:3]):
        part = slice(index, index + 1), slice(0, int(length))
        assert_close(each[index], ListMLELoss(**options)(scores[part], relevance[part]))
    assert each[3] == 0
    assert ListMLELoss(**options).fraction(scores, relevance, mask=mask).denominator == 3


@EVERY
@pytest.mark.parametrize("shape", [(2, 0), (0, 3)], ids=str)
def test_no_documents(options, shape):
    """Lists without places, and no lists, give zero."""
    scores = torch.zeros(shape, requires_grad=True)
    value = ListMLELoss(**options)(scores, torch.zeros(shape))
    assert value == 0
    value.backward()


def test_relevance_that_is_not_known():
    """A relevance of NaN has no place in an order, and raises."""
    scores, relevance = draw()
    with pytest.raises(InputValueError, match="target must not hold NaN"):
        ListMLELoss()(scores, torch.full_like(relevance, torch.nan))
