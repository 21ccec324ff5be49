"""The losses of dense detectors against their papers, and where other libraries fail."""

import math

import numpy as np
import pytest
import torch
from torch.testing import assert_close

from lossary_losses import (
    BCELoss,
    CrossEntropyLoss,
    DistributionFocalLoss,
    FocalLoss,
    HeatmapFocalLoss,
    KeypointSimilarityLoss,
    QualityFocalLoss,
    VarifocalLoss,
)
from lossary_losses._core import streaming


def draw(*shape, seed=0):
    """Draw logits and values from 0 to 1, some of which are 0 and some 1."""
    generator = torch.Generator().manual_seed(seed)
    logits = 2 * torch.randn(shape, generator=generator, dtype=torch.float64)
    values = torch.rand(shape, generator=generator, dtype=torch.float64)
    return logits, torch.where(values < 0.3, 0, torch.where(values > 0.8, 1, values))


def gradient(loss, input, *others, **given):
    """Give the gradient of the sum."""
    input = input.detach().requires_grad_()
    (slope,) = torch.autograd.grad(loss(input, *others, **given).sum(), input)
    return slope


def quality(p, t, beta=2.0):
    """Compute the quality focal loss of its paper's equation 5."""
    return abs(t - p) ** beta * -(t * math.log(p) + (1 - t) * math.log(1 - p))


def varifocal(p, t, alpha=0.75, gamma=2.0):
    """Compute the varifocal loss of its paper's equation 2."""
    if t > 0:
        return -t * (t * math.log(p) + (1 - t) * math.log(1 - p))
    return -alpha * p**gamma * math.log(1 - p)


def heatmap(p, t, alpha=2.0, beta=4.0, peak=1.0):
    """Compute the loss of CornerNet's equation 1."""
    if t >= peak:
        return -((1 - p) ** alpha) * math.log(p)
    return -((1 - t) ** beta) * p**alpha * math.log(1 - p)


POINTWISE = [
    (QualityFocalLoss, quality, {}),
    (QualityFocalLoss, quality, {"beta": 0.5}),
    (QualityFocalLoss, quality, {"beta": 0.0}),
    (VarifocalLoss, varifocal, {}),
    (VarifocalLoss, varifocal, {"alpha": 0.3, "gamma": 0.5}),
    (HeatmapFocalLoss, heatmap, {}),
    (HeatmapFocalLoss, heatmap, {"alpha": 1.5, "beta": 0.0, "peak": 0.7}),
]


@pytest.mark.parametrize(("build", "formula", "options"), POINTWISE)
def test_it_is_the_papers(build, formula, options):
    """Each element costs what the paper's equation says, whatever the options."""
    logits, target = draw(60)
    p = 1 / (1 + np.exp(-logits.numpy()))
    expected = [formula(*pair, **options) for pair in zip(p.tolist(), target.tolist(), strict=True)]
    value = build(reduction="none", **options)(logits, target)
    assert_close(value, torch.tensor(expected, dtype=torch.float64))


@pytest.mark.parametrize(("build", "formula", "options"), POINTWISE)
def test_slopes_by_hand_are_those_of_autograd(build, formula, options, monkeypatch):
    """What is computed part by part has the gradient of the plain formula, far from zero as well."""
    logits, target = draw(4, 15)
    logits[0, :3] = torch.tensor([1000.0, -1000.0, 0.0])
    expected = gradient(build(**options), logits, target)
    monkeypatch.setattr(streaming, "_PART", {"cpu": 1})
    assert_close(gradient(build(**options), logits, target), expected)


def test_of_hard_targets_they_are_focal_losses():
    """With targets of 0 and 1 they are focal loss, or for positives under varifocal loss cross entropy."""
    logits, values = draw(50)
    hard = (values > 0.5).double()
    focal = FocalLoss(gamma=1.5, reduction="none")(logits, hard)
    assert_close(QualityFocalLoss(beta=1.5, reduction="none")(logits, hard), focal)
    assert_close(HeatmapFocalLoss(alpha=1.5, beta=0.0, reduction="none")(logits, hard), focal)
    varifocal_loss = VarifocalLoss(alpha=1.0, gamma=1.5, reduction="none")(logits, hard)
    assert_close(varifocal_loss, torch.where(hard == 1, BCELoss(reduction="none")(logits, hard), focal))
    assert_close(QualityFocalLoss(beta=0.0)(logits, values), BCELoss()(logits, values))


def test_a_resampled_peak_counts_as_one():
    """A peak of 0.9999 costs what a peak does where ``peak`` says so, and next to nothing by default."""
    logits, target = torch.tensor([-3.0]), torch.tensor([0.9999])
    assert_close(HeatmapFocalLoss(peak=0.99)(logits, target), HeatmapFocalLoss()(logits, torch.ones(1)))
    assert HeatmapFocalLoss()(logits, target) < 1e-15


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16], ids=str)
@pytest.mark.parametrize("build", [QualityFocalLoss, VarifocalLoss, HeatmapFocalLoss])
def test_a_hopeless_logit_in_half_precision(build, dtype):
    """Logits of a certain error are finite in value and gradient, where a probability would be 0."""
    logits, target = torch.tensor([-100.0, 100.0], dtype=dtype), torch.tensor([1.0, 0.0], dtype=dtype)
    assert build()(logits, target).isfinite()
    assert (gradient(build(), logits, target).abs() > 0.1).all()


