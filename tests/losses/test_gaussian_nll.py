"""The Gaussian negative log-likelihood against torch's."""

import math

import pytest
import torch
from torch import nn
from torch.testing import assert_close

from lossary_losses import GaussianNLLLoss
from lossary_losses._core import streaming


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


@pytest.mark.parametrize("name", ["var", "log_var"])
@pytest.mark.parametrize("beta", [0.5, 1.0])
def test_beta_weighs_by_a_constant(data, beta, name):
    """With beta each element of torch's is multiplied by its variance to that power, which is a constant."""
    mean, value, variance = data
    variance = (variance.detach() + 0.1).requires_grad_()
    theirs = nn.GaussianNLLLoss(reduction="none")(mean, value, variance) * variance.detach() ** beta
    given = variance if name == "var" else variance.log()
    ours = GaussianNLLLoss(beta=beta, reduction="none")(mean, value, **{name: given})
    assert_close(ours, theirs)
    slopes = torch.autograd.grad(ours.sum(), (mean, variance), retain_graph=True)
    assert_close(slopes, torch.autograd.grad(theirs.sum(), (mean, variance)))
    if beta == 1:
        assert_close(slopes[0], (mean - value).detach())


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
        assert torch.autograd.gradgradcheck(loss, (mean, variance), fast_mode=True)


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


class TestInParts:
    """Large inputs are computed part by part: the numbers are those of torch, or of the whole."""

    @pytest.fixture(ids="parts of {}".format)
    def cut(self, request, monkeypatch):
        """Cut inputs of 24 elements within a sample; or leave them whole."""

        def decide(*, into_parts):
            monkeypatch.setattr(streaming, "_PART", {"cpu": request.param if into_parts else 10**9})

        decide(into_parts=True)
        return decide

    @pytest.mark.parametrize("cut", [5, 12], indirect=True)
    def test_parts_are_torchs(self, data, cut):
        """Value and both gradients are torch's, where the variance is clamped as well."""
        mean, value, variance = data
        ours, theirs = GaussianNLLLoss(eps=0.3)(mean, value, var=variance), nn.GaussianNLLLoss(eps=0.3)(*data)
        assert_close(ours, theirs)
        assert_close(
            torch.autograd.grad(ours, (mean, variance)), torch.autograd.grad(theirs, (mean, variance))
        )

    @pytest.mark.parametrize("cut", [5, 12], indirect=True)
    @pytest.mark.parametrize("name", ["var", "log_var"])
    @pytest.mark.parametrize("shared", [False, True], ids=["each", "one for all channels"])
    @pytest.mark.parametrize("dtype", [torch.float64, torch.float16], ids=str)
    def test_parts_are_those_of_the_whole(self, data, cut, name, shared, dtype):
        """With a mask, weights, and NaN where nothing counts, value and gradients are those of the whole."""
        mean, value, variance = (each.detach() for each in data)
        spread = variance if name == "var" else variance.clamp(min=1e-3).log()
        spread = (spread[:, 0] if shared else spread).to(dtype)
        mask = torch.rand(2, 4, generator=torch.Generator().manual_seed(1)) < 0.7
        mean = torch.where(mask.unsqueeze(1), mean, torch.nan).to(dtype)
        given = {
            "mask": mask,
            "weight": mean.new_tensor([1.0, 2.0, 0.0, 0.5], dtype=torch.float64).repeat(2, 1),
        }

        def results():
            inputs = mean.clone().requires_grad_(), spread.clone().requires_grad_()
            loss = GaussianNLLLoss(full=True, beta=0.5)(
                inputs[0], value.to(dtype), **{name: inputs[1]}, **given
            )
            return loss.detach(), *torch.autograd.grad(3 * loss, inputs)

        in_parts = results()
        cut(into_parts=False)
        assert_close(in_parts, results())

    @pytest.mark.parametrize("cut", [5], indirect=True)
    @pytest.mark.parametrize("name", ["var", "log_var"])
    def test_derivatives(self, data, cut, name):
        """First and second derivatives agree with finite differences."""
        mean, value, variance = data
        spread = (variance.detach() + 0.1).requires_grad_()

        def loss(mean, spread):
            return GaussianNLLLoss()(mean, value, **{name: spread})

        assert torch.autograd.gradcheck(loss, (mean, spread))
        assert torch.autograd.gradgradcheck(loss, (mean, spread), fast_mode=True)

    @pytest.mark.parametrize("cut", [5], indirect=True)
    def test_infinite_logarithms(self, data, cut):
        """What stands for an infinite logarithm is a constant, in parts as in the whole."""
        mean, value, _ = data
        log_variance = torch.zeros_like(value)
        log_variance[0, 0, :2] = torch.tensor([-torch.inf, torch.inf])
        log_variance.requires_grad_()
        in_parts = torch.autograd.grad(GaussianNLLLoss()(mean, value, log_var=log_variance), log_variance)
        cut(into_parts=False)
        whole = torch.autograd.grad(GaussianNLLLoss()(mean, value, log_var=log_variance), log_variance)
        assert_close(in_parts, whole)

    @pytest.mark.parametrize("cut", [5], indirect=True)
    def test_backward_may_run_twice_or_for_several(self, data, cut):
        """A second backward pass gives the same gradients, and so does each of several at once."""
        mean, value, variance = data
        loss = GaussianNLLLoss()(mean, value, var=variance)
        first = [each.clone() for each in torch.autograd.grad(loss, (mean, variance), retain_graph=True)]
        second = torch.autograd.grad(loss, (mean, variance), retain_graph=True)
        assert_close(list(second), first)
        above = torch.tensor([1.0, -2.0], dtype=loss.dtype)
        several = torch.autograd.grad(loss, (mean, variance), above, is_grads_batched=True)
        assert_close(list(several), [torch.stack([each, -2 * each]) for each in first])

    @pytest.mark.parametrize("cut", [5], indirect=True)
    @pytest.mark.parametrize("wanted", ["mean", "variance"])
    def test_one_gradient_alone(self, data, cut, wanted):
        """Where one of both has no gradient, the other has its own."""
        mean, value, variance = data
        both = torch.autograd.grad(GaussianNLLLoss()(mean, value, var=variance), (mean, variance))
        if wanted == "mean":
            loss, alone, expected = GaussianNLLLoss()(mean, value, var=variance.detach()), mean, both[0]
        else:
            loss, alone, expected = GaussianNLLLoss()(mean.detach(), value, var=variance), variance, both[1]
        assert_close(torch.autograd.grad(loss, alone)[0], expected)
