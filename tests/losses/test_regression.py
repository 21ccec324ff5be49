"""Losses of differences against torch, by hand, and against their papers' formulas in NumPy."""

from functools import partial

import numpy as np
import pytest
import torch
from torch.nn import functional
from torch.testing import assert_close

from lossary_losses import (
    CharbonnierLoss,
    HuberLoss,
    L1Loss,
    LogCoshLoss,
    MSELoss,
    SmoothL1Loss,
    WeightedMSELoss,
    WingLoss,
)


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


@pytest.mark.parametrize("reduction", ["none", "mean", "sum"])
@pytest.mark.parametrize(
    ("loss", "reference"),
    [
        (L1Loss, functional.l1_loss),
        (partial(SmoothL1Loss, beta=0.5), partial(functional.smooth_l1_loss, beta=0.5)),
        (partial(SmoothL1Loss, beta=0.0), partial(functional.smooth_l1_loss, beta=0.0)),
        (partial(HuberLoss, delta=0.5), partial(functional.huber_loss, delta=0.5)),
    ],
)
def test_absolute_errors_are_torchs(pair, loss, reference, reduction):
    """L1, smooth L1 and Huber are torch's, in value and gradient."""
    input, target = pair[0].requires_grad_(), pair[1]
    result, expected = loss(reduction=reduction)(input, target), reference(input, target, reduction=reduction)
    assert_close(result, expected)
    (gradient,) = torch.autograd.grad(result.sum(), input)
    assert_close(gradient, torch.autograd.grad(expected.sum(), input)[0])


@pytest.mark.parametrize(
    ("loss", "formula"),
    [
        (LogCoshLoss(reduction="none"), lambda r: np.log(np.cosh(r))),
        (CharbonnierLoss(epsilon=0.1, reduction="none"), lambda r: np.sqrt(r**2 + 0.1**2)),
        (
            WingLoss(width=1.5, epsilon=0.5, reduction="none"),
            lambda r: np.where(
                np.abs(r) < 1.5, 1.5 * np.log(1 + np.abs(r) / 0.5), np.abs(r) - 1.5 + 1.5 * np.log(4)
            ),
        ),
    ],
    ids=lambda each: repr(each) if isinstance(each, torch.nn.Module) else "its paper",
)
def test_rounded_errors_are_their_papers(loss, formula):
    """The formula of the paper, on both sides of every border."""
    difference = np.linspace(-5, 5, 101)
    expected = torch.from_numpy(formula(difference))
    assert_close(loss(torch.from_numpy(difference), torch.zeros(101)), expected)


def test_huber_is_smooth_l1_up_to_scale(pair):
    """Huber with delta is delta times smooth L1 with beta = delta."""
    assert_close(HuberLoss(delta=0.7)(*pair), 0.7 * SmoothL1Loss(beta=0.7)(*pair))


def test_log_cosh_far_and_near():
    """No overflow at a thousand, no cancellation at a thousandth, and the slope is tanh at both."""
    far, near = torch.tensor([1000.0], requires_grad=True), torch.tensor([1e-3], requires_grad=True)
    for input, expected in ((far, 1000 - np.log(2)), (near, 5e-7)):
        loss = LogCoshLoss()(input, torch.zeros(1))
        loss.backward()
        assert_close(loss.item(), float(expected), rtol=1e-5, atol=0)
        assert_close(input.grad, input.detach().tanh())


def test_charbonnier_far_and_near():
    """Neither 1e30 squared overflows, nor 1e-30 squared vanishes in the slope."""
    input = torch.tensor([1e30, 1e-30], requires_grad=True)
    loss = CharbonnierLoss(epsilon=1e-30, reduction="sum")(input, torch.zeros(2))
    loss.backward()
    assert loss.isfinite()
    assert_close(input.grad, torch.tensor([1.0, 0.5**0.5]))
