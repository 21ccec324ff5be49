"""The Gaussian negative log-likelihood against torch's."""

import math

import pytest
import torch
from torch import nn
from torch.testing import assert_close

from lossary_losses import GaussianNLLLoss


@pytest.fixture
def data():
    """Means, values and variances (B, C, L), one of the variances zero."""
    generator = torch.Generator().manual_seed(0)
    mean, value = (torch.randn(2, 3, 4, generator=generator, dtype=torch.float64) for _ in range(2))
    variance = torch.rand(2, 3, 4, generator=generator, dtype=torch.float64)
    variance[0, 0, 0] = 0
    return mean.requires_grad_(), value, variance.requires_grad_()


@pytest.mark.parametrize("reduction", ["none", "mean", "sum"])
@pytest.mark.parametrize("full", [True, False])
@pytest.mark.parametrize("eps", [1e-6, 0.3])
def test_it_is_torchs(data, reduction, full, eps):
    """Value, and gradient with respect to mean and variance, agree, where the variance is clamped as well."""
    mean, value, variance = data
    ours = GaussianNLLLoss(full=full, eps=eps, reduction=reduction)(mean, value, var=variance)
    theirs = nn.GaussianNLLLoss(full=full, eps=eps, reduction=reduction)(mean, value, variance)
    assert_close(ours, theirs)
    of_ours = torch.autograd.grad(ours.sum(), (mean, variance))
    assert_close(of_ours, torch.autograd.grad(theirs.sum(), (mean, variance)))


@pytest.mark.parametrize("eps", [1e-6, 0.3])
def test_the_logarithm_is_as_good(data, eps):
    """log_var is the logarithm of var, clamped at the logarithm of eps."""
    mean, value, variance = data
    variance = variance.detach() + 0.01
    loss = GaussianNLLLoss(eps=eps, full=True)
    assert_close(loss(mean, value, log_var=variance.log()), loss(mean, value, var=variance))


def test_gradients_with_respect_to_the_spread(data):
    """First and second derivatives in mean, variance and logarithm agree with finite differences."""
    mean, value, variance = data
    variance = (variance.detach() + 0.1).requires_grad_()
    for name in ("var", "log_var"):

        def loss(mean, spread, name=name):
            return GaussianNLLLoss(reduction="none")(mean, value, **{name: spread})

        assert torch.autograd.gradcheck(loss, (mean, variance))
        assert torch.autograd.gradgradcheck(loss, (mean, variance))


def test_one_variance_per_position(data):
    """A variance (B, *S) is that of all channels of a position."""
    mean, value, variance = data
    shared = variance[:, 0]
    expected = GaussianNLLLoss()(mean, value, var=shared.unsqueeze(1).expand_as(mean))
    assert_close(GaussianNLLLoss()(mean, value, var=shared), expected)


@pytest.mark.parametrize("name", ["var", "log_var"])
def test_excluded_variances_may_hold_anything(data, name):
    """Where a position does not count its variance may be NaN, and has a gradient of zero."""
    mean, value, variance = data
    mask = torch.rand(2, 4, generator=torch.Generator().manual_seed(1)) < 0.5
    excluded = ~mask.unsqueeze(1).expand_as(variance)
    poisoned = variance.detach().masked_fill(excluded, float("nan")).requires_grad_()
    loss = GaussianNLLLoss()
    result = loss(mean, value, mask=mask, **{name: poisoned})
    assert_close(result, loss(mean, value, mask=mask, **{name: variance}))
    (gradient,) = torch.autograd.grad(result, poisoned)
    assert (gradient[excluded] == 0).all()
    assert (gradient[~excluded] != 0).all()


def test_a_negative_variance(data):
    """A negative variance raises ValueError naming it."""
    mean, value, variance = data
    with pytest.raises(ValueError, match=r"var must not be negative; it holds -0\.5"):
        GaussianNLLLoss()(mean, value, var=variance - 0.5)


def test_exactly_one_of_both(data):
    """Neither, or both, of var and log_var raise TypeError."""
    mean, value, variance = data
    with pytest.raises(TypeError, match=r"give the variance as var=.*: neither is there"):
        GaussianNLLLoss()(mean, value)
    with pytest.raises(TypeError, match="both are there"):
        GaussianNLLLoss()(mean, value, var=variance, log_var=variance)


@pytest.mark.parametrize("shape", [(2, 3, 1), (2, 1, 4), (3, 4), (1,), ()], ids=str)
def test_variances_do_not_broadcast(data, shape):
    """A variance that would only broadcast raises ValueError."""
    mean, value, _ = data
    with pytest.raises(ValueError, match=r"accepted for the var: \(2, 4\) or \(2, 3, 4\)"):
        GaussianNLLLoss()(mean, value, var=torch.ones(shape))


def test_variances_are_floats(data):
    """A variance of integers, or a number, raises TypeError."""
    mean, value, _ = data
    with pytest.raises(TypeError, match=r"var must be a floating-point tensor, got torch\.int64"):
        GaussianNLLLoss()(mean, value, var=torch.ones(2, 3, 4, dtype=torch.int64))
    with pytest.raises(TypeError, match="log_var must be a floating-point tensor, got float"):
        GaussianNLLLoss()(mean, value, log_var=0.5)


def test_half_precision_of_everything():
    """A variance in half precision is computed in float32: 1e-6 would be zero otherwise."""
    mean, value = torch.ones(4, dtype=torch.float16), torch.zeros(4, dtype=torch.float16)
    result = GaussianNLLLoss()(mean, value, var=torch.zeros(4, dtype=torch.float16))
    assert_close(result, torch.tensor(0.5 * (math.log(1e-6) + 1e6)))


def test_descent_finds_mean_and_variance():
    """The minimiser is the sample's mean and variance."""
    sample = 3 + 2 * torch.randn(1000, generator=torch.Generator().manual_seed(2))
    mean, log_var = torch.zeros(1, requires_grad=True), torch.zeros(1, requires_grad=True)
    optimizer = torch.optim.Adam([mean, log_var], lr=0.2)
    for _ in range(100):
        optimizer.zero_grad()
        GaussianNLLLoss()(mean.expand(1000), sample, log_var=log_var.expand(1000)).backward()
        optimizer.step()
    assert_close(mean.item(), sample.mean().item(), rtol=0, atol=0.02)
    assert_close(log_var.exp().item(), sample.var(correction=0).item(), rtol=0.02, atol=0)


def test_the_logarithm_of_no_variance():
    """A logarithm of minus infinity is a variance of zero: computed as eps, with finite gradients."""
    input = torch.tensor([0.5, 1.0], requires_grad=True)
    log_var = torch.tensor([-torch.inf, 0.0], requires_grad=True)
    loss = GaussianNLLLoss(eps=1e-2)(input, torch.zeros(2), log_var=log_var)
    assert_close(loss, GaussianNLLLoss(eps=1e-2)(input, torch.zeros(2), var=log_var.detach().exp()))
    for gradient in torch.autograd.grad(loss, [input, log_var]):
        assert gradient.isfinite().all()
