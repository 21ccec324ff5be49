"""Structural similarity at several scales against the paper, and where other libraries fail."""

import numpy as np
import pytest
import torch
from torch.testing import assert_close

from lossary_losses import MSSSIMLoss, SSIMLoss


def images(*shape, seed=0, noise=0.2, dtype=torch.float64):
    """Draw a target in 0 to 1, and an input that differs from it by noise."""
    generator = torch.Generator().manual_seed(seed)
    target = torch.rand(shape, generator=generator, dtype=torch.float64)
    input = target + noise * torch.randn(shape, generator=generator, dtype=torch.float64)
    return input.to(dtype), target.to(dtype)


def factors(x, t, size):
    """Compute luminance, and contrast and structure, of each channel, in uniform windows in two passes."""
    axes = tuple(range(2, x.ndim))
    x, t = (np.lib.stride_tricks.sliding_window_view(each, (size,) * len(axes), axes) for each in (x, t))
    inner = tuple(range(-len(axes), 0))
    mean_x, mean_t = (each.mean(inner, keepdims=True) for each in (x, t))
    covariance = ((x - mean_x) * (t - mean_t)).mean(inner)
    mean_x, mean_t, variance_x, variance_t = (
        mean_x.squeeze(inner),
        mean_t.squeeze(inner),
        x.var(inner),
        t.var(inner),
    )
    light = (2 * mean_x * mean_t + 1e-4) / (mean_x**2 + mean_t**2 + 1e-4)
    structure = (2 * covariance + 9e-4) / (variance_x + variance_t + 9e-4)
    return (light * structure).mean(axes), structure.mean(axes)


def halves(values):
    """Average blocks of two positions along each axis, a last one alone."""
    for axis in range(2, values.ndim):
        values = np.moveaxis(values, axis, 0)
        values = np.stack([values[i : i + 2].mean(0) for i in range(0, len(values), 2)])
        values = np.moveaxis(values, 0, axis)
    return values


def by_hand(input, target, weights, size):
    """Compute the paper's product of means."""
    x, t = input.double().numpy(), target.double().numpy()
    product = 1.0
    for power in weights[:-1]:
        product = product * factors(x, t, size)[1] ** power
        x, t = halves(x), halves(t)
    return torch.from_numpy(1 - product * factors(x, t, size)[0] ** weights[-1])


def gradient(loss, input, target, **given):
    """Give the gradient of the sum."""
    input = input.detach().requires_grad_()
    return torch.autograd.grad(loss(input, target, **given).sum(), input)[0]


