"""CLIP's loss and NT-Xent: InfoNCE with other defaults, against torch's cross entropy."""

import math

import pytest
import torch
from torch.nn import functional
from torch.testing import assert_close

from lossary_losses import CLIPLoss, InfoNCELoss, NTXentLoss, loss_registry

BATCH, SIZE = 6, 5


@pytest.fixture
def views():
    """Two views of a batch, as leaves, in float64."""
    generator = torch.Generator().manual_seed(0)
    drawn = (torch.randn(BATCH, SIZE, generator=generator, dtype=torch.float64) for _ in range(2))
    return tuple(each.requires_grad_() for each in drawn)


def clip(input, target, temperature):
    """Give the mean of two cross entropies over one matrix of cosines."""
    logits = functional.normalize(input) @ functional.normalize(target).T / temperature
    labels = torch.arange(len(input))
    return (functional.cross_entropy(logits, labels) + functional.cross_entropy(logits.T, labels)) / 2


def nt_xent(input, target, temperature):
    """Give the cross entropy over both views stacked, of which none is compared with itself."""
    both = functional.normalize(torch.cat([input, target]))
    logits = both @ both.T / temperature
    logits = logits.masked_fill(torch.eye(len(both), dtype=torch.bool), -torch.inf)
    return functional.cross_entropy(logits, torch.arange(len(both)).roll(len(input)))


CASES = [(CLIPLoss, clip, 0.07), (NTXentLoss, nt_xent, 0.5)]
every_case = pytest.mark.parametrize(("build", "formula", "usual"), CASES, ids=["clip", "nt_xent"])


@every_case
def test_it_is_the_formula(views, build, formula, usual):
    """With its usual temperature, value and gradient are those of the cross entropies."""
    value, expected = build()(*views), formula(*views, usual)
    assert_close(value, expected)
    assert_close(torch.autograd.grad(value, views), torch.autograd.grad(expected, views))


@every_case
def test_a_learned_temperature(views, build, formula, usual):
    """A temperature that is learned stands for the option, and has the gradient of the formula."""
    log_scale = torch.tensor(math.log(1 / (2 * usual)), dtype=torch.float64, requires_grad=True)
    leaves = (*views, log_scale)
    value = build()(*views, temperature=log_scale.clamp(max=math.log(100)).neg().exp())
    expected = formula(*views, log_scale.neg().exp())
    assert_close(value, expected)
    assert_close(torch.autograd.grad(value, leaves), torch.autograd.grad(expected, leaves))


@every_case
def test_a_small_temperature(build, formula, usual):
    """In float32, positives that are as far as can be cost 2/T, and have a gradient.

    With a tiny number inside of the logarithm the value stops at 87, and nothing is learned.
    """
    del usual
    input = torch.eye(2, requires_grad=True)
    target = torch.tensor([[-1.0, 0.1], [1.0, 0.1]])
    value = build(temperature=0.005)(input, target)
    assert_close(value.double(), formula(input.double(), target.double(), 0.005), rtol=1e-5, atol=0)
    assert torch.autograd.grad(value, input)[0].abs().max() > 1


def test_they_are_info_nce(views):
    """They are InfoNCE with other defaults, and found under their own names."""
    assert_close(CLIPLoss()(*views), InfoNCELoss(symmetric=True)(*views))
    same = InfoNCELoss(symmetric=True, within=True, temperature=0.5)
    assert_close(NTXentLoss()(*views), same(*views))
    assert loss_registry.get("simclr_loss") is NTXentLoss
    assert loss_registry.get("clip_loss") is CLIPLoss
