"""Sets of predictions, matched with their targets: against scipy, sample by sample."""

import copy
import math
import pickle
import sys

import numpy as np
import pytest
import torch
from scipy.optimize import linear_sum_assignment
from torch.testing import assert_close

from lossary_losses import (
    BCELoss,
    ConstantSchedule,
    CrossEntropyLoss,
    GeneralizedCrossEntropyLoss,
    GIoULoss,
    L1Loss,
    Matched,
    TotalVariationLoss,
)
from lossary_losses.errors import (
    InputTypeError,
    InputValueError,
    MissingPackageError,
    NotAdditiveError,
    OptionTypeError,
    OptionValueError,
)

SAMPLES, QUERIES, TARGETS, CLASSES = 3, 6, 4, 3
COUNTS = torch.tensor([[1, 1, 1, 0], [0, 0, 0, 0], [0, 1, 1, 1]], dtype=torch.bool)


def detector(**options):
    """Build DETR's loss, with its weights and costs; ours divide L1 by four coordinates."""
    given = {
        "terms": {
            "boxes": GIoULoss(box_format="cxcywh"),
            "distance": L1Loss(),
            "labels": CrossEntropyLoss(weight=[1.0, 1.0, 1.0, 0.1]),
        },
        "weights": {"boxes": 2, "distance": 20},
        "inputs": {"distance": {"input": "input.boxes", "target": "target.boxes"}},
        "costs": {
            "boxes": GIoULoss(box_format="cxcywh"),
            "distance": L1Loss(),
            "labels": GeneralizedCrossEntropyLoss(q=1.0),
        },
        "cost_weights": {"boxes": 2, "distance": 20},
        "unmatched": {"labels": CLASSES},
    }
    return Matched(**{**given, **options})


def data(samples=SAMPLES, queries=QUERIES, targets=TARGETS, seed=0):
    """Draw predictions and targets; what a mask leaves out holds what no loss could take."""
    generator = torch.Generator().manual_seed(seed)

    def boxes(count):
        drawn = torch.rand(samples, count, 4, generator=generator, dtype=torch.float64)
        return drawn + torch.tensor([0.0, 0.0, 0.1, 0.1], dtype=torch.float64)

    logits = torch.randn(samples, queries, CLASSES + 1, generator=generator, dtype=torch.float64)
    labels = torch.randint(0, CLASSES, (samples, targets), generator=generator)
    input = {"boxes": boxes(queries).requires_grad_(), "labels": logits.requires_grad_()}
    return input, {"boxes": boxes(targets), "labels": labels}


def padded(target, counts=COUNTS):
    """Fill what is not there with NaN, and with labels that do not exist."""
    return {
        "boxes": target["boxes"].masked_fill(~counts.unsqueeze(-1), math.nan),
        "labels": target["labels"].masked_fill(~counts, -1),
    }


def corners(boxes):
    """Give the corners of boxes that are given by centre and size."""
    return np.concatenate([boxes[..., :2] - boxes[..., 2:] / 2, boxes[..., :2] + boxes[..., 2:] / 2], -1)


def generalized_iou(first, second):
    """Compute the overlap of the paper for two arrays of boxes, by hand."""
    a, b = corners(first), corners(second)
    common = np.clip(np.minimum(a[..., 2:], b[..., 2:]) - np.maximum(a[..., :2], b[..., :2]), 0, None).prod(
        -1
    )
    hull = (np.maximum(a[..., 2:], b[..., 2:]) - np.minimum(a[..., :2], b[..., :2])).prod(-1)
    union = (a[..., 2:] - a[..., :2]).prod(-1) + (b[..., 2:] - b[..., :2]).prod(-1) - common
    return common / union - (hull - union) / hull


def pairs_of(boxes, logits, target_boxes, labels):
    """Match one sample as DETR does: query by target."""
    probability = np.exp(logits) / np.exp(logits).sum(-1, keepdims=True)
    cost = (
        5 * np.abs(boxes[:, None] - target_boxes[None]).sum(-1)
        - probability[:, labels]
        - 2 * generalized_iou(boxes[:, None], target_boxes[None])
    )
    return linear_sum_assignment(cost)