@pytest.mark.parametrize("shape", [(2, 3, 16, 20), (2, 1, 13, 15), (1, 2, 19), (1, 1, 9, 12, 10)], ids=str)
def test_it_is_the_papers(shape):
    """Each channel costs one minus the product over scales, in one to three dimensions, of odd sides too."""
    input, target = images(*shape)
    weights = (0.2, 0.3, 0.5)
    loss = MSSSIMLoss(weights=weights, window="uniform", window_size=3, reduction="none")
    assert_close(loss(input, target), by_hand(input, target, weights, 3), rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("sign", [1, -1])
def test_one_scale_is_structural_similarity(sign):
    """With one weight of 1 it is ``ssim_loss`` on the whole range, opposite images included."""
    input, target = images(2, 3, 12, 13)
    input = input if sign > 0 else 1 - target
    expected = SSIMLoss(reduction="none")(input, target).mean((2, 3))
    assert_close(MSSSIMLoss(weights=[1.0], reduction="none")(input, target), expected)


def test_opposite_images_can_be_learned_from():
    """Opposite images cost more than unrelated ones, the more so the more scales are, and have a slope."""
    unrelated, target = images(1, 1, 24, 24)[1], images(1, 1, 24, 24, seed=1)[1]
    loss = MSSSIMLoss(weights=[0.3, 0.3, 0.4], window_size=5)
    opposite = 1 - target
    values = [loss(target + share * (opposite - target), target).item() for share in torch.linspace(0, 1, 21)]
    assert values == sorted(values)
    assert loss(target, target) == 0 < loss(unrelated, target) < values[-1] < 2.001
    slope = gradient(loss, opposite, target)
    assert slope.norm() > 1e-2
    assert loss(opposite - 0.1 * slope, target) < loss(opposite, target)


def test_two_opposite_scales_are_no_good():
    """Of scales that are both opposite, the product is not taken for a likeness."""
    _, target = images(1, 1, 32, 32)
    coarse = target.reshape(1, 1, 8, 4, 8, 4).mean((3, 5)).repeat_interleave(4, 2).repeat_interleave(4, 3)
    fine = target - coarse
    loss = MSSSIMLoss(weights=[0.5, 0.5], window_size=5)
    one, both = loss(0.5 + 3 * coarse - fine, 3 * coarse + fine), loss(-3 * coarse - fine, 3 * coarse + fine)
    assert both > one > 1


@pytest.mark.parametrize("offset", [0.0, 1000.0])
@pytest.mark.parametrize("noise", [1e-1, 1e-4])
def test_nearly_equal_images_and_values_far_from_zero(noise, offset):
    """In float32 the loss has the digits of float64, where a difference of squares would have none."""
    _, target = images(1, 1, 24, 24)
    input = (target + noise * images(1, 1, 24, 24, seed=1)[1] + offset).float()
    target = (target + offset).float()
    loss = MSSSIMLoss(weights=[0.5, 0.5], window_size=5)
    exact = loss(input.double(), target.double())
    assert_close(loss(input, target).double(), exact, rtol=2e-3, atol=0)


def test_equal_images():
    """Equal images cost exactly zero, with a gradient of exactly zero, whatever they show."""
    loss = MSSSIMLoss(weights=[0.3, 0.7], window_size=3)
    for image in (images(1, 3, 8, 9, dtype=torch.float32)[1], torch.full((1, 3, 8, 9), 0.3)):
        assert loss(image, image) == 0
        assert (gradient(loss, image, image) == 0).all()


def test_the_range_scales():
    """Images and range scaled alike cost the same."""
    input, target = images(1, 1, 12, 12)
    options = {"weights": (0.4, 0.6), "window_size": 5}
    scaled = MSSSIMLoss(data_range=255, **options)(255 * input, 255 * target)
    assert_close(scaled, MSSSIMLoss(**options)(input, target))


def test_masked_blocks():
    """What a mask leaves of an image, cut off where it can be halved, costs what it does alone."""
    input, target = images(1, 2, 16, 24)
    mask = torch.zeros(1, 16, 24, dtype=torch.bool)
    mask[..., :16] = True
    options = {"weights": (0.4, 0.6), "window_size": 1}
    alone = MSSSIMLoss(**options)(input[..., :16], target[..., :16])
    assert_close(MSSSIMLoss(**options)(input, target, mask=mask), alone)


def test_sides_are_long_enough():
    """Sides that the coarsest scale has no window in raise ValueError that says how long they must be."""
    loss = MSSSIMLoss()
    assert loss(*images(1, 1, 161, 161, dtype=torch.float32)).isfinite()
    with pytest.raises(
        ValueError, match=r"windows of 11 .* of 161 positions or more .*input \(1, 1, 161, 160\)"
    ):
        loss(*images(1, 1, 161, 160))


@pytest.mark.parametrize("weight", [(3,), (2, 2), (2, 1), (2, 3, 16, 16)], ids=str)
def test_a_weight_is_one_of_channels(weight):
    """A weight that is neither one of samples nor one of channels raises ValueError."""
    loss = MSSSIMLoss(weights=[1.0], window_size=3)
    with pytest.raises(ValueError, match=r"accepted for the weight: \(2,\) or \(2, 3\)"):
        loss(*images(2, 3, 16, 16), weight=torch.ones(weight))


@pytest.mark.parametrize("weights", [[], [0.5, 0.0], [0.5, float("nan")], 1.0, ["a"], None], ids=str)
def test_weights_are_above_zero(weights):
    """Weights that are none, not above zero, or no numbers raise an error that names the option."""
    with pytest.raises(
        (ValueError, TypeError), match="weights must be a sequence of finite numbers > 0, got"
    ):
        MSSSIMLoss(weights=weights)
