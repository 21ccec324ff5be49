"""Precision: half, single and double, and logits that are far out."""

import torch
from torch import Tensor

from lossary_losses.testing.data import Data
from lossary_losses.testing.kinds.dense import HARD
from lossary_losses.testing.rule import close, expect, gradient, rule
from lossary_losses.testing.subject import Subject

_BELOW_SINGLE = 1e-9
"""A step that single precision does not see in numbers around one."""

_HALVES = (torch.float16, torch.bfloat16)
_HALF_STEP = 1e-2
"""How far numbers of half precision are apart at the most, as a share of the largest."""


@rule("precision")
def half_is_computed_in_single(subject: Subject, data: Data) -> None:
    """Half-precision input gives the single-precision result and gradient of the same numbers."""
    for dtype in _HALVES:
        slope, expected = _compare_half(subject, data, dtype, space=(16, 16))
        gap, steepest = (slope - expected).abs().max(), expected.abs().max()
        expect(
            gap <= _HALF_STEP * steepest, f"the gradient of {dtype} is off by {(gap / steepest).item():.3g}"
        )


@rule("precision", large=True)
def half_holds_large_images(subject: Subject, data: Data) -> None:
    """On an image of 90,000 pixels float16, which ends at 65504, gives the single-precision result."""
    _compare_half(subject, data, torch.float16, space=(300, 300))


def _compare_half(
    subject: Subject, data: Data, dtype: torch.dtype, space: tuple[int, ...]
) -> tuple[Tensor, Tensor]:
    """Compare the values, and give both gradients in single precision."""
    sample = data.draw(batch=data.least, space=space, dtype=dtype)
    input = sample.input.requires_grad_()
    result = subject.value(sample.at(input))
    expect(result.dtype == torch.float32, f"the result of {dtype} is {result.dtype}, not torch.float32")
    single = sample.cast(torch.float32)
    close(result, subject.value(single), f"{dtype} on {space}", relative=1e-4)
    (slope,) = torch.autograd.grad(result.sum(), input)
    expect(slope.isfinite().all(), f"the gradient of {dtype} on {space} is not finite")
    return slope.float(), gradient(subject, single)


@rule("precision")
def double_stays_double(subject: Subject, data: Data) -> None:
    """A double-precision input is computed in double precision."""
    sample = data.draw()
    result = subject.value(sample)
    expect(result.dtype == torch.float64, f"the result of torch.float64 is {result.dtype}")
    slope = gradient(subject, sample)
    moved = subject.value(sample.at(sample.input + _BELOW_SINGLE * slope.sign())).sum() - result.sum()
    expected = _BELOW_SINGLE * slope.abs().sum()
    expect(
        (moved - expected).abs() <= expected / 2,
        f"a step of {_BELOW_SINGLE} changes it by {moved.item():.3g}, not by {expected.item():.3g}, as if "
        "it were computed in single precision",
    )


@rule("precision")
def autocast_changes_nothing(subject: Subject, data: Data) -> None:
    """Under autocast the loss is what it is without."""
    sample = data.draw(dtype=torch.float32)
    expected = subject.value(sample)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        close(subject.value(sample), expected, "under autocast")


@rule("precision", size=True)
def far_inputs_are_finite(subject: Subject, data: Data) -> None:
    """Inputs of fifty and of ten thousand, right and wrong, give finite values and gradients."""
    for size in (50.0, 1e4):
        sample = data.draw(dtype=torch.float32)
        sample = sample.at(data.kind.far(sample.input, size))
        expect(subject.value(sample).isfinite().all(), f"the value is not finite at ±{size:g}")
        expect(gradient(subject, sample).isfinite().all(), f"the gradient is not finite at ±{size:g}")


@rule("precision")
def nan_is_not_hidden(subject: Subject, data: Data) -> None:
    """One NaN in an input that counts makes the loss NaN, or is refused: a finite one would look healthy."""
    sample = data.draw()
    input = sample.input.clone()
    first = input[:1].view(-1)
    first[22 % len(first)] = torch.nan
    try:
        value = subject.value(sample.at(input))
    except ValueError:
        return
    expect(value.isnan().all(), f"with NaN in the input the loss is {value.sum().item():.6g}")


@rule("precision", inputs=["logits"], kinds=HARD)
def minus_infinity_off_the_target_is_finite(subject: Subject, data: Data) -> None:
    """A logit of minus infinity on what is not the target gives a finite value and gradient."""
    sample = data.draw(dtype=torch.float32)
    some = torch.rand(sample.input.shape, generator=torch.Generator().manual_seed(3)) < 0.5  # noqa: PLR2004 - half of them
    sample = sample.at(sample.input.masked_fill(~data.membership(sample) & some, -torch.inf))
    expect(subject.value(sample).isfinite().all(), "the value is not finite")
    expect(gradient(subject, sample).isfinite().all(), "the gradient is not finite")


@rule("precision", inputs=["logits"], kinds=HARD)
def wrong_predictions_have_a_gradient(subject: Subject, data: Data) -> None:
    """A prediction that is wrong everywhere, by as large a logit as is claimed, can still learn."""
    sample = data.draw()
    for size in (8.0, 50.0, 1000.0):
        if size > subject.claims.learns_at:
            return
        # Not all by the same: where numbers are equal, a loss made of largest ones has no one gradient.
        wrong = sample.at(0.1 * sample.input - size * data.perfect(sample).sign())
        slope = gradient(subject, wrong)
        expect((slope.flatten(1).abs().sum(1) > 0).all(), f"{size:g} off, the gradient of a sample is zero")
        better = sample.at(wrong.input - 0.1 * slope / slope.abs().max())
        expect(
            subject.value(better).sum() < subject.value(wrong).sum(),
            f"{size:g} off, a step against the gradient does not make the loss smaller",
        )
