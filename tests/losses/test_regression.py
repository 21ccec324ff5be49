"""Squared errors against torch and by hand."""

import pytest
import torch
from torch.nn import functional
from torch.testing import assert_close

from lossary_losses import MSELoss, WeightedMSELoss


@pytest.fixture
def pair():
    """An input and a target (B, C, L)."""
    generator = torch.Generator().manual_seed(0)
    return tuple(torch.randn(2, 3, 5, generator=generator, dtype=torch.float64) for _ in range(2))


@pytest.mark.parametrize("reduction", ["none", "mean", "sum"])
def test_mse_is_torchs(pair, reduction):
    """Without options the mean squared error is torch's."""
    assert_close(MSELoss(reduction=reduction)(*pair), functional.mse_loss(*pair, reduction=reduction))


def test_broadcasting_by_accident_is_refused():
    """(N, 1) against (N,) raises ValueError instead of giving an N x N mean."""
    with pytest.raises(ValueError, match=r"input \(4, 1\), target \(4,\); accepted for the target: \(4, 1\)"):
        MSELoss()(torch.zeros(4, 1), torch.zeros(4))


def test_no_data_value():
    """A fractional or negative ignore_index marks elements without data."""
    input, target = torch.tensor([1.0, 2.0, 3.0]), torch.tensor([0.0, -9999.0, 3.0])
    assert_close(MSELoss(ignore_index=-9999)(input, target), torch.tensor(0.5))
    assert_close(MSELoss(ignore_index=-0.5)(input, target.where(target != -9999, -0.5)), torch.tensor(0.5))


def test_one_weight_scales_the_loss(pair):
    """Twice the weight is twice the loss."""
    assert_close(WeightedMSELoss(weight=2.0)(*pair), 2 * functional.mse_loss(*pair))


def test_default_weight_changes_nothing(pair):
    """Without a weight it is the mean squared error."""
    assert_close(WeightedMSELoss()(*pair), functional.mse_loss(*pair))


@pytest.mark.parametrize("weight", [[1.0, 2.0, 0.0], (1, 2, 0), torch.tensor([1.0, 2.0, 0.0])], ids=repr)
def test_one_weight_per_channel(pair, weight):
    """Each channel is scaled by its own weight, and the mean is over all elements."""
    input, target = pair
    each = (input - target) ** 2
    assert_close(WeightedMSELoss(weight=weight)(input, target), (each[:, 0] + 2 * each[:, 1]).sum() / 30)


def test_a_weight_per_element_divides_the_mean(pair):
    """A weight given to forward says how much each element counts."""
    weight = torch.rand(2, 3, 5, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    expected = (weight * (pair[0] - pair[1]) ** 2).sum() / weight.sum()
    assert_close(MSELoss()(*pair, weight=weight), expected)


def test_targets_of_integers():
    """Counts as targets are values like others."""
    assert_close(MSELoss()(torch.tensor([1.5]), torch.tensor([1])), torch.tensor(0.25))
