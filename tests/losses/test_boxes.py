"""The losses of boxes beside GIoU against their papers, and where other libraries fail."""

import math

import numpy as np
import pytest
import torch
from torch.testing import assert_close

from lossary_losses import CIoULoss, DIoULoss, EIoULoss, GIoULoss, IoULoss
from lossary_losses._core import streaming

ALL = [IoULoss, GIoULoss, DIoULoss, CIoULoss, EIoULoss]
FAR = [GIoULoss, DIoULoss, CIoULoss, EIoULoss]
"""Those whose boxes need not overlap."""
OPTIONS = [{}, {"power": 3.0}, {"power": 0.5}, {"inner_ratio": 0.7}, {"power": 2.0, "inner_ratio": 1.3}]


def boxes(count, seed=0, dtype=torch.float64):
    """Draw boxes of about unit size, of which many pairs overlap."""
    generator = torch.Generator().manual_seed(seed)
    corner, sides = (torch.rand(2, count, 2, generator=generator, dtype=torch.float64) + 0.1).unbind()
    return torch.cat([corner, corner + sides], dim=1).to(dtype)


def centred(boxes):
    """Give centres and sides."""
    return torch.cat([(boxes[:, :2] + boxes[:, 2:]) / 2, boxes[:, 2:] - boxes[:, :2]], dim=1)


def overlap_by_hand(one, other, ratio=1.0):
    """Compute intersection and union over each other, of boxes scaled about their centres."""
    (cx, cy, w, h), (tx, ty, tw, th) = one, other
    sides = []
    for centre, side, of_target, side_of_target in ((cx, w, tx, tw), (cy, h, ty, th)):
        low = max(centre - ratio * side / 2, of_target - ratio * side_of_target / 2)
        high = min(centre + ratio * side / 2, of_target + ratio * side_of_target / 2)
        sides.append(max(high - low, 0))
    common = sides[0] * sides[1]
    return common / (ratio**2 * (w * h + tw * th) - common)


def hull_by_hand(one, other):
    """Give the sides of the smallest box around both."""
    return [
        max(one[k] + one[k + 2] / 2, other[k] + other[k + 2] / 2)
        - min(one[k] - one[k + 2] / 2, other[k] - other[k + 2] / 2)
        for k in (0, 1)
    ]


def by_hand(build, input, target, *, power=1.0, inner_ratio=1.0, form="linear", gamma=0.0):
    """Compute the papers' formulas in NumPy, for boxes one by one."""
    values = []
    pairs = (np.asarray(centred(each.detach())) for each in (input, target))
    for one, other in zip(*pairs, strict=True):
        (cx, cy, w, h), (tx, ty, tw, th) = one, other
        plain = overlap_by_hand(one, other)
        overlap = overlap_by_hand(one, other, inner_ratio) ** power
        width, height = hull_by_hand(one, other)
        distance = ((cx - tx) ** 2 + (cy - ty) ** 2) / (width**2 + height**2)
        value = 1 - overlap
        if build is IoULoss:
            value = {"linear": value, "log": -math.log(overlap or 1e-38), "squared": 1 - overlap**2}[form]
        elif build is GIoULoss:
            union = (w * h + tw * th) / (1 + plain)
            value += (1 - union / (width * height)) ** power
        else:
            value += distance**power
        if build is CIoULoss:
            shape = 4 / math.pi**2 * (math.atan(tw / th) - math.atan(w / h)) ** 2
            value += (shape**2 / (1 - plain + shape)) ** power
        elif build is EIoULoss:
            value += ((w - tw) ** 2 / width**2) ** power + ((h - th) ** 2 / height**2) ** power
            value *= plain**gamma
        values.append(value)
    return torch.tensor(values, dtype=torch.float64)


def gradient(loss, input, target):
    """Give the gradient of the sum."""
    input = input.detach().requires_grad_()
    (slope,) = torch.autograd.grad(loss(input, target).sum(), input)
    return slope


@pytest.fixture(params=["whole", "in parts"])
def in_parts(request, monkeypatch):
    """Compute everything at once, or part by part, where slopes are written by hand."""
    if request.param == "in parts":
        monkeypatch.setattr(streaming, "_PART", {"cpu": 1})


@pytest.mark.parametrize("options", OPTIONS, ids=str)
@pytest.mark.parametrize("build", ALL)
def test_it_is_the_papers(build, options, in_parts):
    """Each box costs what the paper says, near and far, with each term to a power and boxes scaled."""
    for spread in (0.0, 5.0):
        input, target = boxes(20), boxes(20, 1)
        input = input + spread * torch.rand(20, 2, generator=torch.Generator().manual_seed(2)).repeat(1, 2)
        loss = build(reduction="none", **options)
        assert_close(loss(input, target), by_hand(build, input, target, **options))


