"""Decoupled distillation against the paper's formula in NumPy, and where peers are NaN."""

import math

import numpy as np
import pytest
import torch
from torch.testing import assert_close

from lossary_losses import DKDLoss, InputTypeError, InputValueError, KLDistillationLoss


@pytest.fixture
def both():
    """Logits of a student and of a teacher, and the label of each position."""
    generator = torch.Generator().manual_seed(0)
    student, teacher = (3 * torch.randn(3, 4, 5, generator=generator, dtype=torch.float64) for _ in range(2))
    return student.requires_grad_(), teacher, torch.randint(0, 4, (3, 5), generator=generator)


def split(logits, label, temperature):
    """Write both distributions of one position down: the label against the rest, and the rest."""
    p = np.exp(logits / temperature)
    p = p / p.sum()
    rest = np.delete(p, label)
    return np.array([p[label], rest.sum()]), rest / rest.sum()


def kl(p, q):
    """Write the divergence down."""
    return (p * np.log(p / q)).sum()


def test_it_is_the_formula(both):
    """Each position costs both divergences, weighed, times the square of the temperature."""
    student, teacher, labels = both
    expected = torch.empty(3, 5, dtype=torch.float64)
    for sample in range(3):
        for place in range(5):
            label = labels[sample, place].item()
            of_label, of_rest = (
                kl(*pair)
                for pair in zip(
                    split(teacher[sample, :, place].numpy(), label, 4),
                    split(student.detach()[sample, :, place].numpy(), label, 4),
                    strict=True,
                )
            )
            expected[sample, place] = 16 * (2 * of_label + 3 * of_rest)
    value = DKDLoss(alpha=2.0, beta=3.0, reduction="none")(student, teacher, labels=labels)
    assert_close(value.detach(), expected)


def test_its_parts_make_the_divergence(both):
    """The divergence over all classes is the label's, plus the rest's times what the teacher leaves to it."""
    student, teacher, labels = both
    of_label, of_rest = (
        DKDLoss(alpha=alpha, beta=1 - alpha, temperature=1.0, reduction="none")(
            student, teacher, labels=labels
        )
        for alpha in (1.0, 0.0)
    )
    left = 1 - teacher.softmax(1).gather(1, labels.unsqueeze(1)).squeeze(1)
    expected = KLDistillationLoss(reduction="none")(student, teacher)
    assert_close(of_label + left * of_rest, expected)
    slopes = (torch.autograd.grad(each.sum(), student)[0] for each in (of_label + left * of_rest, expected))
    assert_close(*slopes)


@pytest.mark.parametrize("size", [30.0, 100.0, 1000.0, 1e4])
def test_confident_networks(size):
    """A confident teacher, right or wrong, gives a finite value and gradient, and nothing to an equal one."""
    teacher = torch.tensor([[size, 0.0, -size / 2]])
    student = (-teacher).requires_grad_()
    for label in range(3):
        value = DKDLoss(temperature=1.0)(student, teacher, labels=torch.tensor([label]))
        assert value.isfinite()
        assert value > 0
        assert torch.autograd.grad(value, student)[0].isfinite().all()
        assert DKDLoss()(teacher, teacher, labels=torch.tensor([label])) == 0


def test_two_classes():
    """With one class beside the label there is nothing to compare among the others."""
    generator = torch.Generator().manual_seed(1)
    student, teacher = (torch.randn(4, 2, generator=generator, dtype=torch.float64) for _ in range(2))
    student.requires_grad_()
    value = DKDLoss(temperature=1.0)(student, teacher, labels=torch.arange(4) % 2)
    expected = KLDistillationLoss()(student, teacher)
    assert_close(value, expected)
    assert_close(*(torch.autograd.grad(each, student) for each in (value, expected)))


def test_a_student_that_has_nearly_learned():
    """In single precision the loss has its digits where both nearly agree."""
    generator = torch.Generator().manual_seed(2)
    teacher = 3 * torch.randn(16, 50, generator=generator)
    student = teacher + 1e-4 * torch.randn(16, 50, generator=generator)
    loss, labels = DKDLoss(reduction="none"), torch.arange(16)
    value = loss(student, teacher, labels=labels).double()
    assert (value > 0).all()
    assert_close(value, loss(student.double(), teacher.double(), labels=labels), rtol=1e-4, atol=0)


def test_padded_classes(both):
    """Classes that both rule out by minus infinity are as if they were not there."""
    student, teacher, labels = both
    padded = (torch.cat([each, torch.full_like(each, -math.inf)], dim=1) for each in (student, teacher))
    value, expected = DKDLoss()(*padded, labels=labels), DKDLoss()(student, teacher, labels=labels)
    assert_close(value, expected)
    assert_close(*(torch.autograd.grad(each, student) for each in (value, expected)))


def test_the_order_of_classes_does_not_matter(both):
    """Classes exchanged with their labels change nothing."""
    student, teacher, labels = both
    value = DKDLoss()(student.roll(1, dims=1), teacher.roll(1, dims=1), labels=(labels + 1) % 4)
    assert_close(value, DKDLoss()(student, teacher, labels=labels))


def test_labels_under_a_mask_may_be_anything(both):
    """Labels of -100 are left out by a mask; where they count they raise, as floats and other shapes do."""
    student, teacher, labels = both
    kept = torch.arange(5) != 2
    mask = kept.expand(3, 5)
    value = DKDLoss()(student, teacher, labels=labels.masked_fill(~mask, -100), mask=mask)
    assert_close(value, DKDLoss()(student[..., kept], teacher[..., kept], labels=labels[:, kept]))
    with pytest.raises(InputValueError, match="labels must hold values from 0 to 3; it holds -100"):
        DKDLoss()(student, teacher, labels=labels.masked_fill(~mask, -100))
    with pytest.raises(InputValueError, match="accepted for the labels"):
        DKDLoss()(student, teacher, labels=labels[:, :1])
    with pytest.raises(InputTypeError, match="labels must hold integers"):
        DKDLoss()(student, teacher, labels=labels.double())
