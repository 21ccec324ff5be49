"""Ranked probability scores against integrals, scipy's distributions and sums over all pairs."""

import math

import numpy as np
import pytest
import torch
from scipy import integrate, special, stats
from torch.testing import assert_close

from lossary_losses import CRPSLoss, EnsembleCRPSLoss, InputTypeError, InputValueError, L1Loss

DOUBLE = torch.float64
DISTRIBUTIONS = {
    "normal": stats.norm(),
    "laplace": stats.laplace(),
    "logistic": stats.logistic(),
    "student_t": stats.t(3.0),
}
EACH = pytest.mark.parametrize("distribution", DISTRIBUTIONS)


def score(distribution, value, log_scale=0.0, log_df=None, location=0.0):
    """Compute the score of each value."""
    if distribution == "student_t":
        log_df = torch.full_like(value, math.log(3.0)) if log_df is None else log_df
    log_scale = log_scale if isinstance(log_scale, torch.Tensor) else torch.full_like(value, log_scale)
    location = location if isinstance(location, torch.Tensor) else torch.full_like(value, location)
    loss = CRPSLoss(distribution=distribution, reduction="none")
    return loss(location, value, log_scale=log_scale, log_df=log_df)


@EACH
@pytest.mark.parametrize("value", [-2.5, 0.0, 0.3, 6.0])
def test_it_is_the_integral(distribution, value):
    """The score is the integral over the square of what the distribution function is off."""
    frozen = DISTRIBUTIONS[distribution]
    below = integrate.quad(lambda u: frozen.cdf(u) ** 2, -np.inf, value)[0]
    above = integrate.quad(lambda u: frozen.sf(u) ** 2, value, np.inf)[0]
    result = score(distribution, torch.tensor([3 * value + 7], dtype=DOUBLE), math.log(3), location=7.0)
    assert_close(result.item(), 3 * (below + above), rtol=1e-6, atol=0)


@pytest.mark.parametrize("df", [1.05, 1.5, 3.0, 19.0, 21.0, 1e3, 1e8])
def test_students_t_is_the_closed_form(df):
    """Near and far, with few degrees of freedom and many, the score is that of the closed form."""
    z = torch.tensor([0.0, 1e-6, 0.5, -3.0, 1e2, 1e4], dtype=DOUBLE)
    a, b = z.numpy(), df - 1
    spread = (
        special.gammaln(df - 0.5)
        - special.gammaln(df)
        + 2 * (special.gammaln((df + 1) / 2) - special.gammaln(df / 2))
    )
    expected = a * (2 * stats.t.cdf(a, df) - 1) + 2 * stats.t.pdf(a, df) * (df + a * a) / b
    expected = torch.from_numpy(expected - 2 * math.sqrt(df / math.pi) / b * math.exp(spread))
    log_df = torch.full_like(z, math.log(df))
    assert_close(score("student_t", z, log_df=log_df), expected, rtol=1e-6, atol=1e-8)
    single = score("student_t", z.float(), log_df=log_df.float())
    assert_close(single, expected.float(), rtol=1e-5, atol=1e-6)


def test_many_degrees_of_freedom_make_it_normal():
    """Student's t without end of degrees of freedom is the normal distribution, in single precision, too."""
    value = torch.tensor([0.0, 0.5, -3.0, 1e4])
    for log_df in (30.0, 100.0):
        result = score("student_t", value, log_df=torch.full_like(value, log_df))
        assert_close(result, score("normal", value), rtol=1e-6, atol=1e-6)


@EACH
def test_far_out_it_is_the_distance(distribution):
    """Ten thousand scales away the gradient is one; where the scale is nothing it is the absolute error."""
    location = torch.tensor([0.0, 0.0], requires_grad=True)
    value = score(distribution, torch.tensor([1e4, -1e4]), location=location)
    assert_close(torch.autograd.grad(value.sum(), location)[0], torch.tensor([-1.0, 1.0]))
    value = torch.tensor([-2.0, 0.0, 1e-3, 5.0])
    assert_close(score(distribution, value, -50.0).mean(), L1Loss()(torch.zeros(4), value))


@EACH
@pytest.mark.parametrize("log_scale", [-1e3, -50.0, 0.0, 50.0])
def test_anything_is_finite(distribution, log_scale):
    """Any scale and distance give finite values and gradients; at the location the slope is zero."""
    location, log_scale = torch.zeros(4, requires_grad=True), torch.full((4,), log_scale, requires_grad=True)
    log_df = (
        torch.tensor([0.1, 1.0, 20.0, 300.0], requires_grad=True) if distribution == "student_t" else None
    )
    value = score(distribution, torch.tensor([0.0, 1e-20, 1.0, 1e4]), log_scale, log_df, location)
    assert value.isfinite().all()
    inputs = [location, log_scale] + ([] if log_df is None else [log_df])
    slopes = torch.autograd.grad(value.sum(), inputs)
    assert all(each.isfinite().all() for each in slopes)
    assert slopes[0][0] == 0


@EACH
def test_derivatives(distribution):
    """First and second derivatives in all tensors agree with finite differences."""
    generator = torch.Generator().manual_seed(0)
    inputs = [torch.randn(5, generator=generator, dtype=DOUBLE).requires_grad_() for _ in range(3)]
    inputs += [torch.rand(5, generator=generator, dtype=DOUBLE).add(0.2).requires_grad_()]
    inputs = inputs if distribution == "student_t" else inputs[:3]

    def value(location, value, log_scale, log_df=None):
        return score(distribution, value, log_scale, log_df, location)

    assert torch.autograd.gradcheck(value, inputs)
    assert torch.autograd.gradgradcheck(value, inputs)


