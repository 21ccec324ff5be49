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


@pytest.fixture
def both(gradient):
    """Give value and gradient of a loss as it is compiled, without a break, and those of a function."""

    def compute(loss, function, input, target):
        compiled = torch.compile(loss, fullgraph=True, backend="aot_eager")
        return gradient(compiled, input, target), gradient(function, input, target)

    torch.compiler.reset()
    return compute


@pytest.fixture
def gradient():
    """Give value and gradient of a loss."""

    def compute(loss, input, target):
        input = input.clone().requires_grad_()
        value = loss(input, target)
        return value.detach(), *torch.autograd.grad(value, input)

    return compute


@pytest.fixture(params=[1.0, 50.0, 1e4], ids="logits about {}".format)
def logits(request):
    """Logits of three classes, of any size."""
    return torch.randn(2, 3, 3, generator=torch.Generator().manual_seed(0)) * request.param


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
@pytest.mark.parametrize("weight", [None, [0.5, 0.0, 2.0]], ids=["plain", "weighted"])
@pytest.mark.parametrize(
    "target", [LABELS, functional.one_hot(LABELS, 3).movedim(-1, 1) * 0.7 + 0.1], ids=str
)
def test_cross_entropy(both, logits, target, weight, smoothing):
    """Cross entropy is torch's, of class indices and of probabilities, with weights and smoothing."""
    theirs = None if weight is None else torch.tensor(weight)
    ours, expected = both(
        CrossEntropyLoss(weight=weight, label_smoothing=smoothing),
        partial(functional.cross_entropy, weight=theirs, label_smoothing=smoothing),
        logits,
        target,
    )
    assert_close(ours, expected)


def test_masked_logits(both, logits):
    """A logit of minus infinity where it is not the truth is a class that is not there."""
    masked = logits.scatter(1, (LABELS.unsqueeze(1) + 1) % 3, -torch.inf)
    ours, expected = both(CrossEntropyLoss(), functional.cross_entropy, masked, LABELS)
    assert_close(ours, expected)


def test_probabilities(both, logits):
    """The probabilities of a Dice loss are those of torch's softmax, and so is their slope."""

    def dice(input, target):
        predicted, true = input.softmax(1), functional.one_hot(target, 3).movedim(-1, 1)
        score = (2 * (predicted * true).sum(2) + 1) / (predicted.sum(2) + true.sum(2) + 1)
        return 1 - score.mean()

    ours, expected = both(DiceLoss(), dice, logits, LABELS)
    assert_close(ours, expected)


@pytest.mark.parametrize("pos_weight", [None, 3.0])
@pytest.mark.parametrize("scale", [0.0, 1.0, 50.0, 1e4])
def test_binary_cross_entropy(both, scale, pos_weight):
    """Binary cross entropy is torch's, at a logit of zero too, where both sides meet."""
    theirs = None if pos_weight is None else torch.tensor(pos_weight)
    ours, expected = both(
        BCELoss(pos_weight=pos_weight),
        partial(functional.binary_cross_entropy_with_logits, pos_weight=theirs),
        OUTCOMES * scale,
        TRUTH,
    )
    assert_close(ours, expected)


@pytest.mark.parametrize("scale", [0.0, 1.0, 50.0, 1e4])
def test_binary_focal(both, scale):
    """Binary focal loss is its formula in float64, whose digits do for every logit here."""

    def focal(input, target):
        input, target = input.double(), target.double()
        positive = (-input).sigmoid() ** 2 * torch.logaddexp(-input, torch.zeros_like(input))
        negative = input.sigmoid() ** 2 * torch.logaddexp(input, torch.zeros_like(input))
        return (target * positive + (1 - target) * negative).mean().float()

    ours, expected = both(FocalLoss(), focal, OUTCOMES * scale, TRUTH)
    assert_close(ours, expected)
