"""Large inputs are computed part by part: the numbers are those of the plain formula."""

import pytest
import torch
from torch import nn
from torch.autograd import forward_ad
from torch.func import functional_call, grad, vmap
from torch.nn import functional
from torch.testing import assert_close

from lossary_losses import (
    AdaptiveRobustLoss,
    CrossEntropyLoss,
    DiceCELoss,
    FocalLoss,
    WeightedMSELoss,
    define_loss,
    value_checks,
)
from lossary_losses._core import streaming
from lossary_losses._core.dense import Selection, prepare
from lossary_losses._core.pointwise import PointwiseLoss
from lossary_losses._core.reduction import weigh


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
    input, target = case.data(space=(2,))
    assert torch.autograd.gradcheck(lambda values: case.loss()(values, target), input)
    assert torch.autograd.gradgradcheck(lambda values: case.loss()(values, target), input, fast_mode=True)


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
    cut = streaming.cut_out
    monkeypatch.setattr(streaming, "cut_out", lambda *part: cuts.append(part) or cut(*part))
    case.loss()(input, target, mask=kept)
    expected = len(cuts)
    loss = case.loss()(input.as_subclass(Marked), target.as_subclass(Marked), mask=kept.as_subclass(Marked))
    assert_close((loss.detach(), torch.autograd.grad(loss, input)[0]), whole)
    assert len(cuts) >= 2 * expected


@define_loss
class Tempered(PointwiseLoss):
    """Binary cross entropy of logits over what is held as a temperature."""

    def __attrs_post_init__(self):
        super().__attrs_post_init__()
        self.temperature = nn.Parameter(torch.tensor(2.0))

    def prepare(self, input, target, *, mask, weight):
        return prepare(input, target, Selection(None, mask, weight), "probabilities")

    def point(self, ready):
        logits = ready.input / self.temperature
        return weigh(functional.softplus(logits) - logits * ready.target, ready.share)


class Holding(Tempered):
    """The same, with what it is scaled by in a list, where torch does not look for parameters."""

    def point(self, ready):
        return super().point(ready._replace(input=ready.input * self.scales[0]))


def binary_data():
    """Logits, and targets of 0 and 1."""
    generator = torch.Generator().manual_seed(3)
    return torch.randn(2, 4, 15, generator=generator), torch.rand(2, 4, 15, generator=generator).round()


@pytest.fixture
def labels():
    """Logits and labels of four classes."""
    generator = torch.Generator().manual_seed(4)
    return torch.randn(2, 4, 15, generator=generator), torch.randint(0, 4, (2, 15), generator=generator)


@pytest.mark.parametrize("of_input", [True, False], ids=["input with gradient", "input without"])
def test_learned_parameters_are_learned(small_parts, of_input):
    """A parameter of a loss has its gradient whatever the size of the input, and needs none of the input."""
    input, target = binary_data()
    loss = Tempered()
    loss(input.requires_grad_(of_input), target).backward()
    temperature = torch.tensor(2.0, requires_grad=True)
    functional.binary_cross_entropy_with_logits(input / temperature, target).backward()
    assert_close(loss.temperature.grad, temperature.grad)


def test_a_frozen_parameter_leaves_the_gradient_of_the_input(small_parts):
    """Where a parameter is no longer learned, the input has its gradient, part by part."""
    input, target = (each[..., :4].double() for each in binary_data())
    loss = AdaptiveRobustLoss(learned=True, channels=4).double().requires_grad_(requires_grad=False)
    loss.alpha_logit.copy_(torch.tensor([-1.0, 0.0, 1.0, 2.0]))
    assert torch.autograd.gradcheck(lambda values: loss(values, target), input.requires_grad_())


@pytest.mark.parametrize("small_parts", [30], indirect=True)
def test_tensors_that_torch_does_not_know_of(small_parts):
    """A tensor that a loss holds in a list, or as an attribute, has its gradient."""
    input, target = binary_data()
    scale = torch.tensor(3.0, requires_grad=True)
    loss = Holding()
    loss.scales = [scale]
    loss.requires_grad_(requires_grad=False)(input, target).backward()
    expected = torch.tensor(3.0, requires_grad=True)
    functional.binary_cross_entropy_with_logits(input * expected / 2, target).backward()
    assert_close(scale.grad, expected.grad)


def weighted_cross_entropy(input, labels, weight):
    """Write down the weighted mean of surprises, whose weights torch's own cannot be differentiated in."""
    surprise = -input.log_softmax(1).gather(1, labels.unsqueeze(1)).squeeze(1)
    return (weight[labels] * surprise).sum() / weight[labels].sum()


