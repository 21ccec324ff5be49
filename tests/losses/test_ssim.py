"""Structural similarity against the paper in two passes, and where other libraries fail."""

import numpy as np
import pytest
import torch
from torch.autograd import forward_ad
from torch.testing import assert_close

from lossary_losses import SSIMLoss


def images(*shape, seed=0, noise=0.2, dtype=torch.float64):
    """Draw a target in 0 to 1, and an input that differs from it by noise."""
    generator = torch.Generator().manual_seed(seed)
    target = torch.rand(shape, generator=generator, dtype=torch.float64)
    input = target + noise * torch.randn(shape, generator=generator, dtype=torch.float64)
    return input.to(dtype), target.to(dtype)


def weights_of(dimensions, window="gaussian", window_size=11, sigma=1.5):
    """Give the weights of a window in NumPy."""
    distance = np.arange(window_size) - window_size // 2
    line = np.exp(-(distance**2) / (2 * sigma**2)) if window == "gaussian" else np.ones(window_size)
    weights = np.ones(())
    for _ in range(dimensions):
        weights = np.multiply.outer(weights, line)
    return weights / weights.sum()


def by_hand(input, target, *, data_range=1.0, k1=0.01, k2=0.03, padding="valid", mask=None, **window):
    """Compute the paper's formula window by window, moments in two passes."""
    x, t = input.double().numpy(), target.double().numpy()
    weights = weights_of(x.ndim - 2, **window)
    size = weights.shape[0]
    counted = np.ones(x.shape) if mask is None else np.broadcast_to(mask.numpy(), x.shape).astype(float)
    if padding == "reflect":
        edges = [(0, 0), (0, 0), *[(size // 2, size // 2)] * (x.ndim - 2)]
        x, t, counted = (np.pad(each, edges, mode="reflect") for each in (x, t, counted))
    space = tuple(range(-weights.ndim, 0))
    x, t, counted = (
        np.lib.stride_tricks.sliding_window_view(each, weights.shape, axis=tuple(range(2, x.ndim)))
        for each in (x, t, counted)
    )
    weights = weights * counted
    weights = weights / np.maximum(weights.sum(space, keepdims=True), 1e-300)

    def mean(values):
        return (weights * values).sum(space, keepdims=True)

    mean_x, mean_t = mean(x), mean(t)
    variance_x, variance_t = mean((x - mean_x) ** 2), mean((t - mean_t) ** 2)
    covariance = mean((x - mean_x) * (t - mean_t))
    c1, c2 = (k1 * data_range) ** 2, (k2 * data_range) ** 2
    luminance = (2 * mean_x * mean_t + c1) / (mean_x**2 + mean_t**2 + c1)
    structure = (2 * covariance + c2) / (variance_x + variance_t + c2)
    return torch.from_numpy((1 - luminance * structure).squeeze(space))


def gradient(loss, input, target, **given):
    """Give the gradient of the sum."""
    input = input.detach().requires_grad_()
    return torch.autograd.grad(loss(input, target, **given).sum(), input)[0]


OPTIONS = [
    {},
    {"window": "uniform", "window_size": 7},
    {"window_size": 5, "sigma": 0.8, "data_range": 2.0, "k1": 0.02, "k2": 0.05},
    {"window_size": 3, "padding": "reflect"},
    {"window_size": 1},
]


@pytest.mark.parametrize("shape", [(2, 3, 13, 15), (1, 2, 20), (2, 1, 11, 12, 11)], ids=str)
@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_it_is_the_papers(shape, options):
    """Each window costs one minus the paper's similarity, in one to three dimensions."""
    input, target = images(*shape)
    loss = SSIMLoss(reduction="none", **options)(input, target)
    assert_close(loss, by_hand(input, target, **options), rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("options", [{"window_size": 5}, {"window_size": 5, "padding": "reflect"}], ids=str)
def test_masked_windows(options):
    """A window has the moments of its positions that count, and counts if its centre does."""
    input, target = images(2, 3, 9, 10)
    mask = torch.rand(2, 9, 10, generator=torch.Generator().manual_seed(1)) < 0.6
    loss = SSIMLoss(reduction="none", **options)(input, target, mask=mask)
    centre = mask if "padding" in options else mask[:, 2:-2, 2:-2]
    centre = centre.unsqueeze(1).expand(loss.shape)
    expected = by_hand(input, target, mask=mask.unsqueeze(1), **options)
    assert_close(loss, torch.where(centre, expected, 0))
    mean = SSIMLoss(**options)(input, target, mask=mask)
    assert_close(mean, loss.sum() / centre.sum())


def test_windows_farther_away_stay():
    """What is masked changes the windows that hold it, and no others."""
    input, target = images(1, 1, 9, 9)
    mask = torch.ones(1, 9, 9, dtype=torch.bool)
    mask[0, 2, 2] = False
    loss = SSIMLoss(window_size=3, reduction="none")
    near = torch.zeros(1, 1, 7, 7, dtype=torch.bool)
    near[..., :3, :3] = True
    difference = (loss(input, target, mask=mask) - loss(input, target)).abs()
    assert (difference[~near] < 1e-12).all()
    assert (difference[near] > 1e-9).all()


def test_equal_images():
    """Equal images cost exactly zero, with a gradient of exactly zero, whatever they show."""
    for image in (images(1, 3, 16, 16, dtype=torch.float32)[1], torch.full((1, 3, 16, 16), 0.3)):
        assert SSIMLoss()(image, image) == 0
        assert (gradient(SSIMLoss(), image, image) == 0).all()


@pytest.mark.parametrize("noise", [1e-1, 1e-3, 1e-5])
@pytest.mark.parametrize("offset", [0.0, 100.0, 1000.0])
def test_nearly_equal_images_and_values_far_from_zero(noise, offset):
    """In float32 the loss is right to four digits where a difference of squares would have none left."""
    _, target = images(1, 3, 24, 24)
    input = (target + noise * images(1, 3, 24, 24, seed=1)[1] + offset).float()
    target = (target + offset).float()
    exact = SSIMLoss()(input.double(), target.double())
    assert_close(exact, by_hand(input, target).mean(), rtol=1e-7, atol=0)
    assert_close(SSIMLoss()(input, target).double(), exact, rtol=2e-4, atol=0)
    slope = gradient(SSIMLoss(), input.double(), target.double())
    error = (gradient(SSIMLoss(), input, target) - slope).abs().max() / slope.abs().max()
    assert error < 2e-3


def test_sixteen_bits():
    """Images of a range of 65,535 cost what they do scaled to one, in float32."""
    input, target = images(1, 1, 24, 24, dtype=torch.float32)
    scaled = SSIMLoss(data_range=65535.0)(65535 * input, 65535 * target)
    assert_close(scaled, SSIMLoss()(input, target))


def test_constant_images():
    """Of constant images the luminance alone is left; the loss and its gradient are finite."""
    dark, light = torch.full((1, 1, 16, 16), 0.2), torch.full((1, 1, 16, 16), 0.6)
    expected = 1 - (2 * 0.12 + 1e-4) / (0.04 + 0.36 + 1e-4)
    assert_close(SSIMLoss()(dark, light), torch.tensor(expected))
    assert gradient(SSIMLoss(), dark, light).isfinite().all()
    assert SSIMLoss()(torch.zeros(1, 1, 16, 16), torch.zeros(1, 1, 16, 16)) == 0


def test_values_outside_the_range():
    """Inputs of a network that has no bounds are taken as they are."""
    input, target = images(1, 3, 16, 16, noise=3.0)
    assert input.min() < 0
    assert input.max() > 1
    assert_close(SSIMLoss()(input, target), by_hand(input, target).mean())


def test_one_window():
    """Images of exactly the window's size have one window; smaller ones raise ValueError, along any axis."""
    input, target = images(2, 3, 11, 11)
    assert SSIMLoss(reduction="none")(input, target).shape == (2, 3, 1, 1)
    for smaller in (input[..., :10], input[:, :, :1]):
        with pytest.raises(ValueError, match=rf"windows of 11 .*input \(2, 3, {smaller.shape[2]}, "):
            SSIMLoss()(smaller, smaller)
    assert SSIMLoss(padding="reflect")(input[..., :6, :6], target[..., :6, :6]).isfinite()
    with pytest.raises(ValueError, match="dimensions of 6 positions"):
        SSIMLoss(padding="reflect")(input[..., :5], input[..., :5])


def test_images_have_one_to_three_dimensions():
    """Inputs without space, or with four dimensions of it, raise ValueError."""
    with pytest.raises(ValueError, match=r"images have a batch, channels and space"):
        SSIMLoss()(torch.zeros(2, 3), torch.zeros(2, 3))
    with pytest.raises(ValueError, match="one to three dimensions"):
        SSIMLoss(window_size=1)(torch.zeros(1, 1, 2, 2, 2, 2), torch.zeros(1, 1, 2, 2, 2, 2))


@pytest.mark.parametrize("size", [2, 10])
def test_a_window_has_a_centre(size):
    """An even window raises ValueError that names the option."""
    with pytest.raises(ValueError, match=rf"window_size must be an odd integer >= 1, got {size}"):
        SSIMLoss(window_size=size)


def test_it_is_symmetric():
    """Input and target may be exchanged, and so may the axes."""
    input, target = images(1, 2, 14, 17)
    assert_close(SSIMLoss()(target, input), SSIMLoss()(input, target))
    assert_close(SSIMLoss()(input.mT, target.mT), SSIMLoss()(input, target))


@pytest.mark.filterwarnings("ignore:.*torch.jit.script:DeprecationWarning")
def test_forward_derivatives():
    """Differentiated forwards, the loss has the slope that its gradient says."""
    input, target = images(1, 1, 12, 13)
    direction = images(1, 1, 12, 13, seed=3)[0]
    with forward_ad.dual_level():
        result = SSIMLoss()(forward_ad.make_dual(input, direction), target)
        tangent = forward_ad.unpack_dual(result).tangent
    assert_close(tangent, (gradient(SSIMLoss(), input, target) * direction).sum())


def test_batched_gradients():
    """Several gradients at once are those that come one after the other."""
    input, target = images(1, 1, 12, 13)
    input.requires_grad_()
    loss = SSIMLoss(reduction="none")(input, target)
    above = images(2, *loss.shape, seed=4)[0]
    together = torch.autograd.grad(loss, input, above, is_grads_batched=True, retain_graph=True)[0]
    alone = [torch.autograd.grad(loss, input, each, retain_graph=True)[0] for each in above]
    assert_close(together, torch.stack(alone))


def test_descent_finds_the_image():
    """Starting from noise, descent ends at the target."""
    _, target = images(1, 1, 16, 16, dtype=torch.float32)
    input = images(1, 1, 16, 16, seed=9, dtype=torch.float32)[1].requires_grad_()
    optimizer = torch.optim.Adam([input], lr=0.05)
    for _ in range(300):
        optimizer.zero_grad()
        loss = SSIMLoss(window_size=5)(input, target)
        loss.backward()
        optimizer.step()
    assert loss < 0.01
