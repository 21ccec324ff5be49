"""What losses of boxes, images and signals promise alike, whatever they compare."""

from collections.abc import Callable
from dataclasses import dataclass, field

import pytest
import torch
from torch import Tensor
from torch.testing import assert_close

from lossary_losses import (
    DeformationLoss,
    ElementLoss,
    GIoULoss,
    GradientDifferenceLoss,
    LocalCrossCorrelationLoss,
    MSSSIMLoss,
    SISDRLoss,
    SSIMLoss,
    STFTLoss,
    TotalVariationLoss,
)
from lossary_losses._core import streaming

LARGE_ENOUGH = {"cpu": 1}
"""The size of a part with which everything is computed part by part."""


@dataclass
class Case:
    """A loss with options, and the shapes of what it takes."""

    build: type[ElementLoss]
    shape: tuple[int, ...]
    """Of the input, three samples."""
    elements: tuple[int, ...]
    masks: tuple[int, ...]
    weights: tuple[int, ...]
    options: dict[str, object] = field(default_factory=dict)
    has_target: bool = True
    draw: Callable[[Tensor], Tensor] = torch.clone
    """Make data of normal values."""

    @property
    def name(self) -> str:
        """A label for reports."""
        return ",".join([self.build.__name__, *(f"{key}={value}" for key, value in self.options.items())])

    def loss(self, **options: object) -> ElementLoss:
        """Build the loss."""
        return self.build(**{**self.options, **options})

    def data(self, seed: int = 0, dtype: torch.dtype = torch.float64) -> list[Tensor]:
        """Draw an input that is differentiated, and a target where there is one."""
        generator = torch.Generator().manual_seed(seed)
        tensors = [
            self.draw(torch.randn(self.shape, generator=generator, dtype=torch.float64)).to(dtype)
            for _ in range(1 + self.has_target)
        ]
        return [tensors[0].requires_grad_(), *tensors[1:]]

    def mask(self, seed: int = 1) -> Tensor:
        """Draw a mask that takes out about a third."""
        return torch.rand(self.masks, generator=torch.Generator().manual_seed(seed)) < 0.67

    def positions(self, mask: Tensor) -> Tensor:
        """Bring a mask to the input's shape: what it lacks is the last dimension, or that of channels."""
        if mask.ndim == len(self.shape):
            return mask
        return mask.unsqueeze(-1 if self.build is GIoULoss else 1).expand(self.shape)

    def weight(self, dtype: torch.dtype = torch.float64) -> Tensor:
        """Draw weights."""
        generator = torch.Generator().manual_seed(2)
        return torch.rand(self.weights, generator=generator, dtype=torch.float64).to(dtype)

    def selections(self) -> list[dict[str, Tensor]]:
        """Give no mask and no weight, each alone, and both."""
        mask, weight = {"mask": self.mask()}, {"weight": self.weight()}
        return [{}, mask, weight, {**mask, **weight}]


def boxes_of(values: Tensor) -> Tensor:
    """Make boxes, some of them far from each other, of about unit size."""
    first, sides = values[..., :2], values[..., 2:].abs() + 0.1
    return torch.cat([first, first + sides], dim=-1)


def centred_boxes_of(values: Tensor) -> Tensor:
    """Make boxes that are given by centre and sides."""
    return torch.cat([values[..., :2], values[..., 2:].abs() + 0.1], dim=-1)


