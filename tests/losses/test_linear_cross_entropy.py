"""Linear cross entropy against torch on logits that are held, and where other implementations fail."""

from itertools import product

import numpy as np
import pytest
import torch
from torch.nn import functional
from torch.testing import assert_close

from lossary_losses import CrossEntropyLoss, FocalLoss, InputValueError, LinearCrossEntropyLoss, PolyLoss
from lossary_losses._core.dense import Ready
from lossary_losses._core.linear_sums import linear_sums
from lossary_losses._core.projection import Head
from lossary_losses.testing.rules.distribution import _on_two_ranks

SMALL, LARGE = (7, 5, 11), (150, 6, 7200)
"""Positions, features and classes: the logits of the second are computed in parts, the last of them short."""


def drawn(shape, seed=0):
    """Draw float64 numbers."""
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def data(sizes):
    """Draw hidden states, labels of which some are -100, a weight, a bias, and class weights."""
    positions, features, classes = sizes
    hidden, weight = drawn((positions, features)), drawn((classes, features), 1)
    labels = torch.randint(0, classes, (positions,), generator=torch.Generator().manual_seed(3))
    labels[::5] = -100
    leaves = [each.requires_grad_() for each in (hidden, weight, drawn((classes,), 2))]
    return leaves, labels, drawn((classes,), 4).abs()


def formula(tensors, *, smoothing, z_loss, softcap):
    """Write the formula down, of positions that count."""
    hidden, weight, bias, labels, class_weight = tensors
    logits = hidden @ weight.T + bias
    logits = softcap * np.tanh(logits / softcap) if softcap else logits
    largest = logits.max(1, keepdims=True)
    log_sum = largest + np.log(np.exp(logits - largest).sum(1, keepdims=True))
    kept = labels != -100
    truth = np.eye(logits.shape[1])[np.where(kept, labels, 0)]
    smooth = (1 - smoothing) * truth + smoothing / logits.shape[1]
    of_label = class_weight[np.where(kept, labels, 0)]
    cost = (class_weight * smooth * (log_sum - logits)).sum(1) + of_label * z_loss * log_sum[:, 0] ** 2
    return np.where(kept, cost, 0), np.where(kept, of_label, 0)


@pytest.mark.parametrize(
    ("weighted", "smoothing", "z_loss", "softcap"),
    list(product((False, True), (0.0, 0.2), (0.0, 0.1), (None, 3.0))),
)
def test_it_is_the_formula(weighted, smoothing, z_loss, softcap):
    """In any combination of options it is the formula, element by element and as a mean of parts."""
    for sizes in (SMALL, LARGE):
        (hidden, weight, bias), labels, class_weight = data(sizes)
        class_weight = class_weight if weighted else torch.ones_like(class_weight)
        chosen = {"smoothing": smoothing, "z_loss": z_loss, "softcap": softcap}
        options = {"label_smoothing": smoothing, "z_loss": z_loss, "softcap": softcap, "ignore_index": -100}
        given = {"linear_weight": weight, "linear_bias": bias}
        loss = LinearCrossEntropyLoss(weight=class_weight if weighted else None, **options)
        numbers = (each.detach().numpy() for each in (hidden, weight, bias, labels, class_weight))
        value, share = map(torch.from_numpy, formula(numbers, **chosen))
        mean = loss(hidden, labels, **given)
        assert_close(mean.detach(), value.sum() / share.sum())
        loss.reduction = "none"
        each = loss(hidden, labels, **given)
        assert_close(each.detach(), value)
        # What is computed in parts has the gradients of what is held.
        leaves = (hidden, weight, bias)
        slopes = torch.autograd.grad(each.sum() / share.sum(), leaves)
        for _ in range(2):
            assert_close(torch.autograd.grad(mean, leaves, retain_graph=True), slopes)


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_it_is_torchs(smoothing):
    """It is cross entropy of the projection, as torch computes it, under an upstream that is not one."""
    leaves, labels, class_weight = data(LARGE)
    hidden, weight, bias = leaves
    options = {"weight": class_weight, "label_smoothing": smoothing, "ignore_index": -100}
    ours = LinearCrossEntropyLoss(**options)(hidden, labels, linear_weight=weight, linear_bias=bias)
    theirs = functional.cross_entropy(functional.linear(hidden, weight, bias), labels, **options)
    assert_close(ours, theirs)
    above = torch.tensor(-2.5, dtype=torch.float64)
    assert_close(*(torch.autograd.grad(each, leaves, above) for each in (ours, theirs)))


