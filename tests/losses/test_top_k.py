"""Cross entropy of the hardest positions, against sorting in NumPy."""

import math

import numpy as np
import pytest
import torch
from torch.nn import functional
from torch.testing import assert_close

from lossary_losses import CrossEntropyLoss, TopKCrossEntropyLoss
from lossary_losses._core import streaming
from lossary_losses.classification.top_k_cross_entropy import hardest


@pytest.fixture
def logits():
    """Logits (B, C, H, W)."""
    generator = torch.Generator().manual_seed(0)
    return torch.randn(2, 4, 5, 7, generator=generator, dtype=torch.float64, requires_grad=True)


@pytest.fixture
def labels():
    """Class indices (B, H, W), some of them 255."""
    drawn = torch.randint(0, 4, (2, 5, 7), generator=torch.Generator().manual_seed(1))
    drawn[0, :2] = 255
    return drawn


def costs_that_count(logits, labels):
    """Give the cross entropy of each position that counts, by hand."""
    x = logits.detach().numpy().transpose(0, 2, 3, 1).reshape(-1, 4)
    y = labels.numpy().reshape(-1)
    x, y = x[y != 255], y[y != 255]
    return np.log(np.exp(x).sum(1)) - x[np.arange(len(y)), y]


@pytest.mark.parametrize("share", [0.001, 0.1, 0.37, 0.5, 1.0])
def test_the_mean_is_that_of_the_hardest(logits, labels, share):
    """Of N positions that count, the ceil(share * N) that cost most are averaged."""
    costs = np.sort(costs_that_count(logits, labels))[::-1]
    wanted = max(1, math.ceil(round(share * len(costs), 9)))
    loss = TopKCrossEntropyLoss(hardest=share, ignore_index=255)
    assert_close(loss(logits, labels), torch.tensor(costs[:wanted].mean(), dtype=torch.float64))
    total = TopKCrossEntropyLoss(hardest=share, ignore_index=255, reduction="sum")(logits, labels)
    assert_close(total, torch.tensor(costs[:wanted].sum(), dtype=torch.float64))


@pytest.mark.parametrize(
    ("positions", "share", "wanted"), [(70, 0.1, 7), (30, 0.1, 3), (3, 0.1, 1), (1, 1e-9, 1), (10, 0.25, 3)]
)
def test_the_number_is_rounded_up_and_no_further(positions, share, wanted):
    """A tenth of seventy is seven, although 0.1 * 70 is more than that in binary."""
    input = torch.randn(positions, 3, generator=torch.Generator().manual_seed(2))
    loss = TopKCrossEntropyLoss(hardest=share, reduction="none")
    result = loss(input, torch.zeros(positions, dtype=torch.int64))
    assert int((result > 0).sum()) == wanted


def test_without_reduction_the_others_are_zero(logits, labels):
    """Each of the hardest positions gives its loss at its place, all others zero."""
    each = CrossEntropyLoss(ignore_index=255, reduction="none")(logits, labels)
    result = TopKCrossEntropyLoss(hardest=0.2, ignore_index=255, reduction="none")(logits, labels)
    chosen = result > 0
    assert_close(result[chosen], each[chosen])
    assert each[chosen].min() >= each[~chosen].max()


def test_only_the_hardest_have_a_gradient(logits, labels):
    """What is not among the hardest has a gradient of exactly zero."""
    loss = TopKCrossEntropyLoss(hardest=0.2, ignore_index=255)
    (gradient,) = torch.autograd.grad(loss(logits, labels), logits)
    chosen = TopKCrossEntropyLoss(hardest=0.2, ignore_index=255, reduction="none")(logits, labels) > 0
    assert ((gradient != 0).any(dim=1) == chosen).all()


@pytest.mark.parametrize("reduction", ["none", "mean", "sum"])
@pytest.mark.parametrize("options", [{}, {"weight": [0.5, 1.0, 2.0, 0.0], "label_smoothing": 0.1}], ids=str)
def test_all_of_them_is_cross_entropy(logits, labels, reduction, options):
    """hardest=1 is cross entropy, with all its options."""
    options = {**options, "ignore_index": 255, "reduction": reduction}
    assert_close(
        TopKCrossEntropyLoss(hardest=1, **options)(logits, labels),
        CrossEntropyLoss(**options)(logits, labels),
    )


def test_class_weights_decide_who_is_hardest(logits, labels):
    """The weighted loss is what is sorted, and the mean divides by the weights that are in it."""
    weight = torch.tensor([0.1, 1.0, 3.0, 0.5], dtype=torch.float64)
    kept = labels != 255
    each = functional.cross_entropy(logits, labels, weight=weight, ignore_index=255, reduction="none")[kept]
    divisors = weight[labels[kept]]
    loss = TopKCrossEntropyLoss(hardest=0.2, weight=weight, ignore_index=255)
    assert int(kept.sum()) == 56
    assert math.ceil(0.2 * 56) == 12
    order = each.argsort(descending=True)[:12]
    assert_close(loss(logits, labels), each[order].sum() / divisors[order].sum())


