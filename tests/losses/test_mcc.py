"""The Matthews correlation coefficient against its formula, and where that is zero over zero."""

import numpy as np
import pytest
import torch
from torch.nn import functional
from torch.testing import assert_close

from lossary_losses import MCCLoss


@pytest.fixture
def logits():
    """Logits (B, C, H, W)."""
    return torch.randn(3, 4, 5, 6, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


@pytest.fixture
def labels():
    """Class indices (B, H, W)."""
    return torch.randint(0, 4, (3, 5, 6), generator=torch.Generator().manual_seed(1))


def by_the_paper(p, t, smooth=0.0):
    """Compute one minus the coefficient from the four soft counts of hard truth."""
    tp, tn = (p * t).sum() + smooth, ((1 - p) * (1 - t)).sum() + smooth
    fp, fn = (p * (1 - t)).sum(), ((1 - p) * t).sum()
    return 1 - (tp * tn - fp * fn) / np.sqrt((tp + fp) * (tp + fn) * (tn + fp) * (tn + fn))


def each(p, t, smooth=0.0):
    """Compute the loss of every sample and channel by the paper."""
    values = [
        [by_the_paper(*one, smooth) for one in zip(*sample, strict=True)] for sample in zip(p, t, strict=True)
    ]
    return torch.tensor(values, dtype=torch.float64)


@pytest.mark.parametrize("smooth", [0.0, 1.0])
def test_each_class_against_the_rest(logits, labels, smooth):
    """Under a softmax each sample and class has one minus its coefficient; the mean is over both."""
    t = functional.one_hot(labels, 4).movedim(-1, 1).numpy()
    expected = each(logits.softmax(1).numpy(), t, smooth)
    assert_close(MCCLoss(smooth=smooth, reduction="none")(logits, labels), expected)
    assert_close(MCCLoss(smooth=smooth)(logits, labels), expected.mean())


def test_each_channel_for_itself(logits, labels):
    """Under a sigmoid each channel is a problem of its own."""
    t = functional.one_hot(labels, 4).movedim(-1, 1).double()
    expected = each(logits.sigmoid().numpy(), t.numpy(), 1.0)
    assert_close(MCCLoss(reduction="none")(logits, t), expected)


def test_it_is_a_correlation(logits, labels):
    """For hard predictions the coefficient is Pearson's correlation of the two masks."""
    p, t = (logits[:, :1] > 0).double(), (labels == 1).double().unsqueeze(1)
    correlation = [
        np.corrcoef(a.flatten(), b.flatten())[0, 1] for a, b in zip(p.numpy(), t.numpy(), strict=True)
    ]
    loss = MCCLoss(smooth=0.0, activation="none", reduction="none")
    assert_close(loss(p, t).squeeze(1), 1 - torch.tensor(correlation, dtype=torch.float64))


def test_values_by_hand():
    """A perfect prediction gives 0, its opposite 2, and one that ignores the truth 1."""
    target = torch.tensor([[[1.0, 1.0, 0.0, 0.0]]])
    loss = MCCLoss(smooth=0.0, activation="none")
    assert_close(loss(target, target), torch.tensor(0.0))
    assert_close(loss(1 - target, target), torch.tensor(2.0))
    assert_close(loss(torch.full_like(target, 0.3), target), torch.tensor(1.0))


@pytest.mark.parametrize("truth", [0.0, 0.3, 0.8, 1.0])
def test_minimum_is_at_the_target(truth):
    """The loss is zero at p = t, soft targets included, and larger anywhere else."""
    target = torch.full((1, 1, 8), truth, dtype=torch.float64)
    loss = MCCLoss(activation="none")
    assert_close(loss(target, target), torch.zeros((), dtype=torch.float64))
    others = {p / 10: loss(torch.full_like(target, p / 10), target) for p in range(11)}
    others.pop(truth)
    assert all(other > 1e-6 for other in others.values())


@pytest.mark.parametrize("positives", [10, 500_000, 1_000_000 - 10])
def test_a_million_positions_in_single_precision(positives):
    """Products of four counts near a million neither overflow nor cancel, whichever side is the rare one."""
    t = np.zeros(1_000_000)
    t[:positives] = 1
    logits = torch.where(torch.from_numpy(t) > 0, 8.0, -8.0)
    logits[:: max(1, positives // 7)] *= -1
    expected = by_the_paper(logits.sigmoid().double().numpy(), t)
    result = MCCLoss(smooth=0.0)(logits.reshape(1, 1, -1).float(), torch.from_numpy(t).reshape(1, 1, -1))
    # The sigmoid of the oracle is rounded nowhere, that of single precision near one.
    assert_close(result.double(), torch.tensor(expected), rtol=1e-3, atol=1e-3)


class TestOneKindOnly:
    """What a truth or a prediction gives that is all of one kind, where the formula is zero over zero."""

    nothing, everything, half = torch.zeros(1, 1, 4), torch.ones(1, 1, 4), torch.full((1, 1, 4), 0.5)

    def loss(self, p, t, **options):
        """Compute the loss of probabilities."""
        return MCCLoss(activation="none", **options)(p, t)

    @pytest.mark.parametrize("smooth", [0.0, 1.0])
    def test_both_the_same_is_perfect(self, smooth):
        """Nothing against nothing, and all against all, is right."""
        for kind in (self.nothing, self.everything):
            assert_close(self.loss(kind, kind, smooth=smooth), torch.tensor(0.0))

    def test_without_smoothing_it_knows_nothing(self):
        """The coefficient is taken for zero."""
        for p in (self.everything, self.half):
            assert_close(self.loss(p, self.nothing, smooth=0.0), torch.tensor(1.0))
        assert_close(self.loss(self.nothing, self.everything, smooth=0.0), torch.tensor(1.0))

    def test_with_smoothing_false_positives_cost(self):
        """An absent class costs the more, the more of it is predicted, and has a gradient."""
        p = torch.full((1, 1, 4), 0.25, requires_grad=True)
        loss = self.loss(p, self.nothing)
        loss.backward()
        # One right of both kinds added: TP 1, FP 1, FN 0, TN 4.
        assert_close(loss.detach(), torch.tensor(1 - 4 / (2 * 1 * 5 * 4) ** 0.5))
        assert (p.grad > 0).all()

    def test_empty_says_otherwise(self):
        """A class without truth is free, or not in the mean."""
        p, t = torch.cat([self.half, self.half]), torch.cat([self.nothing, torch.tensor([[[1.0, 0, 0, 0]]])])
        second = self.loss(p[1:], t[1:])
        assert_close(self.loss(p, t, empty="zero"), second / 2)
        assert_close(self.loss(p, t, empty="skip"), second)

    @pytest.mark.parametrize("smooth", [0.0, 1.0])
    @pytest.mark.parametrize("logit", [-1e4, -95.0, -60.0, 60.0, 1e4])
    def test_the_gradient_is_finite(self, smooth, logit, gradient):
        """Predictions of next to nothing have finite gradients, whatever the truth."""
        for target in (self.nothing, self.everything, torch.tensor([[[1.0, 0.0, 0.0, 0.0]]])):
            result = gradient(MCCLoss(smooth=smooth), torch.full((1, 1, 4), logit), target)
            assert result.isfinite().all()

    @pytest.mark.parametrize("seed", range(20))
    def test_weights_leave_nothing_behind(self, seed):
        """Where everything is true, no rounding of weights is taken for a background: nothing is known."""
        generator = torch.Generator().manual_seed(seed)
        weight = torch.rand(1, 50, generator=generator, dtype=torch.float64)
        logits = torch.randn(1, 2, 50, generator=generator, dtype=torch.float64)
        loss = MCCLoss(smooth=0.0, reduction="none")
        labels = torch.zeros(1, 50, dtype=torch.long)
        assert loss(logits, labels, weight=weight).tolist() == [[1.0, 1.0]]
        assert loss(logits, torch.ones_like(logits), weight=weight).tolist() == [[1.0, 1.0]]
