"""Adversarial losses against the papers, and where other libraries fail."""

import numpy as np
import pytest
import torch
from torch.nn import functional
from torch.testing import assert_close

from lossary_losses import AdversarialLoss, RelativisticLoss
from lossary_losses._core import streaming

OBJECTIVES = ["logistic", "hinge", "wasserstein", "least_squares"]
EXTREMES = torch.tensor([-1e4, -3.0, -1.0, 0.0, 1.0, 2.0, 1e4], dtype=torch.float64)


def cost(objective, scores):
    """Compute in NumPy what the papers have real samples cost."""
    return {
        "logistic": np.logaddexp(0, -scores),
        "hinge": np.maximum(0, 1 - scores),
        "wasserstein": -scores,
    }[objective]


def by_hand(objective, side, scores, target):
    """Compute in NumPy what a score costs that should be taken for real to a degree."""
    x, t = scores.numpy(), target.numpy()
    if objective == "least_squares":
        return torch.from_numpy((x - t) ** 2)
    if (objective, side) == ("hinge", "generator"):
        objective = "wasserstein"
    return torch.from_numpy(t * cost(objective, x) + (1 - t) * cost(objective, -x))


def slopes(loss, scores, target):
    """Give the gradient of the sum of all elements."""
    scores = scores.detach().requires_grad_()
    return torch.autograd.grad(loss(scores, target).sum(), scores)[0]


@pytest.mark.parametrize("share", [0.0, 0.9, 1.0])
@pytest.mark.parametrize("side", ["discriminator", "generator"])
@pytest.mark.parametrize("objective", OBJECTIVES)
def test_it_is_the_papers(objective, side, share):
    """Every objective, for both sides, costs what its paper says, also for scores of ten thousand."""
    loss = AdversarialLoss(objective=objective, side=side, reduction="none")
    target = torch.full_like(EXTREMES, share)
    assert_close(loss(EXTREMES, target), by_hand(objective, side, EXTREMES, target))
    assert slopes(loss, EXTREMES.float(), target.float()).isfinite().all()


@pytest.mark.parametrize("soft", [False, True], ids=["zeros and ones", "smoothed"])
@pytest.mark.parametrize("objective", OBJECTIVES)
def test_parts_are_the_whole(objective, soft, monkeypatch):
    """Slopes by hand, of scores that are computed in parts, are those of autograd."""
    generator = torch.Generator().manual_seed(0)
    scores = 3 * torch.randn(2, 3, 20, generator=generator, dtype=torch.float64)
    target = torch.randint(0, 2, scores.shape, generator=generator).double()
    target = 0.8 * target + 0.1 if soft else target
    whole = [AdversarialLoss(objective=objective), RelativisticLoss(objective=objective)]
    expected = [slopes(each, scores, target) for each in whole]
    monkeypatch.setattr(streaming, "_PART", {"cpu": 30})
    for loss, slope in zip(whole, expected, strict=True):
        assert_close(slopes(loss, scores, target), slope)


def test_the_logistic_objective_is_binary_cross_entropy():
    """Logistic scores have torch's binary cross entropy, where sigmoids have long been rounded to one too."""
    target = torch.tensor([1.0, 0.0, 1.0, 0.0, 1.0, 0.0, 0.7], dtype=torch.float64)
    expected = functional.binary_cross_entropy_with_logits(EXTREMES, target)
    assert_close(AdversarialLoss()(EXTREMES, target), expected)


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_a_wrong_score_has_a_gradient(objective):
    """A generated sample that is seen through with certainty still moves the generator: -1 or more."""
    loss = AdversarialLoss(objective=objective, side="generator")
    assert slopes(loss, torch.tensor([-200.0]), torch.ones(1)) <= -1


def test_the_side_matters_for_the_hinge_alone():
    """A generator gains from every score that rises, beyond the margin too."""
    scores, real = torch.tensor([-1.0, 3.0]), torch.ones(2)
    assert AdversarialLoss(objective="hinge")(scores, real) == 1
    assert AdversarialLoss(objective="hinge", side="generator")(scores, real) == -1
    for objective in ("logistic", "wasserstein", "least_squares"):
        sides = [AdversarialLoss(objective=objective, side=each) for each in ("discriminator", "generator")]
        assert sides[0](scores, real) == sides[1](scores, real)


def test_one_number_may_be_the_target_of_all():
    """A target without dimensions is that of every score, and counts them."""
    scores = torch.tensor([[-1.0, 3.0]])
    loss = AdversarialLoss()
    assert loss(scores, torch.tensor(0.9)) == loss(scores, torch.full((1, 2), 0.9))
    assert loss.counts(torch.tensor(1.0), like=scores) == 2


def test_a_target_is_from_zero_to_one():
    """Minus one for what is generated, as some write it, raises ValueError."""
    with pytest.raises(ValueError, match="target must hold probabilities, 0 to 1"):
        AdversarialLoss()(torch.zeros(2), torch.tensor([1.0, -1.0]))


def test_both_kinds_in_one_call():
    """One call on real and generated scores is half the sum of both means."""
    real, generated = EXTREMES[1:-1], EXTREMES[1:-1].flip(0) - 0.5
    loss = AdversarialLoss(objective="hinge")
    labels = torch.cat([torch.ones_like(real), torch.zeros_like(generated)])
    apart = loss(real, torch.ones_like(real)) + loss(generated, torch.zeros_like(generated))
    assert_close(loss(torch.cat([real, generated]), labels), apart / 2)


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_a_relativistic_loss_is_that_of_a_margin(objective):
    """A pair costs what a real sample's score costs that is as high as one is above the other."""
    other = torch.linspace(-2, 2, len(EXTREMES), dtype=torch.float64)
    loss = RelativisticLoss(objective=objective, reduction="none")
    real = AdversarialLoss(objective=objective, reduction="none")
    margin = EXTREMES - other
    assert_close(loss(EXTREMES, other), real(margin, torch.ones_like(margin)))
    if objective != "least_squares":
        assert_close(loss(EXTREMES, other), torch.from_numpy(cost(objective, margin.numpy())))


def test_the_relativistic_identity():
    """How much more it costs one way round than the other is how far the scores are apart."""
    one, other = EXTREMES, EXTREMES.flip(0) / 2
    loss = RelativisticLoss(reduction="none")
    assert_close(loss(one, other) - loss(other, one), other - one)


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_both_scores_of_a_pair_have_a_gradient(objective):
    """What moves one score up moves the other one down, by as much."""
    one, other = EXTREMES[1:-1].clone().requires_grad_(), (EXTREMES[1:-1] / 3).requires_grad_()
    up, down = torch.autograd.grad(RelativisticLoss(objective=objective)(one, other), [one, other])
    assert_close(up, -down)
