"""SigLIP against the formula in NumPy, in parts, and with what is learned."""

import numpy as np
import pytest
import torch
from torch.testing import assert_close

from lossary_losses import InputTypeError, InputValueError, SigLIPLoss
from lossary_losses._core import similarity

BATCH, SIZE = 6, 5


@pytest.fixture
def leaves():
    """Two views of a batch, a scale and a bias, as leaves, in float64."""
    generator = torch.Generator().manual_seed(0)
    input, target = (torch.randn(BATCH, SIZE, generator=generator, dtype=torch.float64) for _ in range(2))
    numbers = (torch.tensor(each, dtype=torch.float64) for each in (4.0, -2.0))
    return tuple(each.requires_grad_() for each in (input, target, *numbers))


def formula(input, target, scale, bias):
    """Give what each row costs, one pair after the other."""
    input, target = (each.detach().numpy() for each in (input, target))
    cosine = (input / np.linalg.norm(input, axis=1, keepdims=True)) @ (
        target / np.linalg.norm(target, axis=1, keepdims=True)
    ).T
    logits = scale * cosine + bias
    sign = 2 * np.eye(len(input)) - 1
    return torch.from_numpy(np.log1p(np.exp(-sign * logits)).sum(axis=1))


def test_it_is_the_formula(leaves):
    """Each row costs what the paper says, with the options, and with what stands for them."""
    input, target, scale, bias = leaves
    assert_close(SigLIPLoss(reduction="none")(input, target).detach(), formula(input, target, 10, -10))
    value = SigLIPLoss(reduction="none")(input, target, scale=scale, bias=bias)
    assert_close(value.detach(), formula(input, target, 4, -2))
    assert_close(SigLIPLoss()(input, target), formula(input, target, 10, -10).mean())


@pytest.mark.parametrize("part", [1, 7, BATCH * (BATCH - 1), BATCH * (BATCH + 1)])
@pytest.mark.parametrize("mask", [None, [True, True, False, True, True, False]], ids=str)
def test_parts_make_no_difference(leaves, part, mask, monkeypatch):
    """However many rows are computed at once, value and all gradients are those of the whole."""
    input, target, scale, bias = leaves
    given = {} if mask is None else {"mask": torch.tensor(mask)}
    expected = SigLIPLoss()(input, target, scale=scale, bias=bias, **given)
    wanted = torch.autograd.grad(expected, leaves)
    monkeypatch.setattr(similarity, "_PART", {"cpu": part})
    value = SigLIPLoss()(input, target, scale=scale, bias=bias, **given)
    assert_close(value, expected)
    assert_close(torch.autograd.grad(value, leaves, retain_graph=True), wanted)
    assert_close(torch.autograd.grad(2 * value, leaves), tuple(2 * each for each in wanted))


def test_parts_may_be_differentiated_twice(leaves, monkeypatch):
    """In parts too, first and second derivatives agree with finite differences, of scale and bias as well."""
    monkeypatch.setattr(similarity, "_PART", {"cpu": 10})
    above = torch.linspace(0.5, 1.5, BATCH, dtype=torch.float64)
    loss = SigLIPLoss(reduction="none")

    def weighted(input, target, scale, bias):
        return (loss(input, target, scale=scale, bias=bias) * above).sum()

    assert torch.autograd.gradcheck(weighted, leaves)
    assert torch.autograd.gradgradcheck(weighted, leaves, fast_mode=True)


def test_only_what_needs_a_gradient_has_one(leaves, monkeypatch):
    """In parts, a target without gradient leaves that of the input as it is."""
    input, target, *_ = leaves
    (wanted,) = torch.autograd.grad(SigLIPLoss()(input, target), input)
    monkeypatch.setattr(similarity, "_PART", {"cpu": 10})
    (gradient,) = torch.autograd.grad(SigLIPLoss()(input, target.detach()), input)
    assert_close(gradient, wanted)


def test_no_matrix_of_similarities_is_kept():
    """Nothing larger than the embeddings, and their one more number, waits for the backward pass."""
    input, target = (torch.randn(1100, SIZE, requires_grad=True) for _ in range(2))
    sizes = []
    with torch.autograd.graph.saved_tensors_hooks(
        lambda kept: sizes.append(kept.numel()) or kept, lambda kept: kept
    ):
        value = SigLIPLoss()(input, target)
    value.backward()
    assert max(sizes) <= 1100 * (SIZE + 1)


def test_what_is_learned_must_be_possible(leaves):
    """A scale that is not above zero, or a bias that is no number of floats, is refused."""
    input, target, *_ = leaves
    with pytest.raises(InputValueError, match="scale must be above zero; it holds 0"):
        SigLIPLoss()(input, target, scale=torch.tensor(0.0))
    with pytest.raises(InputValueError, match=r"bias \(1,\); accepted for the bias: \(\)"):
        SigLIPLoss()(input, target, bias=torch.ones(1))
    with pytest.raises(InputTypeError, match="bias must be a floating-point tensor"):
        SigLIPLoss()(input, target, bias=torch.tensor(1))


def test_rows_of_zeros_and_long_halves(leaves):
    """Rows of zeros have cosines of zero and no gradient; long halves have those of short ones."""
    input = torch.zeros(2, 3, requires_grad=True)
    value = SigLIPLoss(scale=1.0, bias=1.0)(input, torch.eye(3)[:2])
    assert_close(value.item(), float(np.log1p(np.exp(1.0)) + np.log1p(np.exp(-1.0))))
    assert (torch.autograd.grad(value, input)[0] == 0).all()
    short, target, *_ = (each.detach().half() for each in leaves)
    assert_close(SigLIPLoss()(short * 300, target), SigLIPLoss()(short, target), rtol=1e-3, atol=1e-3)
