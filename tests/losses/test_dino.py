"""DINO against torch's cross entropy and Sinkhorn's algorithm in NumPy, and where others overflow."""

import numpy as np
import pytest
import torch
from torch.nn import functional
from torch.testing import assert_close

from lossary_losses import DINOLoss, InputValueError


def draw(rows=6, prototypes=4):
    """Draw the student's logits, as a leaf, those of the teacher, and a centre."""
    generator = torch.Generator().manual_seed(0)
    student, teacher = (
        torch.randn(rows, prototypes, generator=generator, dtype=torch.float64) for _ in range(2)
    )
    return student.requires_grad_(), teacher, torch.linspace(-1, 1, prototypes, dtype=torch.float64)


def sinkhorn(logits, temperature):
    """Write three rounds of the algorithm down, on exponentials."""
    shares = np.exp(logits / temperature)
    for _ in range(3):
        shares /= shares.sum(axis=0, keepdims=True)
        shares /= shares.sum(axis=1, keepdims=True)
    return torch.tensor(shares)


@pytest.mark.parametrize("centering", ["center", "none"])
def test_it_is_a_cross_entropy(centering):
    """Value and gradient are those of torch's cross entropy with the teacher's probabilities."""
    student, teacher, center = draw()
    shifted = teacher - center if centering == "center" else teacher
    expected = functional.cross_entropy(student / 0.1, (shifted / 0.04).softmax(1))
    value = DINOLoss(centering=centering)(student, teacher, center=center)
    assert_close(value, expected)
    assert_close(torch.autograd.grad(value, student), torch.autograd.grad(expected, student))


def test_sinkhorn_evens_prototypes_out():
    """With Sinkhorn the targets are those of the algorithm."""
    student, teacher, _ = draw()
    target = sinkhorn(teacher.numpy(), 0.5)
    value = DINOLoss(centering="sinkhorn", teacher_temperature=0.5)(student, teacher)
    assert_close(value, functional.cross_entropy(student / 0.1, target))


@pytest.mark.parametrize("centering", ["center", "sinkhorn"])
@pytest.mark.parametrize(("size", "temperature"), [(5.0, 0.05), (1e4, 0.05), (1.0, 1e-4)])
def test_sharp_teachers(centering, size, temperature):
    """In float32 large logits and small temperatures give finite values and gradients."""
    student, teacher, _ = draw()
    student = (size * student.detach().float()).requires_grad_()
    loss = DINOLoss(centering=centering, teacher_temperature=temperature, student_temperature=0.1)
    value = loss(student, size * teacher.float().sign())
    assert value.isfinite()
    assert torch.autograd.grad(value, student)[0].isfinite().all()


@pytest.mark.parametrize("centering", ["center", "sinkhorn", "none"])
def test_the_same_call_gives_the_same_value(centering):
    """Nothing is kept between calls, the centre is not written to, and the teacher has no gradient."""
    student, teacher, center = draw()
    loss, before = DINOLoss(centering=centering), center.clone()
    teacher.requires_grad_()
    first = loss(student, teacher, center=center)
    assert torch.equal(loss(student, teacher, center=center), first)
    assert torch.equal(center, before)
    assert torch.autograd.grad(first, teacher, allow_unused=True) == (None,)
    assert not loss.state_dict()


@pytest.mark.parametrize("centering", ["center", "sinkhorn"])
def test_hidden_patches(centering):
    """With a mask it is iBOT's loss: patches that were not hidden have no part in it, whatever they hold."""
    student, teacher, center = draw()
    mask = torch.tensor([True, False, True, True, False, True])
    loss = DINOLoss(centering=centering)
    spoiled = torch.where(mask.unsqueeze(1), teacher, torch.nan)
    value = loss(student, spoiled, center=center, mask=mask)
    assert_close(value, loss(student[mask], teacher[mask], center=center))


def test_centres_have_a_number_for_each_prototype():
    """A centre of another shape, which would broadcast, raises with both shapes."""
    student, teacher, center = draw()
    with pytest.raises(InputValueError, match=r"input \(6, 4\), center \(1, 4\)"):
        DINOLoss()(student, teacher, center=center.unsqueeze(0))


def test_sinkhorn_does_not_add_up():
    """A batch whose rows share prototypes is no sum of its parts, and says so."""
    assert DINOLoss().adds_up
    assert not DINOLoss(centering="sinkhorn").adds_up
