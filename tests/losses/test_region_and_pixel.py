"""Losses of a region and of its pixels are the sum of both, computed in one pass."""

import copy
import pickle

import pytest
import torch
import torch._dynamo.testing
from torch.testing import assert_close

from lossary_losses import (
    BCEDiceLoss,
    BCELoss,
    CrossEntropyLoss,
    DiceCELoss,
    DiceLoss,
    FocalDiceLoss,
    FocalLoss,
    UnifiedFocalLoss,
)
from lossary_losses._core import streaming

WEIGHT = [1.0, 2.0, 0.5, 0.25]

TOGETHER = {
    "bce": (
        lambda **o: BCEDiceLoss(dice_weight=0.3, bce_weight=0.7, smooth=0.5, pos_weight=2.0, **o),
        lambda **o: DiceLoss(smooth=0.5, **o),
        lambda **o: BCELoss(pos_weight=2.0, **o),
        "values",
    ),
    "ce": (
        lambda **o: DiceCELoss(dice_weight=0.3, ce_weight=0.7, label_smoothing=0.1, weight=WEIGHT, **o),
        lambda **o: DiceLoss(weight=WEIGHT, **o),
        lambda **o: CrossEntropyLoss(label_smoothing=0.1, weight=WEIGHT, **o),
        "labels",
    ),
    "ce of probabilities": (
        lambda **o: DiceCELoss(dice_weight=0.3, ce_weight=0.7, **o),
        lambda **o: DiceLoss(activation="softmax", **o),
        CrossEntropyLoss,
        "probabilities",
    ),
    "focal": (
        lambda **o: FocalDiceLoss(dice_weight=0.3, focal_weight=0.7, gamma=1.5, **o),
        DiceLoss,
        lambda **o: FocalLoss(gamma=1.5, **o),
        "labels",
    ),
    "binary focal": (
        lambda **o: FocalDiceLoss(
            dice_weight=0.3, focal_weight=0.7, alpha=0.25, empty="skip", batch=True, **o
        ),
        lambda **o: DiceLoss(empty="skip", batch=True, **o),
        lambda **o: FocalLoss(alpha=0.25, **o),
        "values",
    ),
    "unified": (
        lambda **o: UnifiedFocalLoss(balance=0.7, weight=WEIGHT, **o),
        lambda **o: UnifiedFocalLoss(weight=WEIGHT, **o).region,
        lambda **o: UnifiedFocalLoss(weight=WEIGHT, **o).pixel,
        "labels",
    ),
    "unified of probabilities": (
        lambda **o: UnifiedFocalLoss(balance=0.7, activation="softmax", **o),
        lambda **o: UnifiedFocalLoss(activation="softmax", **o).region,
        lambda **o: UnifiedFocalLoss(activation="softmax", **o).pixel,
        "probabilities",
    ),
    "symmetric unified": (
        lambda **o: UnifiedFocalLoss(balance=0.7, gamma=0.3, asymmetric=False, batch=True, **o),
        lambda **o: UnifiedFocalLoss(gamma=0.3, asymmetric=False, batch=True, **o).region,
        lambda **o: UnifiedFocalLoss(gamma=0.3, asymmetric=False, **o).pixel,
        "values",
    ),
}


@pytest.fixture(params=TOGETHER)
def pair(request):
    """A loss of both, the two that it is made of, and the kind of its target."""
    return TOGETHER[request.param]


@pytest.fixture
def data(pair):
    """Logits and a target of the kind that the loss takes."""
    generator = torch.Generator().manual_seed(0)
    input = torch.randn(2, 4, 3, 5, generator=generator, dtype=torch.float64, requires_grad=True)
    if pair[3] == "labels":
        return input, torch.randint(0, 4, (2, 3, 5), generator=generator)
    target = torch.rand(2, 4, 3, 5, generator=generator, dtype=torch.float64)
    return input, target.round() if pair[3] == "values" else target.softmax(1)


@pytest.fixture
def kept():
    """Positions (B, *S) that count."""
    return torch.rand(2, 3, 5, generator=torch.Generator().manual_seed(1)) < 0.6


