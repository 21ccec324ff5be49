"""The scale-invariant signal-to-distortion ratio against the paper, and where other libraries fail."""

import numpy as np
import pytest
import torch
from torch.testing import assert_close

from lossary_losses import SISDRLoss


def signals(*shape, seed=0, dtype=torch.float64):
    """Draw a target, and an input that has some of it."""
    generator = torch.Generator().manual_seed(seed)
    target, noise = torch.randn(2, *shape, generator=generator, dtype=torch.float64).unbind()
    return (0.7 * target + 0.3 * noise).to(dtype), target.to(dtype)


def by_hand(input, target, zero_mean=False, max_decibels=None):
    """Compute the paper's ratio in NumPy, and what the second paper adds."""
    x, t = input.numpy(), target.numpy()
    if zero_mean:
        x, t = (each - each.mean(-1, keepdims=True) for each in (x, t))
    scaled = (x * t).sum(-1, keepdims=True) / (t * t).sum(-1, keepdims=True) * t
    right, wrong = (scaled**2).sum(-1), ((x - scaled) ** 2).sum(-1)
    if max_decibels is not None:
        wrong = wrong + 10 ** (-max_decibels / 10) * right
    return torch.from_numpy(10 * np.log10(wrong / right))


def gradient(loss, input, target, **given):
    """Give the gradient of the loss."""
    input = input.detach().requires_grad_()
    return torch.autograd.grad(loss(input, target, **given).sum(), input)[0]


@pytest.mark.parametrize("shape", [(3, 50), (2, 3, 20), (2, 2, 2, 9), (1, 2)], ids=str)
@pytest.mark.parametrize("options", [{}, {"zero_mean": True}, {"max_decibels": 20.0}], ids=str)
def test_it_is_the_papers(shape, options):
    """Each signal has minus the ratio of the paper."""
    input, target = signals(*shape)
    if options.get("zero_mean") and shape[-1] == 2:
        return  # two steps without their mean are parallel: a perfect input
    loss = SISDRLoss(reduction="none", **options)
    assert_close(loss(input, target), by_hand(input, target, **options))


@pytest.mark.parametrize("gain", [1e-6, 1e-3, 1e6, -2.0])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)
def test_gain_and_polarity_do_not_matter(gain, dtype):
    """Louder, quieter or inverted, input or target, the ratio is the same, and the gradient scales."""
    input, target = signals(4, 100, dtype=dtype)
    loss = SISDRLoss()
    assert_close(loss(gain * input, target), loss(input, target))
    assert_close(loss(input, gain * target), loss(input, target))
    scaled = gain * gradient(loss, gain * input, target)
    assert_close(scaled, gradient(loss, input, target), rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize(("dtype", "lowest"), [(torch.float32, -138.5), (torch.float64, -313.0)], ids=str)
def test_a_perfect_input(dtype, lowest):
    """At a perfect input the loss ends where rounding begins, with a gradient of zero but for rounding."""
    _, target = signals(2, 30, dtype=dtype)
    assert_close(SISDRLoss()(target, target).item(), lowest, rtol=1e-3, atol=0)
    assert gradient(SISDRLoss(), target, target).abs().max() < 10 * torch.finfo(dtype).eps


def test_the_bound():
    """With max_decibels the loss never is below minus that, and reaches it at a perfect input."""
    _, target = signals(2, 30)
    loss = SISDRLoss(max_decibels=30)
    assert_close(loss(target, target).item(), -30.0)
    assert gradient(loss, target, target).abs().max() < 1e-14
    assert -30 < loss(target + 1e-4 * target.roll(1), target) < -29.9


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)
@pytest.mark.parametrize("level", [20, 60, 100])
def test_nearly_perfect_inputs(level, dtype):
    """A ratio of 100 dB is read as such in float32 too, which a cosine could not tell from a perfect one."""
    _, target = signals(1, 1000)
    noise = signals(1, 1000, seed=5)[1]
    noise = noise - (noise * target).sum() / target.square().sum() * target
    noise = noise / noise.norm() * target.norm() * 10 ** (-level / 20)
    loss = SISDRLoss()((target + noise).to(dtype), target.to(dtype))
    assert_close(loss.double(), torch.tensor(-float(level), dtype=torch.float64), rtol=0, atol=0.01)


