"""Sources without an order: against every order that there is."""

import itertools
import math

import pytest
import torch
from torch.testing import assert_close

from lossary_losses import L1Loss, MSELoss, PermutationInvariant, SISDRLoss
from lossary_losses._core.assignment import assign
from lossary_losses.errors import InputValueError, OptionTypeError


def signals(sources, samples=3, steps=20, seed=0):
    """Draw sources that a network gives, and those that it should have given."""
    generator = torch.Generator().manual_seed(seed)
    shape = (samples, sources, steps)
    input, target = (torch.randn(shape, generator=generator, dtype=torch.float64) for _ in range(2))
    return input.requires_grad_(), target


def best_of_all(each, input, target, **given):
    """Give the mean loss of each sample in its best order, found by trying all."""
    least = []
    for sample in range(len(input)):
        one = {name: value[sample : sample + 1] for name, value in given.items()}
        orders = itertools.permutations(range(input.shape[1]))
        tried = [
            each(input[sample : sample + 1], target[sample : sample + 1, list(o)], **one) for o in orders
        ]
        least.append(torch.stack([value.mean() for value in tried]).min())
    return torch.stack(least).mean()


@pytest.mark.parametrize("sources", range(1, 7))
@pytest.mark.parametrize("loss", [SISDRLoss, MSELoss, L1Loss])
def test_it_is_the_least_of_all_orders(loss, sources):
    """Up to three sources, where orders are tried, and beyond, where they are assigned."""
    input, target = signals(sources)
    assert_close(PermutationInvariant(loss())(input, target), best_of_all(loss(), input, target))


@pytest.mark.parametrize("sources", [2, 5])
def test_the_order_of_either_does_not_matter(sources):
    """Sources and targets in another order have the same loss; the gradient goes along with the sources."""
    input, target = signals(sources)
    loss = PermutationInvariant(SISDRLoss())
    order = torch.randperm(sources, generator=torch.Generator().manual_seed(1))
    value = loss(input, target)
    (slope,) = torch.autograd.grad(value, input)
    assert_close(loss(input, target[:, order]), value)
    moved = input.detach()[:, order].requires_grad_()
    again = loss(moved, target)
    assert_close(again, value)
    assert_close(torch.autograd.grad(again, moved)[0], slope[:, order])


@pytest.mark.parametrize("sources", [3, 4])
def test_masked_steps_have_no_part_in_it(sources):
    """What a mask leaves out may be NaN, and neither changes the order nor the loss."""
    input, target = signals(sources)
    mask = torch.arange(20).expand(3, 20) < torch.tensor([[20], [12], [5]])
    loss = PermutationInvariant(SISDRLoss())
    expected = best_of_all(SISDRLoss(), input, target, mask=mask)
    hidden = ~mask.unsqueeze(1)
    poisoned = input.masked_fill(hidden, math.nan), target.masked_fill(hidden, math.nan)
    assert_close(loss(*poisoned, mask=mask), expected)


@pytest.mark.parametrize("sources", [2, 4])
def test_the_gradient_is_that_of_the_best_order(sources):
    """Which order is best has no gradient."""
    input, target = signals(sources, samples=2, steps=5)
    assert torch.autograd.gradcheck(PermutationInvariant(MSELoss()), (input, target.requires_grad_()))


@pytest.mark.parametrize("sources", [2, 5])
def test_of_equal_orders_always_the_same_is_taken(sources):
    """Where all sources are the same, orders cost the same, and twice the same call gives the same."""
    input, target = torch.zeros(2, sources, 3, requires_grad=True), torch.randn(2, sources, 3)
    loss = PermutationInvariant(MSELoss())
    first, second = (torch.autograd.grad(loss(input, target), input)[0] for _ in range(2))
    assert torch.equal(first, second)


def test_fractions_and_counts_are_those_of_the_loss():
    """Parts of a batch add up, and the denominator needs no input."""
    input, target = signals(4)
    loss = PermutationInvariant(SISDRLoss())
    (whole,) = loss.fraction(input, target).values()
    parts = [loss.fraction(input[part], target[part])[""] for part in (slice(0, 1), slice(1, 3))]
    assert_close(sum(each.numerator for each in parts), whole.numerator)
    assert_close(loss.counts(target, like=input)[""], whole.denominator)
    assert_close(whole.numerator / whole.denominator, loss(input, target))


@pytest.mark.parametrize("shape", [(0, 3, 4), (2, 0, 4)])
def test_nothing_to_order_is_zero(shape):
    """Without a sample, or a source, the loss is zero and connected."""
    input = torch.zeros(shape, requires_grad=True)
    value = PermutationInvariant(MSELoss())(input, torch.zeros(shape))
    value.backward()
    assert value == 0


@pytest.mark.compilers
@pytest.mark.parametrize("sources", [2, 5])
def test_it_compiles_in_one_graph(sources):
    """Trying orders, and assigning, are parts of the graph."""
    torch.compiler.reset()
    input, target = signals(sources)
    loss = PermutationInvariant(SISDRLoss())
    compiled = torch.compile(loss, fullgraph=True, backend="aot_eager")
    assert_close(compiled(input, target), loss(input, target))


def test_wrong_use_is_refused():
    """A loss that tells nothing of sources, and shapes that do not fit, are named."""
    with pytest.raises(OptionTypeError, match=r"must tell what each source costs.*L1Loss"):
        PermutationInvariant(torch.nn.L1Loss())
    with pytest.raises(InputValueError, match=r"target \(1, 3, 4\); accepted for the target: \(1, 2, 4\)"):
        PermutationInvariant(MSELoss())(torch.zeros(1, 2, 4), torch.zeros(1, 3, 4))


def test_more_sources_than_three_are_assigned_like_few():
    """Both ways find the same order, NaN and infinity included."""
    cost = torch.tensor([[[1.0, math.nan, 3.0], [math.inf, 2.0, 0.5], [0.0, 1.0, -math.inf]]])
    few = assign(cost)
    many = assign(cost, torch.ones(1, 3, dtype=torch.bool))
    assert few.tolist() == many.tolist() == [[0, 1, 2]]