def test_second_derivatives_of_parts():
    """Differentiated twice, what is computed in parts has the derivatives of the whole."""
    leaves, labels, _ = data(LARGE)
    hidden, weight, bias = leaves
    loss, second = LinearCrossEntropyLoss(ignore_index=-100), []
    for value in (
        loss(hidden, labels, linear_weight=weight, linear_bias=bias),
        functional.cross_entropy(functional.linear(hidden, weight, bias), labels),
    ):
        (slope,) = torch.autograd.grad(value, hidden, create_graph=True)
        second.append(torch.autograd.grad(slope.square().sum(), leaves))
    assert_close(*second)


@pytest.mark.parametrize("formula", [FocalLoss(), PolyLoss(), CrossEntropyLoss(label_smoothing=0.1)])
def test_any_loss_of_positions_may_follow(formula):
    """Sums of any loss of positions over a projection are those of the logits, and so are the gradients."""
    (hidden, weight, bias), labels, _ = data(LARGE)
    labels = labels.clamp(min=0)
    ours = linear_sums(
        formula, Head(weight, bias, None), Ready(hidden, labels[:, None], None, "labels", False)
    )
    theirs = formula.fraction(hidden @ weight.T + bias, labels)
    assert_close(ours.numerator, theirs.numerator)
    assert_close(ours.denominator.item(), theirs.denominator.item())
    slopes = (torch.autograd.grad(each.numerator, (hidden, weight, bias)) for each in (ours, theirs))
    assert_close(*slopes)


def test_a_mask_hides_anything():
    """A masked position may be NaN in parts too: nothing of it reaches the gradient of the weight."""
    (hidden, weight, _), labels, _ = data(LARGE)
    kept = labels != -100
    spoiled = hidden.detach().masked_fill(~kept.unsqueeze(1), torch.nan).requires_grad_()
    values = (
        LinearCrossEntropyLoss(z_loss=0.1)(spoiled, labels.clamp(min=0), linear_weight=weight, mask=kept),
        LinearCrossEntropyLoss(z_loss=0.1)(hidden[kept], labels[kept], linear_weight=weight),
    )
    assert_close(*values)
    assert_close(*(torch.autograd.grad(each, weight, retain_graph=True)[0] for each in values))
    assert (torch.autograd.grad(values[0], spoiled)[0][~kept] == 0).all()


def test_parts_of_a_step_add_up():
    """Fractions of one and of the others are those of all; their means would not be."""
    (hidden, weight, bias), labels, class_weight = data(LARGE)
    loss = LinearCrossEntropyLoss(weight=class_weight, ignore_index=-100)
    given = {"linear_weight": weight, "linear_bias": bias}
    first, rest = (
        loss.fraction(hidden[part], labels[part], **given) for part in (slice(1, 2), slice(2, None))
    )
    value = (first.numerator + rest.numerator) / (first.denominator + rest.denominator)
    whole = loss(hidden[1:], labels[1:], **given)
    assert_close(value, whole)
    assert_close(*(torch.autograd.grad(each, weight, retain_graph=True) for each in (value, whole)))
    assert_close(loss.counts(labels[1:2], like=(1, 6), **given), first.denominator)