def test_a_silent_target_is_skipped():
    """A signal without a target has a gradient of exactly zero, and the others are as if it was not there."""
    input, target = signals(3, 40)
    target[1] = 0
    rest = [each[[0, 2]] for each in (input, target)]
    loss = SISDRLoss()
    assert_close(loss(input, target), loss(*rest))
    slope = gradient(loss, input, target)
    assert (slope[1] == 0).all()
    assert_close(slope[[0, 2]], gradient(loss, *rest))
    assert loss.fraction(input, target).denominator == 2
    assert loss(input, torch.zeros_like(target)) == 0


def test_a_silent_target_may_count_as_zero():
    """With silent="zero" it counts in the mean, at no cost; masked ones still do not."""
    input, target = signals(3, 40)
    target[1] = 0
    loss = SISDRLoss(silent="zero")
    assert_close(loss(input, target), SISDRLoss()(input, target) * 2 / 3)
    mask = torch.ones(3, 40, dtype=torch.bool)
    mask[0] = False
    assert loss.fraction(input, target, mask=mask).denominator == 2


def test_a_silent_input():
    """An input that is silent is as wrong as can be: finite, above any other, with a finite gradient."""
    input, target = signals(2, 40)
    input[0] = 0
    silent, other = SISDRLoss(reduction="none")(input, target)
    assert silent.isfinite()
    assert silent > SISDRLoss()(signals(1, 40, seed=7)[1], target[:1]) > -5
    assert silent > other
    assert gradient(SISDRLoss(), input, target).isfinite().all()


def test_a_constant_target_is_silent_without_its_mean():
    """What rounding leaves of a constant is no signal: with zero_mean it is skipped."""
    input, target = signals(2, 1001, dtype=torch.float32)
    target[0] = 0.1
    loss = SISDRLoss(zero_mean=True)
    assert loss.fraction(input, target).denominator == 1
    assert_close(loss(input, target), loss(input[1:], target[1:]))


def test_a_constant_error():
    """An offset costs with the mean in place, and nothing without it."""
    _, target = signals(1, 200)
    target = target - target.mean(-1, keepdim=True)
    assert SISDRLoss()(target + 100, target) > 30
    assert SISDRLoss(zero_mean=True)(target + 100, target) < -200


def test_padding_behind_the_mask_changes_nothing():
    """Signals of unequal length, padded with anything and masked, have the loss that they have alone."""
    input, target = signals(2, 2, 30)
    mask = torch.ones(2, 30, dtype=torch.bool)
    mask[1, 20:] = False
    input[1, :, 20:] = torch.nan
    for options in ({}, {"zero_mean": True}):
        loss = SISDRLoss(reduction="none", **options)
        batch = loss(input, target, mask=mask)
        assert_close(batch[0], loss(input[:1], target[:1])[0])
        assert_close(batch[1], loss(input[1:, :, :20], target[1:, :, :20])[0])


def test_no_time_at_all():
    """Signals without a step count as none: the loss is zero."""
    assert SISDRLoss()(torch.zeros(2, 0), torch.zeros(2, 0)) == 0
    assert SISDRLoss(zero_mean=True)(torch.zeros(2, 0), torch.zeros(2, 0)) == 0


def test_the_batch_is_its_samples():
    """The loss of a batch is the mean of the losses of its signals, whatever their loudness."""
    input, target = signals(4, 30)
    gains = torch.tensor([1e-3, 1.0, 10.0, 1e3], dtype=torch.float64).unsqueeze(1)
    alone = torch.stack([SISDRLoss()(input[[i]], target[[i]]) for i in range(4)])
    assert_close(SISDRLoss()(gains * input, gains * target), alone.mean())


def test_signals_have_time():
    """An input of one dimension raises ValueError."""
    with pytest.raises(ValueError, match=r"signals have a batch and time, .*input \(5,\), target \(5,\)"):
        SISDRLoss()(torch.zeros(5), torch.zeros(5))
