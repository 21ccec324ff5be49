"""Signals over time, ``(B, *, T)``."""

from collections.abc import Mapping

import torch
from torch import Tensor

from lossary_losses.testing.kinds.kind import Change, Kind, Size, kind_registry
from lossary_losses.testing.sample import Sample

__all__ = ["FramedSignals", "Signals"]

_STEPS = 4
"""Of time, for each position of a space."""


@kind_registry.register(name="signals")
class Signals(Kind):
    """Signals, and the signals that they should be."""

    inputs = ("signals",)
    target = "signals"
    layout = "B * T"
    element = "signal"
    rows = 2

    def shape(self, size: Size) -> tuple[int, ...]:
        """Give two channels over time."""
        return (size.batch, 2, size.positions * _STEPS)

    def draw_target(self, input: Tensor, size: Size, generator: torch.Generator) -> Tensor:
        """Draw signals of their own."""
        del size
        return torch.randn(input.shape, generator=generator, dtype=torch.float64)

    def opposite(self, sample: Sample, form: str) -> Tensor:
        """Give the signal out of step."""
        return self.perfect(sample, form).roll(1, -1)

    def weights(self, sample: Sample) -> tuple[int, ...]:
        """Give one for each signal."""
        return tuple(sample.input.shape[:-1])

    def edges(self, sample: Sample) -> list[Sample]:
        """Let the target be silent, in part of the samples and in all."""
        silent = torch.zeros_like(sample.truth)
        partly = torch.cat([silent[:1], sample.truth[1:]])
        return [sample.facing(partly), sample.facing(silent)]

    def changes(self) -> Mapping[str, Change]:
        """Turn the input up, or over; turn both up; or run time backwards."""
        return {
            "gain": lambda sample: sample.at(3 * sample.input),
            "polarity": lambda sample: sample.at(-sample.input),
            "common_gain": lambda sample: sample.every(lambda signal: 3 * signal),
            "reversal": lambda sample: sample.every(lambda signal: signal.flip(-1)),
        }


@kind_registry.register(name="framed_signals")
class FramedSignals(Signals):
    """Signals that are compared frame by frame, so that steps know of their neighbours."""

    inputs = ("framed_signals",)
    can_cut = False
