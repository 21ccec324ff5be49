"""Large inputs are computed part by part: the numbers are those of the plain formula."""

import pytest
import torch
from torch.autograd import forward_ad
from torch.testing import assert_close

from lossary_losses import value_checks
from lossary_losses._core import streaming


@pytest.fixture(params=[10, 30, 130], ids="parts of {}".format)
def small_parts(request, monkeypatch):
    """Cut inputs of 120 elements: within a sample, into samples, or not at all."""
    monkeypatch.setattr(streaming, "_PART", {"cpu": request.param})


@pytest.fixture
def kept():
    """Positions (B, *S) that count."""
    return torch.rand(2, 3, 5, generator=torch.Generator().manual_seed(1)) < 0.6


@pytest.fixture
def whole(case, kept):
    """What the plain formula gives: value and gradient."""
    input, target = case.data()
    loss = case.loss()(input, target, mask=kept)
    return loss.detach(), torch.autograd.grad(loss, input)[0]


def test_parts_add_up(case, kept, whole, small_parts):
    """Value and gradient are those of the whole, the latter by a formula of its own."""
    input, target = case.data()
    loss = case.loss()(input, target, mask=kept)
    assert_close((loss.detach(), torch.autograd.grad(loss, input)[0]), whole)


def test_weights_are_cut_along(case, small_parts, monkeypatch):
    """Weights of positions stay with their positions."""
    input, target = case.data()
    weight = torch.rand(2, 3, 5, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    loss = case.loss()(input, target, weight=weight)
    gradient = torch.autograd.grad(loss, input)[0]
    monkeypatch.setattr(streaming, "_PART", {})
    plain = case.loss()(input, target, weight=weight)
    assert_close((loss, gradient), (plain, torch.autograd.grad(plain, input)[0]))


@pytest.mark.parametrize("small_parts", [10], indirect=True)
def test_derivatives_are_right(case, small_parts):
    """First and second derivatives agree with finite differences."""
    input, target = case.data(space=(3,))
    assert torch.autograd.gradcheck(lambda values: case.loss()(values, target), input)
    assert torch.autograd.gradgradcheck(lambda values: case.loss()(values, target), input)


@pytest.mark.parametrize("small_parts", [10], indirect=True)
@pytest.mark.parametrize("order", [torch.channels_last, "reversed", "expanded"], ids=str)
def test_any_memory_order(case, order, small_parts, monkeypatch):
    """Parts of a tensor in an unusual memory order are those of its values."""
    input, target = (tensor.detach() for tensor in case.data())
    if order == "reversed":
        input = input.transpose(2, 3).contiguous().transpose(2, 3)
    elif order == "expanded":
        input, target = input[:1].expand_as(input), target[:1].expand_as(target)
    else:
        input = input.to(memory_format=order)
    input.requires_grad_()
    loss = case.loss()(input, target)
    gradient = torch.autograd.grad(loss, input)[0]
    monkeypatch.setattr(streaming, "_PART", {})
    plain = case.loss()(input, target)
    assert_close((loss, gradient), (plain, torch.autograd.grad(plain, input)[0]))


@pytest.mark.parametrize("small_parts", [10], indirect=True)
def test_half_precision_is_widened_part_by_part(case, small_parts):
    """The gradient of a half-precision input is of half precision, computed in float32."""
    input, target = case.data(dtype=torch.float16)
    loss = case.loss()(input, target)
    gradient = torch.autograd.grad(loss, input)[0]
    assert (loss.dtype, gradient.dtype) == (torch.float32, torch.float16)
    wide, target = (
        input.detach().float().requires_grad_(),
        target.float() if target.is_floating_point() else target,
    )
    assert_close(gradient, torch.autograd.grad(case.loss()(wide, target), wide)[0].half())


@pytest.mark.parametrize("small_parts", [10], indirect=True)
def test_extreme_logits_are_finite(logit_case, small_parts):
    """The gradient by hand is as finite as the one by autograd."""
    input, target = logit_case.data(dtype=torch.float32)
    for size in (50.0, 1e4):
        saturated = (input.detach().sign() * size).requires_grad_()
        assert torch.autograd.grad(logit_case.loss()(saturated, target), saturated)[0].isfinite().all()


@pytest.mark.parametrize("small_parts", [10], indirect=True)
def test_minus_infinity_is_finite(hard_case, small_parts):
    """A logit of minus infinity has a finite gradient, wherever it stands."""
    input, target = hard_case.data(dtype=torch.float32)
    infinite = input.detach().masked_fill(input > 1, -float("inf")).requires_grad_()
    assert torch.autograd.grad(hard_case.loss()(infinite, target), infinite)[0].isfinite().all()


@pytest.mark.parametrize("small_parts", [30], indirect=True)
def test_backward_may_run_twice(case, small_parts):
    """With retain_graph a second backward pass gives the same gradient: the draft of the first is spent."""
    input, target = case.data()
    loss = case.loss()(input, target)
    first = torch.autograd.grad(loss, input, retain_graph=True)[0].clone()
    second = torch.autograd.grad(2 * loss, input)[0]
    assert_close(second, 2 * first)


@pytest.mark.parametrize("small_parts", [30], indirect=True)
def test_what_is_not_looked_at_computes_the_same(case, small_parts, whole, kept):
    """With checks of values off, hard targets are not known to be hard, and the numbers are the same."""
    input, target = case.data()
    with value_checks(enabled=False):
        loss = case.loss()(input, target, mask=kept)
    assert_close((loss.detach(), torch.autograd.grad(loss, input)[0]), whole)


@pytest.mark.parametrize("small_parts", [30], indirect=True)
def test_several_gradients_at_once(case, small_parts):
    """With is_grads_batched a backward pass gives the gradient of each of several gradients from above."""
    input, target = case.data()
    loss = case.loss()(input, target)
    (once,) = torch.autograd.grad(loss, input, retain_graph=True)
    once = once.clone()
    above = torch.tensor([1.0, -2.0], dtype=loss.dtype)
    (batched,) = torch.autograd.grad(loss, input, above, is_grads_batched=True)
    assert_close(batched, torch.stack([once, -2 * once]))


# Torch itself still compiles one of its own derivatives with what it has deprecated.
@pytest.mark.filterwarnings("ignore:.*torch.jit.script:DeprecationWarning")
@pytest.mark.parametrize("small_parts", [30], indirect=True)
def test_forward_mode(case, small_parts):
    """Forward-mode differentiation gives the derivative along a direction that the gradient has."""
    input, target = case.data()
    (gradient,) = torch.autograd.grad(case.loss()(input, target), input)
    direction = torch.linspace(-1, 1, input.numel(), dtype=input.dtype).reshape(input.shape)
    with forward_ad.dual_level():
        loss = case.loss()(forward_ad.make_dual(input.detach(), direction), target)
        along = forward_ad.unpack_dual(loss).tangent
    assert_close(along, (gradient * direction).sum())


class Marked(torch.Tensor):
    """A tensor that carries metadata along, as libraries derive them."""


@pytest.mark.parametrize("small_parts", [30], indirect=True)
def test_subclasses_are_cut(case, small_parts, monkeypatch, whole, kept):
    """An input of a subclass of Tensor is computed part by part as well, to the same numbers."""
    input, target = case.data()
    cuts = []
    cut = streaming._cut
    monkeypatch.setattr(streaming, "_cut", lambda *part: cuts.append(part) or cut(*part))
    case.loss()(input, target, mask=kept)
    expected = len(cuts)
    loss = case.loss()(input.as_subclass(Marked), target.as_subclass(Marked), mask=kept.as_subclass(Marked))
    assert_close((loss.detach(), torch.autograd.grad(loss, input)[0]), whole)
    assert len(cuts) >= 2 * expected
