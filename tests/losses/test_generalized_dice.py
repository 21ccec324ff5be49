"""The generalized Dice loss against its paper, and where the paper's weights are infinite."""

import numpy as np
import pytest
import torch
from torch.nn import functional
from torch.testing import assert_close

from lossary_losses import DiceLoss, GeneralizedDiceLoss

POWERS = {"inverse_square": 2, "inverse": 1, "equal": 0}


@pytest.fixture
def logits():
    """Logits (B, C, H, W)."""
    return torch.randn(3, 4, 5, 6, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


@pytest.fixture
def labels():
    """Class indices (B, H, W), of which each sample has all."""
    return torch.randint(0, 4, (3, 5, 6), generator=torch.Generator().manual_seed(1))


def one_hot(labels):
    """Turn class indices into hard values."""
    return functional.one_hot(labels, 4).movedim(-1, 1).double()


def by_the_paper(p, r, power=2, factors=(1, 1, 1, 1)):
    """Compute 1 - 2 sum w sum rp / sum w sum (r + p), w being one over the volume squared, class by class."""
    above = below = 0.0
    for predicted, true, factor in zip(p, r, factors, strict=True):
        w = factor / true.sum() ** power
        above += w * (true * predicted).sum()
        below += w * (true + predicted).sum()
    return 1 - 2 * above / below


@pytest.mark.parametrize("class_weighting", POWERS)
def test_it_is_the_papers(logits, labels, class_weighting):
    """Without smoothing the scale of the weights does not matter: the value is that of the paper."""
    p, r = logits.softmax(1).numpy(), one_hot(labels).numpy()
    expected = [by_the_paper(each, truth, POWERS[class_weighting]) for each, truth in zip(p, r, strict=True)]
    loss = GeneralizedDiceLoss(smooth=0.0, class_weighting=class_weighting, reduction="none")
    assert_close(loss(logits, labels), torch.tensor(expected, dtype=torch.float64))


def test_the_batch_is_one_region(logits, labels):
    """Pooled, the volumes are those of the whole batch, and the result is one number."""
    p, r = (each.movedim(1, 0).flatten(1).numpy() for each in (logits.softmax(1), one_hot(labels)))
    loss = GeneralizedDiceLoss(smooth=0.0, batch=True, reduction="none")
    assert_close(loss(logits, labels), torch.tensor(by_the_paper(p, r)))


def test_smoothing_is_in_positions_of_the_rarest_class():
    """Volumes of 3 and 1 weigh 1/9 and 1, and smoothing is added to sums with these weights."""
    target, p = torch.tensor([[0, 0, 0, 1]]), torch.full((1, 2, 4), 0.5)
    loss = GeneralizedDiceLoss(smooth=2.0, activation="none")
    hit, size = 1.5 / 9 + 0.5, (3 + 2) / 9 + (1 + 2)
    assert_close(loss(p, target), torch.tensor(1 - (2 * hit + 2) / (size + 2)))


def test_smoothing_does_not_swallow_large_volumes():
    """On a million positions a prediction that is half right has half the score, smoothed or not."""
    target = torch.zeros(1, 1000, 1000, dtype=torch.long)
    target[:, :500] = 1
    p = torch.full((1, 2, 1000, 1000), 0.5)
    assert_close(GeneralizedDiceLoss(activation="none")(p, target), torch.tensor(0.5), rtol=1e-4, atol=0)


def test_class_weights_multiply(logits, labels):
    """A factor per class multiplies its weight."""
    factors = (0.0, 1.0, 3.0, 0.5)
    p, r = logits.softmax(1).numpy(), one_hot(labels).numpy()
    expected = np.mean([by_the_paper(*each, factors=factors) for each in zip(p, r, strict=True)])
    loss = GeneralizedDiceLoss(smooth=0.0, weight=factors)
    assert_close(loss(logits, labels), torch.tensor(expected))


def test_weights_do_not_cancel():
    """Errors on a rare class cost more than as many errors on a common one."""
    target = torch.zeros(1, 100, dtype=torch.long)
    target[0, :4] = 1
    missed, false = target.clone(), target.clone()
    missed[0, :2] = 0
    false[0, 50:52] = 1
    loss = GeneralizedDiceLoss(smooth=0.0, activation="none")
    equal = GeneralizedDiceLoss(smooth=0.0, activation="none", class_weighting="equal")
    p = functional.one_hot(missed, 2).movedim(-1, 1).float()
    assert loss(p, target) > 10 * equal(p, target)


def test_one_channel_is_the_dice_loss(logits, labels):
    """With a single class its weight is one, and the score that of Dice."""
    target = (labels == 1).double().unsqueeze(1)
    assert_close(GeneralizedDiceLoss()(logits[:, :1], target), DiceLoss()(logits[:, :1], target))


@pytest.mark.parametrize("truth", [0.0, 0.3, 1.0])
def test_minimum_is_at_the_target(truth):
    """At p = t the loss is zero, for soft targets too."""
    target = torch.full((1, 2, 8), truth, dtype=torch.float64)
    loss = GeneralizedDiceLoss(activation="none")
    assert_close(loss(target, target), torch.zeros((), dtype=torch.float64))
    others = {p / 10: loss(torch.full_like(target, p / 10), target) for p in range(11)}
    others.pop(truth)
    assert all(other > 1e-6 for other in others.values())


class TestAbsentClasses:
    """What is made of a class without truth, whose weight the paper has as infinite."""

    target = torch.tensor([[0, 0, 0, 1]])
    p = torch.tensor([[[0.6, 0.6, 0.6, 0.2], [0.2, 0.2, 0.2, 0.6], [0.2, 0.2, 0.2, 0.2]]])

    def loss(self, empty, smooth=0.0):
        """Compute the loss of three classes of which the last is absent."""
        return GeneralizedDiceLoss(activation="none", smooth=smooth, empty=empty)

    def test_score_gives_it_the_weight_of_the_rarest(self):
        """Its false positives count as much as those of the rarest class that is there."""
        hit, size = 1.8 / 9 + 0.6, (3 + 2) / 9 + (1 + 1.2) + 0.8
        assert_close(self.loss("score")(self.p, self.target), torch.tensor(1 - 2 * hit / size))

    @pytest.mark.parametrize("empty", ["zero", "skip"])
    def test_otherwise_it_has_no_part(self, empty):
        """Its false positives are free."""
        expected = self.loss("score")(self.p[:, :2], self.target)
        assert_close(self.loss(empty)(self.p, self.target), expected)

    @pytest.mark.parametrize("smooth", [0.0, 1.0])
    def test_a_sample_without_any_truth(self, smooth):
        """It costs what the formula says with weights of one, nothing, or does not enter the mean."""
        p = torch.stack([self.p[0], torch.full((3, 4), 0.5)])
        target = torch.zeros(2, 3, 4)
        target[0] = functional.one_hot(self.target[0], 3).T
        first = {empty: self.loss(empty, smooth)(p[:1], target[:1]) for empty in ("score", "zero", "skip")}
        assert_close(self.loss("score", smooth)(p, target), (first["score"] + 1 - smooth / (6 + smooth)) / 2)
        assert_close(self.loss("zero", smooth)(p, target), first["zero"] / 2)
        assert_close(self.loss("skip", smooth)(p, target), first["skip"])

    def test_the_gradient_is_finite_and_alive(self, gradient):
        """False positives of an absent class are pushed down, and nothing is NaN."""
        logits = torch.zeros(1, 3, 4)
        result = gradient(GeneralizedDiceLoss(), logits, self.target)
        assert result.isfinite().all()
        assert (result[:, 2] > 0).all()


def test_masked_classes_are_absent(logits, labels):
    """A class whose positions are all masked is as good as absent."""
    mask = labels != 2
    loss = GeneralizedDiceLoss(smooth=0.0, empty="skip")
    p, r = logits.softmax(1).numpy(), one_hot(labels).numpy()
    expected = []
    for each, truth, kept in zip(p, r, mask.numpy(), strict=True):
        others = [0, 1, 3]
        expected.append(by_the_paper(each[others][:, kept], truth[others][:, kept], factors=(1, 1, 1)))
    assert_close(loss(logits, labels, mask=mask), torch.tensor(np.mean(expected)))
