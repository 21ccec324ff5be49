"""Exclusion: what a mask or ignore_index leaves out has no part in anything."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from lossary_losses.testing.data import Data
from lossary_losses.testing.kinds.dense import LABELS
from lossary_losses.testing.rule import close, expect, gradient, raises, rule
from lossary_losses.testing.sample import Sample
from lossary_losses.testing.subject import Subject

_IGNORED = 77
_REDUCTIONS = ("mean", "sum")


@rule("exclusion", arguments=["mask"], cut=True)
def masked_is_cut_out(subject: Subject, data: Data) -> None:
    """Under a mask, of positions or of the target's shape, the loss is that of what is left cut out."""
    sample = data.draw()
    kept = data.most(sample)
    for options in _reductions(subject):
        loss = subject.loss(**options)
        expected = subject.value(data.kind.cut(sample, kept), loss=loss)
        for mask in (kept, data.of_position(kept, sample)) if data.is_dense and data.has_target else (kept,):
            close(subject.value(sample, loss=loss, mask=mask), expected, f"masked, {_shown(options)}")


@rule("exclusion", arguments=["mask"])
def a_mask_hides_anything(subject: Subject, data: Data) -> None:
    """Masked positions may hold NaN, infinity and any label: they change nothing, and have no gradient."""
    sample = data.draw()
    kept = data.most(sample)
    expected, slope = subject.value(sample, mask=kept), gradient(subject, sample, mask=kept)
    poisoned = _poison(sample, kept, data)
    if data.has_target and not sample.truth.is_floating_point():
        poisoned = poisoned.facing(sample.truth.masked_fill(~data.of_position(kept, sample), _IGNORED))
    close(subject.value(poisoned, mask=kept), expected, "the value beside masked NaN")
    result = gradient(subject, poisoned, mask=kept)
    expect((_outside(result, kept, data) == 0).all(), "the gradient of masked positions is not zero")
    close(result, slope, "the gradient beside masked NaN")


@rule("exclusion", arguments=["mask"])
def nothing_counts_under_an_empty_mask(subject: Subject, data: Data) -> None:
    """With everything masked the loss is exactly zero and has a gradient, of zero."""
    sample = data.draw()
    nothing = ~data.everything(sample)
    _expect_nothing(subject, lambda **options: (sample, {"loss": subject.loss(**options), "mask": nothing}))


@rule("exclusion", arguments=["mask"])
def one_sample_may_be_masked(subject: Subject, data: Data) -> None:
    """A sample that is masked altogether counts for nothing in mean and sum, and has no gradient."""
    sample = data.draw()
    mask = data.everything(sample)
    mask[0] = False
    slope = gradient(subject, sample, mask=mask)
    expect(slope.isfinite().all(), "the gradient is not finite")
    expect((slope[0] == 0).all(), "the masked sample has a gradient")
    alone = sample.every(lambda tensor: tensor[1:])
    for options in _reductions(subject):
        loss = subject.loss(**options)
        result = subject.value(sample, loss=loss, mask=mask)
        close(result, subject.value(alone, loss=loss), f"beside a sample that is masked, {_shown(options)}")


@rule("exclusion", options=["ignore_index"], dense=True, target=True)
def ignored_is_cut_out(subject: Subject, data: Data) -> None:
    """Positions whose target is ignore_index count as little as if they were cut out."""
    sample = data.draw()
    kept = data.most(sample)
    for options in _reductions(subject):
        result = subject.value(_ignore(sample, kept, data), loss=_ignoring(subject, options))
        expected = subject.value(data.kind.cut(sample, kept), loss=subject.loss(**options))
        close(result, expected, f"ignored, {_shown(options)}")


@rule("exclusion", options=["ignore_index"], dense=True, target=True)
def an_ignored_position_hides_anything(subject: Subject, data: Data) -> None:
    """Input at ignored positions may be NaN: it changes nothing, and its gradient is exactly zero."""
    sample = data.draw()
    kept = data.most(sample)
    poisoned = _poison(sample, kept, data).facing(_ignore(sample, kept, data).truth)
    loss = _ignoring(subject, {})
    expected = subject.value(_ignore(sample, kept, data), loss=loss)
    close(subject.value(poisoned, loss=loss), expected, "the value beside ignored NaN")
    result = gradient(subject, poisoned, loss=loss)
    expect(result.isfinite().all(), "the gradient is not finite")
    expect((_outside(result, kept, data) == 0).all(), "the gradient of ignored positions is not zero")


@rule("exclusion", options=["ignore_index"], dense=True, target=True)
def nothing_counts_when_all_is_ignored(subject: Subject, data: Data) -> None:
    """With everything ignored the loss is exactly zero and has a gradient, of zero."""
    sample = data.draw()
    ignored = sample.facing(torch.full_like(sample.truth, _IGNORED))
    _expect_nothing(subject, lambda **options: (ignored, {"loss": _ignoring(subject, options)}))