def expected_of(input, target, counts=COUNTS):
    """Compute DETR's loss by hand: every sum divided by the number of targets, or by the class weights."""
    class_weight = np.array([1.0, 1.0, 1.0, 0.1])
    overlap = distance = cross = shares = 0.0
    number = 0
    for sample in range(len(input["boxes"])):
        kept = counts[sample].numpy()
        boxes, logits = (input[name][sample].detach().numpy() for name in ("boxes", "labels"))
        target_boxes = target["boxes"][sample].numpy()[kept]
        labels = target["labels"][sample].numpy()[kept]
        queries, chosen = pairs_of(boxes, logits, target_boxes, labels)
        classes = np.full(len(boxes), CLASSES)
        classes[queries] = labels[chosen]
        overlap += (1 - generalized_iou(boxes[queries], target_boxes[chosen])).sum()
        distance += np.abs(boxes[queries] - target_boxes[chosen]).sum()
        log_probability = logits - np.log(np.exp(logits).sum(-1, keepdims=True))
        cross -= (class_weight[classes] * log_probability[np.arange(len(boxes)), classes]).sum()
        shares += class_weight[classes].sum()
        number += len(queries)
    return 2 * overlap / number + 5 * distance / number + cross / shares


def test_it_is_detrs_loss():
    """With DETR's terms, weights and costs the value is that of the paper, computed by hand with scipy."""
    input, target = data()
    value = detector()(input, padded(target), mask=COUNTS)
    assert_close(value.item(), expected_of(input, target))


@pytest.mark.parametrize("queries", [2, 4, 9])
def test_there_may_be_more_targets_than_queries(queries):
    """Where queries are fewer, the targets that fit worst are left out."""
    input, target = data(queries=queries)
    assert_close(detector()(input, target).item(), expected_of(input, target, torch.ones_like(COUNTS)))


def test_the_gradient_is_that_of_the_pairs():
    """Which query is matched has no gradient; what its pairs cost has that of differences."""
    input, target = data()
    target = padded(target)

    def loss(boxes, logits):
        return detector()({"boxes": boxes, "labels": logits}, target, mask=COUNTS)

    assert torch.autograd.gradcheck(loss, (input["boxes"], input["labels"]))


def test_the_order_of_queries_and_targets_does_not_matter():
    """Queries in another order have the same loss, and the same gradients in that order; so have targets."""
    input, target = data()
    loss = detector()
    value = loss(input, padded(target), mask=COUNTS)
    slopes = torch.autograd.grad(value, input.values())
    other = {name: each.detach().flip(1).requires_grad_() for name, each in input.items()}
    turned = {name: each.flip(1) for name, each in padded(target).items()}
    again = loss(other, turned, mask=COUNTS.flip(1))
    assert_close(again, value)
    for slope, expected in zip(torch.autograd.grad(again, other.values()), slopes, strict=True):
        assert_close(slope.flip(1), expected)


def test_a_query_of_nan_is_matched_last():
    """Predictions that are NaN take no target that others could have, and hide nothing but themselves."""
    input, target = data(queries=5)
    broken = {name: each.detach().clone() for name, each in input.items()}
    broken["boxes"][:, 2], broken["labels"][:, 2] = math.nan, math.nan
    kept = {name: each[:, [0, 1, 3, 4]] for name, each in broken.items()}
    loss = Matched({"boxes": GIoULoss()}, costs={"boxes": GIoULoss()})
    assert_close(loss(broken, target), loss(kept, target))


def test_infinite_costs_are_avoided():
    """A pair that costs infinitely much is matched where nothing else is left, and no error is raised."""
    input = {"labels": torch.tensor([[[0.0, -math.inf], [0.0, 0.0], [1.0, 0.0]]])}
    loss = Matched({"labels": CrossEntropyLoss()})
    assert loss(input, {"labels": torch.tensor([[1, 0]])}).isfinite()
    assert loss(input, {"labels": torch.tensor([[1, 1, 1]])}) == math.inf


