"""The signal-to-noise ratio against its formula, and where other libraries fail."""

import numpy as np
import pytest
import torch
from torch.testing import assert_close

from lossary_losses import SNRLoss


def signals(*shape, seed=0, dtype=torch.float64):
    """Draw a target, and an input that has some of it."""
    generator = torch.Generator().manual_seed(seed)
    target, noise = torch.randn(2, *shape, generator=generator, dtype=torch.float64).unbind()
    return (0.7 * target + 0.3 * noise).to(dtype), target.to(dtype)


def by_hand(input, target, zero_mean=False, max_decibels=None):
    """Compute the ratio in NumPy."""
    x, t = input.numpy(), target.numpy()
    if zero_mean:
        x, t = (each - each.mean(-1, keepdims=True) for each in (x, t))
    right, wrong = (t**2).sum(-1), ((x - t) ** 2).sum(-1)
    if max_decibels is not None:
        wrong = wrong + 10 ** (-max_decibels / 10) * right
    return torch.from_numpy(10 * np.log10(wrong / right))


def gradient(loss, input, target, **given):
    """Give the gradient of the loss."""
    input = input.detach().requires_grad_()
    return torch.autograd.grad(loss(input, target, **given).sum(), input)[0]


@pytest.mark.parametrize("shape", [(3, 50), (2, 3, 20)], ids=str)
@pytest.mark.parametrize("options", [{}, {"zero_mean": True}, {"max_decibels": 20.0}], ids=str)
def test_it_is_the_ratio(shape, options):
    """Each signal has minus the ratio of its target to what differs from it."""
    input, target = signals(*shape)
    assert_close(SNRLoss(reduction="none", **options)(input, target), by_hand(input, target, **options))


@pytest.mark.parametrize("gain", [1e-6, 1e6, -1.0])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)
def test_a_common_gain_does_not_matter(gain, dtype):
    """Both louder, quieter or inverted, the ratio is the same, and the gradient scales."""
    input, target = signals(4, 100, dtype=dtype)
    loss = SNRLoss()
    assert_close(loss(gain * input, gain * target), loss(input, target))
    assert_close(gain * gradient(loss, gain * input, gain * target), gradient(loss, input, target))


def test_gain_and_polarity_matter():
    """A silent input has zero decibels, one of the wrong polarity six, and one that is too loud many."""
    _, target = signals(2, 40)
    loss = SNRLoss()
    assert_close(loss(torch.zeros_like(target), target).item(), 0.0)
    assert_close(loss(-target, target).item(), 20 * np.log10(2))
    assert_close(loss(1e4 * target, target).item(), 20 * np.log10(1e4 - 1))
    assert (gradient(loss, 1e9 * target.float(), target.float()) != 0).all()


@pytest.mark.parametrize(("dtype", "lowest"), [(torch.float32, -138.5), (torch.float64, -313.0)], ids=str)
def test_a_perfect_input(dtype, lowest):
    """At a perfect input the loss ends where rounding begins, or at its bound, with a gradient of zero."""
    _, target = signals(2, 30, dtype=dtype)
    assert_close(SNRLoss()(target, target).item(), lowest, rtol=1e-3, atol=0)
    assert_close(SNRLoss(max_decibels=30)(target, target).item(), -30.0)
    for loss in (SNRLoss(), SNRLoss(max_decibels=30)):
        assert (gradient(loss, target, target) == 0).all()


def test_a_silent_target():
    """It is skipped, or counts as zero: its gradient is zero, and the others are as if it was not there."""
    input, target = signals(3, 40)
    target[1] = 0
    rest = [each[[0, 2]] for each in (input, target)]
    loss = SNRLoss()
    assert_close(loss(input, target), loss(*rest))
    assert_close(SNRLoss(silent="zero")(input, target), loss(*rest) * 2 / 3)
    slope = gradient(loss, input, target)
    assert (slope[1] == 0).all()
    assert_close(slope[[0, 2]], gradient(loss, *rest))


def test_padding_behind_the_mask_changes_nothing():
    """Signals of unequal length, padded with anything and masked, have the loss that they have alone."""
    input, target = signals(2, 2, 30)
    mask = torch.ones(2, 30, dtype=torch.bool)
    mask[1, 20:] = False
    input[1, :, 20:] = torch.nan
    batch = SNRLoss(reduction="none")(input, target, mask=mask)
    alone = SNRLoss(reduction="none")(input[1:, :, :20], target[1:, :, :20])
    assert_close(batch[1:], alone)
