"""Losses of preferences besides DPO's against their formulas in NumPy, and the identities that they have."""

import numpy as np
import pytest
import torch
from torch.nn import functional
from torch.testing import assert_close

from lossary_losses import (
    BradleyTerryLoss,
    DPOLoss,
    InputValueError,
    IPOLoss,
    KTOLoss,
    ORPOLoss,
    RobustDPOLoss,
    SimPOLoss,
)

PAIRED = [BradleyTerryLoss, IPOLoss, ORPOLoss, RobustDPOLoss, SimPOLoss]
REFERRED = [IPOLoss, RobustDPOLoss]
FIRST = torch.tensor([0])


@pytest.fixture
def pairs():
    """Average log-probabilities of two answers, which is preferred, and a reference."""
    generator = torch.Generator().manual_seed(0)
    input, reference = (
        -0.01 - 8 * torch.rand(8, 2, generator=generator, dtype=torch.float64) for _ in range(2)
    )
    return input.requires_grad_(), torch.randint(0, 2, (8,), generator=generator), reference


def split(scores, target):
    """Give the scores of what is preferred and of what is not, as arrays."""
    scores, index, chosen = scores.detach().numpy(), np.arange(len(target)), target.numpy()
    return scores[index, chosen], scores[index, 1 - chosen]


def surprise(margin):
    """Give minus the logarithm of the logistic function."""
    return np.logaddexp(0, -margin)


def log_odds(score):
    """Give the logarithm of the odds of a log-probability."""
    return score - np.log1p(-np.exp(score))


def of_simpo(chosen, rejected):
    """Write equation 6 of the paper down."""
    return surprise(2.5 * (chosen - rejected) - 0.5)


def of_ipo(chosen, rejected):
    """Write equation 17 of the paper down."""
    return (chosen - rejected - 1 / (2 * 0.25)) ** 2


def of_robust(chosen, rejected):
    """Write the paper's unbiased loss down: of a flipped pair too, each by its chance."""
    right, wrong = surprise(0.5 * (chosen - rejected)), surprise(0.5 * (rejected - chosen))
    return (0.8 * right - 0.2 * wrong) / (1 - 0.4)


def of_orpo(chosen, rejected):
    """Write equation 7 of the paper down."""
    return surprise(log_odds(chosen) - log_odds(rejected))


def of_bradley_terry(chosen, rejected):
    """Write the model's likelihood down, with what centres rewards."""
    return surprise(chosen - rejected) + 0.01 * (chosen + rejected) ** 2


FORMULAS = [
    (SimPOLoss(beta=2.5, gamma=0.5, reduction="none"), of_simpo),
    (IPOLoss(tau=0.25, reduction="none"), of_ipo),
    (RobustDPOLoss(beta=0.5, flip_rate=0.2, reduction="none"), of_robust),
    (ORPOLoss(reduction="none"), of_orpo),
    (BradleyTerryLoss(centering=0.01, reduction="none"), of_bradley_terry),
]


@pytest.mark.parametrize(("loss", "formula"), FORMULAS, ids=[each.__name__ for _, each in FORMULAS])
def test_it_is_the_formula(pairs, loss, formula):
    """Each pair costs what the formula says, of gains over the reference where there is one."""
    input, target, reference = pairs
    assert_close(loss(input, target).detach(), torch.from_numpy(formula(*split(input, target))))
    if type(loss) in REFERRED:
        expected = torch.from_numpy(formula(*split(input - reference, target)))
        assert_close(loss(input, target, reference=reference).detach(), expected)


@pytest.mark.parametrize("build", PAIRED)
def test_probabilities_are_what_is_to_be_expected(pairs, build):
    """Probabilities as targets give the mean over both outcomes; swapped pairs want swapped targets."""
    input, target, _ = pairs
    loss = build(reduction="none")
    likely = functional.one_hot(target, 2) * 0.8 + 0.1
    expected = 0.9 * loss(input, target) + 0.1 * loss(input, 1 - target)
    assert_close(loss(input, likely), expected)
    assert_close(loss(input.flip(1), likely.flip(1)), expected)