@pytest.mark.parametrize("samples", [0, 2])
@pytest.mark.parametrize("targets", [0, 3])
def test_nothing_to_match_is_zero(samples, targets):
    """Without a target every query is to say so; terms of pairs are zero, with a gradient of zero."""
    input, target = data(samples=samples, targets=targets)
    mask = torch.zeros(samples, targets, dtype=torch.bool)
    result = detector().evaluate(input, target, mask=mask)
    slopes = torch.autograd.grad(result.total, input.values())
    assert result.terms["boxes"] == result.terms["distance"] == 0
    assert (slopes[0] == 0).all()
    logits = input["labels"].detach().flatten(0, 1)
    nothing = CrossEntropyLoss()(logits, torch.full((len(logits),), CLASSES))
    assert_close(result.terms["labels"], nothing)


def test_binary_targets_of_classes():
    """Where classes do not exclude each other, queries without a target have none of them."""
    input, target = data()
    target = {"boxes": target["boxes"], "labels": torch.eye(CLASSES + 1)[target["labels"]].double()}
    loss = Matched(
        {"labels": BCELoss()}, costs={"boxes": GIoULoss(box_format="cxcywh")}, unmatched={"labels": 0}
    )
    pairs = [
        linear_sum_assignment(1 - generalized_iou(boxes[:, None], others[None]))
        for boxes, others in zip(input["boxes"].detach().numpy(), target["boxes"].numpy(), strict=True)
    ]
    wanted = torch.zeros(SAMPLES, QUERIES, CLASSES + 1, dtype=torch.float64)
    for sample, (queries, chosen) in enumerate(pairs):
        wanted[sample, queries] = target["labels"][sample, chosen]
    assert_close(loss(input, target), BCELoss()(input["labels"].flatten(0, 1), wanted.flatten(0, 1)))