@pytest.mark.parametrize("cut", [0, 40])
def test_processes_share_a_batch(cut):
    """Over ranks of unequal positions, one without any, value and gradients are those of the whole batch."""
    leaves, labels, class_weight = data(LARGE)
    parts = (slice(0, cut), slice(cut, None))
    options = {"weight": class_weight, "ignore_index": -100, "z_loss": 0.1}

    def on_rank(rank, group):
        own = leaves[0].detach()[parts[rank]].requires_grad_()
        weight, bias = (each.detach().clone().requires_grad_() for each in leaves[1:])
        loss = LinearCrossEntropyLoss(process_group=group, **options)
        value = loss(own, labels[parts[rank]], linear_weight=weight, linear_bias=bias)
        return value.detach(), torch.autograd.grad(value, (own, weight, bias))

    (first, slopes), (second, other_slopes) = _on_two_ranks(on_rank)
    hidden, weight, bias = leaves
    value = LinearCrossEntropyLoss(**options)(hidden, labels, linear_weight=weight, linear_bias=bias)
    assert_close((first + second) / 2, value)
    ours = [torch.cat([slopes[0], other_slopes[0]]) / 2]
    ours += [(one + other) / 2 for one, other in zip(slopes[1:], other_slopes[1:], strict=True)]
    assert_close(ours, list(torch.autograd.grad(value, leaves)))


def test_the_gradient_of_the_weight_in_half_precision():
    """In bfloat16, and in as many parts as there are, it is off by no more than its own rounding."""
    generator = torch.Generator().manual_seed(0)
    hidden = torch.randn(1024, 16, generator=generator).bfloat16()
    weight = torch.randn(8200, 16, generator=generator).bfloat16().requires_grad_()
    labels = torch.randint(0, 8200, (1024,), generator=generator)
    value = LinearCrossEntropyLoss()(hidden, labels, linear_weight=weight)
    (slope,) = torch.autograd.grad(value, weight)
    single = weight.detach().float().requires_grad_()
    expected = functional.cross_entropy(hidden.float() @ single.T, labels)
    (wanted,) = torch.autograd.grad(expected, single)
    assert_close(value, expected)
    assert (slope.float() - wanted).norm() < 2e-3 * wanted.norm()


def test_a_cap_bounds_every_logit():
    """Ten times the cap is as good as the cap, and the z term is made of what is capped."""
    hidden, weight = torch.tensor([[300.0]]), torch.tensor([[1.0], [-1.0]])
    capped = torch.tensor([[30.0, -30.0]], dtype=torch.float64)
    value = LinearCrossEntropyLoss(softcap=30.0, z_loss=0.5)(hidden, torch.tensor([1]), linear_weight=weight)
    log_sum = capped.logsumexp(1)
    assert_close(value.double(), (log_sum + 30 + 0.5 * log_sum.square()).squeeze())


def test_what_does_not_fit_is_refused():
    """A target that would broadcast, a projection of another size, and one class raise."""
    (hidden, weight, _), labels, _ = data(SMALL)
    loss = LinearCrossEntropyLoss(ignore_index=-100)
    with pytest.raises(InputValueError, match=r"target \(1,\); accepted for the target: \(7,\)"):
        loss(hidden, labels[:1], linear_weight=weight)
    with pytest.raises(InputValueError, match=r"linear_weight \(5, 11\)"):
        loss(hidden, labels, linear_weight=weight.T)
    with pytest.raises(InputValueError, match="two classes or more"):
        loss(hidden, labels, linear_weight=weight[:1])
    with pytest.raises(InputValueError, match="the label 11"):
        loss(hidden, labels.clamp(min=11), linear_weight=weight)


def test_given_tensors_are_left_alone():
    """Nothing that is given is written to, and a change of it before the gradient is noticed."""
    (hidden, weight, bias), labels, _ = data(LARGE)
    before = [each.detach().clone() for each in (hidden, weight, bias)]
    value = LinearCrossEntropyLoss(ignore_index=-100, softcap=1.0)(
        hidden, labels, linear_weight=weight, linear_bias=bias
    )
    torch.autograd.grad(value, (hidden, weight, bias), retain_graph=True)
    assert_close([each.detach() for each in (hidden, weight, bias)], before, rtol=0, atol=0)
    with torch.no_grad():
        weight.mul_(2)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        value.backward()
