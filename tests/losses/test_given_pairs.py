"""Triplets and pairs that are given, instead of found by labels, against torch and the paper's formula."""

import pytest
import torch
from torch.nn import functional
from torch.testing import assert_close

from lossary_losses import ContrastiveLoss, InputTypeError, InputValueError, TripletLoss

ROWS, SIZE = 6, 4


def normal(*shape, seed):
    """Draw float64 numbers with a gradient."""
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(shape, generator=generator, dtype=torch.float64).requires_grad_()


@pytest.fixture
def anchors():
    """Embeddings."""
    return normal(ROWS, SIZE, seed=0)


@pytest.fixture
def positives():
    """The embeddings that they should be near."""
    return normal(ROWS, SIZE, seed=1)


@pytest.mark.parametrize("mining", ["hard", "semi_hard", "all"])
def test_one_negative_is_torchs(anchors, positives, mining):
    """With a negative each, value and gradients are those of torch's triplet loss but for its epsilon."""
    negatives = normal(ROWS, SIZE, seed=2)
    value = TripletLoss(margin=1.0, mining=mining)(anchors, positives, negatives=negatives)
    expected = functional.triplet_margin_loss(anchors, positives, negatives, margin=1.0, eps=0.0)
    assert_close(value, expected)
    leaves = (anchors, positives, negatives)
    assert_close(torch.autograd.grad(value, leaves), torch.autograd.grad(expected, leaves))


@pytest.mark.parametrize("distance", ["euclidean", "squared", "cosine"])
@pytest.mark.parametrize("mining", ["hard", "semi_hard", "all"])
def test_several_negatives(anchors, positives, mining, distance):
    """The mining chooses among the negatives of an anchor: written down, one anchor after the other."""
    negatives = normal(ROWS, 3, SIZE, seed=2)
    measure = {
        "euclidean": lambda a, b: (a - b).norm(),
        "squared": lambda a, b: (a - b).square().sum(),
        "cosine": lambda a, b: 1 - functional.cosine_similarity(a, b, dim=0),
    }[distance]
    costs = []
    for anchor, positive, own in zip(anchors, positives, negatives, strict=True):
        near, far = measure(anchor, positive), torch.stack([measure(anchor, each) for each in own])
        if mining == "hard":
            far = far.min()
        elif mining == "semi_hard":
            far = far[far > near].min() if (far > near).any() else far.max()
        costs.append((near - far + 0.2).clamp(min=0).mean())
    loss = TripletLoss(mining=mining, distance=distance, reduction="none")
    assert_close(loss(anchors, positives, negatives=negatives), torch.stack(costs))


def test_given_pairs_are_the_formula(anchors, positives):
    """Half the squared distance where a pair belongs together, else half the square of what lacks."""
    same = torch.arange(ROWS) % 2 == 0
    distance = (anchors - positives).norm(dim=1)
    expected = torch.where(same, distance.square(), (2.5 - distance).clamp(min=0).square()).mean() / 2
    value = ContrastiveLoss(margin=2.5)(anchors, positives, same=same)
    assert_close(value, expected)
    leaves = (anchors, positives)
    assert_close(torch.autograd.grad(value, leaves), torch.autograd.grad(expected, leaves))


def test_equal_embeddings_have_finite_gradients(anchors):
    """A distance of zero has a slope of zero, for a pair and for a triplet."""
    twin = anchors.detach()
    value = ContrastiveLoss()(anchors, twin, same=torch.zeros(ROWS, dtype=torch.bool))
    value = value + TripletLoss()(anchors, twin, negatives=twin)
    assert torch.autograd.grad(value, anchors)[0].isfinite().all()


def test_what_is_masked_is_not_there(anchors, positives):
    """Rows that do not count may hold NaN everywhere, and have no gradient."""
    kept = torch.tensor([True, False, True, True, False, True])
    negatives, same = normal(ROWS, 2, SIZE, seed=2), torch.arange(ROWS) % 2 == 0
    poisoned = [torch.where(kept.unsqueeze(1), each, torch.nan) for each in (anchors, positives)]
    spoiled = torch.where(kept.reshape(-1, 1, 1), negatives, torch.nan)
    value = TripletLoss()(*poisoned, negatives=spoiled, mask=kept)
    assert_close(value, TripletLoss()(anchors[kept], positives[kept], negatives=negatives[kept]))
    assert not torch.autograd.grad(value, anchors)[0][~kept].any()
    value = ContrastiveLoss()(*poisoned, same=same, mask=kept)
    assert_close(value, ContrastiveLoss()(anchors[kept], positives[kept], same=same[kept]))


def test_without_negatives_it_is_zero(anchors, positives):
    """No negative, no triplet: zero, with a graph."""
    value = TripletLoss()(anchors, positives, negatives=anchors.new_zeros(ROWS, 0, SIZE))
    assert value == 0
    assert not torch.autograd.grad(value, anchors)[0].any()


def test_what_does_not_go_together_is_refused(anchors, positives):
    """Labels go without negatives, embeddings with them; shapes and dtypes are named."""
    labels = torch.arange(ROWS)
    with pytest.raises(InputTypeError, match="no negatives"):
        TripletLoss()(anchors, positives)
    with pytest.raises(InputTypeError, match="negatives"):
        TripletLoss()(anchors, labels, negatives=anchors)
    with pytest.raises(InputValueError, match=r"\(6, 4\) or \(6, K, 4\)"):
        TripletLoss()(anchors, positives, negatives=anchors[:3])
    with pytest.raises(InputTypeError, match="no same"):
        ContrastiveLoss()(anchors, positives)
    with pytest.raises(InputTypeError, match="bool"):
        ContrastiveLoss()(anchors, positives, same=labels)


@pytest.mark.compilers
def test_it_compiles(anchors, positives):
    """Given triplets compile into one graph."""
    torch.compiler.reset()
    negatives = normal(ROWS, 2, SIZE, seed=2)
    loss = TripletLoss(mining="semi_hard")
    compiled = torch.compile(loss, fullgraph=True, backend="eager")
    assert_close(
        compiled(anchors, positives, negatives=negatives), loss(anchors, positives, negatives=negatives)
    )