@pytest.mark.parametrize("options", [{"form": "log"}, {"form": "squared"}, {"form": "log", "power": 2.0}])
def test_forms_of_iou(options, in_parts):
    """The overlap enters as it is, by its logarithm or as a square; each to a power before."""
    input, target = boxes(40), boxes(40, 1)
    overlaps = by_hand(IoULoss, input, target) < 1
    assert overlaps.sum() > 10
    value = IoULoss(reduction="none", **options)(input, target)
    assert_close(value[overlaps], by_hand(IoULoss, input, target, **options)[overlaps])


def test_log_without_overlap_is_finite(in_parts):
    """Under the logarithm boxes that are apart cost 87.3 in either precision, and have no gradient."""
    target = torch.tensor([[0.0, 0.0, 1.0, 1.0]])
    for dtype in (torch.float32, torch.float64):
        loss, box = IoULoss(form="log"), target.to(dtype)
        assert_close(loss(box + 5, box).item(), 87.336, rtol=1e-5, atol=0)
        assert (gradient(loss, box + 5, box) == 0).all()


def test_focal_eiou_weighs_without_a_gradient(in_parts):
    """With gamma the loss is weighed by a power of the overlap, which has no part in the gradient."""
    input, target = boxes(20), boxes(20, 1)
    focal, plain = EIoULoss(gamma=0.5, reduction="none"), EIoULoss(reduction="none")
    assert_close(focal(input, target), by_hand(EIoULoss, input, target, gamma=0.5))
    weight = (1 - by_hand(IoULoss, input, target)) ** 0.5
    expected = weight.unsqueeze(1) * gradient(plain, input, target)
    assert_close(gradient(focal, input, target), expected)


def test_the_importance_of_the_shape_has_no_gradient(in_parts):
    """The gradient of CIoU is that of finite differences with alpha held as it is."""
    input, target = boxes(6), boxes(6, 1)
    size, found = 1e-6, gradient(CIoULoss(), input, target) * len(input)

    def parts(each):
        shape = torch.atan2(*centred(target)[:, 2:].T) - torch.atan2(*centred(each)[:, 2:].T)
        return by_hand(DIoULoss, each, target), (2 / math.pi * shape).square()

    _, shape = parts(input)
    alpha = shape / (by_hand(IoULoss, input, target) + shape)
    for column in range(4):
        step = size * torch.eye(4, dtype=torch.float64)[column]
        (high, high_shape), (low, low_shape) = parts(input + step), parts(input - step)
        slope = (high - low + alpha * (high_shape - low_shape)) / (2 * size)
        assert_close(found[:, column], slope, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("options", OPTIONS[1:], ids=str)
@pytest.mark.parametrize("build", [IoULoss, GIoULoss, DIoULoss, EIoULoss])
@pytest.mark.parametrize("box_format", ["xyxy", "cxcywh"])
def test_slopes_by_hand_are_those_of_autograd(build, box_format, options, monkeypatch):
    """With powers and scaled boxes too, slopes that are written by hand are those of the plain formula."""
    input, target = boxes(30), boxes(30, 1)
    if box_format == "cxcywh":
        input, target = centred(input), centred(target)
    loss = build(box_format=box_format, **options)
    expected = gradient(loss, input, target)
    monkeypatch.setattr(streaming, "_PART", {"cpu": 1})
    assert_close(gradient(loss, input, target), expected)


@pytest.mark.parametrize("build", ALL)
def test_formats_mean_the_same(build):
    """Centres and sides cost what their corners do, and corners may come in either order."""
    input, target = boxes(20), boxes(20, 1)
    expected = build()(input, target)
    assert_close(build(box_format="cxcywh")(centred(input), centred(target)), expected)
    assert_close(build()(input[:, [2, 1, 0, 3]], target[:, [0, 3, 2, 1]]), expected)


@pytest.mark.parametrize("scale", [1e-6, 1e6])
@pytest.mark.parametrize("build", ALL)
def test_boxes_of_any_size(build, scale, in_parts):
    """Scaled boxes cost the same, and their gradient is that over the scale."""
    input, target = boxes(30, dtype=torch.float32), boxes(30, 1, dtype=torch.float32)
    loss = build(reduction="none")
    assert_close(loss(input * scale, target * scale), loss(input, target))
    assert_close(gradient(loss, input * scale, target * scale) * scale, gradient(loss, input, target))


@pytest.mark.parametrize("build", ALL)
def test_symmetries(build):
    """Shifted boxes, exchanged axes, and input and target exchanged cost the same."""
    input, target = boxes(30), boxes(30, 1)
    loss, axes = build(reduction="none"), [1, 0, 3, 2]
    expected = loss(input, target)
    assert_close(loss(input + 1e4, target + 1e4), expected, rtol=1e-8, atol=1e-8)
    assert_close(loss(target, input), expected)
    assert_close(loss(input[:, axes], target[:, axes]), expected)


@pytest.mark.parametrize("side", [1e-4, 1.0, 640.0])
@pytest.mark.parametrize("build", ALL)
def test_a_perfect_box(build, side, in_parts):
    """Equal boxes cost exactly zero, small ones too, and far from the origin, with a gradient of zero."""
    box = torch.tensor([[3.0, 2.0, 3.0 + side, 2.0 + 2 * side]])
    assert build()(box, box) == 0
    if build is not IoULoss:  # whose slope jumps there, from one side of each edge to the other
        assert gradient(build(), box, box).abs().max() < 1e-6 / side


@pytest.mark.parametrize("options", [OPTIONS[0], OPTIONS[-1]], ids=str)
@pytest.mark.parametrize("build", ALL)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float16], ids=str)
def test_boxes_without_area(build, dtype, options, in_parts):
    """Points and lines have finite values and gradients in each layout; equal ones cost zero."""
    point, line = [1.0, 1.0, 1.0, 1.0], [1.0, 1.0, 3.0, 1.0]
    others = ([2.0, 2.0, 2.0, 2.0], [5.0, 1.0, 6.0, 1.0], [0.0, 0.0, 4.0, 4.0], [1.0, 1.0, 1.0, 640.0])
    input = torch.tensor([point, line] + [each for each in (point, line) for _ in others], dtype=dtype)
    target = torch.tensor([point, line, *others, *others], dtype=dtype)
    value = build(reduction="none", **options)(input, target)
    assert (value[:2] == 0).all()
    assert value.isfinite().all()
    for one, other in ((input, target), (target, input)):
        for box_format in ("xyxy", "cxcywh"):
            assert gradient(build(box_format=box_format, **options), one, other).isfinite().all()


