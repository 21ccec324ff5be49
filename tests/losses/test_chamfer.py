"""The Chamfer distance against all pairs in NumPy, and where other code fails."""

import numpy as np
import pytest
import torch
from torch.profiler import ProfilerActivity, profile
from torch.testing import assert_close

from lossary_losses import ChamferLoss
from lossary_losses.testing.rules.cost import _most


def cloud(*shape, seed=0, dtype=torch.float64):
    """Draw points around zero."""
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)


def by_the_paper(points, others, squared=True):
    """Compute the mean distance to the nearest point, both ways added, in double precision."""
    gaps = points.double().numpy()[:, None] - others.double().numpy()[None]
    distances = (gaps**2).sum(-1) if squared else np.sqrt((gaps**2).sum(-1))
    return distances.min(1).mean() + distances.min(0).mean()


@pytest.mark.parametrize("squared", [True, False])
def test_clouds_of_unequal_size(squared):
    """Each sample costs what all of its pairs say, however many points the clouds have."""
    points, others = cloud(3, 7, 2), cloud(3, 4, 2, seed=1)
    value = ChamferLoss(squared=squared, reduction="none")(points, others)
    expected = [by_the_paper(*each, squared) for each in zip(points, others, strict=True)]
    assert_close(value, torch.tensor(expected, dtype=torch.float64))
    assert_close(ChamferLoss(squared=squared)(others, points), value.mean())


@pytest.mark.parametrize("squared", [True, False])
def test_many_points_are_compared_in_blocks(squared):
    """Clouds of so many points that not all pairs are compared at once cost the same."""
    points, others = cloud(1, 600, 3), cloud(1, 500, 3, seed=1)
    value = ChamferLoss(squared=squared)(points, others)
    assert_close(value.item(), by_the_paper(points[0], others[0], squared))


def test_far_from_zero():
    """Points that are equal cost nothing at an offset of ten thousand, and near ones what they should."""
    offset = 1e4 + cloud(2, 50, 3, dtype=torch.float32)
    moved = offset + 0.125 * cloud(2, 50, 3, seed=1, dtype=torch.float32)
    assert ChamferLoss()(offset, offset.flip(1)) == 0
    expected = np.mean([by_the_paper(*each) for each in zip(moved, offset, strict=True)])
    assert_close(ChamferLoss()(moved, offset).item(), expected, rtol=1e-6, atol=0)


@pytest.mark.parametrize("squared", [True, False])
def test_points_that_are_there_twice(squared):
    """Duplicates cost nothing, weigh in the mean, and have a gradient of zero where nothing is off."""
    points = cloud(1, 3, 2)
    twice = torch.cat([points, points[:, :2]], dim=1).requires_grad_()
    loss = ChamferLoss(squared=squared)
    value = loss(twice, points)
    assert value == 0
    assert (torch.autograd.grad(value, twice)[0] == 0).all()
    away = points.roll(1, -1) + 1
    assert_close(loss(twice, away).item(), by_the_paper(twice[0].detach(), away[0], squared))


def test_masks_of_both_clouds():
    """Points that are not there, of either cloud, hold anything, and change neither value nor gradient."""
    points, others = cloud(2, 6, 3), cloud(2, 5, 3, seed=1)
    own, there = torch.arange(6) < torch.tensor([[4], [6]]), torch.arange(5) < torch.tensor([[5], [2]])
    expected = (by_the_paper(points[0, :4], others[0]) + by_the_paper(points[1], others[1, :2])) / 2
    points = points.masked_fill(~own.unsqueeze(-1), torch.nan).requires_grad_()
    others = others.masked_fill(~there.unsqueeze(-1), torch.inf).requires_grad_()
    value = ChamferLoss()(points, others, mask=there, input_mask=own)
    assert_close(value.item(), expected)
    for mask, slope in zip((own, there), torch.autograd.grad(value, (points, others)), strict=True):
        assert (slope[~mask] == 0).all()
        assert (slope[mask] != 0).any(-1).all()


@pytest.mark.parametrize("shapes", [((0, 3), (2, 3)), ((2, 3), (0, 3)), ((0, 3), (0, 3))], ids=str)
def test_a_cloud_without_points(shapes):
    """Where a cloud has no points the loss is zero, counts for nothing, and has a gradient of zero."""
    points, others = (torch.full((2, *shape), torch.nan, requires_grad=True) for shape in shapes)
    loss = ChamferLoss()
    value = loss(points, others)
    assert value == 0
    assert loss.fraction(points, others).denominator == 0
    for slope in torch.autograd.grad(value, (points, others)):
        assert (slope == 0).all()


def test_one_sample_without_points():
    """A sample of which one cloud is all masked does not count, whatever the other one holds."""
    points, others = cloud(2, 4, 3), cloud(2, 4, 3, seed=1)
    points[0] = torch.nan
    points.requires_grad_()
    there = torch.tensor([[False], [True]]).expand(2, 4)
    expected = by_the_paper(points[1].detach(), others[1])
    for masks in ({"mask": there}, {"input_mask": there}):
        value = ChamferLoss()(points, others, **masks)
        assert_close(value.item(), expected)
        assert (torch.autograd.grad(value, points)[0][0] == 0).all()


def test_the_target_may_have_a_gradient():
    """Gradients of both clouds agree with differences, of the first order and the second."""
    points, others = cloud(2, 4, 2).requires_grad_(), cloud(2, 3, 2, seed=1).requires_grad_()
    for squared in (True, False):
        loss = ChamferLoss(squared=squared)
        assert torch.autograd.gradcheck(loss, (points, others))
        assert torch.autograd.gradgradcheck(loss, (points, others))


def test_no_tensor_holds_all_pairs():
    """Of two thousand points to a cloud, what is held at once is a share of the pairs that there are."""
    points, others = cloud(1, 2048, 3).requires_grad_(), cloud(1, 2048, 3, seed=1)
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True, acc_events=True) as profiler:
        ChamferLoss()(points, others).backward()
    assert 0 < _most(profiler) < 2048**2 * 8 / 4


def test_clouds_that_do_not_fit():
    """Other batches and coordinates, masks of the other cloud, and points without coordinates are refused."""
    points, loss = cloud(2, 5, 3), ChamferLoss()
    for shape in ((3, 4, 3), (2, 4, 2), (1, 4, 3), (2, 3)):
        with pytest.raises(ValueError, match=r"Incompatible shapes: input \(2, 5, 3\), target"):
            loss(points, torch.zeros(shape))
    for shape in ((2, 3), (2, 5, 0)):
        with pytest.raises(ValueError, match="clouds of points have a batch, points and coordinates"):
            loss(torch.zeros(shape), torch.zeros(shape))
    with pytest.raises(ValueError, match=r"accepted for the input_mask: \(2, 5\)"):
        loss(points, points[:, :4], input_mask=torch.ones(2, 4, dtype=torch.bool))
