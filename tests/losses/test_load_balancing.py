"""Load balancing against the paper's formula in NumPy, and over processes."""

import numpy as np
import pytest
import torch
from torch.testing import assert_close

from lossary_losses import CrossEntropyLoss, InputValueError, LoadBalancingLoss
from lossary_losses.testing.rules.distribution import _on_two_ranks

TOKENS, EXPERTS = 9, 4


@pytest.fixture
def routed():
    """Logits of a router, and two experts for each token."""
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(TOKENS, EXPERTS, generator=generator, dtype=torch.float64)
    routes = torch.zeros(TOKENS, EXPERTS).scatter_(1, logits.topk(2, dim=1).indices, 1)
    return logits.requires_grad_(), routes


def formula(logits, routes):
    """Write equations 4 to 6 of the paper down, with shares of all slots."""
    exponentials = np.exp(logits)
    probability = (exponentials / exponentials.sum(1, keepdims=True)).mean(0)
    return routes.shape[1] * (routes.sum(0) / routes.sum() * probability).sum()


def test_it_is_the_formula(routed):
    """It is the number of experts times the sum of shares of load times mean probabilities."""
    logits, routes = routed
    value = LoadBalancingLoss()(logits, routes)
    assert_close(value.item(), formula(logits.detach().numpy(), routes.numpy()))
    assert_close(LoadBalancingLoss(reduction="none")(logits, routes).mean(), value)
    assert_close(LoadBalancingLoss()(logits, routes.bool()), value)


def test_it_is_transformers_over_the_number_of_choices(routed):
    """In transformers' form the shares of each choice are added, so that it is k times as large."""
    logits, routes = routed
    chosen = torch.nn.functional.one_hot(logits.topk(2, dim=1).indices, EXPERTS).double()
    theirs = EXPERTS * (chosen.mean(0) * logits.softmax(1).mean(0)).sum()
    assert_close(LoadBalancingLoss()(logits, routes), theirs / 2)


def test_uniform_is_one(routed):
    """Where probabilities are uniform, or the load is, it is one, however many experts are chosen."""
    logits, routes = routed
    assert_close(LoadBalancingLoss()(torch.zeros_like(logits), routes).item(), 1.0)
    assert_close(LoadBalancingLoss()(logits, torch.ones_like(routes)).item(), 1.0)


def test_weights_and_masks_are_of_tokens(routed):
    """What is masked counts in neither factor, and may be NaN; a weight of two is two tokens."""
    logits, routes = routed
    kept = torch.arange(TOKENS) % 3 != 0
    spoiled = logits.detach().masked_fill(~kept.unsqueeze(1), torch.nan)
    wrong = routes.masked_fill(~kept.unsqueeze(1), torch.nan)
    expected = LoadBalancingLoss()(logits[kept], routes[kept])
    assert_close(LoadBalancingLoss()(spoiled, wrong, mask=kept), expected)
    twice = torch.cat([logits, logits[:1]]), torch.cat([routes, routes[:1]])
    weight = torch.ones(TOKENS).index_fill(0, torch.tensor(0), 2.0)
    assert_close(LoadBalancingLoss()(logits, routes, weight=weight), LoadBalancingLoss()(*twice))


@pytest.mark.parametrize("cut", [0, 2])
def test_loads_of_processes_are_pooled(routed, cut):
    """Over ranks of unequal tokens, one without any, value and gradient are those of the whole batch."""
    logits, routes = routed
    parts = (slice(0, cut), slice(cut, None))
    weight = torch.linspace(0.5, 2.0, TOKENS, dtype=torch.float64)

    def on_rank(rank, group):
        own = logits.detach()[parts[rank]].requires_grad_()
        loss = LoadBalancingLoss(process_group=group)
        value = loss(own, routes[parts[rank]], weight=weight[parts[rank]])
        return value.detach(), torch.autograd.grad(value, own)[0]

    (first, first_slope), (second, second_slope) = _on_two_ranks(on_rank)
    value = LoadBalancingLoss()(logits, routes, weight=weight)
    assert_close((first + second) / 2, value)
    assert_close(torch.cat([first_slope, second_slope]) / 2, torch.autograd.grad(value, logits)[0])


def test_beside_another_loss_the_ratio_stays(routed):
    """Cross entropy of other tokens and this loss, over two ranks, keep the ratio of one process."""
    logits, routes = routed
    labels = torch.arange(TOKENS) % EXPERTS
    parts = (slice(0, 3), slice(3, None))

    def on_rank(rank, group):
        own = logits.detach()[parts[rank]].requires_grad_()
        value = CrossEntropyLoss(process_group=group, ignore_index=0)(own, labels[parts[rank]])
        value = value + 0.01 * LoadBalancingLoss(process_group=group)(own, routes[parts[rank]])
        return value.detach(), torch.autograd.grad(value, own)[0]

    slopes = [slope for _, slope in _on_two_ranks(on_rank)]
    value = CrossEntropyLoss(ignore_index=0)(logits, labels) + 0.01 * LoadBalancingLoss()(logits, routes)
    assert_close(torch.cat(slopes) / 2, torch.autograd.grad(value, logits)[0])


def test_nothing_is_sent(routed):
    """Tokens that were all dropped cost nothing, and so does no token at all."""
    logits, routes = routed
    for given in ((logits, torch.zeros_like(routes)), (logits[:0], routes[:0])):
        value = LoadBalancingLoss()(*given)
        assert value.item() == 0
        assert (torch.autograd.grad(value, logits, allow_unused=True)[0] == 0).all()


def test_indices_of_experts_are_refused(routed):
    """What is no map of zeros and ones raises, with both shapes or the values."""
    logits, routes = routed
    with pytest.raises(InputValueError, match=r"input \(9, 4\), target \(9, 2\)"):
        LoadBalancingLoss()(logits, logits.topk(2, dim=1).indices)
    with pytest.raises(InputValueError, match="target must hold 0 and 1"):
        LoadBalancingLoss()(logits, routes / 2)
