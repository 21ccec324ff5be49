"""Deformation energies against their definitions, and where other libraries fail."""

import numpy as np
import pytest
import torch
from torch.testing import assert_close

from lossary_losses import DeformationLoss

SPACES = [(6,), (4, 5), (3, 4, 3)]


def field(*shape, seed=0):
    """Draw displacements in float64."""
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def places_of(first, second, dimensions):
    """Give the steps to the positions that a second derivative is made of, with their weights."""

    def step(**along):
        return tuple(along.get(f"a{axis}", 0) for axis in range(dimensions))

    if first == second:
        return {step(**{f"a{first}": one}): weight for one, weight in ((-1, 1), (0, -2), (1, 1))}
    signs = [(one, other) for one in (-1, 1) for other in (-1, 1)]
    return {step(**{f"a{first}": one, f"a{second}": other}): one * other / 4 for one, other in signs}


def bending(values, spacing, counted):
    """Add up the squares of all second derivatives, position by position."""
    dimensions = values.ndim - 2
    result = np.zeros(values.shape)
    for place in np.ndindex(*values.shape):
        if not all(0 < index < extent - 1 for index, extent in zip(place[2:], values.shape[2:], strict=True)):
            continue
        for first in range(dimensions):
            for second in range(dimensions):
                derivative, complete = 0.0, True
                for step, weight in places_of(first, second, dimensions).items():
                    at = place[:2] + tuple(np.add(place[2:], step))
                    derivative += weight * values[at]
                    complete &= bool(counted[at])
                if complete:
                    result[place] += (derivative / spacing[first] / spacing[second]) ** 2
    return result[(..., *(slice(1, -1),) * dimensions)]


def diffusion(values, spacing, counted):
    """Add up the squares of the differences to the next positions."""
    result = np.zeros(values.shape)
    for place in np.ndindex(*values.shape):
        for axis in range(2, values.ndim):
            after = tuple(index + (axis == dimension) for dimension, index in enumerate(place))
            if after[axis] < values.shape[axis] and counted[place] and counted[after]:
                result[place] += ((values[after] - values[place]) / spacing[axis - 2]) ** 2
    return result


@pytest.mark.parametrize("space", SPACES, ids=str)
@pytest.mark.parametrize(("order", "formula"), [(1, diffusion), (2, bending)])
@pytest.mark.parametrize("masked", [False, True])
def test_it_is_the_definition(space, order, formula, masked):
    """Each position has the squares of its derivatives, where all that they are made of counts."""
    values = field(2, 2, *space)
    mask = field(2, *space, seed=1) < (1.0 if masked else 99)
    spacing = (0.5, 2.0, 3.0)[: len(space)]
    loss = DeformationLoss(order=order, spacing=spacing, reduction="none")
    counted = mask.unsqueeze(1).expand_as(values)
    expected = torch.from_numpy(formula(values.numpy(), spacing, counted.numpy()))
    centre = counted if order == 1 else counted[(..., *(slice(1, -1),) * len(space))]
    assert_close(loss(values, mask=mask if masked else None), expected * centre)


@pytest.mark.parametrize("space", SPACES, ids=str)
def test_affine_fields_do_not_bend(space):
    """Fields that are linear in the position have no bending energy, exactly, and no gradient."""
    axes = torch.meshgrid(*(torch.arange(float(extent)) for extent in space), indexing="ij")
    values = sum((2 * index - 3) * axis for index, axis in enumerate(axes)) + 7
    values = values.expand(1, 2, *space).clone().requires_grad_()
    loss = DeformationLoss()(values)
    loss.backward()
    assert loss == 0
    assert (values.grad == 0).all()
    assert DeformationLoss(order=1)(values) > 0
    assert DeformationLoss(order=1)(torch.ones_like(values)) == 0


@pytest.mark.parametrize("order", [1, 2])
def test_a_checkerboard(order):
    """The highest frequency of all costs more than stripes, and stripes cost something along either axis."""
    rows, columns = torch.meshgrid(torch.arange(6), torch.arange(6), indexing="ij")
    loss = DeformationLoss(order=order)
    board, stripes, other = (
        each.double().expand(1, 2, 6, 6) for each in ((rows + columns) % 2, columns % 2, rows % 2)
    )
    assert loss(board) > loss(stripes) > 0
    assert_close(loss(other), loss(stripes))


@pytest.mark.parametrize("order", [1, 2])
def test_the_spacing(order):
    """Twice the spacing has a quarter of the energy of first derivatives, a sixteenth of that of second."""
    values = field(1, 2, 6, 5)
    loss = DeformationLoss(order=order)(values)
    for spacing in (2.0, (2.0, 2.0)):
        assert_close(DeformationLoss(order=order, spacing=spacing)(values), loss / 4**order)


def test_a_parabola():
    """A field of half the square of the position bends by one, sampled however finely."""
    for step in (0.1, 1.0, 3.0):
        places = step * torch.arange(8, dtype=torch.float64)
        assert_close(DeformationLoss(spacing=step)((places**2 / 2).reshape(1, 1, 8)).item(), 1.0)


def test_sides_are_long_enough():
    """Second derivatives of two positions raise ValueError; first ones of a single position are none."""
    with pytest.raises(ValueError, match=r"need 3 positions or more .*input \(1, 2, 4, 2\)"):
        DeformationLoss()(torch.zeros(1, 2, 4, 2))
    assert DeformationLoss(order=1)(torch.ones(1, 2, 4, 1)) == 0


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"order": 3}, "order must be one of 1, 2, got 3"),
        ({"order": True}, "order must be one of 1, 2, got True"),
        ({"order": "2"}, "order must be one of 1, 2, got '2'"),
        ({"spacing": 0}, "spacing must be a finite number or a sequence of finite numbers > 0"),
        ({"spacing": (1.0, -1.0)}, "spacing must be a finite number or a sequence of finite numbers > 0"),
    ],
    ids=str,
)
def test_options_are_within_bounds(options, message):
    """An order that there is none of, or a spacing not above zero, raises an error that names the option."""
    with pytest.raises((ValueError, TypeError), match=message):
        DeformationLoss(**options)


def test_a_spacing_for_each_dimension():
    """A spacing of other dimensions than the input's raises ValueError with both."""
    with pytest.raises(ValueError, match=r"spacing has 3 numbers, and the input \(1, 2, 4, 4\) 2 dimensions"):
        DeformationLoss(spacing=(1.0, 1.0, 2.0))(torch.zeros(1, 2, 4, 4))