def test_degrees_of_freedom_go_with_students_t():
    """They are needed there, refused elsewhere, and with one or fewer the score is infinite, and refused."""
    zeros = torch.zeros(2)
    with pytest.raises(InputTypeError, match="distribution='student_t' needs log_df"):
        CRPSLoss(distribution="student_t")(zeros, zeros, log_scale=zeros)
    with pytest.raises(InputTypeError, match="distribution='normal' takes no log_df"):
        CRPSLoss()(zeros, zeros, log_scale=zeros, log_df=zeros)
    with pytest.raises(InputValueError, match="log_df must be above zero; it holds 0"):
        CRPSLoss(distribution="student_t")(zeros, zeros, log_scale=zeros, log_df=zeros)


class TestEnsembles:
    """The score of an ensemble."""

    def pairs(self, members, truth, fair):
        """Write the score of each position down, from all pairs."""
        x, y, count = members.numpy(), truth.numpy(), members.shape[1]
        distances = np.abs(x[:, :, None] - x[:, None]).sum((1, 2))
        plain = distances / (2 * count**2)
        unbiased = distances / (2 * count * (count - 1)) if fair else 0
        return torch.from_numpy(np.abs(x - y[:, None]).mean(1) - fair * unbiased - (1 - fair) * plain)

    def data(self, members=6):
        """Draw members, some of which are equal, and values."""
        generator = torch.Generator().manual_seed(0)
        members = torch.randn(3, members, 4, generator=generator, dtype=DOUBLE)
        members[0, 1:3] = members[0, :1]
        return members, torch.randn(3, 4, generator=generator, dtype=DOUBLE)

    @pytest.mark.parametrize("fair", [1.0, 0.95, 0.0])
    @pytest.mark.parametrize("members", [2, 3, 7])
    def test_it_is_the_sum_over_all_pairs(self, fair, members):
        """Of the fair score and that of the ensemble it has the shares that are asked for."""
        members, truth = self.data(members)
        result = EnsembleCRPSLoss(fair=fair, reduction="none")(members, truth)
        assert_close(result, self.pairs(members, truth, fair))

    def test_equal_members_have_equal_gradients(self):
        """Members that are equal have one gradient, in any order, and none from each other."""
        members = torch.tensor([[1.0, 3.0, 1.0, 1.0]], dtype=DOUBLE, requires_grad=True)
        (slope,) = torch.autograd.grad(EnsembleCRPSLoss()(members, torch.zeros(1, dtype=DOUBLE)), members)
        # One step up for each, and a twelfth of one to the only one that is different.
        expected = torch.tensor([[0.25 + 1 / 12, 0.0, 0.25 + 1 / 12, 0.25 + 1 / 12]], dtype=DOUBLE)
        assert_close(slope, expected)

    @pytest.mark.parametrize("value", [0.0, 2.0, 1e4])
    def test_identical_members_are_one(self, value):
        """The score of members that are all the same is the absolute error, with a finite gradient."""
        members = torch.full((1, 5), 2.0, requires_grad=True)
        result = EnsembleCRPSLoss()(members, torch.tensor([value]))
        assert_close(result.item(), abs(value - 2.0))
        sign = float(np.sign(2.0 - value))
        assert_close(torch.autograd.grad(result, members)[0], torch.full((1, 5), sign / 5))

    def test_one_member(self):
        """A fair score divides by M - 1, and refuses one member; without, it is the absolute error."""
        members, truth = torch.tensor([[3.0]]), torch.tensor([1.0])
        with pytest.raises(InputValueError, match=r"it divides by M - 1; got \(1, 1\)"):
            EnsembleCRPSLoss()(members, truth)
        assert EnsembleCRPSLoss(fair=0.0)(members, truth) == 2

    def test_far_from_zero_it_keeps_its_digits(self):
        """Kelvin instead of degrees, and pascal, change nothing in single precision."""
        members = torch.tensor([[1.0, 2.0, 4.0]]) + 2.0**20
        assert_close(EnsembleCRPSLoss()(members, torch.tensor([3.0 + 2.0**20])), torch.tensor(4 / 3 - 1.0))

    def test_derivatives(self):
        """The gradients agree with finite differences."""
        members, truth = self.data()
        members = members + 0.1 * torch.arange(6, dtype=DOUBLE).unsqueeze(1)
        inputs = [members.requires_grad_(), truth.requires_grad_()]
        assert torch.autograd.gradcheck(EnsembleCRPSLoss(fair=0.9, reduction="none"), inputs)

    def test_the_fair_score_is_lowest_for_the_truth(self):
        """Over many draws two members of the true spread cost less than narrower ones; unfairly, more."""
        generator = torch.Generator().manual_seed(0)
        members, truth = (
            torch.randn(200_000, 2, generator=generator),
            torch.randn(200_000, generator=generator),
        )
        for fair, narrow_is_better in ((1.0, False), (0.0, True)):
            loss = EnsembleCRPSLoss(fair=fair)
            assert (loss(0.7 * members, truth) < loss(members, truth)) == narrow_is_better

    @pytest.mark.parametrize("shape", [(3, 1), (1, 4), (3,), (3, 6, 4), ()], ids=str)
    def test_targets_do_not_broadcast(self, shape):
        """What came has the shape of the members without their dimension."""
        with pytest.raises(InputValueError, match=r"Incompatible shapes: input \(3, 6, 4\), target"):
            EnsembleCRPSLoss()(self.data()[0], torch.zeros(shape))