def test_weights_belong_to_targets():
    """A weight multiplies the pair of its target, in every term, and is what it counts in the mean."""
    input, target = data()
    weight = torch.rand(SAMPLES, TARGETS, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    loss = Matched({"boxes": GIoULoss(reduction="none")})
    plain = loss(input, target)
    assert_close(loss(input, target, weight=weight), plain * weight.flatten())
    mean = Matched({"boxes": GIoULoss()})
    assert_close(mean(input, target, weight=weight), (plain * weight.flatten()).sum() / weight.sum())


def test_costs_are_the_terms_unless_given():
    """Without costs the weighted terms are what is least, schedules included."""
    input, target = data()
    terms = {"boxes": GIoULoss(), "labels": CrossEntropyLoss()}
    weights = {"boxes": ConstantSchedule(value=3.0), "labels": 0.5}
    loss = Matched(terms, weights=weights)
    same = Matched(terms, weights=weights, costs=terms, cost_weights={"boxes": 3.0, "labels": 0.5})
    assert_close(loss.eval()(input, target), same.eval()(input, target))


def test_fractions_add_up_over_parts():
    """The numerators and denominators of parts of a batch are those of the whole; counts need no input."""
    input, target = data()
    target, loss = padded(target), detector()
    whole = loss.fraction(input, target, mask=COUNTS)
    parts = [
        loss.fraction(
            {name: each[part] for name, each in input.items()},
            {name: each[part] for name, each in target.items()},
            mask=COUNTS[part],
        )
        for part in (slice(0, 1), slice(1, 3))
    ]
    shapes = {name: tuple(each.shape) for name, each in input.items()}
    counts = loss.counts(target, like=shapes, mask=COUNTS)
    for name, fraction in whole.items():
        assert_close(sum(part[name].numerator for part in parts), fraction.numerator)
        assert_close(sum(part[name].denominator for part in parts), fraction.denominator)
        assert_close(counts[name], fraction.denominator)
    with pytest.raises(NotAdditiveError, match="4 targets and 2 queries"):
        loss.counts(target, like={"boxes": (3, 2, 4), "labels": (3, 2, 4)})


@pytest.mark.compilers
def test_it_compiles_in_one_graph():
    """Matching is one operation of the graph, selectors included."""
    torch.compiler.reset()
    input, target = data()
    loss = detector()
    compiled = torch.compile(loss, fullgraph=True, backend="eager")
    value = compiled(input, target, mask=COUNTS)
    expected = loss(input, target, mask=COUNTS)
    assert_close(value, expected)
    assert_close(torch.autograd.grad(value, input.values()), torch.autograd.grad(expected, input.values()))


def test_half_precision_is_matched_and_computed_in_float32():
    """Value and gradient of halves are those of the same numbers in float32."""
    input, target = data()
    halves = {name: each.detach().half().requires_grad_() for name, each in input.items()}
    singles = {name: each.detach().float().requires_grad_() for name, each in halves.items()}
    target["boxes"] = target["boxes"].half()
    value = detector()(halves, target)
    expected = detector()(singles, {**target, "boxes": target["boxes"].float()})
    assert value.dtype == torch.float32
    assert_close(value, expected)


def test_it_is_copied_and_pickled():
    """Copies give the same value, costs included."""
    input, target = data()
    loss = detector()
    expected = loss(input, target)
    assert_close(copy.deepcopy(loss)(input, target), expected)
    assert_close(pickle.loads(pickle.dumps(loss))(input, target), expected)
    assert "costs.boxes" in dict(loss.named_modules())


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"terms": {"a": torch.nn.L1Loss()}}, OptionTypeError, r"terms\['a'\] must tell .*say costs"),
        ({"terms": {"a": L1Loss()}, "costs": {}}, OptionValueError, "costs must name one loss"),
        ({"terms": {"a": L1Loss()}, "costs": {"b": torch.nn.L1Loss()}}, OptionTypeError, r"costs\['b'\]"),
        ({"terms": {"a": L1Loss()}, "cost_weights": {"b": 1}}, OptionValueError, "cost_weights has 'b'"),
        ({"terms": {"a": L1Loss()}, "cost_weights": {"a": -1}}, OptionValueError, r"cost_weights\['a'\]"),
        ({"terms": {"labels": L1Loss()}, "unmatched": {"label": 1}}, OptionValueError, "mean 'labels'"),
        ({"terms": {"a": L1Loss()}, "unmatched": {"a": "b"}}, OptionTypeError, r"unmatched\['a'\]"),
        ({"terms": {"a": L1Loss()}, "inputs": {"b": {}}}, OptionValueError, "inputs has 'b'"),
    ],
)
def test_wrong_options_are_refused(options, error, message):
    """Whatever names no term, or is no cost, is said by its place."""
    with pytest.raises(error, match=message):
        Matched(**options)


@pytest.mark.parametrize(
    ("change", "mask", "error", "message"),
    [
        ({"boxes": torch.zeros(3, 5, 4)}, None, InputValueError, "same number of queries"),
        ({"labels": torch.zeros(2, 6, 4)}, None, InputValueError, "same number of queries"),
        ({}, torch.ones(3, 6, dtype=torch.bool), InputValueError, r"mask \(3, 6\); accepted: \(3, 4\)"),
        ({}, torch.ones(3, 4), InputTypeError, "mask must be bool"),
        ({"boxes": [1]}, None, InputTypeError, "the input of 'boxes' must be a tensor"),
    ],
)
def test_what_does_not_fit_is_refused(change, mask, error, message):
    """Shapes that differ are named, with what they should have in common."""
    input, target = data()
    with pytest.raises(error, match=message):
        detector()({**input, **change}, target, mask=mask)


def test_a_loss_without_a_target_is_refused():
    """What has no target cannot be matched with one."""
    loss = Matched({"a": L1Loss(), "rough": TotalVariationLoss()}, costs={"a": L1Loss()})
    with pytest.raises(InputTypeError, match="'rough' takes no target"):
        loss({"a": torch.zeros(1, 2, 3), "rough": torch.zeros(1, 2, 3)}, {"a": torch.zeros(1, 2, 3)})


def test_without_scipy_it_says_what_to_install(monkeypatch):
    """Whoever lacks the extra is told its name."""
    monkeypatch.setitem(sys.modules, "scipy.optimize", None)
    input, target = data()
    with pytest.raises(MissingPackageError, match=r"pip install 'lossary-losses\[matching\]'"):
        detector()(input, target)
