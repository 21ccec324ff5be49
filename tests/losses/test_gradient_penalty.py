"""Gradient penalties in closed form, and where other code fails."""

import pytest
import torch
from torch import nn
from torch.testing import assert_close

from lossary_losses import GradientPenaltyLoss, input_gradient
from lossary_losses._core.stable import length

FORMS = [{}, {"centre": 1.0}, {"centre": 5.0, "one_sided": True}]


def drawn(*shape, seed=0):
    """Draw numbers in double precision."""
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def penalty(norm, centre=0.0, one_sided=False):
    """Compute what the papers have a gradient of this length cost."""
    if not centre:
        return norm**2 / 2
    return max(0.0, norm - centre) ** 2 if one_sided else (norm - centre) ** 2


@pytest.mark.parametrize("options", FORMS, ids=str)
@pytest.mark.parametrize("factor", [0.01, 10.0])
def test_a_linear_critic(options, factor):
    """The gradient of a linear critic is its weight, for every sample, and the penalty that of its length."""
    weight = factor * drawn(3, 4, 5)
    images = drawn(2, 3, 4, 5, seed=1).requires_grad_()
    gradient = input_gradient((images * weight).flatten(1).sum(1), images)
    assert_close(gradient, weight.expand_as(images))
    assert_close(GradientPenaltyLoss(**options)(gradient).item(), penalty(weight.norm().item(), **options))


@pytest.mark.parametrize("options", FORMS, ids=str)
def test_the_penalty_reaches_the_parameters(options):
    """The gradient of the critic's parameters, and the gradient of that, agree with differences."""
    images = drawn(3, 2).requires_grad_()

    def penalized(first, second):
        scores = (images @ first).tanh() @ second
        return GradientPenaltyLoss(**options)(input_gradient(scores, images))

    parameters = [(3 * drawn(2, 4, seed=1)).requires_grad_(), (3 * drawn(4, seed=2)).requires_grad_()]
    assert torch.autograd.gradcheck(penalized, parameters)
    assert torch.autograd.gradgradcheck(penalized, parameters)


@pytest.mark.parametrize("options", FORMS, ids=str)
@pytest.mark.parametrize("dtype", [torch.float16, torch.float32, torch.float64], ids=str)
def test_a_gradient_of_zero(options, dtype):
    """A score that does not change costs what its length of zero does, with a slope of zero, never NaN."""
    gradient = torch.zeros(2, 3, 4, dtype=dtype, requires_grad=True)
    value = GradientPenaltyLoss(**options)(gradient)
    assert value == penalty(0.0, **options)
    (slope,) = torch.autograd.grad(value, gradient)
    assert (slope == 0).all()


def test_the_norm_is_over_all_of_a_sample():
    """Channels and space count together, and samples apart."""
    gradient = drawn(2, 3, 4, 5)
    loss = GradientPenaltyLoss(centre=1.0, reduction="none")
    assert_close(loss(gradient), (gradient.flatten(1).norm(dim=1) - 1) ** 2)
    assert_close(loss(gradient[:, 0, 0, 0]), (gradient[:, 0, 0, 0].abs() - 1) ** 2)


@pytest.mark.parametrize("scale", [1e-30, 1e30])
def test_lengths_of_any_size(scale):
    """Squares that single precision cannot hold do not spoil a length, nor its slope."""
    vector = torch.tensor([3 * scale, 4 * scale], requires_grad=True)
    value = length(vector)
    assert_close(value.item(), 5 * scale, rtol=1e-6, atol=0)
    assert_close(torch.autograd.grad(value, vector)[0], torch.tensor([0.6, 0.8]))


@pytest.mark.parametrize("power", [1.0, 1.5, 2.0, 3.0])
def test_lengths_are_torchs_norms(power):
    """The length is torch's norm, of vectors without entries too."""
    assert_close(length(drawn(4, 5), power), torch.linalg.vector_norm(drawn(4, 5), power, dim=-1))
    assert length(torch.zeros(2, 0), power).tolist() == [0, 0]


def test_scores_of_patches_are_added_up():
    """The gradient of several scores of a sample is that of their sum."""
    images = drawn(2, 1, 6).requires_grad_()
    scores = nn.functional.avg_pool1d(images**2, 2)
    assert_close(input_gradient(scores, images), images)


def test_half_precision_scores_do_not_overflow():
    """A sum of scores beyond the largest number of half precision is no matter."""
    images = torch.full((2, 4), 100.0, dtype=torch.float16, requires_grad=True)
    assert (input_gradient(400 * images, images) == 400).all()


def test_what_has_no_gradient_is_refused():
    """Scores that do not depend on the input, or are no longer one for each sample, raise ValueError."""
    images = drawn(2, 3)
    with pytest.raises(ValueError, match="input has no requires_grad"):
        input_gradient(images.sum(1), images)
    images.requires_grad_()
    for scores in (images.detach().sum(1), drawn(2).requires_grad_()):
        with pytest.raises(ValueError, match="scores do not depend on the input"):
            input_gradient(scores, images)
    for scores in (images.mean(), images.mean(0)):
        with pytest.raises(ValueError, match=r"Incompatible shapes: input \(2, 3\), scores"):
            input_gradient(scores, images)
    with pytest.raises(TypeError, match="scores must be a floating-point tensor"):
        input_gradient(torch.zeros(2, dtype=torch.long), images)


def test_one_side_needs_a_centre():
    """Around zero there is one side only, and asking for it raises ValueError."""
    with pytest.raises(ValueError, match="one_sided needs a centre above 0"):
        GradientPenaltyLoss(one_sided=True)