@rule("exclusion", options=["ignore_index"], arguments=["mask"], kinds=LABELS)
def any_label_may_be_ignored(subject: Subject, data: Data) -> None:
    """A negative label or one of the classes may be ignored, as by a mask, whatever the other options."""
    sample = data.draw()
    kept = data.most(sample)
    others: list[dict[str, object]] = [{}]
    if subject.takes_option("label_smoothing"):
        others.append({"label_smoothing": 0.1})
    if subject.takes_option("weight"):
        others.append({"weight": [1.0 + index for index in range(data.channels)]})
    for index in (-100, -1, 0):
        target = sample.truth.masked_fill(~kept, index)
        counts = target != index
        # Under the mask stands a label that would be right elsewhere.
        masked = sample.facing(target.masked_fill(~counts, data.channels - 1))
        for options in others:
            result = subject.value(sample.facing(target), loss=subject.loss(ignore_index=index, **options))
            expected = subject.value(masked, loss=subject.loss(**options), mask=counts)
            close(result, expected, f"ignore_index={index}, {_shown(options)}")
    beyond = sample.truth.to(torch.uint8).masked_fill(~kept, 255)
    raises(
        lambda: subject.value(sample.facing(beyond), loss=subject.loss(ignore_index=-1)),
        (ValueError, IndexError),
        "a label of 255 beside ignore_index=-1",
    )


@rule("exclusion", arguments=["mask"], kinds=["binary", "soft", "values"])
def masks_may_differ_between_channels(subject: Subject, data: Data) -> None:
    """A mask of the target's shape takes out each element for itself."""
    sample = data.draw()
    counts = _elements(sample)
    _expect_exclusion(subject, sample, counts, sample, {"mask": counts})


@rule("exclusion", options=["ignore_index"], kinds=["binary", "soft", "values"])
def ignored_elements_may_differ_between_channels(subject: Subject, data: Data) -> None:
    """An ignored element takes out itself, and no other channel of its position."""
    sample = data.draw()
    counts = _elements(sample)
    ignored = sample.facing(sample.truth.masked_fill(~counts, _IGNORED))
    _expect_exclusion(subject, ignored, counts, ignored, {"loss": _ignoring(subject, {})})


def _elements(sample: Sample) -> Tensor:
    """Give elements that count, in nearly no position all."""
    return torch.rand(sample.input.shape, generator=torch.Generator().manual_seed(6)) < 0.6  # noqa: PLR2004 - most


def _expect_exclusion(
    subject: Subject, sample: Sample, counts: Tensor, shown: Sample, arguments: dict[str, Any]
) -> None:
    slope = gradient(subject, shown, **arguments)
    expect((slope[~counts] == 0).all(), "the gradient of an element that is left out is not zero")
    partly = counts & ~counts.all(1, keepdim=True)
    expect((slope[partly] != 0).any(), "an element has no part because another channel is left out")
    poisoned = shown.at(sample.input.masked_fill(~counts, torch.nan))
    close(
        subject.value(poisoned, **arguments), subject.value(shown, **arguments), "beside NaN that is left out"
    )


def _expect_nothing(subject: Subject, call: Callable[..., tuple[Sample, dict[str, Any]]]) -> None:
    for options in _reductions(subject):
        sample, arguments = call(**options)
        value = subject.value(sample, **arguments)
        expect(
            (value == 0).all(), f"the loss of nothing is {value.sum().item()}, not zero, {_shown(options)}"
        )
        expect((gradient(subject, sample, **arguments) == 0).all(), "the gradient of nothing is not zero")


def _shown(options: dict[str, object]) -> str:
    return ", ".join(f"{name}={value!r}" for name, value in options.items()) or "as built"


def _reductions(subject: Subject) -> list[dict[str, object]]:
    return [{"reduction": each} for each in _REDUCTIONS] if subject.takes_option("reduction") else [{}]


def _ignoring(subject: Subject, options: dict[str, object]) -> torch.nn.Module:
    return subject.loss(ignore_index=_IGNORED, **options)


def _ignore(sample: Sample, kept: Tensor, data: Data) -> Sample:
    return sample.facing(sample.truth.masked_fill(data.of_position(~kept, sample), _IGNORED))


def _poison(sample: Sample, kept: Tensor, data: Data) -> Sample:
    """Put NaN and infinity where nothing counts; class indices have no such thing."""
    poison = torch.tensor([torch.nan, torch.inf, -torch.inf], dtype=torch.float64)

    def poisoned(tensor: Tensor) -> Tensor:
        if not tensor.is_floating_point():
            return tensor
        outside = ~data.kind.over(kept, tensor)
        return tensor.masked_scatter(outside, poison.repeat(tensor.numel()).to(tensor.dtype))

    return sample.every(poisoned)


def _outside(slope: Tensor, kept: Tensor, data: Data) -> Tensor:
    return slope[~data.kind.over(kept, slope)]