CASES = [
    Case(GIoULoss, (3, 5, 4), (3, 5), (3, 5), (3, 5), draw=boxes_of),
    Case(
        GIoULoss, (3, 5, 4), (3, 5), (3, 5), (3, 5), options={"box_format": "cxcywh"}, draw=centred_boxes_of
    ),
    Case(SISDRLoss, (3, 8), (3,), (3, 8), (3,)),
    Case(SISDRLoss, (3, 2, 8), (3, 2), (3, 8), (3, 2), options={"zero_mean": True, "max_decibels": 30.0}),
    Case(SISDRLoss, (3, 2, 2, 8), (3, 2, 2), (3, 2, 2, 8), (3, 2, 2), options={"silent": "zero"}),
    Case(STFTLoss, (3, 2, 9), (3, 2), (3, 9), (3, 2), options={"resolutions": ((4, 2, 4), (3, 1, 2))}),
    Case(SSIMLoss, (3, 2, 7), (3, 2, 5), (3, 7), (3, 7), options={"window_size": 3}),
    Case(
        SSIMLoss,
        (3, 2, 4, 5),
        (3, 2, 2, 3),
        (3, 2, 4, 5),
        (3, 2, 4, 5),
        options={"window": "uniform", "window_size": 3, "data_range": 2.0},
    ),
    Case(
        SSIMLoss,
        (3, 1, 4, 5),
        (3, 1, 4, 5),
        (3, 4, 5),
        (3, 4, 5),
        options={"window_size": 5, "sigma": 1.0, "padding": "reflect"},
    ),
    Case(SSIMLoss, (3, 1, 3, 4, 3), (3, 1, 1, 2, 1), (3, 3, 4, 3), (3, 3, 4, 3), options={"window_size": 3}),
    Case(
        MSSSIMLoss,
        (3, 2, 7, 6),
        (3, 2),
        (3, 7, 6),
        (3,),
        options={"window_size": 3, "weights": (0.4, 0.6), "data_range": 3.0},
    ),
    Case(
        LocalCrossCorrelationLoss,
        (3, 2, 4, 5),
        (3, 2, 2, 3),
        (3, 4, 5),
        (3, 4, 5),
        options={"window_size": 3},
    ),
    Case(GradientDifferenceLoss, (3, 2, 4, 5), (3, 2, 4, 5), (3, 4, 5), (3, 4, 5)),
    Case(
        GradientDifferenceLoss,
        (3, 1, 6, 6),
        (3, 1, 6, 6),
        (3, 1, 6, 6),
        (3, 1, 6, 6),
        options={"stencil": "sobel", "scales": 2},
    ),
    Case(DeformationLoss, (3, 2, 4, 5), (3, 2, 2, 3), (3, 4, 5), (3, 4, 5), has_target=False),
    Case(
        DeformationLoss,
        (3, 2, 4, 5),
        (3, 2, 4, 5),
        (3, 4, 5),
        (3, 4, 5),
        options={"order": 1, "spacing": (0.5, 2.0)},
        has_target=False,
    ),
    *(
        Case(
            TotalVariationLoss,
            (3, 2, *space),
            (3, 2, *space),
            (3, *space) if norm == "l1" else (3, 2, *space),
            (3, *space) if norm == "l1" else (3, 2, *space),
            options={} if norm == "l1" else {"norm": norm},
            has_target=False,
        )
        for space, norm in (((7,), "l1"), ((4, 5), "l1"), ((4, 5), "l2"), ((2, 3, 4), "l2"))
    ),
]


@pytest.fixture(params=CASES, ids=lambda case: case.name)
def case(request):
    """Each loss in turn."""
    return request.param


@pytest.fixture(params=["whole", "in parts"])
def in_parts(request, monkeypatch):
    """Compute everything at once, or part by part."""
    if request.param == "in parts":
        monkeypatch.setattr(streaming, "_PART", LARGE_ENOUGH)


def value_and_slope(loss, tensors, **given):
    """Give the value and its gradient."""
    input = tensors[0].detach().requires_grad_()
    value = loss(input, *tensors[1:], **given)
    return value.detach(), torch.autograd.grad(value.sum(), input)[0]


def test_elements_have_their_shape(case):
    """With reduction "none" there is one value for each element, none below what the class claims."""
    loss = case.loss(reduction="none")(*case.data())
    assert loss.shape == case.elements
    assert loss.isfinite().all()
    if case.build.claims.low is not None:
        assert (loss >= case.build.claims.low).all()


def test_sum_mean_and_fraction_follow_from_the_elements(case, in_parts):
    """The sum is that of the elements, the mean that divided by what counts, and fraction gives both."""
    for given in case.selections():
        elements = case.loss(reduction="none")(*case.data(), **given)
        numerator, denominator = case.loss().fraction(*case.data(), **given)
        assert_close(case.loss(reduction="sum")(*case.data(), **given), elements.sum())
        assert_close(numerator, elements.sum())
        assert_close(case.loss()(*case.data(), **given), numerator / denominator)
        if not given:
            assert denominator == elements.numel()


def test_the_gradient_does_not_depend_on_parts(case, monkeypatch):
    """Value and gradient of what is computed part by part are those of the whole."""
    for given in case.selections():
        for reduction in ("none", "mean"):
            whole = value_and_slope(case.loss(reduction=reduction), case.data(), **given)
            with monkeypatch.context() as context:
                context.setattr(streaming, "_PART", LARGE_ENOUGH)
                parts = value_and_slope(case.loss(reduction=reduction), case.data(), **given)
            assert_close(parts, whole)


def test_a_backward_pass_may_be_repeated(case, in_parts):
    """A graph that is kept gives the same gradient again."""
    input, *target = case.data()
    value = case.loss()(input, *target)
    first = torch.autograd.grad(value, input, retain_graph=True)
    assert_close(torch.autograd.grad(value, input), first)


