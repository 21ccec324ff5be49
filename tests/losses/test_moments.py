"""VICReg and Barlow Twins against their formulas in NumPy, on constant columns, and over processes."""

import numpy as np
import pytest
import torch
from torch.testing import assert_close

from lossary_losses import BarlowTwinsLoss, VICRegLoss
from lossary_losses.testing.rules.distribution import _on_two_ranks

BOTH = pytest.mark.parametrize("loss", [VICRegLoss, BarlowTwinsLoss])


def draw(rows=7, size=4, seed=0):
    """Draw two views, as leaves."""
    generator = torch.Generator().manual_seed(seed)
    input = torch.randn(rows, size, generator=generator, dtype=torch.float64) / 2
    target = input + torch.randn(rows, size, generator=generator, dtype=torch.float64) / 4
    return input.requires_grad_(), target.requires_grad_()


def vicreg(input, target, epsilon=1e-4):
    """Write the authors' loss down."""
    size, value = input.shape[1], 25 * ((input - target) ** 2).mean()
    for view in (input, target):
        covariance = np.cov(view.T)
        deviation = np.sqrt(view.var(axis=0, ddof=1) + epsilon)
        value += 25 / 2 * np.maximum(0, 1 - deviation).mean()
        value += (covariance**2).sum() / size - (np.diag(covariance) ** 2).sum() / size
    return value


def barlow(input, target, redundancy=0.005):
    """Write the paper's loss down, with NumPy's correlations."""
    size = input.shape[1]
    correlation = np.corrcoef(input.T, target.T)[:size, size:]
    same = np.diag(correlation)
    return ((1 - same) ** 2).sum() + redundancy * ((correlation**2).sum() - (same**2).sum())


@pytest.mark.parametrize(("loss", "formula"), [(VICRegLoss, vicreg), (BarlowTwinsLoss, barlow)])
@pytest.mark.parametrize(("rows", "size"), [(2, 2), (7, 4), (3, 6)])
def test_it_is_the_formula(loss, formula, rows, size):
    """The value is that of the formula, with more rows than dimensions and with fewer."""
    input, target = draw(rows, size)
    expected = formula(input.detach().numpy(), target.detach().numpy())
    assert_close(loss()(input, target).item(), expected)
    far = loss()((input + 1e3).float(), (target + 1e3).float())
    assert_close(far.item(), expected, rtol=2e-3, atol=1e-4)


@BOTH
def test_a_weight_says_how_often_a_row_is_there(loss):
    """A weight of two is a row twice, and a weight of zero is none, as a mask is; the mask hides NaN."""
    input, target = draw()
    number = torch.tensor([1, 2, 0, 1, 3, 1, 0])
    expected = loss()(*(each.repeat_interleave(number, 0) for each in (input, target)))
    assert_close(loss()(input, target, weight=number.double()), expected)
    kept = number > 0
    spoiled = [torch.where(kept.unsqueeze(1), each, torch.nan).detach().requires_grad_() for each in draw()]
    value = loss()(*spoiled, mask=kept)
    assert_close(value, loss()(input[kept], target[kept]))
    assert all((each[~kept] == 0).all() for each in torch.autograd.grad(value, spoiled))


@BOTH
@pytest.mark.parametrize("value", [0.0, 0.1, 1000.1])
@pytest.mark.parametrize("options", [{}, {"epsilon": 0.0}], ids=str)
def test_constant_columns(loss, value, options):
    """In float32 a column that is constant has no deviation, whatever rounding makes of a mean."""
    options = options if loss is VICRegLoss else {}
    input, target = (each.detach().float() for each in draw(13, 3))
    input[:, 1] = value
    input.requires_grad_()
    result = loss(**options)(input, target)
    (gradient,) = torch.autograd.grad(result, input)
    assert gradient.isfinite().all()
    if loss is BarlowTwinsLoss:
        assert (gradient[:, 1] == 0).all()
        others = torch.tensor([0, 2])
        alone = BarlowTwinsLoss(redundancy=0.0)(input[:, others], target[:, others])
        assert_close(BarlowTwinsLoss(redundancy=0.0)(input, target), alone + 1)


@BOTH
@pytest.mark.parametrize("rows", [0, 1, 5])
def test_one_row_and_identical_rows(loss, rows):
    """No rows give zero; one row, and the same row over and over, all of the penalty, without a NaN."""
    row = torch.tensor([[0.3, -0.7, 0.1]])
    input, target = (row.repeat(rows, 1).requires_grad_() for _ in range(2))
    value = loss()(input, target)
    penalty = 25 * (1 - 0.01) if loss is VICRegLoss else 3.0
    assert_close(value.item(), penalty if rows else 0.0)
    assert all((each == 0).all() for each in torch.autograd.grad(value, (input, target)))


@BOTH
@pytest.mark.parametrize("own", [0, 1, 3, 7])
def test_two_processes_are_one(loss, own):
    """The mean over two ranks of value and of every gradient is that of one process, whatever each has."""
    weight = torch.tensor([0.5, 1.0, 2.0, 0.0, 1.5, 1.0, 0.25], dtype=torch.float64)
    mask = torch.tensor([True, True, False, True, True, True, True])
    whole = (*draw(), weight.clone().requires_grad_())
    expected = loss()(*whole[:2], weight=whole[2], mask=mask)
    wanted = torch.autograd.grad(expected, whole)

    def on_rank(rank, group):
        part = slice(0, own) if rank == 0 else slice(own, None)
        mine = [each.detach()[part].clone().requires_grad_() for each in whole]
        value = loss(process_group=group)(*mine[:2], weight=mine[2], mask=mask[part])
        return value.detach(), torch.autograd.grad(value, mine)

    (first, first_slopes), (second, second_slopes) = _on_two_ranks(on_rank)
    assert_close(first, expected.detach())
    assert_close(second, expected.detach())
    for here, there, slope in zip(first_slopes, second_slopes, wanted, strict=True):
        assert_close(torch.cat([here, there]) / 2, slope)


@BOTH
def test_derivatives(loss):
    """First and second derivatives agree with finite differences, for both views."""
    views = draw(5, 3)
    assert torch.autograd.gradcheck(loss(), views)
    assert torch.autograd.gradgradcheck(loss(), views, fast_mode=True)


def test_barlow_knows_no_unit():
    """A factor and a shift for each dimension change nothing."""
    input, target = draw()
    factor = torch.tensor([1e-3, 2.0, 5.0, 1e3], dtype=torch.float64)
    assert_close(BarlowTwinsLoss()(factor * input - 3, target + factor), BarlowTwinsLoss()(input, target))
