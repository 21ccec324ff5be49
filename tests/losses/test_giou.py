"""The generalized IoU loss against the paper, and where other libraries fail."""

import numpy as np
import pytest
import torch
from torch.testing import assert_close

from lossary_losses import GIoULoss


def boxes(count, seed=0, dtype=torch.float64):
    """Draw boxes of about unit size, of which many pairs overlap."""
    generator = torch.Generator().manual_seed(seed)
    corner, sides = (torch.rand(2, count, 2, generator=generator, dtype=torch.float64) + 0.1).unbind()
    return torch.cat([corner, corner + sides], dim=1).to(dtype)


def by_hand(one, other):
    """Compute the paper's Algorithm 2 in NumPy, for boxes one by one."""
    values = []
    for given, g in zip(np.asarray(one), np.asarray(other), strict=True):
        x1, y1, x2, y2 = given
        p = [min(x1, x2), min(y1, y2), max(x1, x2), max(y1, y2)]
        area_of_p = (p[2] - p[0]) * (p[3] - p[1])
        area_of_g = (g[2] - g[0]) * (g[3] - g[1])
        width = min(p[2], g[2]) - max(p[0], g[0])
        height = min(p[3], g[3]) - max(p[1], g[1])
        intersection = width * height if width > 0 and height > 0 else 0
        union = area_of_p + area_of_g - intersection
        hull = (max(p[2], g[2]) - min(p[0], g[0])) * (max(p[3], g[3]) - min(p[1], g[1]))
        values.append(1 - (intersection / union - (hull - union) / hull))
    return torch.tensor(values, dtype=torch.float64)


def gradient(input, target, **options):
    """Give the gradient of the sum."""
    input = input.detach().requires_grad_()
    GIoULoss(reduction="sum", **options)(input, target).backward()
    return input.grad


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("spread", [1.0, 5.0])
def test_it_is_the_papers(seed, spread):
    """Each box costs what Algorithm 2 says, whether boxes overlap or not."""
    input, target = boxes(50, 2 * seed), boxes(50, 2 * seed + 1)
    input = input + spread * torch.rand(50, 2, generator=torch.Generator().manual_seed(seed)).repeat(1, 2)
    assert_close(GIoULoss(reduction="none")(input, target), by_hand(input, target))


def test_corners_in_any_order():
    """Two opposite corners mean the same box in either order, as in the paper."""
    input, target = boxes(20), boxes(20, 1)
    for order in ([2, 1, 0, 3], [0, 3, 2, 1], [2, 3, 0, 1]):
        assert_close(GIoULoss()(input[:, order], target), GIoULoss()(input, target))
        assert_close(GIoULoss()(target, input[:, order]), GIoULoss()(target, input))
        assert_close(gradient(input[:, order], target), gradient(input, target)[:, order])
    assert_close(GIoULoss(reduction="none")(input[:, order], target), by_hand(input[:, order], target))


def test_formats_mean_the_same():
    """Centres and sides cost what their corners do, with the slopes of the chain rule."""
    input, target = boxes(20), boxes(20, 1)
    centred = [
        torch.cat([(each[:, :2] + each[:, 2:]) / 2, each[:, 2:] - each[:, :2]], dim=1)
        for each in (input, target)
    ]
    loss = GIoULoss(box_format="cxcywh")
    assert_close(loss(*centred), GIoULoss()(input, target))
    low, high = gradient(input, target).split(2, dim=1)
    assert_close(gradient(*centred, box_format="cxcywh"), torch.cat([low + high, (high - low) / 2], dim=1))


@pytest.mark.parametrize("scale", [1e-6, 1e6])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)
def test_boxes_of_any_size(scale, dtype):
    """Scaled boxes cost the same: there is no epsilon that small areas would drown in."""
    input, target = boxes(50, dtype=dtype), boxes(50, 1, dtype=dtype)
    loss = GIoULoss(reduction="none")
    assert_close(loss(input * scale, target * scale), loss(input, target))
    assert_close(gradient(input * scale, target * scale) * scale, gradient(input, target))


def test_symmetries():
    """Shifted boxes, exchanged axes, and input and target exchanged cost the same."""
    input, target = boxes(50), boxes(50, 1)
    loss = GIoULoss(reduction="none")
    expected = loss(input, target)
    assert_close(loss(input + 1e4, target + 1e4), expected, rtol=1e-9, atol=1e-9)
    assert_close(loss(target, input), expected)
    axes = [1, 0, 3, 2]
    assert_close(loss(input[:, axes], target[:, axes]), expected)


@pytest.mark.parametrize("side", [1e-4, 1.0, 640.0])
def test_a_perfect_box(side):
    """Equal boxes cost exactly zero, small ones too, with a gradient of exactly zero."""
    box = torch.tensor([[3.0, 2.0, 3.0 + side, 2.0 + side]])
    assert GIoULoss()(box, box) == 0
    assert (gradient(box, box) == 0).all()


