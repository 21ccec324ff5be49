"""Where a compiler fuses it, a formula has another form: its numbers are torch's, at the extremes too."""

from functools import partial

import pytest
import torch
from torch.nn import functional
from torch.testing import assert_close

from lossary_losses import BCELoss, CrossEntropyLoss, DiceLoss, FocalLoss

pytestmark = pytest.mark.compilers

LABELS = torch.tensor([[0, 1, 2], [2, 1, 0]])
OUTCOMES = torch.tensor([1.0, -2.0, 3.0, 0.5])
TRUTH = torch.tensor([0.0, 1.0, 0.25, 1.0])


SIZES = (0.0, 1.0, 50.0, 1e4)
"""How large logits are; one graph serves for all."""


def value_and_slope(loss, input, target):
    """Give value and gradient of a loss."""
    input = input.clone().requires_grad_()
    value = loss(input, target)
    return value.detach(), *torch.autograd.grad(value, input)


def assert_same(loss, function, inputs, target):
    """Compare value and gradient of a loss as it is compiled, without a break, with those of a function."""
    torch.compiler.reset()
    compiled = torch.compile(loss, fullgraph=True, backend="aot_eager")
    for input in inputs:
        assert_close(value_and_slope(compiled, input, target), value_and_slope(function, input, target))


@pytest.fixture
def logits():
    """Logits of three classes, of any size."""
    drawn = torch.randn(2, 3, 3, generator=torch.Generator().manual_seed(0))
    return [drawn * size for size in SIZES[1:]]


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
@pytest.mark.parametrize("weight", [None, [0.5, 0.0, 2.0]], ids=["plain", "weighted"])
@pytest.mark.parametrize(
    "target", [LABELS, functional.one_hot(LABELS, 3).movedim(-1, 1) * 0.7 + 0.1], ids=str
)
def test_cross_entropy(logits, target, weight, smoothing):
    """Cross entropy is torch's, of class indices and of probabilities, with weights and smoothing."""
    theirs = None if weight is None else torch.tensor(weight)
    assert_same(
        CrossEntropyLoss(weight=weight, label_smoothing=smoothing),
        partial(functional.cross_entropy, weight=theirs, label_smoothing=smoothing),
        logits,
        target,
    )


def test_masked_logits(logits):
    """A logit of minus infinity where it is not the truth is a class that is not there."""
    masked = [each.scatter(1, (LABELS.unsqueeze(1) + 1) % 3, -torch.inf) for each in logits]
    assert_same(CrossEntropyLoss(), functional.cross_entropy, masked, LABELS)


def test_probabilities(logits):
    """The probabilities of a Dice loss are those of torch's softmax, and so is their slope."""

    def dice(input, target):
        predicted, true = input.softmax(1), functional.one_hot(target, 3).movedim(-1, 1)
        score = (2 * (predicted * true).sum(2) + 1) / (predicted.sum(2) + true.sum(2) + 1)
        return 1 - score.mean()

    assert_same(DiceLoss(), dice, logits, LABELS)


@pytest.mark.parametrize("pos_weight", [None, 3.0])
def test_binary_cross_entropy(pos_weight):
    """Binary cross entropy is torch's, at a logit of zero too, where both sides meet."""
    theirs = None if pos_weight is None else torch.tensor(pos_weight)
    assert_same(
        BCELoss(pos_weight=pos_weight),
        partial(functional.binary_cross_entropy_with_logits, pos_weight=theirs),
        [OUTCOMES * size for size in SIZES],
        TRUTH,
    )


def test_binary_focal():
    """Binary focal loss is its formula in float64, whose digits do for every logit here."""

    def focal(input, target):
        input, target = input.double(), target.double()
        positive = (-input).sigmoid() ** 2 * torch.logaddexp(-input, torch.zeros_like(input))
        negative = input.sigmoid() ** 2 * torch.logaddexp(input, torch.zeros_like(input))
        return (target * positive + (1 - target) * negative).mean().float()

    assert_same(FocalLoss(), focal, [OUTCOMES * size for size in SIZES], TRUTH)
