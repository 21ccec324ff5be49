"""The denoising loss against the papers' weights, and where other code fails."""

import itertools

import numpy as np
import pytest
import torch
from torch.testing import assert_close

from lossary_losses import DenoisingLoss, MSELoss
from lossary_losses._core import streaming

PREDICTIONS = ["noise", "data", "v"]
WEIGHTS = {
    "min_snr": lambda snr: np.minimum(snr, 5),
    "p2": lambda snr: snr / (1 + snr),
    "edm": lambda snr: 1 + snr,
    "truncated_snr": lambda snr: np.maximum(snr, 1),
}
"""What an error of the data weighs."""
LEVELS = torch.tensor([-9.0, -1.0, 0.0, 1.0, 2.0, 9.0], dtype=torch.float64)


def drawn(*shape, seed=0):
    """Draw numbers in double precision."""
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def predictions(log_snr):
    """Give what is true and what is said of data, noise and v, where all say the same of noisy data."""
    share = torch.sigmoid(log_snr).view(-1, 1, 1)
    alpha, sigma = share.sqrt(), (1 - share).sqrt()
    data, noise, said = drawn(len(log_snr), 2, 5), drawn(len(log_snr), 2, 5, seed=1), drawn(1, 2, 5, seed=2)
    noisy = alpha * data + sigma * noise
    said_noise = (noisy - alpha * said) / sigma
    return {
        "data": (said.expand_as(data), data),
        "noise": (said_noise, noise),
        "v": (alpha * said_noise - sigma * said, alpha * noise - sigma * data),
    }


@pytest.mark.parametrize(("prediction", "weighting"), list(itertools.product(PREDICTIONS, WEIGHTS)))
def test_whatever_is_predicted_costs_the_same(prediction, weighting):
    """The same error of data, of noise and of v costs what the papers have an error of the data cost."""
    said, true = predictions(LEVELS)["data"]
    weights = torch.from_numpy(WEIGHTS[weighting](LEVELS.exp().numpy()))
    expected = weights.view(-1, 1, 1) * (said - true) ** 2
    loss = DenoisingLoss(prediction=prediction, weighting=weighting, reduction="none")
    assert_close(loss(*predictions(LEVELS)[prediction], log_snr=LEVELS), expected, rtol=1e-6, atol=1e-9)


def test_the_plain_loss():
    """Without a weighting it is the squared error; and so is EDM's of v, and the noise's under min-SNR."""
    input, target, low = drawn(6, 3), drawn(6, 3, seed=1), LEVELS - 9
    expected = MSELoss()(input, target)
    assert_close(DenoisingLoss(prediction="noise")(input, target), expected)
    assert_close(DenoisingLoss(prediction="v", weighting="edm")(input, target, log_snr=LEVELS), expected)
    loss = DenoisingLoss(prediction="noise", weighting="min_snr")
    assert_close(loss(input, target, log_snr=low), expected)


@pytest.mark.parametrize(
    ("prediction", "weighting", "at_noise", "at_data"),
    [
        ("noise", "min_snr", 1.0, 0.0),
        ("data", "min_snr", 0.0, 5.0),
        ("v", "min_snr", 0.0, 0.0),
        ("noise", "p2", 1.0, 0.0),
        ("data", "p2", 0.0, 1.0),
        ("v", "p2", 0.0, 0.0),
        ("v", "edm", 1.0, 1.0),
        ("v", "truncated_snr", 1.0, 1.0),
        ("noise", "edm", 1e30, 1.0),
        ("data", "truncated_snr", 1.0, 1e30),
    ],
)
@pytest.mark.parametrize("size", [200.0, torch.inf])
def test_levels_without_end(prediction, weighting, at_noise, at_data, size):
    """Of nothing but noise, and nothing but data, weights are their limits, and slopes are finite."""
    levels = torch.tensor([-size, size], requires_grad=True)
    input = torch.ones(2, requires_grad=True)
    loss = DenoisingLoss(prediction=prediction, weighting=weighting, reduction="none")
    value = loss(input, torch.zeros(2), log_snr=levels)
    assert_close(value, torch.tensor([at_noise, at_data]), rtol=1e-5, atol=0)
    for slope in torch.autograd.grad(value.sum(), [input, levels]):
        assert slope.isfinite().all()
    assert (loss(input, input, log_snr=levels) == 0).all()


@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("shape", [(4,), (4, 3, 20)], ids=["of samples", "of elements"])
def test_parts_are_the_whole(shape, masked, monkeypatch):
    """Slopes by hand, of inputs that are computed in parts, are those of autograd, and levels have theirs."""
    input, target = (drawn(4, 3, 20, seed=each).requires_grad_(each == 0) for each in (0, 1))
    levels = drawn(*shape, seed=3).requires_grad_()
    mask = drawn(4, 20, seed=4) < 0.5 if masked else None
    loss = DenoisingLoss(prediction="v", weighting="min_snr", gamma=2)

    def computed():
        value = loss(input, target, log_snr=levels, mask=mask)
        return value, *torch.autograd.grad(value, [input, levels])

    expected = computed()
    monkeypatch.setattr(streaming, "_PART", {"cpu": 30})
    for got, wanted in zip(computed(), expected, strict=True):
        assert_close(got, wanted)


def test_weights_do_not_enter_the_mean():
    """The mean divides by what counts: a batch that weighs little has a small loss."""
    loss = DenoisingLoss(prediction="data", weighting="min_snr")
    value = loss(torch.ones(2, 3), torch.zeros(2, 3), log_snr=torch.full((2,), -3.0))
    assert_close(value.item(), np.exp(-3.0))
    assert loss.counts(torch.zeros(2, 3), like=(2, 3), log_snr=torch.zeros(2)) == 6


def test_gamma():
    """Gamma is the largest weight of min-SNR and the exponent of P2, and each has its own unless given."""
    one = torch.ones(1), torch.zeros(1)
    high = torch.tensor([50.0])
    expected = [("min_snr", None, 5.0), ("min_snr", 2.0, 2.0), ("p2", None, 1.0), ("p2", 0.5, np.exp(25))]
    for weighting, gamma, largest in expected:
        loss = DenoisingLoss(prediction="data", weighting=weighting, gamma=gamma)
        assert_close(loss(*one, log_snr=high).item(), largest, rtol=1e-5, atol=0)


def test_a_weighting_needs_levels():
    """Without them, or with a shape that does not fit, it raises an error that says what is accepted."""
    loss = DenoisingLoss(prediction="v", weighting="edm")
    with pytest.raises(TypeError, match="weighting 'edm' needs log_snr="):
        loss(torch.zeros(2, 3), torch.zeros(2, 3))
    with pytest.raises(ValueError, match=r"accepted for the log_snr: \(2,\) or \(2, 3\)"):
        loss(torch.zeros(2, 3), torch.zeros(2, 3), log_snr=torch.zeros(3))
    with pytest.raises(TypeError, match="prediction"):
        DenoisingLoss()