def test_each_sample_for_itself(logits, labels):
    """With batch=False the hardest are sought in each sample, whatever the other has."""
    loss = TopKCrossEntropyLoss(hardest=0.3, batch=False, ignore_index=255, reduction="none")
    alone = TopKCrossEntropyLoss(hardest=0.3, ignore_index=255, reduction="none")
    expected = torch.cat([alone(logits[i : i + 1], labels[i : i + 1]) for i in (0, 1)])
    assert_close(loss(logits, labels), expected)


def test_of_equals_the_earlier_come_first():
    """Where all cost the same, the first positions are taken."""
    loss = TopKCrossEntropyLoss(hardest=0.5, reduction="none")
    result = loss(torch.zeros(1, 2, 4), torch.zeros(1, 4, dtype=torch.int64))
    assert (result > 0).tolist() == [[True, True, False, False]]


def test_a_weight_scales_nothing(logits, labels):
    """Weights say how often a position is there: a common factor changes nothing in the mean."""
    weight = torch.randint(1, 4, (2, 5, 7), generator=torch.Generator().manual_seed(3)).double()
    loss = TopKCrossEntropyLoss(hardest=0.3, ignore_index=255)
    assert_close(loss(logits, labels, weight=0.01 * weight), loss(logits, labels, weight=weight))


def test_infinite_costs_do_not_poison_the_rest():
    """More positions of infinite cost than are wanted leave the others at zero, not at NaN."""
    input = torch.tensor([[0.0, 0.0], [-torch.inf, 0.0], [-torch.inf, 0.0]])
    result = TopKCrossEntropyLoss(hardest=0.3, reduction="none")(input, torch.zeros(3, dtype=torch.int64))
    assert result.tolist() == [0.0, torch.inf, 0.0]


@pytest.mark.parametrize("batch", [True, False], ids=["batch", "sample"])
@pytest.mark.parametrize("given", ["nothing", "mask", "weight"])
def test_large_inputs_are_computed_part_by_part(monkeypatch, logits, labels, batch, given):
    """Where the hardest are found first, and their gradient is made in parts, the numbers are the same."""
    options = {"hardest": 0.3, "batch": batch, "ignore_index": 255, "weight": [0.5, 1.0, 2.0, 0.0]}
    kept = torch.rand(2, 5, 7, generator=torch.Generator().manual_seed(4))
    others = {"nothing": {}, "mask": {"mask": kept < 0.7}, "weight": {"weight": kept}}[given]
    loss = TopKCrossEntropyLoss(**options)
    expected = loss(logits, labels, **others)
    (slope,) = torch.autograd.grad(expected, logits)
    monkeypatch.setattr(streaming, "_PART", {"cpu": 12})
    value = loss(logits, labels, **others)
    assert_close(value, expected)
    assert_close(torch.autograd.grad(value, logits)[0], slope)


@pytest.mark.parametrize("part", [1, 10**9], ids=["parts", "whole"])
def test_one_infinite_cost_too_many_is_left_out(monkeypatch, part):
    """Of infinite costs only those that are wanted count: the others have no gradient, and none of NaN."""
    monkeypatch.setattr(streaming, "_PART", {"cpu": part})
    input = torch.tensor([[0.0, 0.0], [-torch.inf, 0.0], [-torch.inf, 0.0]], requires_grad=True)
    value = TopKCrossEntropyLoss(hardest=0.3)(input, torch.zeros(3, dtype=torch.int64))
    value.backward()
    assert value == torch.inf
    assert input.grad.tolist() == [[0.0, 0.0], [-1.0, 1.0], [0.0, 0.0]]


def test_counting_does_not_stop_at_what_float32_can_count():
    """Of positions that are there 2 ** 24 times and once, the number is exact."""
    costs, shares = torch.tensor([3.0, 2.0, 1.0]), torch.tensor([2.0**24, 1.0, 2.0**24 - 1])
    counted = hardest(costs, shares, 0.5 + 2**-25, whole=False)
    assert counted.tolist() == [2**24, 1, 0]


@pytest.mark.compilers
@pytest.mark.parametrize("given", ["mask", "weight"])
def test_it_compiles_with_a_mask(logits, labels, given):
    """How many are wanted depends on the mask, which no graph is broken for."""
    torch._dynamo.reset()
    kept = torch.rand(2, 5, 7, generator=torch.Generator().manual_seed(4)) < 0.5
    others = {given: kept if given == "mask" else kept.double()}
    loss = TopKCrossEntropyLoss(hardest=0.3, ignore_index=255)
    compiled = torch.compile(loss, fullgraph=True, backend="aot_eager")
    assert_close(compiled(logits, labels, **others), loss(logits, labels, **others))


def test_descent_reaches_every_position():
    """Mining moves on to what has become hardest, until all positions are right."""
    labels = torch.arange(60) % 3
    logits = torch.zeros(60, 3, requires_grad=True)
    optimizer = torch.optim.Adam([logits], lr=0.5)
    for _ in range(200):
        optimizer.zero_grad()
        TopKCrossEntropyLoss(hardest=0.2)(logits, labels).backward()
        optimizer.step()
    assert (logits.argmax(dim=1) == labels).all()
