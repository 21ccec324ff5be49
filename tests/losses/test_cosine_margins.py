"""ArcFace and CosFace against their papers' formulas, at centres, opposite to them and beyond."""

import math

import numpy as np
import pytest
import torch
from torch.nn import functional
from torch.testing import assert_close

from lossary_losses import ArcFaceLoss, CosFaceLoss, CrossEntropyLoss, InputValueError

ALL = pytest.mark.parametrize(
    "loss",
    [ArcFaceLoss, CosFaceLoss, lambda **options: ArcFaceLoss(easy=True, **options)],
    ids=["arcface", "cosface", "arcface-easy"],
)


def draw(rows=9, classes=4):
    """Draw cosines, as a leaf, and labels."""
    generator = torch.Generator().manual_seed(0)
    cosines = 2 * torch.rand(rows, classes, generator=generator, dtype=torch.float64) - 1
    return cosines.requires_grad_(), torch.randint(0, classes, (rows,), generator=generator)


def with_angle(cosine, margin, *, easy):
    """Write ArcFace down by the angle, and what the authors' code does where it has no margin."""
    if cosine > (0 if easy else math.cos(math.pi - margin)):
        return math.cos(math.acos(cosine) + margin)
    return cosine if easy else cosine - margin * math.sin(margin)


def formula(cosines, labels, scale, target_cosine):
    """Write the cross entropy of one row after the other down."""
    values = []
    for row, label in zip(cosines, labels, strict=True):
        logits = scale * row
        logits[label] = scale * target_cosine(row[label])
        values.append(np.log(np.exp(logits).sum()) - logits[label])
    return torch.tensor(values, dtype=torch.float64)


@pytest.mark.parametrize("easy", [False, True])
@pytest.mark.parametrize("margin", [0.0, 0.5, 1.7, 3.0])
def test_arcface_is_the_formula(margin, easy):
    """Each row costs what the formula with the angle says, margins beyond a quarter turn included."""
    cosines, labels = draw(40)
    loss = ArcFaceLoss(margin=margin, scale=5.0, easy=easy, reduction="none")
    expected = formula(
        cosines.detach().numpy().copy(), labels, 5.0, lambda cosine: with_angle(cosine, margin, easy=easy)
    )
    assert_close(loss(cosines, labels).detach(), expected)


def test_cosface_is_the_formula():
    """Each row costs what the formula says."""
    cosines, labels = draw()
    expected = formula(cosines.detach().numpy().copy(), labels, 5.0, lambda cosine: cosine - 0.35)
    assert_close(CosFaceLoss(scale=5.0, reduction="none")(cosines, labels).detach(), expected)


@ALL
def test_without_a_margin_it_is_a_cross_entropy(loss):
    """With no margin it is torch's cross entropy of scaled cosines, with weights and smoothing too."""
    cosines, labels = draw()
    weight = torch.tensor([1.0, 2.0, 0.5, 0.25], dtype=torch.float64)
    value = loss(margin=0.0, scale=8.0, weight=weight, label_smoothing=0.2)(cosines, labels)
    assert_close(value, functional.cross_entropy(8 * cosines, labels, weight, label_smoothing=0.2))


@ALL
@pytest.mark.parametrize("cosine", [1.0, 1.0 + 2e-7, -1.0, -1.0 - 2e-7, 1 - 6e-8, -1 + 6e-8])
def test_centres_and_their_opposites(loss, cosine):
    """At a centre, opposite to it, and a rounding error beyond, value and gradient are finite and right."""
    cosines = torch.tensor([[cosine, 0.2, -0.3]], requires_grad=True)
    value = loss(scale=2.0)(cosines, torch.tensor([0]))
    (gradient,) = torch.autograd.grad(value, cosines)
    assert gradient.isfinite().all()
    inside = torch.tensor([[max(-1.0, min(1.0, cosine)), 0.2, -0.3]], dtype=torch.float64)
    assert_close(value.double(), loss(scale=2.0)(inside, torch.tensor([0])), rtol=1e-5, atol=1e-5)
    assert gradient[0, 0] < 0


