"""NaN in, NaN out: a network that has lost its weights is seen in the loss."""

import pytest
import torch

from lossary_losses import (
    FocalTverskyLoss,
    MCCLoss,
    MSELoss,
    UnifiedFocalLoss,
    value_checks,
)
from lossary_losses._core import streaming


@pytest.fixture(params=[30, 10_000], ids=["in parts", "as a whole"])
def parts(request, monkeypatch):
    """Compute inputs of 120 elements in parts, and as a whole."""
    monkeypatch.setattr(streaming, "_PART", {"cpu": request.param})


def test_nan_is_seen(case, parts):
    """NaN in one element of the input that counts makes the loss NaN."""
    input, target = case.data()
    input.data[0, 1, 1, 2] = float("nan")
    with value_checks(enabled=False):  # which refuse NaN where probabilities are given
        assert case.loss()(input, target).isnan()


@pytest.mark.parametrize(
    "loss", [MCCLoss(), MCCLoss(smooth=0.0), FocalTverskyLoss(), UnifiedFocalLoss()], ids=str
)
def test_nan_in_one_region_is_seen(loss, parts):
    """NaN in one region is seen in the mean over all of them."""
    input = torch.randn(2, 4, 8, 8, generator=torch.Generator().manual_seed(0))
    target = (input > 0).float()
    assert loss(input, target).isfinite()
    input[0, 1, 2, 3] = float("nan")
    assert loss(input, target).isnan()


def test_nan_weights_are_seen():
    """A mean over a weight of NaN is NaN, not zero."""
    weight = torch.full((2,), float("nan"))
    assert MSELoss()(torch.zeros(2, 1), torch.ones(2, 1), weight=weight).isnan()
