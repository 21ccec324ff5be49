"""Angles of rotations against those that they were made of, at both ends too."""

import math

import pytest
import torch
from torch.testing import assert_close

from lossary_losses import GeodesicRotationLoss

ANGLES = [0.0, 1e-7, 1e-3, 1.0, math.pi - 1e-3, math.pi]


def drawn(*shape, seed=0):
    """Draw numbers in double precision."""
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def rotation(axis, angle):
    """Give the rotation about an axis, by the exponential of what is skew."""
    x, y, z = (axis / axis.norm()).tolist()
    skew = torch.tensor([[0, -z, y], [z, 0, -x], [-y, x, 0]], dtype=torch.float64)
    return torch.linalg.matrix_exp(skew * angle)


def slope_of(value, matrix):
    """Give the gradient of a value."""
    return torch.autograd.grad(value, matrix, create_graph=True)[0]


@pytest.mark.parametrize("angle", ANGLES)
def test_angles(angle):
    """The loss is the angle by which one is turned against the other, about any axis."""
    start = rotation(drawn(3, seed=1), 2.0)
    for seed in range(3):
        turned = start @ rotation(drawn(3, seed=seed), angle)
        assert_close(GeodesicRotationLoss()(turned, start).item(), angle, rtol=1e-9, atol=1e-15 * 3)
        assert_close(GeodesicRotationLoss()(start, turned).item(), angle, rtol=1e-9, atol=1e-15 * 3)


@pytest.mark.parametrize("angle", ANGLES)
def test_angles_in_single_precision(angle):
    """Single precision has angles as exact as the entries of a matrix, where an arc cosine has 3e-4."""
    about = torch.tensor([0.0, 0.0, 1.0], dtype=torch.float64)
    value = GeodesicRotationLoss()(rotation(about, angle).float(), torch.eye(3))
    assert_close(value.item(), angle, rtol=1e-6, atol=0)


@pytest.mark.parametrize("angle", ANGLES)
def test_gradients_are_finite(angle):
    """The gradient, and the gradient of that, is finite at any angle; at zero the gradient is zero."""
    turned = rotation(drawn(3), angle).requires_grad_()
    slope = slope_of(GeodesicRotationLoss()(turned, rotation(drawn(3), 0.0)), turned)
    assert slope.isfinite().all()
    if angle == 0:
        assert (slope == 0).all()
    elif angle < math.pi:
        assert_close(slope.norm().item(), torch.tensor(0.5).sqrt().item(), rtol=0.25, atol=0)
    again = slope_of((slope * drawn(3, 3, seed=1)).sum(), turned)
    assert again.isfinite().all()


@pytest.mark.parametrize("angle", [1e-3, 1.0, math.pi - 1e-3])
def test_the_slope_along_a_turn_is_one(angle):
    """Turning on costs as much as it turns."""
    angle = torch.tensor(angle, dtype=torch.float64, requires_grad=True)
    skew = torch.tensor([[0.0, -1, 0], [1, 0, 0], [0, 0, 0]], dtype=torch.float64)
    start = rotation(drawn(3), 1.0)
    value = GeodesicRotationLoss()(torch.linalg.matrix_exp(angle * skew) @ start, start)
    assert_close(slope_of(value, angle).item(), 1.0)


def test_the_second_derivative_away_from_the_ends():
    """The gradient of the gradient agrees with differences, of the target too."""
    pairs = [rotation(drawn(3, seed=seed), 1.0).requires_grad_() for seed in range(2)]
    assert torch.autograd.gradcheck(GeodesicRotationLoss(), pairs)
    assert torch.autograd.gradgradcheck(GeodesicRotationLoss(), pairs)


def test_what_is_no_rotation():
    """A matrix of which neither sine nor cosine is known has a finite value and gradient."""
    for entries in ([1.0, 0.0, 0.0], [0.0, 0.0, 0.0]):
        matrix = torch.tensor(entries).diag().requires_grad_()
        value = GeodesicRotationLoss()(matrix, torch.eye(3))
        assert value.isfinite()
        assert slope_of(value, matrix).isfinite().all()


def test_shapes():
    """Any leading dimensions are taken, none too, and what is no matrix of three is refused."""
    loss = GeodesicRotationLoss(reduction="none")
    assert loss(torch.eye(3), torch.eye(3)).shape == ()
    assert loss(torch.eye(3).expand(2, 5, 4, 3, 3), torch.eye(3).expand(2, 5, 4, 3, 3)).shape == (2, 5, 4)
    with pytest.raises(ValueError, match=r"rotations are matrices, \(\*, 3, 3\)"):
        loss(torch.zeros(2, 4, 4), torch.zeros(2, 4, 4))
    with pytest.raises(ValueError, match=r"Incompatible shapes: input \(2, 3, 3\), target \(3, 3\)"):
        loss(torch.zeros(2, 3, 3), torch.eye(3))
