"""The mean over nothing is zero, whatever it is that weighs nothing."""

import pytest
import torch
from torch import nn
from torch.testing import assert_close

from lossary_losses import CrossEntropyLoss, DiceCELoss, LogitAdjustedLoss, TopKCrossEntropyLoss
from lossary_losses._core import streaming


@pytest.fixture(params=[30, 10_000], ids=["in parts", "as a whole"])
def parts(request, monkeypatch):
    """Compute inputs of 120 elements in parts, and as a whole."""
    monkeypatch.setattr(streaming, "_PART", {"cpu": request.param})


@pytest.mark.parametrize(
    "loss",
    [
        CrossEntropyLoss(weight=[0, 1, 1], label_smoothing=0.1),
        LogitAdjustedLoss(class_counts=[1, 1, 1], weight=[0, 1, 1], label_smoothing=0.1),
        TopKCrossEntropyLoss(hardest=0.5, weight=[0, 1, 1], label_smoothing=0.1),
        DiceCELoss(dice_weight=0.0, weight=[0, 1, 1], label_smoothing=0.1),
    ],
    ids=lambda each: type(each).__name__,
)
def test_a_mean_over_nothing_is_zero(loss, parts):
    """Where every label weighs nothing, what smoothing costs is no mean: zero, with a gradient of zero."""
    input = torch.randn(2, 3, 20, generator=torch.Generator().manual_seed(0), requires_grad=True)
    target = torch.zeros(2, 20, dtype=torch.long)
    value = loss(input, target)
    value.backward()
    assert value == 0
    assert_close(input.grad, torch.zeros_like(input))


def test_smoothing_costs_where_something_weighs():
    """Where one label weighs something, the mean is torch's."""
    input = torch.randn(2, 3, 20, generator=torch.Generator().manual_seed(0))
    target = torch.zeros(2, 20, dtype=torch.long)
    target[0, 3] = 1
    weight = torch.tensor([0.0, 1.0, 1.0])
    expected = nn.functional.cross_entropy(input, target, weight=weight, label_smoothing=0.1)
    assert_close(CrossEntropyLoss(weight=weight, label_smoothing=0.1)(input, target), expected)