def test_buffers_from_outside_have_a_gradient(small_parts, labels):
    """Class weights that functional_call puts in have the gradient of the formula."""
    weight = torch.tensor([1.0, 2.0, 0.5, 3.0], requires_grad=True)
    functional_call(CrossEntropyLoss(weight=[1] * 4), {"weight": weight}, labels).backward()
    expected = weight.detach().clone().requires_grad_()
    weighted_cross_entropy(*labels, expected).backward()
    assert_close(weight.grad, expected.grad)


def test_buffers_of_a_pair_have_a_gradient(small_parts, labels):
    """So have those of a loss within another."""
    weight = torch.tensor([1.0, 2.0, 0.5, 3.0], requires_grad=True)
    loss = DiceCELoss(weight=[1] * 4, dice_weight=0.0)
    functional_call(loss, {"pixel.weight": weight}, labels).backward()
    expected = weight.detach().clone().requires_grad_()
    weighted_cross_entropy(*labels, expected).backward()
    assert_close(weight.grad, expected.grad)


def test_buffers_may_be_transformed(small_parts, labels):
    """Both vmap and grad go over class weights, and over what has nothing to do with the loss."""
    weights = torch.rand(3, 4, generator=torch.Generator().manual_seed(5))
    loss = CrossEntropyLoss(weight=[1] * 4)
    mapped = vmap(lambda weight: functional_call(loss, {"weight": weight}, labels))(weights)
    assert_close(mapped, torch.stack([functional.cross_entropy(*labels, weight=each) for each in weights]))
    value = functional.cross_entropy(*labels)
    assert_close(vmap(lambda weight: weight.sum() * loss(*labels))(weights), weights.sum(1) * value)
    assert_close(grad(lambda factor: factor * loss(*labels))(torch.tensor(2.0)), value)


@pytest.mark.parametrize("shape", [(8, 1, 2**18), (1, 4, 2**19), (2**14, 128, 1)], ids=str)
def test_a_part_is_a_sixteenth_of_the_input(shape):
    """What a formula holds of a part, a dozen tensors, is less than the input; no position is left out."""
    input = torch.empty(1).expand(shape)
    sizes = [input[batch, :, positions].numel() for batch, positions in streaming.parts_of(input)]
    assert max(sizes) <= input.numel() / 16
    assert sum(sizes) == input.numel()


def test_buffers_may_be_differentiated_forwards(small_parts):
    """The derivative along a direction of the weights is that of the weighted mean square."""
    input, target = binary_data()
    weight, direction = torch.ones(4), torch.tensor([1.0, -2.0, 0.5, 0.0])
    with forward_ad.dual_level():
        dual = forward_ad.make_dual(weight, direction)
        value = functional_call(WeightedMSELoss(weight=[1] * 4), {"weight": dual}, (input, target))
        along = forward_ad.unpack_dual(value).tangent
    assert_close(along, ((input - target).square() * direction.reshape(1, -1, 1)).mean())


def focal_gradient(input, labels, gamma, weight):
    """Differentiate the focal loss as the paper writes it, in float64."""
    logits = input.detach().double().requires_grad_()
    log_p = logits.log_softmax(1).gather(1, labels.unsqueeze(1)).squeeze(1)
    weight = torch.tensor(weight, dtype=torch.float64)[labels]
    return torch.autograd.grad((-weight * (1 - log_p.exp()) ** gamma * log_p).sum() / weight.sum(), logits)[0]


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32])
@pytest.mark.parametrize("passes", [1, 2])
def test_options_are_those_of_the_forward_pass(small_parts, labels, dtype, passes):
    """What becomes of options and buffers after the forward pass is no matter of its backward pass."""
    weight = [1.0, 2.0, 0.5, 3.0]
    loss = FocalLoss(gamma=2.0, weight=weight)
    input = labels[0].to(dtype).requires_grad_()
    value = loss(input, labels[1])
    loss.gamma = 0.0
    loss.weight = torch.ones(4)
    for _ in range(passes):
        (gradient,) = torch.autograd.grad(value, input, retain_graph=True)
    expected = focal_gradient(input, labels[1], 2.0, weight).to(dtype)
    tolerance = {"rtol": 2 * torch.finfo(dtype).eps, "atol": 1e-6}
    assert_close(gradient, expected, **tolerance)


@pytest.mark.parametrize("small_parts", [10, 30], indirect=True)
@pytest.mark.parametrize("dtype", [torch.float16, torch.float32])
def test_buffers_changed_in_place_are_refused(small_parts, labels, dtype):
    """A buffer that is changed in place before the backward pass is an error, as in torch."""
    loss = FocalLoss(weight=[1.0, 2.0, 0.5, 3.0])
    value = loss(labels[0].to(dtype).requires_grad_(), labels[1])
    loss.weight.fill_(1)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        value.backward()
