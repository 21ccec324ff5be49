"""Distillation from a few classes against the formula in NumPy, and where it fails without the rest."""

import math

import numpy as np
import pytest
import torch
from torch.testing import assert_close

from lossary_losses import InputTypeError, InputValueError, KLDistillationLoss, TopKDistillationLoss

DIRECTIONS = pytest.mark.parametrize("direction", ["forward", "reverse"])


@pytest.fixture
def both():
    """Logits of a student and of a teacher, and the teacher's three likeliest of eight classes."""
    generator = torch.Generator().manual_seed(0)
    student, teacher = (2 * torch.randn(4, 8, 3, generator=generator, dtype=torch.float64) for _ in range(2))
    few, indices = teacher.log_softmax(1).topk(3, dim=1)
    return student.requires_grad_(), teacher, few, indices


def bucketed(probabilities, indices):
    """Write the few and the rest down."""
    few = np.take_along_axis(probabilities, indices, axis=1)
    return np.concatenate([few, 1 - few.sum(1, keepdims=True)], axis=1)


@DIRECTIONS
def test_it_is_the_formula(both, direction):
    """Each position costs the divergence over the few classes and the rest as one."""
    student, teacher, few, indices = both
    p, q = (bucketed(each.detach().softmax(1).numpy(), indices.numpy()) for each in (teacher, student))
    p, q = (p, q) if direction == "forward" else (q, p)
    value = TopKDistillationLoss(direction=direction, reduction="none")(student, few, indices=indices)
    assert_close(value.detach(), torch.from_numpy((p * np.log(p / q)).sum(1)))


@DIRECTIONS
def test_all_classes_are_the_whole_divergence(both, direction):
    """With all classes, in any order, it is the divergence over all; with fewer it is less."""
    student, teacher, few, indices = both
    every, order = teacher.log_softmax(1).sort(dim=1)
    whole = KLDistillationLoss(direction=direction)(student, teacher)
    loss = TopKDistillationLoss(direction=direction)
    value = loss(student, every, indices=order)
    assert_close(value, whole)
    assert_close(*(torch.autograd.grad(each, student) for each in (value, whole)))
    assert loss(student, few, indices=indices) < whole


def test_a_student_that_is_too_sure_has_a_gradient():
    """Where the student gives the few classes more than the teacher does it costs, and it learns."""
    student = torch.tensor([[4.0, 4.0, 0.0, 0.0]], requires_grad=True)
    target = torch.tensor([[0.3, 0.3]]).log()
    value = TopKDistillationLoss()(student, target, indices=torch.tensor([[0, 1]]))
    assert value > 0.1
    assert (torch.autograd.grad(value, student)[0][0, :2] > 0.1).all()


@DIRECTIONS
def test_a_teacher_that_leaves_nothing(direction):
    """A teacher whose few classes have all probability, but for rounding, makes nothing infinite or NaN."""
    student = torch.randn(1, 6, generator=torch.Generator().manual_seed(1)).requires_grad_()
    for target in (torch.tensor([[0.0, -30.0]]), torch.tensor([[1e-7, -math.inf]])):
        value = TopKDistillationLoss(direction=direction)(student, target, indices=torch.tensor([[2, 5]]))
        assert value.isfinite()
        assert value > 0
        assert torch.autograd.grad(value, student)[0].isfinite().all()


def test_classes_that_the_student_rules_out(both):
    """A padded vocabulary, of minus infinity for the student, is as if it were not there."""
    student, _, few, indices = both
    padded = torch.cat([student, torch.full_like(student, -math.inf)], dim=1)
    value = TopKDistillationLoss()(padded, few, indices=indices)
    expected = TopKDistillationLoss()(student, few, indices=indices)
    assert_close(value, expected)
    assert_close(*(torch.autograd.grad(each, student) for each in (value, expected)))


def test_under_a_mask_there_may_be_anything(both):
    """Masked positions may hold NaN and indices of -1, and are as if they were cut out."""
    student, _, few, indices = both
    kept = torch.arange(3) != 1
    mask = kept.expand(4, 3)
    out = ~mask.unsqueeze(1)
    value = TopKDistillationLoss()(
        student.masked_fill(out, math.nan),
        few.masked_fill(out, math.nan),
        indices=indices.masked_fill(out, -1),
        mask=mask,
    )
    assert_close(
        value, TopKDistillationLoss()(student[..., kept], few[..., kept], indices=indices[..., kept])
    )
    assert (torch.autograd.grad(value, student)[0][..., 1] == 0).all()


def test_what_does_not_fit(both):
    """Logits in place of probabilities, unknown classes, other shapes and floats as indices raise."""
    student, teacher, few, indices = both
    loss = TopKDistillationLoss()
    with pytest.raises(InputValueError, match=r"added up, must hold values from 0 to 1\.05"):
        loss(student, teacher[:, :3], indices=indices)
    with pytest.raises(InputValueError, match="indices must hold values from 0 to 7; it holds"):
        loss(student, few, indices=indices + 8)
    with pytest.raises(InputValueError, match="accepted for the target"):
        loss(student[:, :2], few, indices=indices)
    with pytest.raises(InputValueError, match="accepted for the indices"):
        loss(student, few, indices=indices[:, :1])
    with pytest.raises(InputTypeError, match="indices must hold integers"):
        loss(student, few, indices=indices.double())
