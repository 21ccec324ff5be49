"""Relative errors of fields and of depths against the papers, and where other libraries fail."""

import numpy as np
import pytest
import torch
from torch.testing import assert_close

from lossary_losses import RelativeLpLoss, SILogLoss


def drawn(*shape, seed=0, dtype=torch.float64):
    """Draw numbers."""
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64).to(dtype)


def depths(*shape, seed=0, dtype=torch.float64):
    """Draw depths."""
    return drawn(*shape, seed=seed).exp().to(dtype)


def silog(input, target, variance_focus=0.85, scale=1.0):
    """Compute the root of the paper in NumPy, for one sample."""
    gap = np.log(input.numpy()) - np.log(target.numpy())
    return scale * np.sqrt((gap**2).mean() - variance_focus * gap.mean() ** 2)


def gradient(loss, input, target, **given):
    """Give the gradient of the loss."""
    input = input.detach().requires_grad_()
    return torch.autograd.grad(loss(input, target, **given).sum(), input)[0]


@pytest.mark.parametrize("power", [1, 1.5, 2, 4])
def test_it_is_the_quotient_of_norms(power):
    """Each sample has the norm of its difference, of all channels and positions, over its target's."""
    input, target = drawn(3, 2, 4, 5), drawn(3, 2, 4, 5, seed=1)
    wrong, right = ((each.flatten(1).numpy()) for each in (input - target, target))
    expected = (np.abs(wrong) ** power).sum(1) ** (1 / power) / (np.abs(right) ** power).sum(1) ** (1 / power)
    assert_close(RelativeLpLoss(power=power, reduction="none")(input, target), torch.from_numpy(expected))
    assert_close(RelativeLpLoss(power=power)(input, target).item(), expected.mean())


@pytest.mark.parametrize("scale", [1e-30, 1e30])
def test_the_unit_does_not_matter(scale):
    """Fields that are so small or large that squares leave single precision have the error of any others."""
    input, target = drawn(2, 20, dtype=torch.float32), drawn(2, 20, seed=1, dtype=torch.float32)
    assert_close(RelativeLpLoss()(scale * input, scale * target), RelativeLpLoss()(input, target))


@pytest.mark.parametrize("loss", [RelativeLpLoss(), RelativeLpLoss(power=1), SILogLoss()], ids=repr)
@pytest.mark.parametrize("dtype", [torch.float16, torch.float32, torch.float64], ids=str)
def test_a_perfect_prediction(loss, dtype):
    """What is right costs exactly nothing, with a gradient of zero, and does not spoil the others' one."""
    target = depths(2, 30, dtype=dtype)
    assert loss(target, target) == 0
    assert (gradient(loss, target, target) == 0).all()
    half = torch.cat([target[:1], 2 * target[1:] + 1])
    slope = gradient(loss, half, target)
    assert (slope[0] == 0).all()
    assert slope.isfinite().all()
    assert (slope[1] != 0).any()


def test_a_target_of_zero_does_not_count():
    """It has no relative error: no cost, no gradient, and the mean is that of the others."""
    input, target = drawn(3, 20), drawn(3, 20, seed=1)
    target[1] = 0
    loss = RelativeLpLoss()
    assert_close(loss(input, target), loss(input[[0, 2]], target[[0, 2]]))
    assert loss.counts(target, like=input) == 2
    assert (gradient(loss, input, target)[1] == 0).all()
    assert loss(input, torch.zeros_like(target)) == 0


@pytest.mark.parametrize("loss", [RelativeLpLoss(), SILogLoss()], ids=repr)
def test_masked_positions_are_cut_out(loss):
    """A mask of positions takes out all their channels; what stands there may be zero or NaN."""
    input, target = depths(2, 3, 8), depths(2, 3, 8, seed=1)
    mask = torch.arange(8).expand(2, 8) < 5
    expected = loss(input[..., :5], target[..., :5])
    input[..., 5:], target[..., 5:] = torch.nan, 0.0
    assert_close(loss(input, target, mask=mask), expected)
    slope = gradient(loss, input, target, mask=mask)
    assert (slope[..., 5:] == 0).all()
    assert slope.isfinite().all()


@pytest.mark.parametrize("options", [{}, {"variance_focus": 0.5}, {"scale": 10.0}], ids=str)
def test_it_is_the_root_of_the_paper(options):
    """Each sample has the root of its mean square, less the share of the squared mean that is forgiven."""
    input, target = depths(3, 4, 5), depths(3, 4, 5, seed=1)
    expected = [silog(one, other, **options) for one, other in zip(input, target, strict=True)]
    assert_close(SILogLoss(reduction="none", **options)(input, target).tolist(), expected)
    assert_close(SILogLoss(**options)(input, target).item(), np.mean(expected))


def test_a_common_factor():
    """With a focus of one it costs nothing; else the root of what is left of its logarithm."""
    input, target = depths(1, 20), depths(1, 20, seed=1)
    invariant = SILogLoss(variance_focus=1.0)
    assert_close(invariant(3 * input, target), invariant(input, target))
    assert_close(SILogLoss()(3 * target, target).item(), np.sqrt(0.15) * np.log(3))


def test_nearly_perfect_depths():
    """Close to the truth, at a common factor, the variance is not lost in the square of the mean."""
    target = depths(1, 500)
    input = 1000 * target * (1 + 1e-3 * drawn(1, 500, seed=1))
    expected = silog(input, target, variance_focus=1.0)
    single = SILogLoss(variance_focus=1.0)(input.float(), target.float())
    assert_close(single.item(), expected, rtol=1e-3, atol=0)


def test_no_depth_is_counted():
    """Samples without a position that counts cost nothing, and the others are as if these were not there."""
    input, target = depths(2, 6), depths(2, 6, seed=1)
    target[0] = 0
    loss = SILogLoss()
    assert_close(loss(input, target, mask=target > 0), loss(input[1:], target[1:]))
    nothing = torch.zeros(2, 6, dtype=torch.bool)
    assert loss(input, target, mask=nothing) == 0
    assert (gradient(loss, input, target, mask=nothing) == 0).all()


def test_depths_are_above_zero():
    """A depth of zero that is not masked raises ValueError: it has no logarithm."""
    with pytest.raises(ValueError, match="target must be above zero; it holds 0"):
        SILogLoss()(torch.ones(2, 3), torch.zeros(2, 3))
    with pytest.raises(ValueError, match="input must not be negative; it holds -1"):
        SILogLoss()(-torch.ones(2, 3), torch.ones(2, 3))
    assert not SILogLoss()(torch.zeros(2, 3), torch.ones(2, 3)).isfinite()
    with pytest.raises(ValueError, match=r"samples have a batch"):
        SILogLoss()(torch.tensor(1.0), torch.tensor(1.0))