@pytest.mark.parametrize("build", PAIRED)
def test_packed_batches_add_up(pairs, build):
    """One pair and seven, as fractions, have the value and the gradient of the eight."""
    input, target, _ = pairs
    parts = [build().fraction(input[part], target[part]) for part in (slice(0, 1), slice(1, 8))]
    value = sum(each.numerator for each in parts) / sum(each.denominator for each in parts)
    expected = build()(input, target)
    assert_close(value, expected)
    assert_close(torch.autograd.grad(value, input), torch.autograd.grad(expected, input))


@pytest.mark.parametrize("build", [BradleyTerryLoss, RobustDPOLoss, SimPOLoss])
@pytest.mark.parametrize("margin", [-1e4, 1e4])
def test_large_margins(build, margin):
    """Where an exponential overflows value and gradient are finite, and push towards what is preferred."""
    input = torch.tensor([[margin, 0.0]], requires_grad=True)
    value = build()(input, FIRST)
    (slope,) = torch.autograd.grad(value, input)
    assert value.isfinite()
    assert slope.isfinite().all()
    assert margin > 0 or slope[0, 0] < 0 < slope[0, 1]


def test_known_identities(pairs):
    """Without extras rewards have cross entropy, SimPO and robust DPO the loss of DPO."""
    input, target, reference = pairs
    assert_close(BradleyTerryLoss()(input, target), functional.cross_entropy(input, target))
    assert_close(SimPOLoss(beta=0.1, gamma=0)(input, target), DPOLoss()(input, target))
    robust = RobustDPOLoss(flip_rate=0)
    assert_close(robust(input, target, reference=reference), DPOLoss()(input, target, reference=reference))


def test_flips_are_made_up_for(pairs):
    """Over both outcomes, as likely as flips make them, robust DPO is DPO of the right one."""
    input, target, _ = pairs
    likely = functional.one_hot(target, 2) * (1 - 2 * 0.3) + 0.3
    assert_close(RobustDPOLoss(flip_rate=0.3)(input, likely), DPOLoss()(input, target))


def test_the_lead_that_ipo_asks_for():
    """At a lead of half the reciprocal of tau the loss is zero, and so is its gradient."""
    input = torch.tensor([[-1.0, -6.0]], requires_grad=True)
    value = IPOLoss(tau=0.1)(input, FIRST)
    assert value == 0
    assert (torch.autograd.grad(value, input)[0] == 0).all()


def test_a_margin_of_each_pair(pairs):
    """A margin is taken from the lead, has no gradient, and hides under a mask."""
    input, target, _ = pairs
    margin = torch.linspace(0, 3, 8, dtype=torch.float64).requires_grad_()
    chosen, rejected = split(input, target)
    expected = torch.from_numpy(surprise(chosen - rejected - margin.detach().numpy()))
    value = BradleyTerryLoss(reduction="none")(input, target, margin=margin)
    assert_close(value.detach(), expected)
    value.sum().backward()
    assert margin.grad is None
    kept = torch.arange(8) % 3 != 0
    hidden = margin.detach().masked_fill(~kept, torch.nan)
    assert_close(BradleyTerryLoss()(input, target, margin=hidden, mask=kept).detach(), expected[kept].mean())
    with pytest.raises(InputValueError, match=r"margin \(8, 1\); accepted for the margin: \(8,\)"):
        BradleyTerryLoss()(input, target, margin=margin.unsqueeze(1))