@pytest.mark.parametrize("in_parts", [False, True])
def test_distribution_focal_is_the_papers(in_parts, monkeypatch):
    """Each place costs the paper's equation 6, also in parts, with the gradient of finite differences."""
    if in_parts:
        monkeypatch.setattr(streaming, "_PART", {"cpu": 1})
    logits, share = draw(3, 4, 5)[0], draw(3, 4, seed=1)[1]
    place = share * 4
    log_p = logits.numpy() - np.log(np.exp(logits.numpy()).sum(-1, keepdims=True))
    expected = torch.zeros(3, 4, dtype=torch.float64)
    for index in np.ndindex(3, 4):
        y = place[index].item()
        left = min(math.floor(y), 3)
        expected[index] = -(left + 1 - y) * log_p[index][left] - (y - left) * log_p[index][left + 1]
    loss = DistributionFocalLoss(reduction="none")
    assert_close(loss(logits, place), expected)
    assert torch.autograd.gradcheck(DistributionFocalLoss(), (logits.requires_grad_(), place))


def test_at_a_bin_it_is_cross_entropy():
    """A whole place, the first and the last as well, costs what that bin's label does."""
    logits, labels = draw(5, 5)[0], torch.arange(5)
    value = DistributionFocalLoss(reduction="none")(logits, labels.double())
    assert_close(value, CrossEntropyLoss(reduction="none")(logits, labels))
    assert_close(DistributionFocalLoss(reduction="none")(logits, labels), value)


def test_its_least_is_the_entropy_of_both_shares():
    """At the shares of both bins the loss is their entropy, and its gradient zero."""
    logits = torch.tensor([[-1e4, math.log(0.7), math.log(0.3), -1e4]], dtype=torch.float64)
    place = torch.tensor([1.3], dtype=torch.float64)
    entropy = -(0.7 * math.log(0.7) + 0.3 * math.log(0.3))
    assert_close(DistributionFocalLoss()(logits, place).item(), entropy)
    assert gradient(DistributionFocalLoss(), logits, place).abs().max() < 1e-12


def test_places_are_left_as_they_are_and_bounded():
    """The target is not written to, and a place beyond the bins raises, unless it is masked."""
    logits, place = draw(3, 4)[0], torch.tensor([0.0, 3.0, 1.5])
    version = place._version
    DistributionFocalLoss()(logits.requires_grad_(), place).backward()
    assert place._version == version
    for wrong in (-0.5, 3.1):
        beyond = torch.tensor([0.0, wrong, 1.5])
        with pytest.raises(ValueError, match="target must hold values from 0 to 3"):
            DistributionFocalLoss()(logits, beyond)
        DistributionFocalLoss()(logits, beyond, mask=torch.tensor([True, False, True]))


def test_one_bin_is_none():
    """A single bin, or a target of another shape, raises ValueError with both shapes."""
    with pytest.raises(ValueError, match=r"2 bins or more .*input \(3, 1\), target \(3,\)"):
        DistributionFocalLoss()(torch.zeros(3, 1), torch.zeros(3))
    with pytest.raises(ValueError, match=r"input \(3, 4\), target \(3, 1\)"):
        DistributionFocalLoss()(torch.zeros(3, 4), torch.zeros(3, 1))


def test_keypoint_similarity_is_that_of_coco():
    """Each point costs one less COCO's similarity, of any object and any kind of point."""
    input, offset = draw(2, 3, 4, 2)
    area, sigmas = torch.tensor([[1.0, 4.0, 0.5], [2.0, 9.0, 100.0]]), [0.3, 0.5, 0.2, 1.0]
    value = KeypointSimilarityLoss(sigmas=sigmas, reduction="none")(input, input + offset, area=area)
    expected = torch.zeros(2, 3, 4, dtype=torch.float64)
    for image, each, point in np.ndindex(2, 3, 4):
        distance = np.linalg.norm(offset[image, each, point].numpy())
        scale = math.sqrt(area[image, each].item())
        k = 2 * sigmas[point]
        expected[image, each, point] = 1 - math.exp(-(distance**2) / (2 * scale**2 * k**2))
    assert_close(value, expected)
    scaled = KeypointSimilarityLoss(sigmas=sigmas)(10 * input, 10 * (input + offset), area=100 * area)
    assert_close(scaled, value.mean())


def test_points_that_are_not_visible():
    """Only visible points count; an object without any may have no area; points that do need one."""
    input, offset = draw(2, 3, 2)
    target, area = input + offset, torch.tensor([4.0, 0.0])
    visible = torch.tensor([[True, False, True], [False, False, False]])
    loss = KeypointSimilarityLoss(sigmas=0.2)
    expected = KeypointSimilarityLoss(sigmas=0.2, reduction="none")(input[:1], target[:1], area=area[:1])
    assert_close(loss(input, target, area=area, mask=visible), expected[:, [0, 2]].mean())
    assert gradient(loss, input, target, area=area, mask=visible).isfinite().all()
    with pytest.raises(ValueError, match="area must be above zero"):
        loss(input, target, area=area)
    with pytest.raises(TypeError, match="give the area"):
        loss(input, target)
    with pytest.raises(ValueError, match=r"accepted for the area: \(2,\)"):
        loss(input, target, area=area[:1])


def test_numbers_of_sigmas_and_coordinates():
    """As many sigmas as points, and two coordinates: anything else raises ValueError."""
    points = torch.zeros(2, 3, 2)
    with pytest.raises(ValueError, match="sigmas has 2 values, and each object 3 points"):
        KeypointSimilarityLoss(sigmas=[0.1, 0.2])(points, points, area=torch.ones(2))
    with pytest.raises(ValueError, match=r"points have shape \(\*, K, 2\): input \(2, 3\)"):
        KeypointSimilarityLoss(sigmas=0.1)(points[..., 0], points[..., 0], area=torch.ones(2))
