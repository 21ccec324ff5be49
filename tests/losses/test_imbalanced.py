"""Losses that know how often each class occurs, against their papers' formulas in NumPy."""

import numpy as np
import pytest
import torch
from torch.nn import functional
from torch.testing import assert_close

from lossary_losses import ClassBalancedLoss, CrossEntropyLoss, FocalLoss, LDAMLoss, LogitAdjustedLoss

COUNTS = [1000, 200, 50, 5]


@pytest.fixture
def logits():
    """Logits (N, C)."""
    return torch.randn(12, 4, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


@pytest.fixture
def labels():
    """Class indices (N,), each class several times."""
    return torch.arange(12) % 4


def each(logits, labels, cost):
    """Apply a formula of one position to all."""
    return torch.tensor(
        [cost(x, y) for x, y in zip(logits.numpy(), labels.tolist(), strict=True)], dtype=torch.float64
    )


def softmax_entropy(x, y):
    """Give minus the logarithm of the probability of the label."""
    return -np.log(np.exp(x[y]) / np.exp(x).sum())


def effective_weights(beta):
    """Give (1 - beta) / (1 - beta^n), scaled to add up to the number of classes."""
    weights = np.array([(1 - beta) / (1 - beta**n) for n in COUNTS])
    return weights * len(COUNTS) / weights.sum()


class TestClassBalanced:
    """Weights by the effective number of samples."""

    @pytest.mark.parametrize("beta", [0.0, 0.9, 0.999])
    def test_softmax(self, logits, labels, beta):
        """The weight of the label times cross entropy; the mean is over positions."""
        weights = effective_weights(beta)
        expected = each(logits, labels, lambda x, y: weights[y] * softmax_entropy(x, y))
        loss = ClassBalancedLoss(class_counts=COUNTS, beta=beta)
        assert_close(loss(logits, labels), expected.mean())
        loss = ClassBalancedLoss(class_counts=COUNTS, beta=beta, reduction="none")
        assert_close(loss(logits, labels), expected)

    @pytest.mark.parametrize("gamma", [0.0, 0.5, 1.0, 2.0])
    def test_sigmoid(self, logits, labels, gamma):
        """The sum over classes of -(1 - p_i^t)^gamma log p_i^t, p^t being p for the label and 1 - p else."""
        weights = effective_weights(0.99)

        def cost(x, y):
            z = np.where(np.arange(4) == y, x, -x)
            p = 1 / (1 + np.exp(-z))
            return weights[y] * -((1 - p) ** gamma * np.log(p)).sum()

        loss = ClassBalancedLoss(
            class_counts=COUNTS, beta=0.99, activation="sigmoid", gamma=gamma, reduction="none"
        )
        assert_close(loss(logits, labels), each(logits, labels, cost))

    def test_without_weights_it_is_focal(self, logits, labels):
        """beta=0 weighs all classes alike: the base loss remains."""
        loss = ClassBalancedLoss(class_counts=COUNTS, beta=0.0, gamma=2.0)
        assert_close(loss(logits, labels), FocalLoss(gamma=2.0)(logits, labels))
        assert_close(
            ClassBalancedLoss(class_counts=COUNTS, beta=0)(logits, labels), CrossEntropyLoss()(logits, labels)
        )

    @pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)
    def test_near_one_the_weights_are_inverse_frequencies(self, logits, labels, dtype):
        """For beta next to one, where beta^n rounds to one, the weights are proportional to 1 / n."""
        weights = 1 / np.array(COUNTS)
        weights *= 4 / weights.sum()
        loss = ClassBalancedLoss(class_counts=COUNTS, beta=1 - 1e-13, reduction="none")
        result = loss(logits.to(dtype), labels) / CrossEntropyLoss(reduction="none")(logits.to(dtype), labels)
        assert_close(result, torch.from_numpy(weights[labels.numpy()]).to(dtype), rtol=1e-5, atol=0)

    def test_huge_counts_do_not_overflow(self):
        """Of classes with very many samples each has weight one."""
        loss = ClassBalancedLoss(class_counts=[1e12, 1e30], reduction="none")
        assert_close(loss(torch.zeros(2, 2), torch.tensor([0, 1])), torch.full((2,), 2.0).log())


