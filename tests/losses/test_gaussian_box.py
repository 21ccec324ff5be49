"""The losses of rotated boxes as Gaussians against their papers, and where other libraries fail."""

import math

import numpy as np
import pytest
import torch
from torch.testing import assert_close

from lossary_losses import GaussianBoxLoss
from lossary_losses._core import streaming

DISTANCES = ["hellinger", "wasserstein", "kalman", "kullback_leibler"]
HALF_TURN = torch.tensor([0, 0, 0, 0, math.pi], dtype=torch.float64)


def boxes(count, seed=0, dtype=torch.float64):
    """Draw boxes of sides from one half to three and a half, at any angle."""
    generator = torch.Generator().manual_seed(seed)
    drawn = torch.rand(count, 5, generator=generator, dtype=torch.float64)
    return (drawn * torch.tensor([2, 2, 3, 3, 6]) + torch.tensor([0, 0, 0.5, 0.5, -3])).to(dtype)


def root(matrix):
    """Give the square root of a symmetric matrix."""
    values, vectors = np.linalg.eigh(matrix)
    return vectors @ np.diag(np.sqrt(values.clip(0))) @ vectors.T


def gaussian(box, share):
    """Give mean and covariance of a box."""
    x, y, w, h, angle = box
    turn = np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
    return np.array([x, y]), turn @ np.diag([w * w / share, h * h / share]) @ turn.T


def by_hand(distance, input, target):
    """Compute the papers' formulas with matrices, in NumPy, for boxes one by one."""
    values = []
    for one, other in zip(input.detach().numpy(), target.detach().numpy(), strict=True):
        share = 12 if distance == "hellinger" else 4
        (mean, cov), (of_target, cov_of_target) = gaussian(one, share), gaussian(other, share)
        delta, both = mean - of_target, cov + cov_of_target
        det, det_of_target = np.linalg.det(cov), np.linalg.det(cov_of_target)
        if distance == "hellinger":
            mahalanobis = delta @ np.linalg.inv(both / 2) @ delta / 8
            shape = 0.5 * math.log(np.linalg.det(both / 2) / math.sqrt(det * det_of_target))
            values.append(math.sqrt(1 - math.exp(-mahalanobis - shape)))
        elif distance == "kalman":
            gain = cov @ np.linalg.inv(both)
            common = 4 * math.sqrt(np.linalg.det(cov - gain @ cov))
            areas = 4 * (math.sqrt(det) + math.sqrt(det_of_target))
            values.append(1 - 3 * common / (areas - common))
        elif distance == "wasserstein":
            middle = root(root(cov) @ cov_of_target @ root(cov))
            far = delta @ delta + np.trace(both - 2 * middle)
            values.append(1 - 1 / (1 + math.log(1 + far)))
        else:
            inverse = np.linalg.inv(cov_of_target)
            trace = np.trace(inverse @ cov)
            far = 0.5 * (delta @ inverse @ delta + trace + math.log(det_of_target / det) - 2)
            values.append(1 - 1 / (1 + math.log(1 + far)))
    return torch.tensor(values, dtype=torch.float64)


def gradient(distance, input, target):
    """Give the gradient of the sum."""
    input = input.detach().requires_grad_()
    (slope,) = torch.autograd.grad(GaussianBoxLoss(distance=distance, reduction="sum")(input, target), input)
    return slope


@pytest.fixture(params=DISTANCES)
def distance(request):
    """Each distance in turn."""
    return request.param


def test_it_is_the_papers(distance, monkeypatch):
    """Each pair costs what the paper says; in parts it costs the same, with the same gradient."""
    input, target = boxes(40), boxes(40, 1)
    loss = GaussianBoxLoss(distance=distance, reduction="none")
    assert_close(loss(input, target), by_hand(distance, input, target))
    whole = gradient(distance, input, target)
    monkeypatch.setattr(streaming, "_PART", {"cpu": 1})
    assert_close(loss(input, target), by_hand(distance, input, target))
    assert_close(gradient(distance, input, target), whole)