@pytest.mark.parametrize("build", [*REFERRED, KTOLoss])
def test_the_reference_is_held_and_hidden(pairs, build):
    """A reference has no gradient, and may hold NaN under a mask."""
    input, target, reference = pairs
    if build is KTOLoss:
        input, reference = input[:, 0], reference[:, 0]
    kept = torch.arange(8) % 3 != 0
    reference.requires_grad_()
    expected = build()(input[kept], target[kept], reference=reference[kept])
    expected.backward()
    assert reference.grad is None
    poisoned = reference.detach().clone()
    poisoned[~kept] = input.new_tensor([torch.nan, torch.inf, -torch.inf]).view(-1, *[1] * (input.ndim - 1))
    value = build()(input, target, reference=poisoned, mask=kept)
    assert_close(value, expected)
    (slope,) = torch.autograd.grad(value, input)
    assert slope.isfinite().all()
    assert (slope[~kept] == 0).all()


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_certain_answers_have_odds(dtype):
    """A probability of one, of either answer or of both, has a finite cost, and a gradient that helps.

    Where the preferred one is certain the slope is minus the odds' limit, 1 / (1 - p) of the other one.
    """
    input = torch.tensor([[0.0, -1.0], [-1.0, 0.0], [0.0, 0.0]], dtype=dtype, requires_grad=True)
    value = ORPOLoss(reduction="none")(input, torch.zeros(3, dtype=torch.long))
    (slope,) = torch.autograd.grad(value.sum(), input)
    assert value.isfinite().all()
    assert slope.isfinite().all()
    assert_close(slope[0, 0].item(), -1 / (np.e - 1), rtol=1e-6, atol=0)
    assert slope[1, 0] < 0 < slope[1, 1]
    assert_close(value[2].item(), np.log(2))


def test_unlikely_answers_have_odds():
    """Odds of probabilities that are nothing in floating point differ as the log-probabilities do."""
    input = torch.tensor([[-300.0, -301.0], [-1e4, -2.0], [-2.0, -1e4]], requires_grad=True)
    value = ORPOLoss(reduction="none")(input, torch.zeros(3, dtype=torch.long))
    odds = -2 - np.log1p(-np.exp(-2.0))
    assert_close(value.detach().double().numpy(), np.array([surprise(1.0), 1e4 + odds, 0]))
    assert torch.autograd.grad(value.sum(), input)[0].isfinite().all()


def test_log_probabilities_are_not_above_zero():
    """A probability above one raises, unless it is masked."""
    input = torch.tensor([[0.5, -1.0], [-1.0, -2.0]])
    with pytest.raises(InputValueError, match="input must hold values from -inf to"):
        ORPOLoss()(input, torch.tensor([0, 0]))
    assert ORPOLoss()(input, torch.tensor([0, 0]), mask=torch.tensor([False, True])).isfinite()


@pytest.mark.parametrize("baseline", [None, 1.5])
def test_kto_is_the_formula(pairs, baseline):
    """What is desirable costs its weight times one minus the value of its gain, what is not the other way."""
    input, target, reference = (each[:, 0] if each.ndim > 1 else each for each in pairs)
    given = {} if baseline is None else {"baseline": torch.tensor(baseline, requires_grad=True)}
    loss = KTOLoss(beta=0.5, desirable_weight=1.3, undesirable_weight=0.7, reduction="none")
    value = loss(input, target, reference=reference, **given)
    gain = (input - reference).detach().numpy() - (baseline or 0)
    logistic = 1 / (1 + np.exp(-0.5 * gain))
    expected = np.where(target.numpy() == 1, 1.3 * (1 - logistic), 0.7 * logistic)
    assert_close(value.detach(), torch.from_numpy(expected))
    value.sum().backward()
    assert all(each.grad is None for each in given.values())


def test_kto_keeps_its_digits():
    """What costs next to nothing has a slope still; one less a sigmoid is zero beyond 17."""
    input = torch.tensor([30.0, -30.0], requires_grad=True)
    value = KTOLoss(beta=1.0, reduction="none")(input, torch.tensor([1, 0]))
    assert_close(value.detach(), torch.full((2,), np.exp(-30.0)).float(), rtol=1e-5, atol=0)
    (slope,) = torch.autograd.grad(value.sum(), input)
    assert slope[0] < 0 < slope[1]


def test_kto_takes_one_baseline(pairs):
    """A baseline for each answer, or one below zero, raises: the first would broadcast."""
    input, target, _ = pairs
    with pytest.raises(InputValueError, match=r"baseline \(8, 1\); accepted for the baseline: \(\)"):
        KTOLoss()(input[:, 0], target, baseline=torch.zeros(8, 1))
    with pytest.raises(InputValueError, match="baseline must not be negative"):
        KTOLoss()(input[:, 0], target, baseline=torch.tensor(-1.0))
    with pytest.raises(InputValueError, match=r"target \(8, 1\)"):
        KTOLoss()(input[:, 0], target.unsqueeze(1))