def test_a_unit_embedding_at_its_centre():
    """Through normalised embeddings and centres too the gradients are finite, in float32."""
    centres = torch.tensor([[3.0, 4.0], [0.1, -0.7]], requires_grad=True)
    embeddings = torch.tensor([[0.3, 0.4], [-0.1, 0.7]], requires_grad=True)
    cosines = functional.normalize(embeddings) @ functional.normalize(centres).T
    ArcFaceLoss()(cosines, torch.tensor([0, 1])).backward()
    assert embeddings.grad.isfinite().all()
    assert centres.grad.isfinite().all()


@ALL
def test_cosines_are_not_written_to(loss):
    """The caller's cosines stay as they are."""
    cosines, labels = draw()
    before = cosines.detach().clone()
    loss()(cosines, labels).backward()
    assert torch.equal(cosines, before)


@ALL
def test_the_slope_is_that_of_the_formula(loss):
    """The gradient of large inputs, written down by hand, is that of autograd through the formula."""
    generator = torch.Generator().manual_seed(0)
    cosines = (2 * torch.rand(2, 4, 40_000, generator=generator, dtype=torch.float64) - 1).requires_grad_()
    labels = torch.randint(0, 4, (2, 40_000), generator=generator)
    labels[0, :9] = 255
    options = {"scale": 4.0, "label_smoothing": 0.1, "ignore_index": 255, "weight": [1.0, 2.0, 3.0, 0.5]}
    (streamed,) = torch.autograd.grad(loss(reduction="sum", **options)(cosines, labels), cosines)
    (plain,) = torch.autograd.grad(loss(reduction="none", **options)(cosines, labels).sum(), cosines)
    assert_close(streamed, plain)


def test_the_nearest_of_several_centres():
    """With several centres the nearest one of each class counts, and it alone has a gradient."""
    cosines, labels = draw(9, 12)
    labels = labels % 4
    loss = ArcFaceLoss(sub_centers=3, scale=4.0)
    value = loss(cosines, labels)
    nearest = cosines.detach().reshape(9, 4, 3).amax(2).requires_grad_()
    expected = ArcFaceLoss(scale=4.0)(nearest, labels)
    assert_close(value, expected)
    (gradient,) = torch.autograd.grad(value, cosines)
    assert_close(gradient.reshape(9, 4, 3).sum(2), torch.autograd.grad(expected, nearest)[0])
    assert ((gradient.reshape(9, 4, 3) != 0).sum(2) <= 1).all()


def test_several_centres_under_a_mask():
    """A masked position may hold NaN for each centre, and has a gradient of zero."""
    cosines, labels = draw(3, 4)
    labels, mask = labels % 2, torch.tensor([True, False, True])
    spoiled = torch.where(mask.unsqueeze(1), cosines.detach(), torch.nan).requires_grad_()
    loss = ArcFaceLoss(sub_centers=2)
    value = loss(spoiled, labels, mask=mask)
    assert_close(value, loss(cosines[mask], labels[mask]))
    assert (torch.autograd.grad(value, spoiled)[0][1] == 0).all()


def test_impossible_labels_and_channels():
    """A label beyond the classes is named, and so are channels that the centres do not divide."""
    cosines, labels = draw(3, 6)
    with pytest.raises(InputValueError, match="target holds the label 3"):
        ArcFaceLoss(sub_centers=2)(cosines, torch.tensor([0, 3, 1]))
    with pytest.raises(InputValueError, match=r"sub_centers=4 .* got \(3, 6\)"):
        ArcFaceLoss(sub_centers=4)(cosines, labels % 1)


def test_a_margin_makes_it_harder():
    """The loss with a margin is above the cross entropy without, for angles that it turns away."""
    cosines, labels = draw()
    plain = CrossEntropyLoss(reduction="none")(8 * cosines, labels)
    for loss in (ArcFaceLoss, CosFaceLoss):
        assert (loss(scale=8.0, reduction="none")(cosines, labels) > plain).all()
