"""Distillation of where features look, against the papers' formulas in NumPy."""

import math

import numpy as np
import pytest
import torch
from torch.testing import assert_close

from lossary_losses import AttentionTransferLoss, ChannelWiseDistillationLoss, InputValueError

BOTH = pytest.mark.parametrize("loss", [ChannelWiseDistillationLoss(), AttentionTransferLoss()], ids=repr)


@pytest.fixture
def both():
    """Features of a student and of a teacher."""
    generator = torch.Generator().manual_seed(0)
    student, teacher = (
        5 * torch.randn(3, 4, 2, 5, generator=generator, dtype=torch.float64) for _ in range(2)
    )
    return student.requires_grad_(), teacher


@pytest.mark.parametrize("temperature", [1.0, 4.0])
def test_channel_wise_is_the_formula(both, temperature):
    """Each sample costs the divergence over positions, averaged over channels, times T squared."""
    p, q = (np.exp(each.detach().flatten(2).numpy() / temperature) for each in (both[1], both[0]))
    p, q = (each / each.sum(2, keepdims=True) for each in (p, q))
    expected = temperature**2 * (p * np.log(p / q)).sum(2).mean(1)
    value = ChannelWiseDistillationLoss(temperature=temperature, reduction="none")(*both)
    assert_close(value.detach(), torch.from_numpy(expected))


def test_channel_wise_shift(both):
    """What is added to a whole channel changes nothing."""
    student, teacher = both
    shift = torch.arange(4.0).reshape(1, 4, 1, 1)
    loss = ChannelWiseDistillationLoss()
    assert_close(loss(student + 10 * shift, teacher - shift), loss(student, teacher))


def test_channel_wise_positions(both):
    """Positions under a mask may hold NaN, and are as if each channel ended before them."""
    student, teacher = both
    mask = (torch.arange(5) < 3).expand(3, 2, 5)
    loss = ChannelWiseDistillationLoss()
    value = loss(*(each.masked_fill(~mask.unsqueeze(1), math.nan) for each in both), mask=mask)
    assert_close(value, loss(student[..., :3], teacher[..., :3]))
    assert (torch.autograd.grad(value, student)[0][..., 3:] == 0).all()


def test_channel_wise_sample_without_positions(both):
    """A sample of which no position counts is left out of the mean, and has no gradient."""
    student, teacher = both
    mask = torch.ones(3, 2, 5, dtype=torch.bool)
    mask[1] = False
    loss = ChannelWiseDistillationLoss()
    value = loss(student, teacher, mask=mask)
    assert_close(value, loss(student[[0, 2]], teacher[[0, 2]]))
    assert (torch.autograd.grad(value, student)[0][1] == 0).all()


@pytest.mark.parametrize("power", [1.0, 2.0, 4.0])
def test_attention_is_the_formula(both, power):
    """Each sample costs the mean squared difference of both maps; channels may differ in number."""
    student, teacher = both[0], both[1][:, :3]
    maps = ((np.abs(each.detach().flatten(2).numpy()) ** power).mean(1) for each in (student, teacher))
    ours, theirs = (each / np.linalg.norm(each, axis=1, keepdims=True) for each in maps)
    value = AttentionTransferLoss(power=power, reduction="none")(student, teacher)
    assert_close(value.detach(), torch.from_numpy(((ours - theirs) ** 2).mean(1)))


@pytest.mark.parametrize("size", [1e-30, 1e30])
def test_attention_has_no_size(both, size):
    """Features of any size have the same attention, whatever their powers would be."""
    student, teacher = (each.detach().float() for each in both)
    loss = AttentionTransferLoss(power=4.0)
    assert_close(loss(size * student, teacher), loss(student, teacher))


def test_attention_to_nothing(both):
    """Features of zeros look nowhere: their map is zero, and so is their gradient."""
    zeros = torch.zeros_like(both[0]).requires_grad_()
    value = AttentionTransferLoss()(zeros, both[1])
    assert_close(value.item(), 1 / 10)
    assert (torch.autograd.grad(value, zeros)[0] == 0).all()
    assert AttentionTransferLoss()(zeros, zeros) == 0


@BOTH
def test_what_does_not_fit(both, loss):
    """Other positions, and features without any, raise with both shapes."""
    student, teacher = both
    with pytest.raises(InputValueError, match=r"input \(3, 4, 2, 5\), target \(3, 4, 2, 4\)"):
        loss(student, teacher[..., :4])
    with pytest.raises(InputValueError, match=r"must be of shape \(B, C, \*S\) with positions"):
        loss(student[..., 0, 0], teacher[..., 0, 0])


@BOTH
def test_the_teacher_has_a_gradient(both, loss):
    """Two networks may learn from each other."""
    teacher = both[1].requires_grad_()
    assert (torch.autograd.grad(loss(*both), teacher)[0] != 0).any()
