"""The unified focal loss against its paper, position by position and class by class."""

import numpy as np
import pytest
import torch
from torch.testing import assert_close

from lossary_losses import BCELoss, CrossEntropyLoss, DiceLoss, FocalLoss, TverskyLoss, UnifiedFocalLoss

DELTA = 0.7
NO_FOCUS = 1e-12
"""As near to no focus as a float64 result can tell."""


@pytest.fixture
def logits():
    """Logits (B, C, H, W)."""
    return torch.randn(2, 3, 4, 5, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


@pytest.fixture
def labels():
    """Class indices (B, H, W)."""
    return torch.randint(0, 3, (2, 4, 5), generator=torch.Generator().manual_seed(1))


def tversky(p, t, smooth):
    """Compute one minus the index, delta being the price of what is true and not predicted."""
    hit, missed, false = (p * t).sum(), ((1 - p) * t).sum(), (p * (1 - t)).sum()
    return 1 - (hit + smooth) / (hit + DELTA * missed + (1 - DELTA) * false + smooth)


def by_the_paper(p, t, gamma, *, asymmetric, smooth):
    """Compute both terms of probabilities (B, C, N) and hard truth, the first class being the background."""
    samples, classes, positions = p.shape
    entropy, regions = 0.0, []
    for b in range(samples):
        for i in range(positions):
            c = t[b, :, i].argmax()
            focus = (1 - p[b, c, i]) ** (gamma if asymmetric else 1 - gamma)
            if asymmetric and c > 0:
                focus = 1
            entropy -= (DELTA if c > 0 else 1 - DELTA) * focus * np.log(p[b, c, i])
        for c in range(classes):
            power = (1 - gamma if c > 0 else 1) if asymmetric else gamma
            regions.append(tversky(p[b, c], t[b, c], smooth) ** power)
    return entropy / (samples * positions), np.mean(regions)


@pytest.mark.parametrize("asymmetric", [True, False])
@pytest.mark.parametrize("gamma", [0.25, 0.5, 0.8])
@pytest.mark.parametrize("smooth", [0.0, 1.0])
def test_classes(logits, labels, asymmetric, gamma, smooth):
    """Under a softmax both terms are the paper's; the first class is the background."""
    p = logits.softmax(1).flatten(2).numpy()
    t = np.eye(3)[labels.flatten(1).numpy()].transpose(0, 2, 1)
    pixel, region = by_the_paper(p, t, gamma, asymmetric=asymmetric, smooth=smooth)
    loss = UnifiedFocalLoss(balance=0.3, delta=DELTA, gamma=gamma, asymmetric=asymmetric, smooth=smooth)
    assert_close(loss(logits, labels), torch.tensor(0.3 * pixel + 0.7 * region))


@pytest.mark.parametrize("asymmetric", [True, False])
@pytest.mark.parametrize("gamma", [0.25, 0.5, 0.8])
def test_channels(logits, asymmetric, gamma):
    """Under a sigmoid each channel is a problem of two classes, of which it is the foreground."""
    t = (torch.rand(2, 3, 4, 5, generator=torch.Generator().manual_seed(2)) < 0.3).double()
    terms = []
    for channel in range(3):
        p_of, t_of = (each[:, channel].flatten(1).numpy() for each in (logits.sigmoid(), t))
        both = [np.stack([1 - each, each], axis=1) for each in (p_of, t_of)]
        terms.append(by_the_paper(*both, gamma, asymmetric=asymmetric, smooth=1.0))
    pixel, region = np.mean(terms, axis=0)
    loss = UnifiedFocalLoss(balance=0.3, delta=DELTA, gamma=gamma, asymmetric=asymmetric)
    assert_close(loss(logits, t), torch.tensor(0.3 * pixel + 0.7 * region))


@pytest.mark.parametrize("asymmetric", [True, False])
def test_a_channel_is_two_classes(logits, asymmetric):
    """One channel under a sigmoid is two classes under a softmax, the first with a logit of zero."""
    one, labels = logits[:, :1], (logits[:, 1] > 0.3).long()
    two = torch.cat([torch.zeros_like(one), one], dim=1)
    loss = UnifiedFocalLoss(gamma=0.3, asymmetric=asymmetric)
    assert_close(loss(one, labels.unsqueeze(1).double()), loss(two, labels))


def test_probabilities_of_classes(logits, labels):
    """One-hot probabilities under a softmax are class indices."""
    hard = torch.nn.functional.one_hot(labels, 3).movedim(-1, 1).double()
    loss = UnifiedFocalLoss(activation="softmax")
    assert_close(loss(logits, hard), UnifiedFocalLoss()(logits, labels))
    each = UnifiedFocalLoss(activation="sigmoid")
    assert_close(each(logits, labels), UnifiedFocalLoss()(logits, hard))


def test_without_focus_it_is_cross_entropy_and_dice(logits, labels):
    """With delta one half and no focus, the terms are half the cross entropy and the Dice loss."""
    expected = CrossEntropyLoss()(logits, labels) / 4 + DiceLoss(smooth=2.0)(logits, labels) / 2
    assert_close(UnifiedFocalLoss(delta=0.5, gamma=NO_FOCUS)(logits, labels), expected)
    assert_close(UnifiedFocalLoss(delta=0.5, gamma=1 - NO_FOCUS, asymmetric=False)(logits, labels), expected)


def test_parts_of_the_symmetric_form(logits):
    """With one term alone it is the focal loss with alpha, and close to the Tversky loss."""
    t = (logits > 0.5).double()
    focal = UnifiedFocalLoss(balance=1.0, gamma=0.3, asymmetric=False)
    assert_close(focal(logits, t), FocalLoss(gamma=0.7, alpha=0.6)(logits, t))
    region = UnifiedFocalLoss(balance=0.0, gamma=1 - NO_FOCUS, asymmetric=False)
    sides = [TverskyLoss(alpha=0.4, beta=0.6)(x, y) for x, y in ((logits, t), (-logits, 1 - t))]
    assert_close(region(logits, t), sum(sides) / 2)


def test_delta_favours_the_foreground():
    """A missed foreground costs more than as many false positives."""
    missed = UnifiedFocalLoss()(torch.tensor([[[-3.0, 3.0]]]), torch.ones(1, 1, 2))
    false = UnifiedFocalLoss()(torch.tensor([[[3.0, -3.0]]]), torch.zeros(1, 1, 2))
    assert missed > false


def test_terms_are_told(logits, labels):
    """The weighted parts have names, and add up."""
    total, terms = UnifiedFocalLoss().evaluate(logits, labels)
    assert set(terms) == {"region", "pixel"}
    assert_close(total, sum(terms.values()))


@pytest.mark.parametrize("asymmetric", [True, False])
@pytest.mark.parametrize("gamma", [0.05, 0.5, 0.95])
@pytest.mark.parametrize("size", [50.0, 100.0, 1e4, float("inf")])
def test_extreme_logits_are_finite(labels, asymmetric, gamma, size, gradient):
    """Saturated logits, right or wrong, have finite values and gradients under either activation."""
    loss = UnifiedFocalLoss(gamma=gamma, asymmetric=asymmetric)
    logits = torch.randn(2, 3, 4, 5, generator=torch.Generator().manual_seed(0))
    truth = torch.nn.functional.one_hot(labels, 3).movedim(-1, 1).float()
    binary = logits.sign() * size
    inputs = [(binary, truth), ((truth * 2 - 1) * size, truth)]
    if size < float("inf"):
        inputs.append((binary, labels))
    else:
        inputs.append((torch.where(truth > 0, 1.0, -size), labels))
    for input, target in inputs:
        assert loss(input, target).isfinite()
        assert gradient(loss, input, target).isfinite().all()


def test_a_perfect_prediction_costs_nothing(labels):
    """Confident and right, under either activation and in either form, the loss is zero."""
    truth = torch.nn.functional.one_hot(labels, 3).movedim(-1, 1).float()
    for asymmetric in (True, False):
        loss = UnifiedFocalLoss(asymmetric=asymmetric)
        assert_close(loss((truth * 2 - 1) * 100, truth), torch.tensor(0.0))
        assert_close(loss((truth * 2 - 1) * 100, labels), torch.tensor(0.0))


def test_a_tiny_background_is_counted():
    """Ten background positions among a million have their own Tversky index."""
    t = torch.ones(1, 1, 1_000_000)
    t[..., :10] = 0
    logits = torch.where(t > 0, 40.0, -40.0)
    logits[..., :5] = 40.0
    loss = UnifiedFocalLoss(balance=0.0, asymmetric=False, gamma=1 - NO_FOCUS, delta=0.5, smooth=0.0)
    # Foreground: 5 false positives of a million; background: 5 of 10 found, none false.
    expected = (2.5 / (999_990 + 2.5) + 2.5 / (5 + 2.5)) / 2
    assert_close(loss(logits, t), torch.tensor(expected), rtol=1e-4, atol=0)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"gamma": 1.0}, "gamma must be a finite number > 0 and < 1, got 1.0"),
        ({"gamma": 0, "asymmetric": False}, "gamma must be a finite number > 0 and < 1, got 0"),
        ({"balance": 1.5}, "balance must be a finite number >= 0 and <= 1, got 1.5"),
        ({"delta": -0.1}, "delta must be a finite number >= 0 and <= 1, got -0.1"),
    ],
)
def test_bad_options(options, message):
    """A number out of its bounds raises ValueError naming it."""
    with pytest.raises(ValueError, match="must be") as raised:
        UnifiedFocalLoss(**options)
    assert str(raised.value) == message


@pytest.mark.parametrize("target_kind", ["labels", "values"])
def test_descent_reaches_a_good_fit(logits, labels, target_kind):
    """A short optimisation gets most of the way to a perfect prediction."""
    target = labels if target_kind == "labels" else (labels.unsqueeze(1) == torch.arange(3)[:, None, None])
    input = logits.clone().requires_grad_()
    optimizer = torch.optim.Adam([input], lr=0.5)
    before = UnifiedFocalLoss()(input, target).item()
    for _ in range(100):
        optimizer.zero_grad()
        UnifiedFocalLoss()(input, target).backward()
        optimizer.step()
    assert UnifiedFocalLoss()(input, target).item() < 0.05 * before


def test_binary_and_multiclass_agree_with_bce_without_balance(logits):
    """With delta one half and no focus, the pixel term under a sigmoid is half the binary cross entropy."""
    t = (logits > 0).double()
    loss = UnifiedFocalLoss(balance=1.0, delta=0.5, gamma=NO_FOCUS)
    assert_close(loss(logits, t), BCELoss()(logits, t) / 2)