def test_all_names_of_a_box_are_one(distance):
    """Half a turn, sides exchanged with a quarter turn, and a square at any angle cost what the box does."""
    input, target = boxes(30), boxes(30, 1)
    loss = GaussianBoxLoss(distance=distance, reduction="none")
    expected = loss(input, target)
    quarter = input[:, [0, 1, 3, 2, 4]] + HALF_TURN / 2
    for other in (input + HALF_TURN, quarter):
        assert_close(loss(other, target), expected)
        assert (loss(other, input) < 1e-7).all()
    square = input[:, [0, 1, 2, 2, 4]]
    turned = square + HALF_TURN / 5
    assert (loss(square, turned) < 1e-7).all()
    if distance != "kullback_leibler":
        assert_close(loss(target, input), expected)
    if distance != "wasserstein":
        unit = torch.tensor([9, 9, 9, 9, 1])
        assert_close(loss(input * unit, target * unit), expected)


@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e6])
def test_equal_boxes_cost_exactly_zero(distance, scale):
    """Equal boxes cost exactly zero in float32, thin and square ones too, with a gradient of zero."""
    unit = torch.tensor([scale, scale, scale, scale, 1])
    thin = torch.tensor([[3.0, 2.0, 1000.0, 1e-3, 0.3], [0.0, 0.0, 5.0, 5.0, 1.0]])
    box = torch.cat([boxes(20, dtype=torch.float32), thin]) * unit
    assert (GaussianBoxLoss(distance=distance, reduction="none")(box, box) == 0).all()
    assert (gradient(distance, box, box) == 0).all()


def test_thin_boxes(distance):
    """Boxes of 1000 by 1e-3 cost in float32 what they do in float64, to rounding of their angles."""
    one = [[0.0, 0.0, 1000.0, 1e-3, 0.0], [0.0, 0.0, 1e-3, 1000.0, 0.0]]
    other = [[1.0, 0.0, 800.0, 1e-3, 0.5], [300.0, 0.0, 1.0, 700.0, 0.0]]
    input, target = torch.tensor(one, dtype=torch.float64), torch.tensor(other, dtype=torch.float64)
    loss = GaussianBoxLoss(distance=distance, reduction="none")
    value = loss(input, target)
    assert ((value >= 0) & (value <= 1)).all()
    assert_close(loss(input.float(), target.float()).double(), value, rtol=1e-4, atol=1e-5)
    assert gradient(distance, input.float(), target.float()).isfinite().all()


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)
def test_boxes_without_area(distance, dtype):
    """Points and lines have finite values and gradients, and cost zero where they are equal."""
    shapes = [[1, 1, 0, 0, 0.3], [1, 1, 4, 0, 0.3], [9, 5, 0, 2, 0], [0, 0, 3, 2, 1], [1e4, 0, 0, 0, 0]]
    input = torch.tensor(shapes, dtype=dtype).repeat_interleave(5, dim=0)
    target = torch.tensor(shapes, dtype=dtype).repeat(5, 1)
    value = GaussianBoxLoss(distance=distance, reduction="none")(input, target)
    assert (value[::6] == 0).all()
    assert ((value >= 0) & (value <= 1)).all()
    assert gradient(distance, input, target).isfinite().all()


@pytest.mark.parametrize(("dtype", "far"), [(torch.float32, 100.0), (torch.float64, 200.0)], ids=str)
def test_the_gradient_lives_far_away(dtype, far):
    """Boxes of 20 pixels are drawn together over 100 of them in float32, and over 200 in float64."""
    input = torch.tensor([[far, 0, 20, 20, 0]], dtype=dtype)
    target = torch.tensor([[0, 0, 20, 20, 0]], dtype=dtype)
    for distance in ("hellinger", "wasserstein", "kullback_leibler"):
        assert gradient(distance, input, target)[0, 0] > 0


def test_the_loss_rises_with_distance():
    """Along a shift of up to 20 widths the loss rises strictly, and the gradient points home."""
    shift = torch.linspace(0, 4, 81, dtype=torch.float64)
    target = torch.tensor([[0, 0, 1, 2, 0.4]], dtype=torch.float64).expand(81, 5)
    for distance, widths in (("hellinger", 1), ("wasserstein", 5), ("kullback_leibler", 5)):
        input = target.clone()
        input[:, 0] = widths * shift
        assert (GaussianBoxLoss(distance=distance, reduction="none")(input, target).diff() > 0).all()
        assert (gradient(distance, input, target)[1:, 0] > 0).all()


def test_numbers_of_a_box():
    """A last dimension of another size than five raises ValueError with both shapes."""
    with pytest.raises(ValueError, match=r"rotated boxes have 5 numbers .*input \(2, 4\), target \(2, 4\)"):
        GaussianBoxLoss()(torch.zeros(2, 4), torch.zeros(2, 4))
