"""The quantile loss against its definition, and against the quantiles that it finds."""

import numpy as np
import pytest
import torch
from torch.testing import assert_close

from lossary_losses import L1Loss, QuantileLoss
from lossary_losses._core import streaming


@pytest.fixture
def pair():
    """An input and a target (B, C, L)."""
    generator = torch.Generator().manual_seed(0)
    return tuple(torch.randn(3, 2, 5, generator=generator, dtype=torch.float64) for _ in range(2))


@pytest.mark.parametrize("quantile", [0.5, 0.1, 0.975])
def test_the_definition(pair, quantile):
    """max(q u, (q - 1) u) of u, the target less the input."""
    u = (pair[1] - pair[0]).numpy()
    expected = torch.from_numpy(np.where(u >= 0, quantile * u, (quantile - 1) * u))
    assert_close(QuantileLoss(quantile=quantile, reduction="none")(*pair), expected)


def test_the_median_is_half_the_absolute_error(pair):
    """quantile=0.5 is half of L1."""
    assert_close(2 * QuantileLoss()(*pair), L1Loss()(*pair))


def test_one_quantile_per_channel(pair):
    """Each channel has its own quantile, and its own target."""
    result = QuantileLoss(quantile=[0.1, 0.75], reduction="none")(*pair)
    for channel, quantile in enumerate((0.1, 0.75)):
        alone = QuantileLoss(quantile=quantile, reduction="none")
        assert_close(result[:, channel], alone(pair[0][:, channel], pair[1][:, channel]))


def test_several_quantiles_of_one_value(pair):
    """A target without channels is that of all quantiles, along with its mask and its ignored positions."""
    loss = QuantileLoss(quantile=[0.1, 0.75], ignore_index=-1)
    shared = pair[1][:, 0].clone()
    shared[0, 0] = -1
    repeated = shared.unsqueeze(1).repeat(1, 2, 1)
    mask = shared > -0.5
    assert_close(loss(pair[0], shared), loss(pair[0], repeated))
    assert_close(loss(pair[0], shared, mask=mask), loss(pair[0], repeated, mask=mask))


@pytest.mark.parametrize("shape", [(3, 1, 5), (2, 5), (3, 5, 1), (1, 2, 5), (5,)], ids=str)
def test_nothing_broadcasts(pair, shape):
    """A target of any other shape raises ValueError naming both that are accepted."""
    with pytest.raises(ValueError, match=r"accepted for the target: \(3, 2, 5\) or \(3, 5\)"):
        QuantileLoss(quantile=[0.1, 0.75])(pair[0], torch.zeros(shape))


def test_one_quantile_takes_no_shared_target(pair):
    """With one quantile, channels are different values: a target without them raises ValueError."""
    with pytest.raises(ValueError, match=r"accepted for the target: \(3, 2, 5\) \(values\)"):
        QuantileLoss(quantile=0.1)(pair[0], pair[1][:, 0])


def test_quantiles_of_the_wrong_number(pair):
    """Quantiles of another number than the channels raise ValueError with both."""
    with pytest.raises(ValueError, match="quantile has 3 values, and the input 2 classes in dimension 1"):
        QuantileLoss(quantile=[0.1, 0.5, 0.9])(*pair)


@pytest.mark.parametrize("quantile", [0, 1, -0.1, [0.5, 1.0], float("nan")])
def test_quantiles_lie_between_zero_and_one(quantile):
    """A quantile of zero, one or beyond raises ValueError."""
    with pytest.raises(ValueError, match="quantile must be a finite number > 0 and < 1 or a sequence of"):
        QuantileLoss(quantile=quantile)


def test_the_slope_between_the_sides():
    """At the difference of zero the slope is the middle of both sides: zero for the median."""
    input = torch.zeros(1, 2, requires_grad=True)
    QuantileLoss(quantile=[0.5, 0.1], reduction="sum")(input, torch.zeros(1, 2)).backward()
    assert_close(input.grad, torch.tensor([[0.0, 0.4]]))


def test_descent_finds_the_quantiles():
    """The minimiser over a sample is the sample's quantile."""
    sample = torch.linspace(0, 1, 101).unsqueeze(1)
    found = torch.full((1, 3), 0.5, requires_grad=True)
    loss = QuantileLoss(quantile=[0.1, 0.5, 0.9])
    optimizer = torch.optim.Adam([found], lr=0.02)
    for _ in range(100):
        optimizer.zero_grad()
        loss(found.expand(101, 3), sample.squeeze(1)).backward()
        optimizer.step()
    assert_close(found.detach(), torch.tensor([[0.1, 0.5, 0.9]]), rtol=0, atol=0.03)


class TestCrossing:
    """What it costs that a quantile is above the next one."""

    def data(self):
        """Draw three quantiles, many of which cross, one pair of which is equal, and values."""
        generator = torch.Generator().manual_seed(0)
        input = torch.randn(2, 3, 5, generator=generator, dtype=torch.float64)
        input[0, 0, 0] = input[0, 1, 0]
        return input.requires_grad_(), torch.randn(2, 5, generator=generator, dtype=torch.float64)

    @pytest.mark.parametrize("large", [False, True])
    def test_it_is_the_sum_of_what_crosses(self, large, monkeypatch):
        """Value and gradient are those of the pinball loss and of what crosses, in parts as in the whole."""
        if large:
            monkeypatch.setattr(streaming, "_PART", {"cpu": 4})
        input, target = self.data()
        weight = torch.linspace(0.5, 1.5, 10, dtype=torch.float64).reshape(2, 5)
        quantile = [0.1, 0.5, 0.9]
        plain = QuantileLoss(quantile=quantile, reduction="sum")(input, target, weight=weight)
        expected = plain + 0.3 * ((input[:, :-1] - input[:, 1:]).relu().sum(1) * weight).sum()
        ours = QuantileLoss(quantile=quantile, crossing=0.3, reduction="sum")(input, target, weight=weight)
        assert_close(ours, expected)
        assert_close(torch.autograd.grad(ours, input), torch.autograd.grad(expected, input))

    def test_both_must_count(self):
        """Where one of two quantiles is left out, they do not cross, whatever stands there."""
        mask = torch.tensor([[True, True, False]])
        input = torch.tensor([[2.0, 1.0, -5.0]], requires_grad=True)
        loss = QuantileLoss(quantile=[0.1, 0.5, 0.9], crossing=1.0, reduction="sum")
        value = loss(input, torch.zeros(1, 3), mask=mask)
        assert_close(value.item(), 0.9 * 2.0 + 0.5 * 1.0 + 1.0)
        assert torch.autograd.grad(value, input)[0][0, 2] == 0

    @pytest.mark.parametrize("quantile", [0.5, [0.9, 0.1], [0.5, 0.5]], ids=str)
    def test_quantiles_rise(self, quantile):
        """One quantile crosses nothing, and those that do not rise have no order to keep: both raise."""
        with pytest.raises(ValueError, match="crossing=1 needs several quantiles, from low to high"):
            QuantileLoss(quantile=quantile, crossing=1.0)