@pytest.mark.parametrize("reduction", ["mean", "sum"])
def test_it_is_the_sum_of_both(pair, data, kept, reduction):
    """Value, terms and gradient are those of the two losses, each with its weight."""
    both, region, pixel, _ = pair
    total, terms = both(reduction=reduction).evaluate(*data, mask=kept)
    of_region = 0.3 * region(reduction=reduction)(*data, mask=kept)
    of_pixel = 0.7 * pixel(reduction=reduction)(*data, mask=kept)
    assert_close(terms, {"region": of_region.detach(), "pixel": of_pixel.detach()})
    assert_close(total, of_region + of_pixel)
    assert_close(
        torch.autograd.grad(total, data[0])[0], torch.autograd.grad(of_region + of_pixel, data[0])[0]
    )


@pytest.mark.parametrize("part", [10, 30, 130])
def test_parts_add_up(pair, data, kept, part, monkeypatch):
    """Computed part by part, value and gradient are those of the whole."""
    loss = pair[0](ignore_index=3 if pair[3] == "labels" else None)
    plain = loss(*data, mask=kept)
    expected = torch.autograd.grad(plain, data[0])[0]
    monkeypatch.setattr(streaming, "_PART", {"cpu": part})
    value = loss(*data, mask=kept)
    assert_close((value, torch.autograd.grad(value, data[0])[0]), (plain, expected))


@pytest.mark.parametrize("part", [10, 1000])
def test_derivatives_are_right(pair, data, part, monkeypatch):
    """First and second derivatives agree with finite differences, in parts and as a whole."""
    monkeypatch.setattr(streaming, "_PART", {"cpu": part})
    input, target = (tensor[:, ..., :2, :2] for tensor in data)
    input = input.detach().requires_grad_()
    assert torch.autograd.gradcheck(lambda values: pair[0]()(values, target), input)
    assert torch.autograd.gradgradcheck(lambda values: pair[0]()(values, target), input, fast_mode=True)


def test_excluded_positions_may_hold_anything(pair, data, kept):
    """NaN under the mask leaves value and gradient as they are."""
    input, target = data
    poisoned = input.detach().masked_fill(~kept.unsqueeze(1), float("nan")).requires_grad_()
    value = pair[0]()(poisoned, target, mask=kept)
    assert_close(value, pair[0]()(input, target, mask=kept))
    (gradient,) = torch.autograd.grad(value, poisoned)
    assert (gradient[~kept.unsqueeze(1).expand_as(gradient)] == 0).all()


def test_nothing_counts(pair, data):
    """With everything excluded, and on an empty batch, the loss is zero and has a gradient."""
    nothing = torch.zeros(2, 3, 5, dtype=torch.bool)
    value = pair[0]()(*data, mask=nothing)
    assert value == 0
    assert (torch.autograd.grad(value, data[0])[0] == 0).all()
    assert pair[0]()(data[0][:0], data[1][:0]) == 0


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16], ids=str)
def test_half_precision_is_computed_in_float32(pair, data, dtype):
    """Half-precision logits give the float32 loss of the same numbers."""
    logits = data[0].detach().to(dtype)
    assert_close(pair[0]()(logits, data[1]), pair[0]()(logits.float(), data[1]), rtol=0, atol=0)


@pytest.mark.compilers
def test_compiles_without_a_break(pair, data):
    """The loss compiles in one graph."""
    torch._dynamo.reset()
    counter = torch._dynamo.testing.CompileCounterWithBackend("aot_eager")
    loss = pair[0]()
    assert_close(torch.compile(loss, fullgraph=True, backend=counter)(*data), loss(*data))
    assert counter.frame_count == 1


def test_copies_and_pickles(pair, data):
    """A copy computes the same."""
    loss = pair[0]()
    for twin in (copy.deepcopy(loss), pickle.loads(pickle.dumps(loss))):
        assert_close(twin(*data), loss(*data))


def test_a_binary_target_is_not_taken_for_labels():
    """One channel and a target without it raise ValueError that shows what to do."""
    for loss in (DiceCELoss(), FocalDiceLoss()):
        with pytest.raises(ValueError, match=r"target.unsqueeze\(1\)"):
            loss(torch.zeros(2, 1, 3), torch.zeros(2, 3, dtype=torch.int64))
    with pytest.raises(ValueError, match="Incompatible shapes"):
        BCEDiceLoss()(torch.zeros(2, 1, 3), torch.zeros(2, 3))


@pytest.mark.parametrize(
    ("build", "options"),
    [(BCEDiceLoss, {"bce_weight": -1}), (DiceCELoss, {"reduction": "none"}), (FocalDiceLoss, {"gamma": -1})],
)
def test_bad_options(build, options):
    """A wrong option raises ValueError naming it when the loss is built."""
    with pytest.raises(ValueError, match=f"{next(iter(options))} must be"):
        build(**options)
