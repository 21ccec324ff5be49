"""Likelihoods of counts against scipy's in double precision, and where other implementations fail."""

import math

import numpy as np
import pytest
import torch
from scipy import stats
from scipy.special import gammaln
from torch import nn
from torch.testing import assert_close

from lossary_losses import InputValueError, NegativeBinomialNLLLoss, PoissonNLLLoss

COUNTS = [0.0, 1.0, 2.0, 7.0, 9.0, 11.0, 40.0, 1e3, 1e6]
DOUBLE = torch.float64


def poisson(location, counts, zero_logit=None, **options):
    """Compute the likelihood of each count under a Poisson distribution, all of it."""
    return PoissonNLLLoss(full=True, reduction="none", **options)(location, counts, zero_logit=zero_logit)


def negative_binomial(location, counts, log_concentration, zero_logit=None):
    """Compute the likelihood of each count under a negative binomial distribution."""
    loss = NegativeBinomialNLLLoss(reduction="none")
    return loss(location, counts, log_concentration=log_concentration, zero_logit=zero_logit)


def grid(*axes, dtype=DOUBLE):
    """Give all combinations, each axis as one tensor."""
    return [
        each.flatten()
        for each in torch.meshgrid(*[torch.tensor(a, dtype=dtype) for a in axes], indexing="ij")
    ]


def formula(location, counts, log_concentration):
    """Write the negative binomial likelihood down; scipy's has no digits for means near zero."""
    m, y, r = (each.detach().double().numpy() for each in (location, counts, log_concentration))
    both = np.logaddexp(m, r)
    ways = gammaln(y + np.exp(r)) - gammaln(np.exp(r)) - gammaln(y + 1)
    return torch.from_numpy(np.exp(r) * np.log1p(np.exp(m - r)) + y * (both - m) - ways)


@pytest.mark.parametrize("reduction", ["none", "mean", "sum"])
def test_poisson_is_torchs(reduction):
    """Without the factorial value and gradient are torch's."""
    location, counts = grid([-3.0, 0.0, 2.5], COUNTS)
    location.requires_grad_()
    ours = PoissonNLLLoss(reduction=reduction)(location, counts)
    theirs = nn.PoissonNLLLoss(reduction=reduction)(location, counts)
    assert_close(ours, theirs)
    assert_close(torch.autograd.grad(ours.sum(), location), torch.autograd.grad(theirs.sum(), location))


def test_poisson_is_scipys():
    """With the factorial it is all of the likelihood, exact for small counts as for large ones."""
    location, counts = grid([-69.0, -3.0, 0.0, 2.5, 7.0, math.log(1e6)], COUNTS)
    expected = -stats.poisson.logpmf(counts.numpy(), location.exp().numpy())
    assert_close(poisson(location, counts), torch.from_numpy(expected), rtol=1e-7, atol=1e-9)


@pytest.mark.parametrize("counts", [1.0, 1e3, 1e6])
def test_large_counts_keep_their_digits(counts):
    """In single precision what is left of two factorials of millions is right."""
    location = torch.tensor([math.log(counts) + 1e-3])
    single = poisson(location, torch.tensor([counts]))
    double = -stats.poisson.logpmf(counts, math.exp(location.double().item()))
    assert_close(single.item(), double.item(), rtol=3e-4, atol=0)
    single = negative_binomial(location, torch.tensor([counts]), torch.tensor([3.0]))
    double = formula(location, torch.tensor([counts]), torch.tensor([3.0]))
    assert_close(single.double(), double, rtol=1e-5, atol=0)


def test_negative_binomial_is_the_formula():
    """Means, counts and concentrations of any size have the likelihood of the formula."""
    location, counts, log_concentration = grid(
        [-20.0, 0.0, 2.5, 8.0], [0.0, 1.0, 2.0, 9.0, 11.0, 40.0, 1e3], [-20.0, -3.0, 0.0, 2.0, 5.0]
    )
    expected = formula(location, counts, log_concentration)
    assert_close(negative_binomial(location, counts, log_concentration), expected, rtol=1e-7, atol=1e-7)


