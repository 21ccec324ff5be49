"""The general robust loss against its paper's formula and special cases, its density against integration."""

import copy
import math
from decimal import Decimal, localcontext

import numpy as np
import pytest
import torch
from torch.testing import assert_close

from lossary_losses import AdaptiveRobustLoss, CharbonnierLoss, MSELoss
from lossary_losses.regression.adaptive_robust import log_partition

DIFFERENCES = torch.tensor([-1e4, -30.0, -1.0, -0.1, -1e-4, 0.0, 1e-8, 0.5, 2.0, 1e3], dtype=torch.float64)


def exact(difference, alpha, scale=1.0):
    """Compute the paper's formula with fifty digits."""
    with localcontext() as context:
        context.prec = 60
        square, alpha = (Decimal(difference) / Decimal(scale)) ** 2, Decimal(alpha)
        bend = abs(alpha - 2)
        return float(bend / alpha * ((square / bend + 1) ** (alpha / 2) - 1))


def robust(alpha, differences=DIFFERENCES, **options):
    """Compute the loss of each difference."""
    loss = AdaptiveRobustLoss(alpha=alpha, reduction="none", **options)
    return loss(differences, torch.zeros_like(differences))


SHAPES = [
    *[-1e6, -20.0, -2.0, -1.0, -1e-3, -1e-7, -1e-12, 1e-30, 1e-9, 1e-5, 0.1, 1, 1.5, 1.999, 2.5, 3],
    *[2 - 1e-7, 2 - 1e-12, 2 + 1e-12, 2 + 1e-7],
]


@pytest.mark.parametrize("alpha", SHAPES)
@pytest.mark.parametrize("scale", [1.0, 0.3])
def test_the_papers_formula(alpha, scale):
    """For any shape the loss is the paper's formula, to the last digits, around its singularities as well."""
    expected = [exact(difference, alpha, scale) for difference in DIFFERENCES.tolist()]
    result = robust(alpha, scale=scale)
    assert_close(result, torch.tensor(expected, dtype=torch.float64), rtol=1e-11, atol=0)
    assert_close(robust(alpha, DIFFERENCES.float(), scale=scale).double(), result, rtol=1e-4, atol=0)


@pytest.mark.parametrize(
    ("alpha", "formula"),
    [
        (2, lambda x: x**2 / 2),
        (1, lambda x: np.sqrt(x**2 + 1) - 1),
        (0, lambda x: np.log1p(x**2 / 2)),
        (-2, lambda x: 2 * x**2 / (x**2 + 4)),
        (-math.inf, lambda x: -np.expm1(-(x**2) / 2)),
    ],
)
def test_special_cases(alpha, formula):
    """Squares, Charbonnier, Cauchy, Geman and McClure, Welsch."""
    assert_close(robust(alpha), torch.from_numpy(formula(DIFFERENCES.numpy())))


def test_the_collections_own_special_cases():
    """alpha=2 is half the squared error, alpha=1 the Charbonnier loss."""
    input, target = DIFFERENCES[1:], torch.zeros(9, dtype=torch.float64)
    assert_close(2 * AdaptiveRobustLoss(alpha=2)(input, target), MSELoss()(input, target))
    charbonnier = CharbonnierLoss(epsilon=1.0)(input, target)
    ours = AdaptiveRobustLoss(alpha=1)(input, target)
    assert any(torch.isclose(ours, each) for each in (charbonnier, charbonnier - 1))


@pytest.mark.parametrize("special", [0.0, 2.0])
@pytest.mark.parametrize("near", [1e-13, -1e-13, 1e-8, -1e-8])
def test_value_and_gradient_are_continuous_in_alpha(special, near):
    """Next to the shapes for which the formula is 0 / 0, value and gradient are next to theirs."""
    gradients, values = [], []
    for alpha in (special, special + near):
        input = DIFFERENCES.clone().requires_grad_()
        values.append(robust(alpha, input))
        gradients.append(torch.autograd.grad(values[-1].sum(), input)[0])
    assert_close(values[1], values[0], rtol=1e-6, atol=0)
    assert_close(gradients[1], gradients[0], rtol=1e-6, atol=0)