@pytest.mark.parametrize("build", [*FAR, IoULoss])
def test_the_loss_rises_with_distance(build, in_parts):
    """Along a shift of up to 20 widths the loss rises, strictly but for IoU, and the gradient points home."""
    target = torch.tensor([[0.0, 0.0, 1.0, 1.0]], dtype=torch.float64)
    shift = torch.linspace(0, 20, 81, dtype=torch.float64).unsqueeze(1) * torch.tensor([1.0, 0.3]).repeat(2)
    input, target = target + shift, target.expand(81, 4)
    rise = build(reduction="none")(input, target).diff()
    slope = gradient(build(), input, target)[1:, [0, 2]].sum(1)
    if build is IoULoss:
        assert (rise >= 0).all()
        assert (slope >= 0).all()
    else:
        assert (rise > 0).all()
        assert (slope > 0).all()


@pytest.mark.parametrize("build", FAR)
def test_descent_meets_the_target(build):
    """From nine of ten starts, descent with a falling rate ends at overlaps above 0.95."""
    generator = torch.Generator().manual_seed(3)
    corner, sides = torch.rand(2, 60, 2, generator=generator).unbind()
    input = torch.cat([corner * 2, corner * 2 + sides + 0.2], dim=1).requires_grad_()
    target = boxes(60, 4, torch.float32)
    optimizer = torch.optim.Adam([input], lr=0.05)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, 300)
    loss = build(reduction="sum")
    for _ in range(300):
        optimizer.zero_grad()
        loss(input, target).backward()
        optimizer.step()
        schedule.step()
    assert (IoULoss(reduction="none")(input, target) < 0.05).float().mean() >= 0.9


@pytest.mark.parametrize("build", FAR)
def test_masks_and_halves(build):
    """No box, all of one image masked, and halves: the mean is that of the sum of fractions."""
    input, target = boxes(12).reshape(3, 4, 4), boxes(12, 1).reshape(3, 4, 4)
    empty = build()(input[:, :0].requires_grad_(), target[:, :0])
    assert empty == 0
    assert empty.requires_grad
    mask = torch.ones(3, 4, dtype=torch.bool)
    mask[1] = False
    assert_close(build()(input, target, mask=mask), build()(input[[0, 2]], target[[0, 2]]))
    assert_close(build()(input, target, weight=mask.double()), build()(input[[0, 2]], target[[0, 2]]))
    (one, ones), (rest, others) = (build().fraction(input[each], target[each]) for each in ([0], [1, 2]))
    assert_close((one + rest) / (ones + others), build()(input, target))


@pytest.mark.parametrize("name", ["power", "inner_ratio"])
def test_bounds(name):
    """A power or ratio of zero raises ValueError that names it."""
    with pytest.raises(ValueError, match=f"{name} must be a finite number > 0"):
        GIoULoss(**{name: 0.0})
