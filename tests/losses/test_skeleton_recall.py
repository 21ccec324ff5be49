"""The recall of skeletons against the paper's sums, for all kinds of targets."""

import numpy as np
import pytest
import torch
from torch.nn import functional
from torch.testing import assert_close

from lossary_losses import SkeletonRecallLoss, TverskyLoss


@pytest.fixture
def logits():
    """Logits (B, C, H, W)."""
    return torch.randn(2, 3, 5, 6, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


@pytest.fixture
def labels():
    """Class indices (B, H, W)."""
    return torch.randint(0, 3, (2, 5, 6), generator=torch.Generator().manual_seed(1))


@pytest.fixture
def skeleton():
    """Where centre lines are, (B, H, W)."""
    return torch.rand(2, 5, 6, generator=torch.Generator().manual_seed(2)) < 0.6


def by_the_paper(p, t, k):
    """Compute one minus the share of the skeleton that is predicted, of each sample and class."""
    s = np.asarray(t) * np.asarray(k)
    return torch.tensor(1 - (np.asarray(p) * s).sum((2, 3)) / s.sum((2, 3)))


def test_classes(logits, labels, skeleton):
    """Under a softmax each class has the part of the skeleton where it is the label."""
    hard = functional.one_hot(labels, 3).movedim(-1, 1)
    expected = by_the_paper(logits.softmax(1), hard, skeleton.unsqueeze(1))
    assert_close(SkeletonRecallLoss(reduction="none")(logits, labels, skeleton=skeleton), expected)
    assert_close(SkeletonRecallLoss()(logits, labels, skeleton=skeleton.long()), expected.mean())
    value = SkeletonRecallLoss(weight=[0, 1, 1])(logits, labels, skeleton=skeleton)
    assert_close(value, expected[:, 1:].mean())


def test_channels_with_skeletons_of_their_own(logits, labels):
    """Under a sigmoid each channel may have its own skeleton, and numbers say how much a position counts."""
    hard = functional.one_hot(labels, 3).movedim(-1, 1)
    own = torch.rand(hard.shape, generator=torch.Generator().manual_seed(3), dtype=torch.float64)
    expected = by_the_paper(logits.sigmoid(), hard, own)
    assert_close(SkeletonRecallLoss()(logits, hard, skeleton=own), expected.mean())
    weight = torch.rand(2, 5, 6, dtype=torch.float64) + 0.5
    weighed = by_the_paper(logits.sigmoid(), hard, own * weight.unsqueeze(1))
    assert_close(SkeletonRecallLoss()(logits, hard, skeleton=own, weight=weight), weighed.mean())


def test_a_pooled_batch(logits, labels, skeleton):
    """Pooled, the skeletons of all samples are one."""
    hard = functional.one_hot(labels, 3).movedim(-1, 1)
    together = (each.movedim(0, 1).flatten(1, 2).unsqueeze(0) for each in (logits.softmax(1), hard))
    expected = by_the_paper(*together, skeleton.flatten(0, 1)[None, None])
    value = SkeletonRecallLoss(batch=True, reduction="none")(logits, labels, skeleton=skeleton)
    assert_close(value, expected[0])


def test_a_skeleton_of_everything_is_recall(logits, labels):
    """Where all of the truth is skeleton it is the Tversky loss without false positives."""
    value = SkeletonRecallLoss()(logits, labels, skeleton=torch.ones(2, 5, 6))
    assert_close(value, TverskyLoss(alpha=0.0, beta=1.0, smooth=0.0)(logits, labels))


def test_classes_and_samples_without_a_skeleton(logits, labels, skeleton):
    """A class without one costs nothing, or does not count; a sample without any never counts."""
    labels = labels.clamp(max=1)
    hard = functional.one_hot(labels, 3).movedim(-1, 1)[:1, :2]
    skeleton[1] = False
    logits.requires_grad_()
    expected = by_the_paper(logits.detach().softmax(1)[:1, :2], hard, skeleton[:1, None])
    for empty, count in (("score", 3), ("zero", 3), ("skip", 2)):
        value = SkeletonRecallLoss(empty=empty)(logits, labels, skeleton=skeleton)
        assert_close(value, expected.sum() / count)
    slope = torch.autograd.grad(value, logits)[0]
    assert (slope[1] == 0).all()
    nothing = SkeletonRecallLoss()(logits, labels, skeleton=torch.zeros_like(skeleton))
    assert nothing == 0
    assert (torch.autograd.grad(nothing, logits)[0] == 0).all()


def test_what_lies_off_the_skeleton_has_no_gradient(logits, labels, skeleton):
    """A position off the skeleton has no part, and predicting more of the truth there changes nothing."""
    slope = torch.autograd.grad(
        SkeletonRecallLoss()(logits.requires_grad_(), labels, skeleton=skeleton), logits
    )[0]
    assert (slope.movedim(1, -1)[~skeleton] == 0).all()
    assert (slope.movedim(1, -1)[skeleton] != 0).any(-1).all()


def test_skeletons_that_do_not_fit(logits, labels):
    """Another shape, and numbers that are complex or below zero, are refused by name."""
    loss = SkeletonRecallLoss()
    with pytest.raises(ValueError, match=r"skeleton \(2, 1, 5, 6\); accepted for the skeleton: \(2, 5, 6\)"):
        loss(logits, labels, skeleton=torch.ones(2, 1, 5, 6))
    with pytest.raises(TypeError, match="skeleton must hold real numbers"):
        loss(logits, labels, skeleton=torch.ones(2, 5, 6, dtype=torch.complex64))
    with pytest.raises(ValueError, match="must not be negative"):
        loss(logits, labels, skeleton=-torch.ones(2, 5, 6))
    with pytest.raises(TypeError, match="skeleton"):
        loss(logits, labels)