@pytest.mark.parametrize("alpha", [-math.inf, -1e12, -2.0, -1e-9, 0.0, 1e-9, 1.0, 1.9999, 2.0, 2.5])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)
def test_gradients_are_those_of_the_paper(alpha, dtype):
    """X / c^2 times (x^2 / c^2 / |alpha - 2| + 1)^(alpha / 2 - 1), by autograd and by hand."""
    x = DIFFERENCES.to(dtype, copy=True).requires_grad_()
    (gradient,) = torch.autograd.grad(robust(alpha, x, scale=2.0).sum(), x)
    y = DIFFERENCES.numpy() / 2
    if alpha == 2:
        expected = y / 2
    elif alpha == -math.inf:
        expected = y / 2 * np.exp(-(y**2) / 2)
    else:
        expected = y / 2 * np.exp((alpha / 2 - 1) * np.log1p(y**2 / abs(alpha - 2)))
    expected = torch.from_numpy(expected).to(dtype)
    tolerance = {"rtol": 2e-4, "atol": 1e-7} if dtype == torch.float32 else {"rtol": 1e-6, "atol": 1e-15}
    assert_close(gradient, expected, **tolerance)
    assert_close(AdaptiveRobustLoss(alpha=alpha, scale=2.0).cost_slope(x.detach()), expected, **tolerance)


def integrated(alpha):
    """Integrate exp(-rho(x, alpha, 1)) over x = tan(angle), finely, by the midpoint rule."""
    angle = (np.arange(2_000_000) + 0.5) / 2_000_000 * np.pi / 2
    x = np.tan(angle)
    bend = 2 - alpha
    with np.errstate(over="ignore"):
        rho = bend / alpha * np.expm1(alpha / 2 * np.log1p(x**2 / bend))
    return np.log(np.sum(np.exp(-rho) * (1 + x**2)) * np.pi / 2_000_000)


@pytest.mark.parametrize("alpha", [0.05, 0.3, 0.77, 1.0, 1.5, 1.9, 1.999])
def test_the_density_is_normalised(alpha):
    """The logarithm of Z is that of the integral of exp(-rho)."""
    result = log_partition(torch.tensor(alpha, dtype=torch.float64))
    assert_close(result, torch.tensor(integrated(alpha)), rtol=0, atol=1e-9)
    assert_close(log_partition(torch.tensor(alpha)).double(), result, rtol=0, atol=2e-6)


@pytest.mark.parametrize(
    ("alpha", "partition"),
    # Z(1) is 2 e times the modified Bessel function K1(1).
    [
        (1e-8, math.pi * math.sqrt(2)),
        (1.0, 2 * math.e * 0.601907230197234574),
        (2 - 1e-8, math.sqrt(2 * math.pi)),
    ],
)
def test_the_density_is_that_of_cauchy_and_gauss(alpha, partition):
    """At the ends of its range the density is known, and in the middle."""
    result = log_partition(torch.tensor(alpha, dtype=torch.float64))
    assert_close(result, torch.tensor(math.log(partition), dtype=torch.float64), rtol=0, atol=1e-6)


def test_learned_it_is_the_negative_log_likelihood():
    """Rho plus the logarithms of the scale and of Z."""
    loss = AdaptiveRobustLoss(alpha=0.7, scale=0.3, learned=True, reduction="none")
    rho = torch.tensor([exact(difference, 0.7, 0.3) for difference in DIFFERENCES.tolist()])
    expected = rho.double() + math.log(0.3) + integrated(0.7)
    assert_close(loss(DIFFERENCES, torch.zeros_like(DIFFERENCES)), expected, rtol=1e-5, atol=1e-5)


