"""Losses of codes, of variational and of quantizing autoencoders, against the papers and peers' mistakes."""

import numpy as np
import pytest
import torch
from torch.distributions import Normal, kl_divergence
from torch.testing import assert_close

from lossary_losses import GaussianKLLoss, VectorQuantizationLoss
from lossary_losses._core import streaming


def drawn(*shape, seed=0, dtype=torch.float64):
    """Draw numbers that ask for a gradient."""
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(shape, generator=generator, dtype=torch.float64).to(dtype).requires_grad_()


def in_parts(loss, tensors, given, wanted, monkeypatch):
    """Compare value and gradients as a whole with those that are computed in parts."""

    def computed():
        value = loss(*tensors, **given)
        return value, *torch.autograd.grad(value, wanted)

    expected = computed()
    monkeypatch.setattr(streaming, "_PART", {"cpu": 30})
    for got, whole in zip(computed(), expected, strict=True):
        assert_close(got, whole)


def test_it_is_the_divergence_of_gaussians():
    """It is torch's divergence from the standard Gaussian, in value and gradient, element by element."""
    mean, log_variance = drawn(3, 4, 5), drawn(3, 4, 5, seed=1)
    expected = kl_divergence(Normal(mean, (log_variance / 2).exp()), Normal(0.0, 1.0))
    result = GaussianKLLoss(reduction="none")(mean, log_variance=log_variance)
    assert_close(result, expected)
    weights = torch.linspace(0.5, 1.5, 60, dtype=torch.float64).view(3, 4, 5)
    for got, wanted in zip(
        torch.autograd.grad(result, [mean, log_variance], weights),
        torch.autograd.grad(expected, [mean, log_variance], weights),
        strict=True,
    ):
        assert_close(got, wanted)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)
@pytest.mark.parametrize("level", [80.0, -80.0, 1e-8, -1e-8, 1e-3, 0.0])
def test_variances_that_are_far_out_or_near_one(level, dtype):
    """From exp(-80) to exp(80), and next to one, value and slope are right, and no divergence below zero."""
    log_variance = torch.full((1,), level, dtype=dtype, requires_grad=True)
    value = GaussianKLLoss()(torch.zeros(1, dtype=dtype), log_variance=log_variance)
    exact = (np.expm1(np.longdouble(level)) - np.longdouble(level)) / 2
    rounding = torch.finfo(dtype).eps
    assert_close(value.item(), float(exact), rtol=10 * rounding, atol=rounding * min(1.0, abs(level)))
    assert value >= 0
    (slope,) = torch.autograd.grad(value, log_variance)
    assert_close(slope.item(), float(np.expm1(level) / 2), rtol=10 * rounding, atol=rounding)


def test_free_nats_are_those_of_each_element():
    """Below them an element costs them, without a gradient; the others are as they were."""
    mean = torch.tensor([0.1, 2.0, 3.0], requires_grad=True)
    loss = GaussianKLLoss(free_nats=1.0, reduction="none")
    value = loss(mean, log_variance=torch.zeros(3))
    assert_close(value, torch.tensor([1.0, 2.0, 4.5]))
    assert_close(torch.autograd.grad(value.sum(), mean)[0], torch.tensor([0.0, 2.0, 3.0]))
    halved = GaussianKLLoss(free_nats=1.0)
    weights = torch.tensor([2.0, 1.0, 1.0])
    assert_close(halved(mean, log_variance=torch.zeros(3), weight=weights).item(), (2 + 2 + 4.5) / 4)


@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("free_nats", [0.0, 0.8])
def test_parts_of_gaussians_are_the_whole(free_nats, masked, monkeypatch):
    """Slopes by hand, of inputs that are computed in parts, are those of autograd."""
    mean, log_variance = drawn(4, 3, 20), drawn(4, 3, 20, seed=1)
    mask = torch.rand(4, 20, generator=torch.Generator().manual_seed(4)) < 0.5 if masked else None
    given = {"log_variance": log_variance, "mask": mask}
    in_parts(GaussianKLLoss(free_nats=free_nats), (mean,), given, [mean, log_variance], monkeypatch)


def test_a_variance_for_each_mean():
    """Logarithms of another shape raise ValueError with both."""
    with pytest.raises(ValueError, match=r"input \(2, 3\), log_variance \(2, 1\)"):
        GaussianKLLoss()(torch.zeros(2, 3), log_variance=torch.zeros(2, 1))
    with pytest.raises(TypeError, match="log_variance"):
        GaussianKLLoss()(torch.zeros(2, 3))


@pytest.mark.parametrize("beta", [0.0, 0.25, 2.0])
def test_each_term_moves_one_side(beta):
    """The value has both terms; beta is in the gradient of the encoder, and not in that of the codes."""
    encoded, code = drawn(3, 4), drawn(3, 4, seed=1)
    value = VectorQuantizationLoss(commitment=beta)(encoded, code)
    squared = (encoded - code).square().mean()
    assert_close(value, (1 + beta) * squared)
    of_encoded, of_code = torch.autograd.grad(squared, [encoded, code])
    got = torch.autograd.grad(value, [encoded, code])
    assert_close(got[0], beta * of_encoded)
    assert_close(got[1], of_code)


def test_it_is_the_papers():
    """It is the sum of the paper's two terms, each of which stops one gradient."""
    encoded, code = drawn(3, 4), drawn(3, 4, seed=1)
    expected = ((encoded.detach() - code) ** 2 + 0.25 * (encoded - code.detach()) ** 2).mean()
    value = VectorQuantizationLoss()(encoded, code)
    assert_close(value, expected)
    for got, wanted in zip(
        torch.autograd.grad(value, [encoded, code]),
        torch.autograd.grad(expected, [encoded, code]),
        strict=True,
    ):
        assert_close(got, wanted)


def test_the_second_derivative_is_that_of_the_terms():
    """A gradient that is differentiated again is that of a square times beta."""
    encoded = drawn(3, 4)
    loss = VectorQuantizationLoss(reduction="sum")
    (slope,) = torch.autograd.grad(loss(encoded, torch.zeros(3, 4).double()), encoded, create_graph=True)
    (second,) = torch.autograd.grad(slope.sum(), encoded)
    assert_close(second, torch.full_like(second, 0.5))


@pytest.mark.parametrize("learned", [False, True], ids=["codes by averages", "codes that learn"])
def test_parts_of_codes_are_the_whole(learned, monkeypatch):
    """Slopes by hand, of inputs that are computed in parts, are those of autograd."""
    encoded, code = drawn(4, 3, 20), drawn(4, 3, 20, seed=1).requires_grad_(learned)
    mask = torch.rand(4, 20, generator=torch.Generator().manual_seed(4)) < 0.5
    wanted = [encoded, code] if learned else [encoded]
    in_parts(VectorQuantizationLoss(), (encoded, code), {"mask": mask}, wanted, monkeypatch)


def test_rows_of_a_codebook_have_the_gradient_of_their_uses():
    """Through a look-up, a code that is used twice has the gradient of both, and an unused one none."""
    codebook, encoded = drawn(3, 2), drawn(2, 2, seed=1)
    value = VectorQuantizationLoss(reduction="sum")(encoded, codebook[torch.tensor([1, 1])])
    (slope,) = torch.autograd.grad(value, codebook)
    assert_close(slope[1], (2 * (codebook[1] - encoded)).sum(0))
    assert (slope[[0, 2]] == 0).all()