def test_negative_binomial_is_scipys():
    """Where neither means nor probabilities are tiny, the likelihood is scipy's; its p is ours for a zero."""
    location, counts, log_concentration = grid([0.0, 2.5], COUNTS[:8], [-3.0, 0.0, 2.0])
    size = log_concentration.exp()
    expected = -stats.nbinom.logpmf(counts.numpy(), size.numpy(), (size / (size + location.exp())).numpy())
    result = negative_binomial(location, counts, log_concentration)
    assert_close(result, torch.from_numpy(expected), rtol=1e-7, atol=1e-9)


@pytest.mark.parametrize("concentration", [1e2, 1e4, 1e6, 1e8, 1e20, 1e30])
def test_many_make_it_a_poisson_distribution(concentration):
    """In single precision too a large concentration costs no digits: value and gradient are Poisson's."""
    counts, location = torch.tensor([0.0, 3.0, 3.0]), torch.tensor([1.0, 1.0, -69.0]).requires_grad_()
    log_concentration = torch.full((3,), math.log(concentration), requires_grad=True)
    value = negative_binomial(location, counts, log_concentration)
    exact = formula(location.detach(), counts, log_concentration.detach())
    expected = exact.float() if concentration < 1e6 else poisson(location, counts)
    assert_close(value, expected.detach(), rtol=2e-6, atol=2e-6)
    slopes = torch.autograd.grad(value.sum(), [location, log_concentration])
    mean = location.detach().exp()
    assert_close(slopes[0], (mean - counts) * concentration / (concentration + mean), rtol=1e-5, atol=1e-6)
    assert slopes[1].isfinite().all()


@pytest.mark.parametrize("log_concentration", [-1e4, -100.0, -50.0, 50.0, 100.0, 1e4])
@pytest.mark.parametrize("location", [-1e4, -69.0, 50.0, 87.9, 1e4])
def test_anything_is_finite(location, log_concentration):
    """Any mean, concentration and count give finite values and gradients in single precision."""
    counts = torch.tensor([0.0, 1.0, 1e6])
    inputs = [torch.full((3,), each, requires_grad=True) for each in (location, log_concentration, 0.5)]
    value = negative_binomial(inputs[0], counts, *inputs[1:])
    assert value.isfinite().all()
    assert all(each.isfinite().all() for each in torch.autograd.grad(value.sum(), inputs))
    value = poisson(inputs[0], counts)
    assert value.isfinite().all()
    assert torch.autograd.grad(value.sum(), inputs[0])[0].isfinite().all()


def test_few_may_have_happened_where_nothing_was_expected():
    """The gradient is not dead where the mean is nothing and something happened."""
    location = torch.tensor([-1e4], requires_grad=True)
    for value in (
        poisson(location, torch.tensor([3])),
        negative_binomial(location, torch.tensor([3]), torch.zeros(1)),
    ):
        assert_close(torch.autograd.grad(value.sum(), location)[0], torch.tensor([-3.0]))


@pytest.mark.parametrize("logit", [-100.0, -3.0, 0.0, 3.0, 100.0])
def test_inflated_zeros_are_a_mixture(logit):
    """The likelihood is that of zero with a probability, and of the counts otherwise."""
    location, counts, log_concentration = grid([-20.0, 0.0, 3.0], [0.0, 1.0, 9.0], [-3.0, 1.0])
    zero_logit = torch.full_like(location, logit)
    for plain, value in (
        (poisson(location, counts), poisson(location, counts, zero_logit)),
        (
            negative_binomial(location, counts, log_concentration),
            negative_binomial(location, counts, log_concentration, zero_logit),
        ),
    ):
        always, otherwise = torch.nn.functional.logsigmoid(torch.stack([zero_logit, -zero_logit]))
        mixed = torch.where(counts == 0, torch.logaddexp(always, otherwise - plain), otherwise - plain)
        assert_close(value, -mixed)


@pytest.mark.parametrize("logit", [-100.0, 100.0])
def test_certainty_of_zero_keeps_its_digits(logit):
    """In single precision nothing cancels where a zero is certain to be one of either kind."""
    location = torch.tensor([-7.0, 3.0, 20.0])
    value = poisson(location, torch.zeros(3), torch.full((3,), logit))
    double = poisson(location.double(), torch.zeros(3), torch.full((3,), logit, dtype=DOUBLE))
    assert_close(value, double.float(), rtol=1e-5, atol=1e-7)
    assert (value >= 0).all()


