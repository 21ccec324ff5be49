"""DIST against the paper's formula in NumPy: correlations over classes and over samples."""

import numpy as np
import pytest
import torch
from torch.testing import assert_close

from lossary_losses import DISTLoss, InputValueError
from lossary_losses.testing.rules.distribution import _on_two_ranks


def draw(rows=7, classes=4, seed=0):
    """Draw logits of a student and of a teacher, as leaves."""
    generator = torch.Generator().manual_seed(seed)
    both = (torch.randn(rows, classes, generator=generator, dtype=torch.float64) for _ in range(2))
    return tuple(each.requires_grad_() for each in both)


def softened(logits, temperature):
    """Write the softmax down."""
    powers = np.exp(logits.detach().numpy() / temperature)
    return powers / powers.sum(1, keepdims=True)


def correlations(q, p):
    """Give the correlation of each pair of rows."""
    return np.array([np.corrcoef(one, other)[0, 1] for one, other in zip(q, p, strict=True)])


@pytest.mark.parametrize("temperature", [1.0, 4.0])
def test_it_is_the_formula(temperature):
    """It is one less the mean correlation over classes, and the same over samples, each with its weight."""
    student, teacher = draw()
    q, p = (softened(each, temperature) for each in (student, teacher))
    inter, intra = 1 - correlations(q, p).mean(), 1 - correlations(q.T, p.T).mean()
    value = DISTLoss(beta=2.0, gamma=0.5, temperature=temperature)(student, teacher)
    assert_close(value.item(), temperature**2 * (2 * inter + intra / 2))


def test_one_sample():
    """In a batch of one, no class says anything: what is left is the correlation over classes."""
    student, teacher = draw(1)
    expected = 1 - correlations(softened(student, 1), softened(teacher, 1)).mean()
    value = DISTLoss()(student, teacher)
    assert_close(value.item(), expected)
    assert torch.autograd.grad(value, student)[0].isfinite().all()
    assert_close(DISTLoss()(teacher, teacher).item(), 0.0)


def test_identical_rows():
    """Where all samples are the same, every class is constant: it costs nothing, without a gradient."""
    student, teacher = (each.detach()[:1].expand(3, 4).clone().requires_grad_() for each in draw())
    value = DISTLoss(beta=0.0)(student, teacher)
    assert value == 0
    assert (torch.autograd.grad(value, student)[0] == 0).all()
    assert_close(DISTLoss()(teacher, teacher).item(), 0.0)


def test_what_is_constant():
    """A teacher that is undecided costs nothing; a student that is costs one, without a gradient."""
    student, teacher = draw(1)
    even = torch.zeros_like(student).requires_grad_()
    assert DISTLoss()(student, even) == 0
    value = DISTLoss()(even, teacher)
    assert value == 1
    assert (torch.autograd.grad(value, even)[0] == 0).all()


def test_unlikely_classes():
    """A class of probability 1e-25 is correlated as any other, in single precision."""
    student, teacher = (each.detach().float() for each in draw())
    student[:, 0] -= 57
    teacher[:, 0] -= 57
    loss = DISTLoss(beta=0.0)
    assert_close(loss(student, teacher), loss(student.double(), teacher.double()).float())


def test_weights_say_how_often():
    """A weight of two is a sample that is there twice, and a masked sample is not there."""
    student, teacher = draw()
    weight = torch.tensor([1.0, 2.0, 1.0, 1.0, 2.0, 1.0, 1.0])
    mask = torch.arange(7) != 3
    twice = torch.tensor([0, 1, 1, 2, 4, 4, 5, 6])
    value = DISTLoss()(student, teacher, weight=weight, mask=mask)
    assert_close(value, DISTLoss()(student[twice], teacher[twice]))


@pytest.mark.parametrize("own", [3, 7])
def test_two_processes(own):
    """Two processes with unequal parts, or none, have the loss and the gradients of all samples in one."""
    both = draw()
    expected = DISTLoss(temperature=2.0)(*both)
    wanted = torch.autograd.grad(expected, both)

    def on_rank(rank, group):
        part = slice(0, own) if rank == 0 else slice(own, None)
        mine = [each.detach()[part].requires_grad_() for each in both]
        value = DISTLoss(temperature=2.0, process_group=group)(*mine)
        return value.detach(), torch.autograd.grad(value, mine)

    (first, first_slopes), (second, second_slopes) = _on_two_ranks(on_rank)
    assert_close(first, expected.detach())
    assert_close(second, expected.detach())
    for here, there, slope in zip(first_slopes, second_slopes, wanted, strict=True):
        assert_close(torch.cat([here, there]) / 2, slope)


def test_what_does_not_fit():
    """Positions, which are to become samples first, and another shape raise."""
    student, teacher = draw()
    with pytest.raises(InputValueError, match=r"input must be of shape \(B, C\)"):
        DISTLoss()(student.unsqueeze(2), teacher.unsqueeze(2))
    with pytest.raises(InputValueError, match="accepted for the target"):
        DISTLoss()(student, teacher[:, :2])
