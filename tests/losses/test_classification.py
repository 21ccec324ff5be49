"""Cross entropies and the focal loss against torch and against their papers' formulas in NumPy."""

import numpy as np
import pytest
import torch
from torch.nn import functional
from torch.testing import assert_close

from lossary_losses import (
    BCELoss,
    CrossEntropyLoss,
    FocalLoss,
    GeneralizedCrossEntropyLoss,
    PolyLoss,
    SymmetricCrossEntropyLoss,
)


@pytest.fixture
def logits():
    """Logits (B, C, H, W)."""
    return torch.randn(2, 4, 3, 5, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


@pytest.fixture
def labels():
    """Class indices (B, H, W), some of them 255."""
    drawn = torch.randint(0, 4, (2, 3, 5), generator=torch.Generator().manual_seed(1))
    drawn[0, 0] = 255
    return drawn


@pytest.fixture
def values():
    """Targets from 0 to 1 (B, C, H, W)."""
    return torch.rand(2, 4, 3, 5, generator=torch.Generator().manual_seed(2), dtype=torch.float64)


WEIGHT = [0.5, 1.0, 2.0, 0.25]


def tensor(values):
    """Give class weights in float64."""
    return torch.tensor(values, dtype=torch.float64)


def probabilities(logits):
    """Compute a softmax over classes, by hand."""
    exponentials = np.exp(logits - logits.max(1, keepdims=True))
    return exponentials / exponentials.sum(1, keepdims=True)


@pytest.mark.parametrize("reduction", ["none", "mean", "sum"])
@pytest.mark.parametrize("weight", [None, tensor(WEIGHT)], ids=["unweighted", "weighted"])
@pytest.mark.parametrize("smoothing", [0.0, 0.1, 1.0])
def test_cross_entropy_of_labels_is_torchs(logits, labels, reduction, weight, smoothing):
    """Class weights, smoothing and ignore_index combine as in torch."""
    loss = CrossEntropyLoss(weight=weight, label_smoothing=smoothing, ignore_index=255, reduction=reduction)
    expected = functional.cross_entropy(
        logits, labels, weight=weight, label_smoothing=smoothing, ignore_index=255, reduction=reduction
    )
    assert_close(loss(logits, labels), expected)


@pytest.mark.parametrize("reduction", ["none", "mean", "sum"])
@pytest.mark.parametrize("weight", [None, tensor(WEIGHT)], ids=["unweighted", "weighted"])
@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_cross_entropy_of_probabilities_is_torchs(logits, values, reduction, weight, smoothing):
    """With class probabilities the mean divides by positions, weighted or not, as in torch."""
    target = values / values.sum(1, keepdim=True)
    loss = CrossEntropyLoss(weight=weight, label_smoothing=smoothing, reduction=reduction)
    expected = functional.cross_entropy(
        logits, target, weight=weight, label_smoothing=smoothing, reduction=reduction
    )
    assert_close(loss(logits, target), expected)


@pytest.mark.parametrize("dtype", [torch.uint8, torch.int8, torch.int16, torch.int32], ids=str)
def test_labels_of_any_integer_dtype(logits, labels, dtype):
    """Labels of every integer dtype mean the same."""
    clean = labels.clamp(max=3)
    assert_close(CrossEntropyLoss()(logits, clean.to(dtype)), CrossEntropyLoss()(logits, clean))


def test_cross_entropy_in_half_precision_does_not_overflow():
    """A mean over 262 144 positions in half precision is right, where torch's is NaN on the CPU."""
    logits = torch.zeros(1, 4, 512, 512, dtype=torch.float16)
    labels = torch.zeros(1, 512, 512, dtype=torch.int64)
    assert_close(CrossEntropyLoss()(logits, labels), torch.tensor(4.0).log())


def test_cross_entropy_of_impossible_classes(logits, values):
    """A class without mass in the target may have a logit of minus infinity."""
    target = values / values.sum(1, keepdim=True)
    target = torch.cat([target[:, 1:], torch.zeros_like(target[:, :1])], dim=1)
    logits[:, 3] = -float("inf")
    logits.requires_grad_()
    loss = CrossEntropyLoss()(logits, target)
    loss.backward()
    assert_close(loss.detach(), functional.cross_entropy(logits.detach()[:, :3], target[:, :3]))
    assert logits.grad.isfinite().all()


def test_a_position_of_probabilities_is_ignored_as_a_whole(logits, values):
    """Class probabilities that all equal ignore_index mark a position that does not count."""
    target = values / values.sum(1, keepdim=True)
    marked = target.clone()
    marked[:, :, 0] = -1
    expected = functional.cross_entropy(logits[:, :, 1:], target[:, :, 1:])
    assert_close(CrossEntropyLoss(ignore_index=-1)(logits, marked), expected)


@pytest.mark.parametrize("reduction", ["none", "mean", "sum"])
@pytest.mark.parametrize("pos_weight", [None, tensor([3.0, 1.0, 0.5, 0.0]), 2.0], ids=["none", "each", "one"])
def test_binary_cross_entropy_is_torchs(logits, values, reduction, pos_weight):
    """pos_weight multiplies the positives, per class or as one number."""
    loss = BCELoss(pos_weight=pos_weight, reduction=reduction)
    broadcast = None if pos_weight is None else torch.as_tensor(pos_weight).reshape(-1, 1, 1).double()
    expected = functional.binary_cross_entropy_with_logits(
        logits, values, pos_weight=broadcast, reduction=reduction
    )
    assert_close(loss(logits, values), expected)


def test_class_weights_of_binary_cross_entropy_divide_the_mean(logits, values):
    """The mean is weighted: the sum of the weighted elements over the sum of their weights."""
    each = functional.binary_cross_entropy_with_logits(logits, values, reduction="none")
    weight = tensor(WEIGHT).reshape(1, 4, 1, 1).expand_as(each)
    assert_close(BCELoss(weight=tensor(WEIGHT))(logits, values), (each * weight).sum() / weight.sum())


@pytest.mark.parametrize("shape", [(), (6,), (2, 3)], ids=str)
def test_binary_losses_take_any_shape(shape):
    """Elements stand for themselves: a vector, or a single number, is as good as an image."""
    logits, target = torch.zeros(shape), torch.ones(shape)
    assert_close(BCELoss()(logits, target), torch.tensor(2.0).log())
    assert_close(FocalLoss(gamma=1.0)(logits, target), 0.5 * torch.tensor(2.0).log())


@pytest.mark.parametrize("dtype", [torch.bool, torch.uint8, torch.int64, torch.float16], ids=str)
def test_binary_targets_of_any_dtype(logits, dtype):
    """A mask of bools or integers means the same as one of floats."""
    target = logits.flip(0) > 0
    assert_close(BCELoss()(logits, target.to(dtype)), BCELoss()(logits, target.double()))


def test_exact_where_the_prediction_is_nearly_right():
    """A confident right prediction keeps its tiny loss, instead of rounding it to zero."""
    expected = torch.tensor(np.log1p(np.exp(-30.0)), dtype=torch.float32)
    assert_close(BCELoss()(torch.tensor([-30.0]), torch.tensor([0.0])), expected, rtol=1e-6, atol=0)
    assert_close(BCELoss()(torch.tensor([30.0]), torch.tensor([1.0])), expected, rtol=1e-6, atol=0)


@pytest.mark.parametrize("gamma", [0.0, 0.5, 1.0, 2.0, 5.0])
@pytest.mark.parametrize("alpha", [None, 0.25])
def test_binary_focal_is_the_papers(logits, gamma, alpha):
    """-alpha_t (1 - p_t)^gamma log p_t for hard targets."""
    target = (logits.flip(0) > 0).double()
    p = 1 / (1 + np.exp(-logits.numpy()))
    p_t = np.where(target.numpy() == 1, p, 1 - p)
    alpha_t = 1.0 if alpha is None else np.where(target.numpy() == 1, alpha, 1 - alpha)
    expected = torch.from_numpy(-alpha_t * (1 - p_t) ** gamma * np.log(p_t))
    assert_close(FocalLoss(gamma=gamma, alpha=alpha, reduction="none")(logits, target), expected)


def test_binary_focal_of_soft_targets_mixes_both_outcomes(logits, values):
    """A target of 0.3 is three parts of a positive and seven of a negative."""
    ones, zeros = torch.ones_like(logits), torch.zeros_like(logits)
    focal = FocalLoss(gamma=1.5, alpha=0.25, reduction="none")
    expected = values * focal(logits, ones) + (1 - values) * focal(logits, zeros)
    assert_close(focal(logits, values), expected)


@pytest.mark.parametrize("gamma", [0.0, 0.5, 1.0, 2.0, 5.0])
def test_multiclass_focal_is_the_papers(logits, labels, gamma):
    """-(1 - p_y)^gamma log p_y of the labelled class, under a softmax."""
    clean = labels.clamp(max=3)
    p = np.take_along_axis(probabilities(logits.numpy()), clean.numpy()[:, None], axis=1)[:, 0]
    expected = torch.from_numpy(-((1 - p) ** gamma) * np.log(p))
    assert_close(FocalLoss(gamma=gamma, reduction="none")(logits, clean), expected)


def test_multiclass_focal_mean_divides_by_the_weights_of_the_labels(logits, labels):
    """Class weights enter the mean as in torch's cross entropy."""
    weight = tensor(WEIGHT)
    expected = functional.cross_entropy(logits, labels, weight=weight, ignore_index=255)
    assert_close(FocalLoss(gamma=0.0, weight=weight, ignore_index=255)(logits, labels), expected)


def test_focal_of_one_against_all(logits, labels):
    """Labels under a sigmoid are one binary problem per class."""
    clean = labels.clamp(max=3)
    one_hot = functional.one_hot(clean, 4).movedim(-1, 1).double()
    loss = FocalLoss(activation="sigmoid", alpha=0.25, reduction="none")
    assert_close(loss(logits, clean), loss(logits, one_hot))


def test_focal_of_class_probabilities_contains_that_of_labels(logits, labels):
    """One-hot class probabilities under a softmax give what their labels give."""
    clean = labels.clamp(max=3)
    one_hot = functional.one_hot(clean, 4).movedim(-1, 1).double()
    assert_close(FocalLoss(activation="softmax")(logits, one_hot), FocalLoss()(logits, clean))


@pytest.mark.parametrize("gamma", [0.1, 0.5, 0.9])
@pytest.mark.parametrize("size", [40.0, 1e4])
def test_small_gamma_keeps_the_gradient_finite(gamma, size):
    """At saturated logits the derivative of (1 - p)^gamma, infinite for gamma < 1, does not become NaN."""
    logits = torch.tensor([[size, -size], [-size, size]], requires_grad=True)
    FocalLoss(gamma=gamma)(logits, torch.tensor([0, 0])).backward()
    assert logits.grad.isfinite().all()
    binary = logits.detach().clone().requires_grad_()
    FocalLoss(gamma=gamma)(binary, torch.tensor([[1.0, 0.0], [1.0, 1.0]])).backward()
    assert binary.grad.isfinite().all()


def test_gradient_lives_where_the_prediction_is_badly_wrong():
    """A confident wrong logit gets the full gradient of cross entropy, however large it is."""
    for loss in (BCELoss(), FocalLoss()):
        logit = torch.tensor([-1e4], requires_grad=True)
        loss(logit, torch.tensor([1.0])).backward()
        assert_close(logit.grad, torch.tensor([-1.0]))


def test_alpha_belongs_to_the_sigmoid(logits, labels):
    """An alpha under a softmax raises ValueError that points to weight."""
    with pytest.raises(ValueError, match="under a sigmoid; for classes use weight"):
        FocalLoss(alpha=0.25)(logits, labels.clamp(max=3))


def test_a_softmax_over_one_channel_is_refused():
    """One channel and class indices raise ValueError that shows how a binary target looks."""
    for loss in (FocalLoss(), CrossEntropyLoss()):
        with pytest.raises(
            ValueError, match=r"for a binary loss give the target the input's shape, \(2, 1, 3\)"
        ):
            loss(torch.zeros(2, 1, 3), torch.zeros(2, 3, dtype=torch.int64))
    with pytest.raises(ValueError, match="a softmax needs two classes or more"):
        CrossEntropyLoss()(torch.zeros(2, 1, 3), torch.zeros(2, 1, 3))


def test_labels_are_integers(logits):
    """Class indices given as floats raise TypeError."""
    with pytest.raises(TypeError, match=r"must hold class indices as integers, got torch.float32"):
        CrossEntropyLoss()(logits, torch.zeros(2, 3, 5))


def test_weight_of_the_wrong_length(logits, labels):
    """Class weights of another number than the classes raise ValueError with both numbers."""
    with pytest.raises(ValueError, match="weight has 3 values, and the input 4 classes in dimension 1"):
        CrossEntropyLoss(weight=[1.0, 2.0, 3.0])(logits, labels.clamp(max=3))


@pytest.mark.parametrize(
    ("loss", "formula"),
    [
        (PolyLoss(epsilon=2.0, reduction="none"), lambda p: -np.log(p) + 2 * (1 - p)),
        (PolyLoss(epsilon=-1.0, reduction="none"), lambda p: -np.log(p) - (1 - p)),
        (GeneralizedCrossEntropyLoss(q=0.7, reduction="none"), lambda p: (1 - p**0.7) / 0.7),
        (GeneralizedCrossEntropyLoss(q=1.0, reduction="none"), lambda p: 1 - p),
        (SymmetricCrossEntropyLoss(reduction="none"), lambda p: -0.1 * np.log(p) + 4 * (1 - p)),
        (
            SymmetricCrossEntropyLoss(alpha=6.0, beta=0.1, log_of_zero=-2.0, reduction="none"),
            lambda p: -6 * np.log(p) + 0.2 * (1 - p),
        ),
    ],
    ids=lambda each: repr(each) if isinstance(each, torch.nn.Module) else "its paper",
)
def test_losses_of_the_truth_are_their_papers(logits, labels, loss, formula):
    """The paper's formula of the probability of the truth, under a softmax and under a sigmoid."""
    clean = labels.clamp(max=3)
    p = np.take_along_axis(probabilities(logits.numpy()), clean.numpy()[:, None], axis=1)[:, 0]
    assert_close(loss(logits, clean), torch.from_numpy(formula(p)))
    target = (logits.flip(0) > 0).double()
    q = 1 / (1 + np.exp(-logits.numpy()))
    expected = torch.from_numpy(np.where(target.numpy() == 1, formula(q), formula(1 - q)))
    assert_close(loss(logits, target), expected)


def test_generalized_cross_entropy_tends_to_cross_entropy(logits, labels):
    """A small q is cross entropy, without losing digits."""
    clean = labels.clamp(max=3)
    expected = CrossEntropyLoss()(logits, clean)
    assert_close(GeneralizedCrossEntropyLoss(q=1e-12)(logits, clean), expected)


def test_weights_of_elements(case):
    """A weight has the input's shape where elements stand for themselves, and else one for each position."""
    input, target = case.data()
    weight = torch.rand(input.shape, generator=torch.Generator().manual_seed(0), dtype=input.dtype)
    if case.kind in ("labels", "classes", "ordinal", "one class"):
        with pytest.raises(ValueError, match=r"accepted for the weight: \(2, 3, 5\)"):
            case.loss()(input, target, weight=weight)
    else:
        assert case.loss()(input, target, weight=weight).isfinite()


@pytest.mark.parametrize("size", [19.9, 20.1, 30.0, 36.0])
@pytest.mark.parametrize("with_graph", [True, False])
def test_every_digit_of_float64(size, with_graph):
    """Large logits have the surprise of the formula to the last digits, with a graph and without."""
    logits = torch.tensor([[size, -size]], dtype=torch.float64, requires_grad=with_graph)
    expected = np.log1p(np.exp(np.array([-size, size])))
    expected[1] = size + np.log1p(np.exp(-size))
    for build in (BCELoss, lambda **options: FocalLoss(gamma=0.0, **options)):
        value = build(reduction="none")(logits, torch.tensor([[1.0, 1.0]])).detach().numpy()
        np.testing.assert_allclose(value[0], expected, rtol=1e-14)