def test_equal_boxes_without_area():
    """Points and lines cost zero where they are equal and two where they are not, with a finite gradient."""
    point, line = [1.0, 1.0, 1.0, 1.0], [1.0, 1.0, 3.0, 1.0]
    elsewhere, further = [2.0, 2.0, 2.0, 2.0], [5.0, 1.0, 6.0, 1.0]
    input = torch.tensor([point, line, point, line])
    target = torch.tensor([point, line, elsewhere, further])
    assert_close(GIoULoss(reduction="none")(input, target), torch.tensor([0.0, 0.0, 2.0, 2.0]))
    assert gradient(input, target).isfinite().all()
    assert gradient(target, input, box_format="cxcywh").isfinite().all()


@pytest.mark.parametrize("in_parts", [False, True])
def test_a_box_without_width_is_widened(in_parts, monkeypatch):
    """Inside the truth a box without width is pulled apart, not moved: its edges have opposite slopes."""
    if in_parts:
        monkeypatch.setattr("lossary_losses._core.streaming._PART", {"cpu": 1})
    input = torch.tensor([[4.0, 2.0, 4.0, 8.0]], dtype=torch.float64)
    target = torch.tensor([[0.0, 0.0, 10.0, 10.0]], dtype=torch.float64)
    left, _, right, _ = gradient(input, target)[0]
    assert right == -left < 0
    _, _, width, _ = gradient(
        torch.tensor([[4.0, 5.0, 0.0, 6.0]]), torch.tensor([[5.0, 5.0, 10.0, 10.0]]), box_format="cxcywh"
    )[0]
    assert width < 0


@pytest.mark.parametrize("in_parts", [False, True])
def test_edges_that_meet_share_a_slope(in_parts, monkeypatch):
    """Where an edge is that of the target its slope is halfway between those on both sides of it."""
    if in_parts:
        monkeypatch.setattr("lossary_losses._core.streaming._PART", {"cpu": 1})
    target = torch.tensor([[0.0, 0.0, 4.0, 4.0]], dtype=torch.float64)
    box = torch.tensor([[1.0, 1.0, 4.0, 3.0]], dtype=torch.float64)
    step = torch.tensor([0.0, 0.0, 1e-7, 0.0], dtype=torch.float64)
    before, after = gradient(box - step, target), gradient(box + step, target)
    assert_close(gradient(box, target)[0, 2], (before + after)[0, 2] / 2, rtol=1e-5, atol=0)


def test_the_loss_rises_with_distance():
    """Along a shift of up to 20 widths the loss rises strictly, and the gradient points home."""
    target = torch.tensor([[0.0, 0.0, 1.0, 1.0]], dtype=torch.float64)
    shift = torch.linspace(0, 20, 81, dtype=torch.float64).unsqueeze(1) * torch.tensor([1.0, 0.3]).repeat(2)
    input = target + shift
    loss = GIoULoss(reduction="none")(input, target.expand_as(input))
    assert (loss.diff() > 0).all()
    slope = gradient(input, target.expand_as(input))[1:, [0, 2]].sum(1)
    assert (slope > 0).all()


def test_descent_meets_the_target():
    """From nine of ten starts, descent ends at boxes that nearly are the target's."""
    generator = torch.Generator().manual_seed(3)
    corner, sides = torch.rand(2, 60, 2, generator=generator).unbind()
    sides = sides + 0.2
    input = torch.cat([corner * 2, corner * 2 + sides], dim=1).requires_grad_()
    target = boxes(60, 4, torch.float32)
    optimizer = torch.optim.Adam([input], lr=0.02)
    for _ in range(500):
        optimizer.zero_grad()
        GIoULoss(reduction="sum")(input, target).backward()
        optimizer.step()
    assert (GIoULoss(reduction="none")(input, target) < 0.1).float().mean() >= 0.9


def test_one_number_is_no_box():
    """A last dimension of another size than four raises ValueError with both shapes."""
    with pytest.raises(ValueError, match=r"boxes have 4 numbers .*input \(2, 5\), target \(2, 5\)"):
        GIoULoss()(torch.zeros(2, 5), torch.zeros(2, 5))


def test_a_single_box():
    """One box without a batch costs one number."""
    box, other = boxes(1)[0], boxes(1, 1)[0]
    loss = GIoULoss(reduction="none")(box, other)
    assert loss.shape == ()
    assert_close(loss.reshape(1), by_hand(box.unsqueeze(0), other.unsqueeze(0)))


def test_many_boxes_take_no_square_of_memory():
    """Pairs cost as much as their number: 200,000 of them fit where a matrix of all with all would not."""
    input, target = boxes(200_000, dtype=torch.float32), boxes(200_000, 1, dtype=torch.float32)
    assert_close(GIoULoss()(input, target).double(), GIoULoss()(input.double(), target.double()))
