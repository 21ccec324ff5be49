"""Gradient difference against its definition, position by position."""

import itertools

import numpy as np
import pytest
import torch
from torch.testing import assert_close

from lossary_losses import GradientDifferenceLoss, TotalVariationLoss

SPACES = [(6,), (4, 5), (3, 1), (3, 4, 3)]


def images(*shape, seed=0):
    """Draw input and target in float64."""
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(2, *shape, generator=generator, dtype=torch.float64).unbind()


def forward(values, counted):
    """Add up the sizes of the differences to the next positions."""
    result = np.zeros(values.shape)
    for place in np.ndindex(*values.shape):
        for axis in range(2, values.ndim):
            after = tuple(index + (axis == dimension) for dimension, index in enumerate(place))
            if after[axis] < values.shape[axis] and counted[place] and counted[after]:
                result[place] += abs(values[after] - values[place])
    return result


def sobel(values, counted):
    """Add up the sizes of the weighted sums over whole neighbourhoods."""
    result = np.zeros(values.shape)
    dimensions = values.ndim - 2
    for place in np.ndindex(*values.shape):
        steps = list(itertools.product((-1, 0, 1), repeat=dimensions))
        around = [place[:2] + tuple(np.add(place[2:], step)) for step in steps]
        inside = all(0 <= i < extent for each in around for i, extent in zip(each, values.shape, strict=True))
        if not inside or not all(counted[each] for each in around):
            continue
        for axis in range(dimensions):
            slope = 0.0
            for step, each in zip(steps, around, strict=True):
                smooth = [(2 - abs(other)) / 4 for at, other in enumerate(step) if at != axis]
                slope += step[axis] / 2 * np.prod(smooth) * values[each]
            result[place] += abs(slope)
    return result


def gradient(loss, input, target):
    """Give the gradient of the loss."""
    input = input.detach().requires_grad_()
    return torch.autograd.grad(loss(input, target), input)[0]


@pytest.mark.parametrize("space", SPACES, ids=str)
@pytest.mark.parametrize(("stencil", "formula"), [("forward", forward), ("sobel", sobel)])
@pytest.mark.parametrize("masked", [False, True])
def test_it_is_the_definition(space, stencil, formula, masked):
    """Each position has the differences of changes, where all positions that they are made of count."""
    input, target = images(2, 2, *space)
    mask = images(2, *space, seed=1)[0] < (1.2 if masked else 99)
    counted = mask.unsqueeze(1).expand_as(input).numpy()
    expected = torch.from_numpy(formula((input - target).numpy(), counted)) * mask.unsqueeze(1)
    loss = GradientDifferenceLoss(stencil=stencil, reduction="none")
    assert_close(loss(input, target, mask=mask if masked else None), expected)


def test_scales_add_up():
    """What a block of a coarser scale costs, each position in it does, the last one of an odd side too."""
    input, target = images(1, 1, 5, 4)
    values = (input - target).numpy()
    total = forward(values, np.ones(values.shape, bool))
    for size in (2, 4):
        for axis in (2, 3):
            pairs = [
                values.take(range(i, min(i + 2, values.shape[axis])), axis)
                for i in range(0, values.shape[axis], 2)
            ]
            values = np.concatenate([pair.mean(axis, keepdims=True) for pair in pairs], axis)
        costs = forward(values, np.ones(values.shape, bool))
        total += costs.repeat(size, 2).repeat(size, 3)[:, :, :5, :4]
    loss = GradientDifferenceLoss(scales=3, reduction="none")
    assert_close(loss(input, target), torch.from_numpy(total))


def test_it_is_the_variation_of_the_difference():
    """With forward differences it is the total variation of input less target."""
    input, target = images(2, 3, 6, 5)
    assert_close(GradientDifferenceLoss()(input, target), TotalVariationLoss()(input - target))


@pytest.mark.parametrize("stencil", ["forward", "sobel"])
def test_a_constant_does_not_matter(stencil):
    """Images that differ by a constant cost nothing, with a gradient of exactly zero."""
    _, target = images(1, 2, 6, 6)
    target = target.round()
    loss = GradientDifferenceLoss(stencil=stencil, scales=2)
    for input in (target, target + 3):
        assert loss(input, target) == 0
        assert (gradient(loss, input, target) == 0).all()


@pytest.mark.parametrize("stencil", ["forward", "sobel"])
def test_a_slope_is_one_per_position(stencil):
    """Against a flat target a ramp costs its slope along each dimension, whatever the stencil."""
    rows, columns = torch.meshgrid(torch.arange(6.0), torch.arange(6.0), indexing="ij")
    ramp = (2 * rows - 3 * columns).reshape(1, 1, 6, 6)
    loss = GradientDifferenceLoss(stencil=stencil, reduction="none")(ramp, torch.zeros_like(ramp))
    assert (loss[..., 1:-1, 1:-1] == 5).all()


def test_the_sign_of_an_edge_matters():
    """An edge of the opposite sign costs twice what none does."""
    target = torch.tensor([[[0.0, 0.0, 1.0, 1.0]]])
    loss = GradientDifferenceLoss(reduction="sum")
    assert loss(-target, target) == 2 * loss(torch.zeros_like(target), target) == 2


def test_images_have_space():
    """An input without a dimension of space raises ValueError."""
    with pytest.raises(ValueError, match=r"images have a batch, channels and space, .*input \(2, 3\)"):
        GradientDifferenceLoss()(torch.zeros(2, 3), torch.zeros(2, 3))
