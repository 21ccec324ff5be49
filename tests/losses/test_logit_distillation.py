"""Divergences of a student from its teacher against the papers' formulas in NumPy, and where peers fail."""

import math
from decimal import Decimal, localcontext

import numpy as np
import pytest
import torch
from torch.nn import functional
from torch.testing import assert_close

from lossary_losses import InputTypeError, InputValueError, JSDistillationLoss, KLDistillationLoss
from lossary_losses.errors import OptionValueError

EVERY = [
    KLDistillationLoss,
    lambda **options: KLDistillationLoss(direction="reverse", **options),
    lambda **options: KLDistillationLoss(skew=0.1, **options),
    lambda **options: KLDistillationLoss(direction="reverse", skew=0.1, **options),
    JSDistillationLoss,
    lambda **options: JSDistillationLoss(beta=1e-3, **options),
]
NAMES = ["forward", "reverse", "skewed", "skewed_reverse", "js", "js_near_the_end"]

every_divergence = pytest.mark.parametrize("build", EVERY, ids=NAMES)


@pytest.fixture
def both():
    """Logits of a student and of a teacher, at a few positions."""
    generator = torch.Generator().manual_seed(0)
    student, teacher = (
        3 * torch.randn(4, 5, 2, 3, generator=generator, dtype=torch.float64) for _ in range(2)
    )
    return student.requires_grad_(), teacher


def kl(p, q):
    """Write the divergence of distributions in dimension 1 down."""
    return (p * (np.log(p) - np.log(q))).sum(1)


def softened(logits, temperature):
    """Write the softmax over dimension 1 down."""
    powers = np.exp(logits.detach().numpy() / temperature)
    return powers / powers.sum(1, keepdims=True)


@pytest.mark.parametrize("temperature", [1.0, 4.0])
@pytest.mark.parametrize("skew", [0.0, 0.1])
def test_kl_is_the_formula(both, temperature, skew):
    """Each position costs the square of the temperature times the divergence from the skewed mixture."""
    p, q = softened(both[1], temperature), softened(both[0], temperature)
    for direction, one, other in (("forward", p, q), ("reverse", q, p)):
        loss = KLDistillationLoss(direction=direction, temperature=temperature, skew=skew, reduction="none")
        expected = temperature**2 * kl(one, (1 - skew) * other + skew * one)
        assert_close(loss(*both).detach(), torch.from_numpy(expected))


@pytest.mark.parametrize("beta", [0.01, 0.5, 0.9])
def test_js_is_the_formula(both, beta):
    """Each position costs what both are from their mixture, of which the teacher has a share of beta."""
    p, q = softened(both[1], 2), softened(both[0], 2)
    middle = beta * p + (1 - beta) * q
    expected = 4 * (beta * kl(p, middle) + (1 - beta) * kl(q, middle))
    value = JSDistillationLoss(beta=beta, temperature=2.0, reduction="none")(*both)
    assert_close(value.detach(), torch.from_numpy(expected))


def test_the_gradients_are_torchs(both):
    """Student and teacher have the gradient of torch's own divergence of logarithms."""
    student, teacher = both[0], both[1].requires_grad_()
    ours = KLDistillationLoss()(student, teacher)
    theirs = functional.kl_div(
        student.log_softmax(1), teacher.log_softmax(1), reduction="none", log_target=True
    )
    slopes = (torch.autograd.grad(each, (student, teacher)) for each in (ours, theirs.sum(1).mean()))
    assert_close(*slopes)


@every_divergence
@pytest.mark.parametrize("noise", [1e-2, 1e-3, 1e-4, 1e-5])
@pytest.mark.parametrize("temperature", [1.0, 100.0])
def test_a_student_that_has_nearly_learned(build, noise, temperature):
    """In single precision a divergence of 1e-8 and less has its digits, and so has its gradient."""
    generator = torch.Generator().manual_seed(1)
    teacher = 3 * torch.randn(16, 100, generator=generator)
    student = (teacher + noise * torch.randn(16, 100, generator=generator)).requires_grad_()
    exact = student.detach().double().requires_grad_()
    loss = build(temperature=temperature, reduction="none")
    value, expected = loss(student, teacher), loss(exact, teacher.double())
    assert (value > 0).all()
    assert_close(value.double(), expected, rtol=1e-5, atol=0)
    slope, wanted = (
        torch.autograd.grad(each.sum(), of)[0] for each, of in ((value, student), (expected, exact))
    )
    assert (slope - wanted).norm() < 1e-4 * wanted.norm()


def test_the_digits_are_right():
    """What is nearly zero is the paper's formula of forty digits, not only our own of sixteen."""
    with localcontext() as context:
        context.prec = 40
        teacher, gaps = (
            [Decimal(each) for each in numbers] for numbers in ((1, -2, 3), (2**-13, 0, -(2**-14)))
        )
        student = [each + gap for each, gap in zip(teacher, gaps, strict=True)]
        p, q = ([each.exp() for each in logits] for logits in (teacher, student))
        p, q = ([each / sum(powers) for each in powers] for powers in (p, q))
        expected = float(sum(one * (one / other).ln() for one, other in zip(p, q, strict=True)))
    student, teacher = (torch.tensor([[float(each) for each in logits]]) for logits in (student, teacher))
    assert expected < 1e-8
    assert_close(KLDistillationLoss()(student, teacher).item(), expected, rtol=1e-5, atol=0)