def test_a_masked_sample_is_dropped(case, in_parts):
    """Value and gradient of a batch without a sample are those of the batch where the sample is masked."""
    mask = torch.ones(case.masks, dtype=torch.bool)
    mask[1] = False
    for reduction in ("mean", "sum"):
        loss = case.loss(reduction=reduction)
        value, slope = value_and_slope(loss, case.data(), mask=mask)
        rest, slope_of_rest = value_and_slope(loss, [each[[0, 2]] for each in case.data()])
        assert_close(value, rest)
        assert_close(slope[[0, 2]], slope_of_rest)
        assert (slope[1] == 0).all()


def test_masked_positions_may_hold_anything(case, in_parts):
    """What is masked may be NaN in every tensor, changes nothing, and has a gradient of exactly zero."""
    mask = case.mask()
    position = case.positions(mask)
    expected = value_and_slope(case.loss(), case.data(), mask=mask)
    poisoned = [each.detach().masked_fill(~position, torch.nan) for each in case.data()]
    assert_close(value_and_slope(case.loss(), poisoned, mask=mask), expected)
    assert (expected[1][~position] == 0).all()
    assert (expected[1][position] != 0).any()
    elements = case.loss(reduction="none")(*poisoned, mask=mask)
    assert elements.isfinite().all()


def test_nothing_counts(case, in_parts):
    """Where all is masked the loss is zero, connected, with a gradient of zero."""
    value, slope = value_and_slope(case.loss(), case.data(), mask=torch.zeros(case.masks, dtype=torch.bool))
    assert value == 0
    assert (slope == 0).all()


def test_weights_multiply(case, in_parts):
    """A weight multiplies elements; a weight of zero takes them out of the mean; two are twice as much."""
    input, *target = case.data()
    weight = torch.ones(case.weights, dtype=torch.float64)
    plain = case.loss(reduction="none")(input, *target)
    assert_close(case.loss(reduction="none")(input, *target, weight=2 * weight), 2 * plain)
    assert_close(case.loss()(input, *target, weight=2 * weight), plain.mean())
    weight[1] = 0
    rest = case.loss()(*(each[[0, 2]] for each in case.data()))
    assert_close(case.loss()(input, *target, weight=weight), rest)


def test_nan_is_not_hidden(case, in_parts):
    """NaN in any tensor gives NaN."""
    for place in range(1 + case.has_target):
        tensors = [each.detach().clone() for each in case.data()]
        tensors[place][1] = torch.nan
        assert case.loss()(*tensors).isnan()


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16], ids=str)
def test_half_precision_is_computed_in_float32(case, dtype, in_parts):
    """Value and gradient of halves are those of the same numbers in float32; the result is float32."""
    halves = [each.detach() for each in case.data(dtype=dtype)]
    with torch.autocast("cpu", dtype=torch.bfloat16):
        value, slope = value_and_slope(case.loss(), halves)
    expected, expected_slope = value_and_slope(case.loss(), [each.float() for each in halves])
    assert value.dtype == torch.float32
    assert_close(value, expected)
    assert_close(slope, expected_slope.to(dtype))


def test_derivatives(case, in_parts):
    """First and second derivatives agree with finite differences, under weights and a mask."""
    input, *target = case.data()
    given = {"mask": case.mask(), "weight": case.weight()}

    def loss(*tensors):
        return case.loss(reduction="none")(*tensors, **given)

    assert torch.autograd.gradcheck(loss, (input, *target), fast_mode=True)
    assert torch.autograd.gradgradcheck(loss, (input, *target), atol=1e-4, fast_mode=True)


def test_the_target_has_a_gradient(case, in_parts):
    """Where it is asked for, the target's gradient is that of finite differences."""
    if case.has_target:
        tensors = [each.detach().requires_grad_() for each in case.data()]
        assert torch.autograd.gradcheck(case.loss(), tensors, fast_mode=True)


def test_any_memory_order(case, in_parts):
    """Tensors in another memory order, or expanded, have the values and gradients of contiguous ones."""
    expected = value_and_slope(case.loss(), case.data())
    reordered = [each.detach().transpose(0, -1).contiguous().transpose(0, -1) for each in case.data()]
    assert not reordered[0].is_contiguous()
    assert_close(value_and_slope(case.loss(), reordered), expected)
    expanded = [each.detach()[:1].expand(case.shape) for each in case.data()]
    copied = [each.clone() for each in expanded]
    assert_close(value_and_slope(case.loss(), expanded), value_and_slope(case.loss(), copied))