def test_shape_and_scale_have_right_gradients():
    """The derivatives in shape and scale agree with finite differences."""
    loss = AdaptiveRobustLoss(learned=True, alpha=1.2, channels=3).double()
    input = torch.randn(4, 3, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    target = torch.zeros_like(input)

    def of_parameters(*parameters):
        names = [name for name, _ in loss.named_parameters()]
        return torch.func.functional_call(loss, dict(zip(names, parameters, strict=True)), (input, target))

    assert torch.autograd.gradcheck(of_parameters, tuple(loss.parameters()))


@pytest.mark.parametrize("size", [0.0, 1e-6, 1.0, 1e4])
@pytest.mark.parametrize("alpha", [0.0011, 1.0, 1.9989])
def test_gradients_of_shape_and_scale_are_finite(size, alpha):
    """At both ends of the range of shapes, for residuals of any size."""
    loss = AdaptiveRobustLoss(learned=True, alpha=alpha)
    loss(torch.full((3,), size), torch.zeros(3)).backward()
    assert all(parameter.grad.isfinite() for parameter in loss.parameters())


def test_learned_parameters_are_state():
    """What is learned is saved, loaded, copied and moved, and starts where it was told to."""
    loss = AdaptiveRobustLoss(learned=True, alpha=0.5, scale=3.0, channels=2)
    assert_close(loss.learned_alpha().detach(), torch.full((2,), 0.5))
    assert_close(loss.learned_scale().detach(), torch.full((2,), 3.0))
    with torch.no_grad():
        loss.log_scale.add_(1)
    other = AdaptiveRobustLoss(learned=True, channels=2)
    other.load_state_dict(loss.state_dict())
    assert_close(other.learned_scale(), loss.learned_scale())
    assert_close(copy.deepcopy(loss).learned_scale(), loss.learned_scale())
    assert [*AdaptiveRobustLoss().parameters()] == []


def test_a_large_input_trains_the_parameters():
    """What is too large for one part gives the parameters their gradients nevertheless."""
    loss = AdaptiveRobustLoss(learned=True)
    input = torch.randn(2, 1, 300, 300, generator=torch.Generator().manual_seed(0))
    loss(input, torch.zeros_like(input)).backward()
    assert all(parameter.grad != 0 for parameter in loss.parameters())


def test_learning_finds_the_density():
    """On Gaussian noise the shape nears 2, on Cauchy noise 0, and the scale that of the noise."""
    ranks = (torch.arange(4000) + 0.5) / 4000
    gauss = 0.5 * torch.special.ndtri(ranks)
    cauchy = 0.5 * math.sqrt(2) * (math.pi * (ranks - 0.5)).tan()
    residuals = torch.stack([gauss, cauchy], dim=1)
    loss = AdaptiveRobustLoss(learned=True, channels=2)
    optimizer = torch.optim.Adam(loss.parameters(), lr=0.3)
    for _ in range(200):
        optimizer.zero_grad()
        loss(residuals, torch.zeros_like(residuals)).backward()
        optimizer.step()
    assert loss.learned_alpha()[0] > 1.9
    assert loss.learned_alpha()[1] < 0.15
    assert_close(loss.learned_scale().detach(), torch.full((2,), 0.5), rtol=0.1, atol=0)


def test_a_line_among_outliers():
    """A fit with a small alpha does not see the outliers that a least-squares fit follows."""
    x = torch.linspace(-1, 1, 100)
    y = 2 * x + 1
    y[::10] += 50
    coefficients = torch.zeros(2, requires_grad=True)
    optimizer = torch.optim.Adam([coefficients], lr=0.1)
    for _ in range(200):
        optimizer.zero_grad()
        AdaptiveRobustLoss(alpha=-2.0)(coefficients[0] * x + coefficients[1], y).backward()
        optimizer.step()
    assert_close(coefficients.detach(), torch.tensor([2.0, 1.0]), rtol=0, atol=0.05)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"alpha": math.inf}, "alpha must be a finite number or minus infinity, got inf"),
        ({"alpha": math.nan}, "alpha must be a finite number or minus infinity, got nan"),
        ({"scale": 0}, "scale must be a finite number > 0, got 0"),
        ({"channels": 3}, "channels says how many shapes are learned: it needs learned=True"),
        ({"channels": 0, "learned": True}, "channels must be an integer >= 1 or None, got 0"),
        (
            {"alpha": 2.0, "learned": True},
            "alpha must be above 0.001 and below 1.999 where it is learned, got 2.0",
        ),
        ({"scale": 1e-6, "learned": True}, "scale must be above 1e-05 where it is learned, got 1e-06"),
    ],
    ids=str,
)
def test_wrong_options(options, message):
    """Options out of their bounds, or without the one that they need, raise ValueError."""
    with pytest.raises(ValueError) as raised:  # noqa: PT011 - the whole message is compared
        AdaptiveRobustLoss(**options)
    assert str(raised.value) == message


def test_channels_of_the_wrong_number():
    """As many shapes as channels are learned: another number raises ValueError."""
    with pytest.raises(ValueError, match="channels is 3, and the input has 2 in dimension 1"):
        AdaptiveRobustLoss(learned=True, channels=3)(torch.zeros(1, 2), torch.zeros(1, 2))
