"""The cosine similarity loss against torch, and where a cosine has no digits or no direction."""

import pytest
import torch
from torch.nn import functional
from torch.testing import assert_close

from lossary_losses import CosineSimilarityLoss


def draw(rows=5, size=4):
    """Draw two views, as leaves."""
    generator = torch.Generator().manual_seed(0)
    return [
        torch.randn(rows, size, generator=generator, dtype=torch.float64).requires_grad_() for _ in range(2)
    ]


def test_it_is_torchs_cosine():
    """Value and gradient are those of one minus torch's cosine, of a target that is detached."""
    input, target = draw()
    value = CosineSimilarityLoss(reduction="none")(input, target)
    expected = 1 - functional.cosine_similarity(input, target.detach())
    assert_close(value, expected)
    above = torch.linspace(0.5, 1.5, 5, dtype=torch.float64)
    assert_close(torch.autograd.grad(value, input, above), torch.autograd.grad(expected, input, above))


def test_the_target_has_a_gradient_if_asked_for():
    """The target is detached unless the option is off; then it has the gradient of the cosine."""
    input, target = draw()
    value = CosineSimilarityLoss()(input, target)
    assert torch.autograd.grad(value, target, allow_unused=True) == (None,)
    value = CosineSimilarityLoss(detach_target=False)(input, target)
    expected = (1 - functional.cosine_similarity(input, target)).mean()
    assert_close(torch.autograd.grad(value, target), torch.autograd.grad(expected, target))


@pytest.mark.parametrize("factor", [1e-20, 1.0, 1e20])
def test_equal_and_opposite(factor):
    """Vectors of any length that point the same way cost zero, and opposite ones two, without a gradient."""
    input = torch.tensor([[3.0, 4.0], [3.0, 4.0]], requires_grad=True)
    value = CosineSimilarityLoss(reduction="none")(input, factor * torch.tensor([[3.0, 4.0], [-3.0, -4.0]]))
    assert_close(value, torch.tensor([0.0, 2.0]))
    (gradient,) = torch.autograd.grad(value.sum(), input)
    assert_close(gradient, torch.zeros(2, 2), rtol=0, atol=1e-7)


def test_small_angles_keep_their_digits():
    """In float32 an angle of 1e-5 costs half its square, where the cosine is one already."""
    value = CosineSimilarityLoss()(torch.tensor([[1.0, 1e-5]]), torch.tensor([[1.0, 0.0]]))
    assert_close(value.item(), 0.5e-10, rtol=1e-4, atol=0)


@pytest.mark.parametrize("which", [0, 1, slice(0, 2)], ids=["input", "target", "both"])
def test_no_direction(which):
    """A vector of zeros costs one, as a cosine of zero does, and gradients are finite."""
    views = torch.ones(2, 1, 3)
    views[which] = 0
    input, target = views.requires_grad_().unbind()
    value = CosineSimilarityLoss(detach_target=False)(input, target)
    assert_close(value.item(), 1.0)
    (gradient,) = torch.autograd.grad(value, views)
    assert gradient.isfinite().all()
    assert (gradient[which] == 0).all()


def test_identical_rows_and_one_row():
    """A batch of one row, and one of the same row over and over, has the loss of that row."""
    input, target = draw(1)
    expected = CosineSimilarityLoss()(input, target)
    assert_close(CosineSimilarityLoss()(input.expand(4, -1), target.expand(4, -1)), expected)