@every_divergence
@pytest.mark.parametrize("temperature", [1e-2, 1e2])
def test_the_temperature_keeps_gradients(build, temperature):
    """A logit scaled by the temperature has the temperature times the gradient: ``T * T`` over ``T``."""
    generator = torch.Generator().manual_seed(2)
    student, teacher = (torch.randn(3, 6, generator=generator, dtype=torch.float64) for _ in range(2))
    student.requires_grad_()
    plain = torch.autograd.grad(build()(student, teacher), student)[0]
    hot = (student.detach() * temperature).requires_grad_()
    value = build(temperature=temperature)(hot, teacher * temperature)
    assert_close(torch.autograd.grad(value, hot)[0], temperature * plain)


@every_divergence
def test_padded_vocabulary(build):
    """Classes that both rule out by minus infinity are as if they were not there, in value and gradient."""
    generator = torch.Generator().manual_seed(3)
    student, teacher = (torch.randn(3, 8, generator=generator) for _ in range(2))
    student.requires_grad_()
    expected = build()(student[:, :5], teacher[:, :5])
    wanted = torch.autograd.grad(expected, student)[0]
    padding = torch.arange(8) >= 5
    value = build()(student.masked_fill(padding, -math.inf), teacher.masked_fill(padding, -math.inf))
    assert_close(value, expected)
    assert_close(torch.autograd.grad(value, student)[0], wanted)


@every_divergence
def test_a_teacher_rules_a_class_out(build):
    """A class that the teacher alone rules out has the limit of its formula, and a finite gradient."""
    generator = torch.Generator().manual_seed(4)
    student, teacher = (torch.randn(3, 4, generator=generator, dtype=torch.float64) for _ in range(2))
    student.requires_grad_()
    teacher[:, 0] = -math.inf
    value = build()(student, teacher)
    assert torch.autograd.grad(value, student)[0].isfinite().all()
    if build in (EVERY[0], EVERY[2], EVERY[4], EVERY[5]):
        far = teacher.masked_fill(teacher == -math.inf, -80.0)
        assert_close(value, build()(student, far))
    else:
        assert value.isfinite()


def test_a_student_rules_a_class_out():
    """What the teacher allows and the student does not costs 1e30 times its probability, less if skewed."""
    student = torch.tensor([[-math.inf, 0.0]], requires_grad=True)
    teacher = torch.zeros(1, 2)
    value = KLDistillationLoss()(student, teacher)
    assert_close(value.item(), 0.5e30, rtol=1e-5, atol=0)
    assert torch.autograd.grad(value, student)[0].isfinite().all()
    skewed = KLDistillationLoss(skew=0.5)(student, teacher)
    assert_close(skewed.item(), 0.5 * math.log(0.5 / 0.25) + 0.5 * math.log(0.5 / 0.75))


@every_divergence
def test_large_logits(build):
    """Logits of ten thousand, right and wrong, have a finite value and gradient."""
    student = torch.tensor([[1e4, 0.0, -1e4], [-1e4, 1e4, 0.0]], requires_grad=True)
    for teacher in (student.detach(), -student.detach()):
        value = build(temperature=0.01)(student, teacher)
        assert value.isfinite()
        assert value >= 0
        assert torch.autograd.grad(value, student)[0].isfinite().all()


def test_js_between_its_ends(both):
    """Over beta it tends to forward divergence, over one less beta to the reverse; ends are refused."""
    forward, reverse = (KLDistillationLoss(direction=each)(*both) for each in ("forward", "reverse"))
    assert_close(JSDistillationLoss(beta=1e-7)(*both) / 1e-7, forward, rtol=1e-4, atol=0)
    assert_close(JSDistillationLoss(beta=1 - 1e-7)(*both) / 1e-7, reverse, rtol=1e-4, atol=0)
    for beta in (0.0, 1.0):
        with pytest.raises(OptionValueError, match="beta"):
            JSDistillationLoss(beta=beta)


def test_half_precision_of_the_difference():
    """Logits in half precision are compared in single precision: the same numbers, the same loss."""
    generator = torch.Generator().manual_seed(5)
    teacher = torch.randn(8, 50, generator=generator).bfloat16()
    student = teacher + (0.01 * torch.randn(8, 50, generator=generator)).bfloat16()
    for loss in (KLDistillationLoss(), JSDistillationLoss()):
        assert_close(loss(student, teacher), loss(student.double(), teacher.double()).float())


def test_masked_positions_may_be_anything(both):
    """NaN in both under a mask changes nothing, and neither has a gradient there."""
    student, teacher = both
    kept = torch.rand(4, 2, 3, generator=torch.Generator().manual_seed(6)) < 0.5
    expected = KLDistillationLoss(reduction="none")(student, teacher)[kept].mean()
    student, teacher = (
        each.detach().masked_fill(~kept.unsqueeze(1), math.nan).requires_grad_() for each in both
    )
    value = KLDistillationLoss()(student, teacher, mask=kept)
    assert_close(value, expected)
    for slope in torch.autograd.grad(value, (student, teacher)):
        assert (slope.movedim(1, -1)[~kept] == 0).all()
        assert (slope.movedim(1, -1)[kept] != 0).all()


def test_what_does_not_fit(both):
    """Labels as a teacher, another shape, one class and a weight of each class raise."""
    student, _ = both
    with pytest.raises(InputTypeError, match="target must be a floating-point tensor"):
        KLDistillationLoss()(student, torch.zeros(4, 5, 2, 3, dtype=torch.long))
    with pytest.raises(InputValueError, match="Incompatible shapes"):
        KLDistillationLoss()(student, student[:, :4])
    with pytest.raises(InputValueError, match="two classes or more"):
        KLDistillationLoss()(student[:, :1], student[:, :1])
    with pytest.raises(InputValueError, match="Incompatible shapes"):
        KLDistillationLoss()(student, student, weight=torch.ones(4, 5, 2, 3))