@pytest.mark.parametrize("loss", ["poisson", "negative binomial"])
def test_derivatives(loss):
    """First and second derivatives in all tensors agree with finite differences."""
    counts = torch.tensor([0.0, 0.0, 1.0, 9.0, 30.0], dtype=DOUBLE)
    generator = torch.Generator().manual_seed(0)
    inputs = [torch.randn(5, generator=generator, dtype=DOUBLE).requires_grad_() for _ in range(3)]

    def value(location, zero_logit, log_concentration):
        if loss == "poisson":
            return poisson(location, counts, zero_logit)
        return negative_binomial(location, counts, log_concentration, zero_logit)

    inputs = inputs[:2] if loss == "poisson" else inputs
    call = (lambda *given: value(*given, None)) if loss == "poisson" else value
    assert torch.autograd.gradcheck(call, inputs)
    assert torch.autograd.gradgradcheck(call, inputs)


@pytest.mark.parametrize("wrong", [-1.0, 0.5, -0.25])
def test_what_counts_nothing_is_named(wrong):
    """Numbers that are no counts raise, with the number; under a mask they may stand."""
    counts = torch.tensor([1.0, wrong])
    with pytest.raises(InputValueError, match=f"target must hold counts, 0, 1, 2 ...; it holds {wrong:g}"):
        PoissonNLLLoss()(torch.zeros(2), counts)
    with pytest.raises(InputValueError, match=f"it holds {wrong:g}"):
        NegativeBinomialNLLLoss()(torch.zeros(2), counts, log_concentration=torch.zeros(2))
    mask = torch.tensor([True, False])
    assert_close(PoissonNLLLoss()(torch.zeros(2), counts, mask=mask), torch.tensor(1.0))


@pytest.mark.parametrize("shape", [(2, 3, 1), (2, 1, 4), (3, 4), (1,), ()], ids=str)
def test_parameters_do_not_broadcast(shape):
    """A parameter that would only broadcast raises; one for each position is that of all its channels."""
    location, counts = torch.zeros(2, 3, 4), torch.ones(2, 3, 4)
    loss = NegativeBinomialNLLLoss()
    with pytest.raises(InputValueError, match=r"accepted for the log_concentration: \(2, 4\) or \(2, 3, 4\)"):
        loss(location, counts, log_concentration=torch.zeros(shape))
    shared = torch.rand(2, 4, generator=torch.Generator().manual_seed(0))
    expected = loss(location, counts, log_concentration=shared.unsqueeze(1).expand(2, 3, 4))
    assert_close(loss(location, counts, log_concentration=shared), expected)


def test_masked_parameters_may_hold_anything():
    """Where an element does not count every tensor may hold NaN, and has a gradient of zero."""
    mask = torch.tensor([True, False, True])
    counts = torch.tensor([0.0, torch.nan, 2.0])
    inputs = [torch.tensor([0.5, torch.nan, -1.0], requires_grad=True) for _ in range(3)]
    kept = [each.detach()[mask] for each in inputs]
    loss = NegativeBinomialNLLLoss()
    value = loss(inputs[0], counts, log_concentration=inputs[1], zero_logit=inputs[2], mask=mask)
    assert_close(value, loss(kept[0], counts[mask], log_concentration=kept[1], zero_logit=kept[2]))
    for gradient in torch.autograd.grad(value, inputs):
        assert gradient[1] == 0
        assert (gradient[mask] != 0).all()


def test_descent_finds_mean_and_spread():
    """The minimiser is the mean of the sample, and a concentration that explains its variance."""
    sample = torch.from_numpy(stats.nbinom.rvs(3, 0.3, size=3000, random_state=0))
    inputs = [torch.zeros(1, requires_grad=True) for _ in range(2)]
    optimizer = torch.optim.Adam(inputs, lr=0.1)
    for _ in range(150):
        optimizer.zero_grad()
        location, log_concentration = (each.expand(3000) for each in inputs)
        NegativeBinomialNLLLoss()(location, sample, log_concentration=log_concentration).backward()
        optimizer.step()
    mean, size = (each.detach().exp().item() for each in inputs)
    assert_close(mean, sample.double().mean().item(), rtol=1e-2, atol=0)
    assert_close(size, 3.0, rtol=0.15, atol=0)
