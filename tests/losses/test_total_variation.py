"""Total variation against its definition, and where other libraries fail."""

import numpy as np
import pytest
import torch
from torch.testing import assert_close

from lossary_losses import TotalVariationLoss

SPACES = [(6,), (4, 5), (3, 1), (1, 1), (2, 3, 4)]


def images(*shape, seed=0):
    """Draw images in float64."""
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def by_hand(image, norm, counted=None):
    """Add up, position by position, the differences to the next positions that count as well."""
    values = image.numpy()
    counted = np.ones(values.shape, bool) if counted is None else counted.numpy()
    result = np.zeros(values.shape)
    for place in np.ndindex(*values.shape):
        steps = []
        for axis in range(2, values.ndim):
            after = tuple(index + (axis == dimension) for dimension, index in enumerate(place))
            if after[axis] < values.shape[axis] and counted[place] and counted[after]:
                steps.append(values[after] - values[place])
        result[place] = sum(map(abs, steps)) if norm == "l1" else np.sqrt(sum(step**2 for step in steps))
    return torch.from_numpy(result)


@pytest.mark.parametrize("space", SPACES, ids=str)
@pytest.mark.parametrize("norm", ["l1", "l2"])
def test_it_is_the_definition(space, norm):
    """Each position has its differences to the next ones, as sizes added up or as one length."""
    image = images(2, 3, *space)
    assert_close(TotalVariationLoss(norm=norm, reduction="none")(image), by_hand(image, norm))


@pytest.mark.parametrize("space", SPACES, ids=str)
@pytest.mark.parametrize("norm", ["l1", "l2"])
def test_both_positions_of_a_difference_count(space, norm):
    """A difference to a masked position, or from one, is none; the mean divides by positions that count."""
    image = images(2, 3, *space)
    mask = images(2, *space, seed=1) < 0.4
    expected = by_hand(image, norm, mask.unsqueeze(1).expand_as(image))
    assert_close(TotalVariationLoss(norm=norm, reduction="none")(image, mask=mask), expected)
    mean = expected.sum() / (3 * mask.sum()).clamp(min=1)
    assert_close(TotalVariationLoss(norm=norm)(image, mask=mask), mean)


def test_positions_farther_away_stay():
    """What is masked changes the value of its position and of those before it, and of no others."""
    image = images(1, 1, 6, 6)
    mask = torch.ones(1, 6, 6, dtype=torch.bool)
    mask[0, 3, 3] = False
    loss = TotalVariationLoss(reduction="none")
    changed = loss(image, mask=mask) != loss(image)
    assert changed.nonzero()[:, 2:].tolist() == [[2, 3], [3, 2], [3, 3]]


@pytest.mark.parametrize("norm", ["l1", "l2"])
def test_a_constant_image(norm):
    """Where nothing changes the loss is zero, and so is its gradient: no NaN of a root."""
    image = torch.full((2, 3, 8, 8), 0.3, requires_grad=True)
    loss = TotalVariationLoss(norm=norm)(image)
    loss.backward()
    assert loss == 0
    assert (image.grad == 0).all()


@pytest.mark.parametrize("norm", ["l1", "l2"])
def test_a_checkerboard(norm):
    """The highest frequency of all, which wider stencils do not see, costs the most of all."""
    rows, columns = torch.meshgrid(torch.arange(8), torch.arange(8), indexing="ij")
    board = ((rows + columns) % 2).double().reshape(1, 1, 8, 8)
    stripes = (columns % 2).double().reshape(1, 1, 8, 8)
    loss = TotalVariationLoss(norm=norm, reduction="sum")
    assert loss(board) > loss(stripes) > 0


def test_isotropic_prefers_no_direction():
    """A ramp of one slope costs the same in every direction; the sum of sizes is larger on the diagonal."""
    rows, columns = torch.meshgrid(torch.arange(4.0), torch.arange(4.0), indexing="ij")
    inside = (..., slice(3), slice(3))
    along = columns.reshape(1, 1, 4, 4)
    across = ((rows + columns) / 2**0.5).reshape(1, 1, 4, 4)
    isotropic, sizes = (TotalVariationLoss(norm=norm, reduction="none") for norm in ("l2", "l1"))
    assert_close(isotropic(along)[inside], isotropic(across)[inside])
    assert (sizes(along)[inside] < sizes(across)[inside]).all()


def test_images_have_space():
    """An input without a dimension of space raises ValueError."""
    with pytest.raises(ValueError, match=r"images have a batch, channels and space, .*input \(2, 3\)"):
        TotalVariationLoss()(torch.zeros(2, 3))


def test_there_is_no_target():
    """It takes the input alone."""
    with pytest.raises(TypeError):
        TotalVariationLoss()(torch.zeros(1, 1, 2), torch.zeros(1, 1, 2))
