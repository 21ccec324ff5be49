"""Overlap losses against their formulas in NumPy, and against each other."""

from fractions import Fraction

import numpy as np
import pytest
import torch
from torch.nn import functional
from torch.testing import assert_close

from lossary_losses import (
    DiceLoss,
    FocalTverskyLoss,
    JaccardLoss,
    LogCoshDiceLoss,
    LovaszHingeLoss,
    LovaszSoftmaxLoss,
    TverskyLoss,
)


@pytest.fixture
def logits():
    """Logits (B, C, H, W)."""
    return torch.randn(3, 4, 3, 5, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


@pytest.fixture
def labels():
    """Class indices (B, H, W)."""
    return torch.randint(0, 4, (3, 3, 5), generator=torch.Generator().manual_seed(1))


def one_hot(labels):
    """Turn class indices into hard values."""
    return functional.one_hot(labels, 4).movedim(-1, 1).double()


def dice(p, t, smooth, axes=(2, 3)):
    """Compute 1 - (2 sum pt + s) / (sum p + sum t + s) by hand."""
    p, t = p.numpy(), t.numpy()
    return torch.from_numpy(1 - (2 * (p * t).sum(axes) + smooth) / (p.sum(axes) + t.sum(axes) + smooth))


@pytest.mark.parametrize("smooth", [1e-5, 1.0, 10.0])
def test_labels_under_a_softmax(logits, labels, smooth):
    """Each sample and class has one minus its Dice score; the mean is over both."""
    expected = dice(logits.softmax(1), one_hot(labels), smooth)
    assert_close(DiceLoss(smooth=smooth, reduction="none")(logits, labels), expected)
    assert_close(DiceLoss(smooth=smooth)(logits, labels), expected.mean())


def test_values_under_a_sigmoid(logits, labels):
    """Values of the input's shape are one problem per channel."""
    expected = dice(logits.sigmoid(), one_hot(labels), 1.0)
    assert_close(DiceLoss(reduction="none")(logits, one_hot(labels)), expected)


def test_activation_overrides_the_shape(logits, labels):
    """activation= decides against what the shape suggests, and "none" takes probabilities."""
    hard = one_hot(labels)
    assert_close(DiceLoss(activation="softmax")(logits, hard), DiceLoss()(logits, labels))
    assert_close(DiceLoss(activation="sigmoid")(logits, labels), DiceLoss()(logits, hard))
    assert_close(DiceLoss(activation="none")(logits.sigmoid(), hard), DiceLoss()(logits, hard))
    assert_close(DiceLoss(activation="none")(logits.softmax(1), labels), DiceLoss()(logits, labels))


def test_pooled_over_the_batch(logits, labels):
    """With batch=True sizes are those of the whole batch, and the result has one element per class."""
    expected = dice(logits.softmax(1), one_hot(labels), 1.0, axes=(0, 2, 3))
    assert_close(DiceLoss(batch=True, reduction="none")(logits, labels), expected)


def test_flat_inputs(logits, labels):
    """Without space each sample is a single position, and pooling makes the batch the region."""
    flat, flat_labels = logits[:, :, 0, 0], labels[:, 0, 0]
    expected = dice(flat.softmax(1), one_hot(flat_labels), 1.0, axes=0)
    assert_close(DiceLoss(batch=True, reduction="none")(flat, flat_labels), expected)


def test_class_weights(logits, labels):
    """The mean is weighted by class, and a weight of zero leaves a class out."""
    weight = torch.tensor([0.0, 1.0, 2.0, 1.0], dtype=torch.float64)
    each = dice(logits.softmax(1), one_hot(labels), 1.0)
    expected = (each * weight).sum() / weight.expand_as(each).sum()
    assert_close(DiceLoss(weight=weight)(logits, labels), expected)


@pytest.mark.parametrize("truth", [0.0, 0.3, 0.5, 1.0])
def test_minimum_of_soft_targets_is_at_the_target(truth):
    """The loss is zero at p = t, and larger anywhere else."""
    target = torch.full((1, 1, 8), truth, dtype=torch.float64)
    loss = DiceLoss(smooth=0.0, activation="none")
    assert_close(loss(target, target), torch.zeros((), dtype=torch.float64))
    others = {p / 10: loss(torch.full_like(target, p / 10), target) for p in range(11)}
    others.pop(truth)
    assert all(other > 1e-6 for other in others.values())


def test_nothing_against_nothing_is_perfect():
    """Without smoothing, an empty prediction of an empty truth has a loss of zero, not NaN."""
    empty = torch.zeros(1, 1, 8, requires_grad=True)
    loss = DiceLoss(smooth=0.0, activation="none")(empty, torch.zeros(1, 1, 8))
    loss.backward()
    assert loss == 0
    assert empty.grad.isfinite().all()


class TestEmpty:
    """What a sample and class without truth gives."""

    target = torch.tensor([[[0.0, 0.0]], [[1.0, 0.0]]])
    prediction = torch.tensor([[[0.5, 0.5]], [[1.0, 0.0]]])

    def loss(self, empty):
        """Compute the loss of a half-wrong empty sample and a perfect full one."""
        return DiceLoss(activation="none", empty=empty)(self.prediction, self.target)

    def test_score_is_the_formulas_value(self):
        """False positives cost what the formula says: 1 - s / (P + s), here 1/2 for one of two samples."""
        assert_close(self.loss("score"), torch.tensor(0.25))

    def test_zero_makes_false_positives_free(self):
        """The empty sample counts as perfect."""
        assert_close(
            DiceLoss(activation="none", empty="zero", smooth=0.0)(1 - self.prediction, self.target),
            torch.tensor(0.5),
        )

    def test_skip_leaves_the_sample_out(self):
        """The empty sample does not enter the mean."""
        assert_close(
            DiceLoss(activation="none", empty="skip", smooth=0.0)(1 - self.prediction, self.target),
            torch.tensor(1.0),
        )


def test_a_sample_of_which_nothing_counts_does_not_enter_the_mean(logits, labels):
    """A sample that is masked altogether is as good as absent."""
    mask = torch.ones(3, 3, 5, dtype=torch.bool)
    mask[1] = False
    assert_close(DiceLoss()(logits, labels, mask=mask), DiceLoss()(logits[[0, 2]], labels[[0, 2]]))


def test_a_large_image_in_half_precision():
    """Sizes beyond 65 504 do not overflow, and the gradient is alive."""
    logits = torch.zeros(1, 1, 512, 512, dtype=torch.float16, requires_grad=True)
    target = torch.ones(1, 1, 512, 512, dtype=torch.float16)
    loss = DiceLoss()(logits, target)
    loss.backward()
    assert_close(loss.detach(), torch.tensor(1 / 3), rtol=1e-4, atol=0)
    assert (logits.grad != 0).all()


def test_one_dimension_is_refused():
    """An input without classes raises ValueError."""
    with pytest.raises(ValueError, match=r"a region needs an input of shape \(B, C, \*S\), got \(5,\)"):
        DiceLoss()(torch.zeros(5), torch.zeros(5))


def test_probabilities_are_checked():
    """With activation="none" a logit given by mistake raises ValueError."""
    with pytest.raises(ValueError, match="input must hold probabilities, 0 to 1; it holds -3 to -3"):
        DiceLoss(activation="none")(torch.full((1, 1, 2), -3.0), torch.zeros(1, 1, 2))


@pytest.fixture
def counts(logits, labels):
    """Intersection, prediction and truth of each sample and class, by hand."""
    p, t = logits.softmax(1).numpy(), one_hot(labels).numpy()
    return (p * t).sum((2, 3)), p.sum((2, 3)), t.sum((2, 3))


@pytest.mark.parametrize(("alpha", "beta"), [(0.3, 0.7), (1.0, 0.0), (0.0, 1.0)])
def test_tversky_is_the_papers(logits, labels, counts, alpha, beta):
    """Alpha is the price of what is predicted and not true, beta of what is true and not predicted."""
    hit, predicted, true = counts
    index = (hit + 0.5) / (hit + alpha * (predicted - hit) + beta * (true - hit) + 0.5)
    loss = TverskyLoss(alpha=alpha, beta=beta, smooth=0.5, reduction="none")
    assert_close(loss(logits, labels), torch.from_numpy(1 - index))


@pytest.mark.parametrize("gamma", [0.5, 1.0, 4 / 3, 3.0])
def test_focal_tversky_is_the_papers(logits, labels, counts, gamma):
    """The exponent is one over gamma."""
    hit, predicted, true = counts
    index = (hit + 1) / (hit + 0.3 * (predicted - hit) + 0.7 * (true - hit) + 1)
    loss = FocalTverskyLoss(gamma=gamma, reduction="none")
    assert_close(loss(logits, labels), torch.from_numpy((1 - index) ** (1 / gamma)))


def test_focal_tversky_at_a_perfect_prediction():
    """At zero loss, where the power has an infinite derivative, the gradient is finite."""
    target = torch.tensor([[[1.0, 0.0]]])
    prediction = target.clone().requires_grad_()
    loss = FocalTverskyLoss(activation="none")(prediction, target)
    loss.backward()
    assert loss == 0
    assert prediction.grad.isfinite().all()


def test_jaccard_is_intersection_over_union(logits, labels, counts):
    """One minus intersection over union, smoothed."""
    hit, predicted, true = counts
    expected = torch.from_numpy(1 - (hit + 1) / (predicted + true - hit + 1))
    assert_close(JaccardLoss(reduction="none")(logits, labels), expected)


def test_jaccard_of_soft_targets_is_minimal_at_the_target():
    """Intersection and union of soft masks are sums of minima and maxima."""
    p, t = torch.tensor([[[0.2, 0.9]]]), torch.tensor([[[0.5, 0.4]]])
    loss = JaccardLoss(smooth=0.0, activation="none")
    assert_close(loss(p, t), torch.tensor(1 - (0.2 + 0.4) / (0.5 + 0.9)))
    assert_close(loss(t, t), torch.tensor(0.0))


def test_log_cosh_dice_is_the_papers(logits, labels):
    """The logarithm of the hyperbolic cosine of each Dice loss."""
    expected = dice(logits.softmax(1), one_hot(labels), 1.0).cosh().log()
    assert_close(LogCoshDiceLoss(reduction="none")(logits, labels), expected)


def test_the_family_knows_each_other(logits, labels):
    """Tversky with halves is Dice, with ones Jaccard, and Jaccard follows from Dice."""
    dice_loss = DiceLoss(smooth=2.0, reduction="none")(logits, labels)
    halves = TverskyLoss(alpha=0.5, beta=0.5, smooth=1.0, reduction="none")(logits, labels)
    ones = TverskyLoss(alpha=1.0, beta=1.0, smooth=1.0, reduction="none")(logits, labels)
    jaccard_loss = JaccardLoss(smooth=1.0, reduction="none")(logits, labels)
    assert_close(halves, dice_loss)
    assert_close(ones, jaccard_loss)
    assert_close(jaccard_loss, 2 * dice_loss / (1 + dice_loss))
    assert_close(FocalTverskyLoss(alpha=1.0, beta=1.0, gamma=1.0, reduction="none")(logits, labels), ones)


def lovasz_by_hand(errors, truth):
    """Add up each error times the rise of the Jaccard loss when its position is got wrong as well."""
    wrong, before, total = np.zeros(len(errors), bool), 0.0, 0.0
    for index in np.argsort(-errors, kind="stable"):
        wrong[index] = True
        predicted = np.where(wrong, 1 - truth, truth)
        jaccard = 1 - (predicted * truth).sum() / np.maximum(predicted, truth).sum()
        total += max(errors[index], 0) * (jaccard - before)
        before = jaccard
    return total


def test_lovasz_hinge_is_the_papers(logits, labels):
    """The extension by its definition, over hinge errors of each sample and channel."""
    truth = one_hot(labels)
    expected = [
        [lovasz_by_hand(1 - x * (2 * t - 1), t) for x, t in zip(xs, ts, strict=True)]
        for xs, ts in zip(logits.flatten(2).numpy(), truth.flatten(2).numpy(), strict=True)
    ]
    result = LovaszHingeLoss(reduction="none")(logits, truth)
    assert_close(result, torch.tensor(expected, dtype=torch.float64))


@pytest.mark.parametrize("empty", ["skip", "score"])
def test_lovasz_softmax_is_the_papers(logits, labels, empty):
    """The extension by its definition, over softmax errors, with and without absent classes."""
    labels[0] = labels[0].clamp(max=2)
    p, truth = logits.softmax(1).flatten(2).numpy(), one_hot(labels).flatten(2).numpy()
    each = np.array(
        [
            [lovasz_by_hand(abs(t - q), t) for q, t in zip(qs, ts, strict=True)]
            for qs, ts in zip(p, truth, strict=True)
        ]
    )
    present = truth.sum(2) > 0
    expected = each[present].mean() if empty == "skip" else each.mean()
    assert_close(LovaszSoftmaxLoss(empty=empty)(logits, labels), torch.tensor(expected))


def test_lovasz_of_hard_predictions_is_the_jaccard_loss(labels):
    """At confident predictions, right or wrong, the extension is one minus intersection over union."""
    prediction = labels.roll(1, dims=0)
    logits = (one_hot(prediction) - 0.5) * 2e3
    p, t = one_hot(prediction).bool(), one_hot(labels).bool()
    expected = 1 - (p & t).sum((2, 3)).double() / (p | t).sum((2, 3))
    assert_close(LovaszSoftmaxLoss(empty="score", reduction="none")(logits, labels), expected)


def test_lovasz_has_no_soft_form():
    """A target between 0 and 1 raises ValueError."""
    with pytest.raises(ValueError, match="target must hold 0 and 1 and nothing between"):
        LovaszHingeLoss()(torch.zeros(1, 1, 2), torch.tensor([[[0.5, 1.0]]]))


def test_counts_by_label_keep_their_digits():
    """A million positions of one probability add up to a million times it, not to what rounding leaves."""
    input, target = torch.tensor([0.0, 1.0]).reshape(1, 2, 1).expand(1, 2, 10**6), torch.ones(1, 10**6).long()
    weight = torch.ones(1, 10**6, requires_grad=True)  # so that it is not computed part by part
    expected = DiceLoss()(input.double(), target)
    assert_close(DiceLoss()(input, target, weight=weight).double(), expected, rtol=1e-6, atol=0)


@pytest.mark.parametrize("batch", [False, True])
@pytest.mark.parametrize("loss_class", [LovaszHingeLoss, LovaszSoftmaxLoss])
def test_lovasz_gradients_keep_their_digits(loss_class, batch):
    """Each of a hundred thousand positions has the gradient of double precision, although it is tiny."""
    generator = torch.Generator().manual_seed(0)
    input = torch.randn(2, 2, 50_000, generator=generator)
    target = torch.randint(0, 2, (2, 50_000), generator=generator)
    if loss_class is LovaszHingeLoss:
        target = torch.stack([target, 1 - target], dim=1)
    single, double = input.clone().requires_grad_(), input.double().requires_grad_()
    for each in (single, double):
        loss_class(batch=batch)(each, target).backward()
    assert_close(single.grad.double(), double.grad, rtol=1e-3, atol=1e-9)


@pytest.mark.parametrize("build", [TverskyLoss, lambda **options: FocalTverskyLoss(gamma=1.0, **options)])
def test_a_small_loss_keeps_its_digits(build):
    """A loss of next to nothing is that of its errors, not what is left of one."""
    right = 1 - 1e-14
    loss = build(alpha=0.5, beta=0.5, smooth=0.0, activation="none")
    value = loss(torch.full((1, 1, 1), right, dtype=torch.float64), torch.ones(1, 1, 1))
    missed = Fraction(1) - Fraction(right)
    expected = missed / 2 / (Fraction(right) + missed / 2)
    assert value.item() == pytest.approx(float(expected), rel=1e-12)
