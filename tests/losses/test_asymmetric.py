"""The asymmetric loss against its paper's formula in NumPy."""

import numpy as np
import pytest
import torch
from torch.testing import assert_close

from lossary_losses import AsymmetricLoss, BCELoss, FocalLoss


@pytest.fixture
def logits():
    """Logits (B, C)."""
    return 3 * torch.randn(8, 5, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


@pytest.fixture
def values():
    """Targets of 0 and 1 (B, C)."""
    return torch.randint(0, 2, (8, 5), generator=torch.Generator().manual_seed(1)).double()


def paper(x, t, gamma_positive, gamma_negative, margin):
    """Give -y (1 - p)^g+ log p - (1 - y) p_m^g- log(1 - p_m)."""
    p = 1 / (1 + np.exp(-x))
    shifted = np.maximum(p - margin, 0)
    return -t * (1 - p) ** gamma_positive * np.log(p) - (1 - t) * shifted**gamma_negative * np.log(
        1 - shifted
    )


@pytest.mark.parametrize("gammas", [(0.0, 4.0), (1.0, 4.0), (0.5, 0.5), (0.0, 0.0)], ids=str)
@pytest.mark.parametrize("margin", [0.0, 0.05, 0.5, 0.8])
def test_the_papers_formula(logits, values, gammas, margin):
    """Value by value it is the paper's formula."""
    expected = torch.from_numpy(paper(logits.numpy(), values.numpy(), *gammas, margin))
    loss = AsymmetricLoss(gamma_positive=gammas[0], gamma_negative=gammas[1], margin=margin, reduction="none")
    assert_close(loss(logits, values), expected)


def test_soft_targets_mix_both_outcomes(logits, values):
    """A target of 0.3 is three parts of a positive and seven of a negative."""
    soft = torch.rand(8, 5, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    loss = AsymmetricLoss(gamma_positive=1.0, reduction="none")
    ones, zeros = torch.ones_like(logits), torch.zeros_like(logits)
    assert_close(loss(logits, soft), soft * loss(logits, ones) + (1 - soft) * loss(logits, zeros))


def test_symmetric_it_is_focal(logits, values):
    """Without a margin, and with one gamma for both, it is the focal loss; with gamma zero cross entropy."""
    loss = AsymmetricLoss(gamma_positive=2.0, gamma_negative=2.0, margin=0.0)
    assert_close(loss(logits, values), FocalLoss(gamma=2.0)(logits, values))
    loss = AsymmetricLoss(gamma_positive=0.0, gamma_negative=0.0, margin=0.0)
    assert_close(loss(logits, values), BCELoss()(logits, values))


def test_defaults_are_the_papers():
    """gamma+ is 0, gamma- is 4 and the margin 0.05."""
    x, t = torch.tensor([0.3, 1.2], dtype=torch.float64), torch.tensor([1.0, 0.0], dtype=torch.float64)
    assert_close(
        AsymmetricLoss(reduction="none")(x, t), torch.from_numpy(paper(x.numpy(), t.numpy(), 0, 4, 0.05))
    )


@pytest.mark.parametrize("size", [50.0, 1e4])
def test_a_badly_missed_positive_keeps_its_gradient(size):
    """However wrong, the gradient is that of cross entropy; a clamped probability would have none."""
    logit = torch.tensor([-size], requires_grad=True)
    AsymmetricLoss(gamma_positive=1.0)(logit, torch.ones(1)).backward()
    assert_close(logit.grad, torch.tensor([-1.0]))
    logit = torch.tensor([size], requires_grad=True)
    AsymmetricLoss(margin=0.0)(logit, torch.zeros(1)).backward()
    assert_close(logit.grad, torch.tensor([1.0]))


def test_negatives_below_the_margin_cost_nothing():
    """A negative that is given less than the margin has a loss and a gradient of exactly zero."""
    logit = torch.tensor([-4.0, -50.0], requires_grad=True)
    loss = AsymmetricLoss(margin=0.05)(logit, torch.zeros(2))
    loss.backward()
    assert loss == 0
    assert (logit.grad == 0).all()


@pytest.mark.parametrize("margin", [1e-6, 0.05, 0.3])
def test_float32_keeps_its_digits(margin):
    """In float32 the loss agrees with float64 over the whole range, also for a tiny margin."""
    x = torch.linspace(-20, 20, 401, dtype=torch.float64)
    loss = AsymmetricLoss(gamma_negative=0.0, margin=margin, reduction="none")
    expected = loss(x, torch.zeros_like(x))
    assert_close(loss(x.float(), torch.zeros(401)).double(), expected, rtol=1e-4, atol=1e-7)
    assert_close(expected, torch.from_numpy(paper(x.numpy(), 0.0, 0, 0, margin)), rtol=1e-6, atol=1e-12)


def test_a_wrong_option():
    """A margin of one would leave no negative: it raises ValueError."""
    with pytest.raises(ValueError, match="margin must be a finite number >= 0 and < 1, got 1"):
        AsymmetricLoss(margin=1)