class TestLDAM:
    """Margins that grow with rarity."""

    @pytest.mark.parametrize(("largest", "scale"), [(0.5, 30.0), (0.3, 1.0), (0.0, 5.0)])
    def test_the_papers_formula(self, logits, labels, largest, scale):
        """The label's logit less K / n^(1/4), K such that the largest margin is as asked, scaled."""
        cosines = logits.tanh()
        margins = np.array(COUNTS) ** -0.25
        margins *= largest / margins.max()

        def cost(x, y):
            z = x.copy()
            z[y] -= margins[y]
            return softmax_entropy(scale * z, y)

        loss = LDAMLoss(class_counts=COUNTS, max_margin=largest, scale=scale, reduction="none")
        assert_close(loss(cosines, labels), each(cosines, labels, cost))

    def test_deferred_weights_divide_the_mean(self, logits, labels):
        """Class weights enter as in torch's cross entropy."""
        weight = torch.tensor([0.5, 1.0, 2.0, 4.0], dtype=torch.float64)
        loss = LDAMLoss(class_counts=COUNTS, max_margin=0.0, scale=1.0, weight=weight)
        assert_close(loss(logits, labels), functional.cross_entropy(logits, labels, weight=weight))

    def test_a_margin_makes_it_dearer(self, logits, labels):
        """The rarer the class, the more a position costs beyond cross entropy."""
        plain = CrossEntropyLoss(reduction="none")(torch.zeros(4, 4), torch.arange(4))
        loss = LDAMLoss(class_counts=COUNTS, scale=1.0, reduction="none")(torch.zeros(4, 4), torch.arange(4))
        assert (torch.diff(loss - plain) > 0).all()


class TestLogitAdjusted:
    """The logarithm of the prior, added to the logits."""

    @pytest.mark.parametrize("tau", [0.0, 0.5, 1.0, 2.0])
    def test_the_papers_formula(self, logits, labels, tau):
        """log(1 + sum over others of (pi_c / pi_y)^tau e^(x_c - x_y))."""
        prior = np.array(COUNTS) / sum(COUNTS)

        def cost(x, y):
            others = [c for c in range(4) if c != y]
            return np.log1p(sum((prior[c] / prior[y]) ** tau * np.exp(x[c] - x[y]) for c in others))

        loss = LogitAdjustedLoss(class_counts=COUNTS, tau=tau, reduction="none")
        assert_close(loss(logits, labels), each(logits, labels, cost))

    def test_counts_and_shares_are_the_same(self, logits, labels):
        """Only the ratios of the counts matter."""
        shares = torch.tensor(COUNTS, dtype=torch.float64) / sum(COUNTS)
        assert_close(
            LogitAdjustedLoss(class_counts=COUNTS)(logits, labels),
            LogitAdjustedLoss(class_counts=shares)(logits, labels),
        )

    def test_equal_counts_change_nothing(self, logits, labels):
        """With all classes equally frequent it is cross entropy."""
        loss = LogitAdjustedLoss(class_counts=[7, 7, 7, 7], label_smoothing=0.1)
        assert_close(loss(logits, labels), CrossEntropyLoss(label_smoothing=0.1)(logits, labels))

    def test_its_minimiser_is_balanced(self):
        """Where features tell nothing, the best logits are equal, however unequal the classes are."""
        labels = torch.tensor([0] * 90 + [1] * 10)
        logits = torch.zeros(1, 2, requires_grad=True)
        LogitAdjustedLoss(class_counts=[90, 10])(logits.expand(100, 2), labels).backward()
        assert_close(logits.grad, torch.zeros(1, 2), rtol=0, atol=1e-6)


WANTED = "class_counts must be a sequence of finite numbers > 0, one per class, got "
BUILDERS = [ClassBalancedLoss, LDAMLoss, LogitAdjustedLoss]


@pytest.mark.parametrize("build", BUILDERS)
@pytest.mark.parametrize(
    ("counts", "message"),
    [
        ([10, 0], WANTED + "[10.0, 0.0]"),
        ([10, -1], WANTED + "[10.0, -1.0]"),
        (
            [],
            WANTED + "a tensor of shape (0,)",
        ),
        (
            None,
            WANTED + "None (NoneType)",
        ),
    ],
)
def test_counts_are_positive(build, counts, message):
    """A class without samples raises an error that shows the counts."""
    with pytest.raises((TypeError, ValueError)) as raised:
        build(class_counts=counts)
    assert str(raised.value) == message


@pytest.mark.parametrize("build", BUILDERS)
def test_counts_are_indispensable(build):
    """Without counts there is no such loss."""
    with pytest.raises(TypeError, match="class_counts"):
        build()


@pytest.mark.parametrize("build", BUILDERS)
def test_as_many_counts_as_classes(build):
    """Counts of another number than the classes raise ValueError with both numbers."""
    with pytest.raises(ValueError, match="class_counts has 4 values, and the input 3 classes in dimension 1"):
        build(class_counts=COUNTS)(torch.zeros(2, 3), torch.tensor([0, 1]))


@pytest.mark.parametrize("build", [ClassBalancedLoss, LDAMLoss])
def test_targets_are_labels(build):
    """A target of the input's shape raises ValueError: these losses are of one label per position."""
    with pytest.raises(ValueError, match=r"accepted for the target: \(2,\) \(class indices\)"):
        build(class_counts=[1, 2, 3])(torch.zeros(2, 3), torch.zeros(2, 3))
