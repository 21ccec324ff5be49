"""Student's t likelihood against scipy's in double precision, and where other implementations fail."""

import math

import pytest
import torch
from scipy import stats
from torch.testing import assert_close

from lossary_losses import GaussianNLLLoss, InputValueError, StudentTNLLLoss

DOUBLE = torch.float64


def student(location, value, log_scale, log_df):
    """Compute the likelihood of each value."""
    return StudentTNLLLoss(reduction="none")(location, value, log_scale=log_scale, log_df=log_df)


def grid(*axes):
    """Give all combinations, each axis as one tensor."""
    tensors = torch.meshgrid(*[torch.tensor(each, dtype=DOUBLE) for each in axes], indexing="ij")
    return [each.flatten() for each in tensors]


def test_it_is_scipys():
    """Near the location and far out in the tails, with any degrees of freedom, it is scipy's likelihood."""
    value, log_scale, log_df = grid(
        [-1e4, -3.0, -1e-3, 0.0, 0.5, 30.0], [-3.0, 0.0, 2.0], [-3.0, 0.0, 1.0, 2.9, 3.1, 8.0]
    )
    scale, df = log_scale.exp().numpy(), log_df.exp().numpy()
    expected = -stats.t.logpdf(value.numpy() + 1, df, loc=1, scale=scale)
    result = student(torch.ones_like(value), value + 1, log_scale, log_df)
    assert_close(result, torch.from_numpy(expected), rtol=1e-8, atol=1e-8)


def test_it_is_torchs():
    """Value and gradient in all parameters are those of minus torch's log_prob."""
    generator = torch.Generator().manual_seed(0)
    value, *inputs = (torch.randn(6, generator=generator, dtype=DOUBLE) for _ in range(4))
    inputs = [each.requires_grad_() for each in inputs]
    location, log_scale, log_df = inputs
    theirs = -torch.distributions.StudentT(log_df.exp(), location, log_scale.exp()).log_prob(value)
    ours = student(location, value, log_scale, log_df)
    assert_close(ours, theirs)
    assert_close(torch.autograd.grad(ours.sum(), inputs), torch.autograd.grad(theirs.sum(), inputs))


@pytest.mark.parametrize("df", [1e4, 1e8, 1e15, 1e30])
def test_many_degrees_of_freedom_make_it_gaussian(df):
    """In single precision too many degrees of freedom cost no digits."""
    location = torch.tensor([0.0, 1.0, 0.0], requires_grad=True)
    value, log_scale = torch.tensor([0.0, -0.5, 3.0]), torch.tensor([0.0, 0.5, 0.0])
    log_df = torch.full((3,), math.log(df), requires_grad=True)
    ours = student(location, value, log_scale, log_df)
    gaussian = GaussianNLLLoss(full=True, reduction="none")(location, value, log_var=2 * log_scale)
    if df < 1e6:
        scale = log_scale.double().exp().numpy()
        exact = -stats.t.logpdf(value.numpy(), df, loc=location.detach().double().numpy(), scale=scale)
        assert_close(ours.detach(), torch.from_numpy(exact).float(), rtol=3e-6, atol=3e-6)
    else:
        assert_close(ours, gaussian, rtol=3e-6, atol=3e-6)
    slopes = torch.autograd.grad(ours.sum(), [location, log_df])
    assert_close(slopes[0], torch.autograd.grad(gaussian.sum(), location)[0], rtol=2e-3, atol=1e-6)
    assert slopes[1].isfinite().all()


@pytest.mark.parametrize("log_df", [-50.0, 0.0, 50.0, 1e3])
@pytest.mark.parametrize("log_scale", [-50.0, 0.0, 50.0])
def test_anything_is_finite(log_scale, log_df):
    """Any scale, degrees of freedom and distance give finite values and gradients in single precision."""
    inputs = [torch.full((4,), each, requires_grad=True) for each in (0.0, log_scale, log_df)]
    value = student(inputs[0], torch.tensor([0.0, 1e-20, 1.0, 1e4]), *inputs[1:])
    assert value.isfinite().all()
    assert all(each.isfinite().all() for each in torch.autograd.grad(value.sum(), inputs))


def test_far_out_the_gradient_falls_but_does_not_end():
    """The gradient of an outlier is as if by its distance: small, not zero, and not NaN."""
    location = torch.tensor([1e8, -1e8], requires_grad=True)
    value = student(location, torch.zeros(2), torch.zeros(2), torch.zeros(2))
    assert_close(torch.autograd.grad(value.sum(), location)[0], torch.tensor([2e-8, -2e-8]))


def test_derivatives():
    """First and second derivatives in all tensors agree with finite differences."""
    generator = torch.Generator().manual_seed(0)
    inputs = [torch.randn(6, generator=generator, dtype=DOUBLE).requires_grad_() for _ in range(4)]
    with torch.no_grad():
        inputs[3][:2] += 4
    assert torch.autograd.gradcheck(student, inputs)
    assert torch.autograd.gradgradcheck(student, inputs)


def test_parameters_do_not_broadcast():
    """A parameter that would only broadcast raises, with both shapes."""
    zeros = torch.zeros(2, 3)
    with pytest.raises(
        InputValueError, match=r"input \(2, 3\), log_df \(3,\); accepted for the log_df: \(2,\) or"
    ):
        StudentTNLLLoss()(zeros, zeros, log_scale=zeros, log_df=torch.zeros(3))


def test_outliers_do_not_rule():
    """The location of the best fit hardly moves when one value in twenty is far away."""
    generator = torch.Generator().manual_seed(0)
    sample = torch.randn(1000, generator=generator)
    sample[:50] = 1e3
    inputs = [torch.zeros(1, requires_grad=True) for _ in range(3)]
    optimizer = torch.optim.Adam(inputs, lr=0.1)
    for _ in range(150):
        optimizer.zero_grad()
        location, log_scale, log_df = (each.expand(1000) for each in inputs)
        StudentTNLLLoss()(location, sample, log_scale=log_scale, log_df=log_df).backward()
        optimizer.step()
    assert abs(inputs[0].item() - sample[50:].mean().item()) < 0.1
