"""Local cross-correlation against its definition, and where other libraries fail."""

import numpy as np
import pytest
import torch
from torch.testing import assert_close

from lossary_losses import LocalCrossCorrelationLoss


def images(*shape, seed=0, dtype=torch.float64):
    """Draw a target, and an input that follows it in part."""
    generator = torch.Generator().manual_seed(seed)
    target, noise = torch.rand(2, *shape, generator=generator, dtype=torch.float64).unbind()
    return (target + 0.5 * noise).to(dtype), target.to(dtype)


def by_hand(input, target, size, mask=None):
    """Compute the correlation window by window in two passes."""
    x, t = input.double().numpy(), target.double().numpy()
    counted = np.ones(x.shape) if mask is None else np.broadcast_to(mask.numpy(), x.shape).astype(float)
    axes, shape = tuple(range(2, x.ndim)), (size,) * (x.ndim - 2)
    x, t, weights = (np.lib.stride_tricks.sliding_window_view(each, shape, axes) for each in (x, t, counted))
    inner = tuple(range(-len(axes), 0))

    def mean(values):
        return (weights * values).sum(inner, keepdims=True) / np.maximum(weights.sum(inner, keepdims=True), 1)

    x, t = x - mean(x), t - mean(t)
    with np.errstate(invalid="ignore"):
        return torch.from_numpy((mean(x * t) / np.sqrt(mean(x * x) * mean(t * t))).squeeze(inner))


def gradient(loss, input, target):
    """Give the gradient of the sum."""
    input = input.detach().requires_grad_()
    return torch.autograd.grad(loss(input, target).sum(), input)[0]


@pytest.mark.parametrize(
    ("shape", "size"), [((2, 3, 9, 11), 5), ((2, 1, 14), 9), ((1, 2, 5, 6, 5), 3), ((1, 1, 7, 7), 7)], ids=str
)
def test_it_is_the_definition(shape, size):
    """Each window costs one minus the correlation, squared or not, in one to three dimensions."""
    input, target = images(*shape)
    correlation = by_hand(input, target, size)
    loss = LocalCrossCorrelationLoss(window_size=size, reduction="none")
    assert_close(loss(input, target), 1 - correlation**2)
    loss = LocalCrossCorrelationLoss(window_size=size, squared=False, reduction="none")
    assert_close(loss(input, target), 1 - correlation)
    assert_close(loss(-input, target), 1 + correlation)


def test_masked_windows():
    """A window has the moments of its positions that count, and counts if its centre does."""
    input, target = images(2, 2, 9, 9)
    mask = torch.rand(2, 9, 9, generator=torch.Generator().manual_seed(1)) < 0.7
    loss = LocalCrossCorrelationLoss(window_size=5, reduction="none")(input, target, mask=mask)
    centre = mask[:, None, 2:-2, 2:-2].expand_as(loss)
    expected = 1 - by_hand(input, target, 5, mask.unsqueeze(1)) ** 2
    assert_close(loss, torch.where(centre, expected, 0))


@pytest.mark.parametrize(("gain", "offset"), [(1.0, 1000.0), (1e-3, 0.0), (1e6, -1e6), (-2.0, 5.0)])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)
def test_brightness_and_contrast_do_not_matter(gain, offset, dtype):
    """Each image may be scaled and shifted: an image matches itself, and others cost what they did."""
    input, target = images(1, 2, 16, 16, dtype=torch.float64)
    loss = LocalCrossCorrelationLoss()
    exact = {"rtol": 1e-3, "atol": 1e-6} if dtype == torch.float32 else {"rtol": 1e-6, "atol": 1e-9}
    moved = (gain * input + offset).to(dtype)
    assert_close(loss(moved, target.to(dtype)).double(), loss(input, target), **exact)
    assert_close(loss(target.to(dtype), moved).double(), loss(input, target), **exact)
    itself = loss((gain * target + offset).to(dtype), target.to(dtype))
    assert 0 <= itself < (1e-6 if dtype == torch.float32 else 1e-9)


def test_the_sign_matters_unless_squared():
    """Opposite images cost nothing squared, and two otherwise."""
    _, target = images(1, 1, 12, 12)
    assert_close(LocalCrossCorrelationLoss()(-target, target).item(), 0.0)
    assert_close(LocalCrossCorrelationLoss(squared=False)(-target, target).item(), 2.0)


@pytest.mark.parametrize("squared", [True, False])
def test_constant_images(squared):
    """Two constant images match, one matches nothing else; gradients are finite, and zero at a match."""
    loss = LocalCrossCorrelationLoss(squared=squared)
    _, target = images(1, 1, 12, 12, dtype=torch.float32)
    flat = torch.full_like(target, 0.1)
    assert loss(flat, 0 * flat + 0.7) == 0
    assert_close(loss(flat, target), torch.tensor(1.0))
    assert_close(loss(target, flat), torch.tensor(1.0))
    for image in (flat, target):
        assert loss(image, image) == 0
        assert (gradient(loss, image, image) == 0).all()
    assert gradient(loss, flat, target).isfinite().all()
    assert gradient(loss, target, flat).isfinite().all()


def test_flat_background():
    """Where an image is constant in part, what matches there costs nothing, and the rest is as it was."""
    input, target = images(1, 1, 24, 12)
    input[:, :, :12], target[:, :, :12] = 0, 0
    loss = LocalCrossCorrelationLoss(window_size=5, reduction="none")(input, target)
    assert (loss[:, :, :8] == 0).all()
    assert_close(loss[:, :, 12:], 1 - by_hand(input[:, :, 12:], target[:, :, 12:], 5) ** 2)
    assert gradient(LocalCrossCorrelationLoss(window_size=5), input, target).isfinite().all()


def test_windows_fit():
    """Images smaller than a window raise ValueError, and so does a window that has no centre."""
    loss = LocalCrossCorrelationLoss()
    assert loss(*images(1, 1, 9, 9)).isfinite()
    with pytest.raises(ValueError, match=r"windows of 9 .*input \(1, 1, 9, 8\)"):
        loss(*images(1, 1, 9, 8))
    with pytest.raises(ValueError, match="window_size must be an odd integer >= 3, got 4"):
        LocalCrossCorrelationLoss(window_size=4)
