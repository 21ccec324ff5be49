"""Signals ``(B, *, T)``, time last, or whole samples, and their energies: what ratios are made of."""

from typing import NamedTuple

import torch
from torch import Tensor

from lossary_losses._core.checks import check_nonnegative
from lossary_losses._core.dense import (
    Selection,
    counted_positions,
    prepare,
    ready,
    require_mask,
    require_tensor,
)
from lossary_losses.errors import InputValueError

__all__ = ["Samples", "Signals", "decibels", "energy", "prepare_samples", "prepare_signals"]

_RANK = 2
"""Batch and time."""

_ROUNDING = 8
"""By how many units in the last place what is left of a constant signal may differ from zero."""


class Signals(NamedTuple):
    """Signals to compute with, zero where excluded."""

    input: Tensor
    target: Tensor
    share: Tensor
    """How much each signal counts; zero where no step of it does."""
    counted: Tensor | None
    """Bool, True where a step of a signal counts; None: everywhere."""
    scale: Tensor
    """What each target was divided by."""


class Samples(NamedTuple):
    """Samples to compute with, each of them a row ``(B, N)``, zero where excluded."""

    input: Tensor
    target: Tensor
    counted: Tensor | None
    """Bool, True where a position of a sample counts; None: everywhere."""
    share: Tensor
    """How much each sample counts; zero where no position of it does."""


def prepare_samples(input: Tensor, target: Tensor, *, mask: Tensor | None, weight: Tensor | None) -> Samples:
    """Check the shapes, and bring each sample to a row; weights are those of samples."""
    if not input.ndim:
        raise InputValueError(f"samples have a batch, (B, *): input {tuple(input.shape)}")
    dense = prepare(input, target, Selection(None, mask, None), "values")
    counted = counted_positions(dense)
    values, truth, *_ = ready(dense)
    rows, of_truth = (_one_row_each(each) for each in (values, truth))
    counted = None if counted is None else _one_row_each(counted.expand(values.shape))
    return Samples(rows, of_truth, counted, _share(rows, counted, weight))


def prepare_signals(
    input: Tensor,
    target: Tensor,
    *,
    mask: Tensor | None,
    weight: Tensor | None,
    zero_mean: bool,
    common_scale: bool = False,
) -> Signals:
    """Check the shapes, and scale each signal, so that no energy is too small or too large for its dtype.

    What is computed must not depend on the scale of input or target; with ``common_scale``, which is the
    target's, on that of both together.
    """
    if mask is not None:
        mask = _of_steps(mask, input)
    dense = prepare(input, target, Selection(None, mask, None), "values")
    if input.ndim < _RANK:
        raise InputValueError(
            "signals have a batch and time, (B, *, T): "
            f"input {tuple(input.shape)}, target {tuple(target.shape)}"
        )
    counted = counted_positions(dense)
    signal, truth, *_ = ready(dense)
    scale = _scale(truth)
    signal, truth = signal / (scale if common_scale else _scale(signal)), truth / scale
    if zero_mean:
        signal, truth = _centred(signal, counted), _centred(truth, counted)
    return Signals(signal, truth, _share(signal, counted, weight), counted, scale.squeeze(-1))


def energy(signal: Tensor) -> Tensor:
    """Add up the squares over time."""
    return signal.square().sum(-1)


def decibels(noise: Tensor, signal: Tensor, scale: Tensor, max_decibels: float | None) -> Tensor:
    """Give the level of an energy of noise above that of the signal, bounded by what is not rounding.

    ``scale`` is the energy of which both are parts; where it is zero there is nothing but noise. With
    ``max_decibels`` so much of the signal is added to the noise that the level never is below minus that.
    """
    rounding = torch.finfo(noise.dtype).eps ** 2
    nothing = scale == 0
    noise = torch.where(nothing, 1, noise)
    signal = torch.maximum(signal, rounding * torch.where(nothing, 1, scale))
    if max_decibels is None:
        noise = torch.maximum(noise, rounding * signal)
    else:
        noise = noise + 10 ** (-max_decibels / 10) * signal
    return 10 * (noise / signal).log10()


def _one_row_each(samples: Tensor) -> Tensor:
    return samples.flatten(1) if samples.ndim > 1 else samples.unsqueeze(-1)


def _scale(signal: Tensor) -> Tensor:
    """Give the largest size, of which a constant is made: what does not know the scale has its slope."""
    if not signal.shape[-1]:
        return signal.new_ones((*signal.shape[:-1], 1))
    peak = signal.detach().abs().amax(-1, keepdim=True)
    return torch.where(peak == 0, 1, peak)


def _centred(signal: Tensor, counted: Tensor | None) -> Tensor:
    """Subtract the mean of the steps that count from a signal of size one."""
    if not signal.shape[-1]:
        return signal
    if counted is None:
        centred = signal - signal.mean(-1, keepdim=True)
    else:
        steps = counted.sum(-1, keepdim=True).clamp(min=1)
        centred = torch.where(counted, signal - signal.sum(-1, keepdim=True) / steps, 0)
    # Of a constant signal rounding is left, which is none.
    largest = centred.detach().abs().amax(-1, keepdim=True)
    return torch.where(largest <= _ROUNDING * torch.finfo(signal.dtype).eps, 0, centred)


def _share(signal: Tensor, counted: Tensor | None, weight: Tensor | None) -> Tensor:
    counts = signal.new_full(signal.shape[:-1], bool(signal.shape[-1]))
    if counted is not None:
        counts = counted.any(-1).expand(signal.shape[:-1]).to(signal.dtype)
    if weight is None:
        return counts
    require_tensor(weight, "weight")
    if weight.shape != counts.shape:
        raise InputValueError(
            f"Incompatible shapes: input {tuple(signal.shape)}, weight {tuple(weight.shape)}; "
            f"accepted for the weight: {tuple(counts.shape)}"
        )
    share = torch.where(counts > 0, weight.to(signal.dtype), 0)
    check_nonnegative(share, "weight")
    return share


def _of_steps(mask: Tensor, signal: Tensor) -> Tensor:
    """Bring a mask of steps to the signal's shape."""
    require_mask(mask)
    if mask.shape == signal.shape:
        return mask
    batch_and_time = signal.shape[:1] + signal.shape[-1:]
    if signal.ndim >= _RANK and mask.shape == batch_and_time:
        return mask.reshape(mask.shape[0], *(1 for _ in signal.shape[1:-1]), mask.shape[1]).expand(
            signal.shape
        )
    raise InputValueError(
        f"Incompatible shapes: input {tuple(signal.shape)}, mask {tuple(mask.shape)}; "
        f"accepted for the mask: {tuple(batch_and_time)} or {tuple(signal.shape)}"
    )
