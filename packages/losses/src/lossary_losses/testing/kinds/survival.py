"""Hazards, and the times of events: of each row, ``(B,)``, or in bins of time, ``(B, T)``."""

from collections.abc import Mapping

import torch
from torch import Tensor

from lossary_losses.testing.kinds.kind import Change, Kind, Size, kind_registry
from lossary_losses.testing.sample import Sample

__all__ = ["Bins", "Times"]

_BINS = 5
_OUT = 1e3


class _Hazards(Kind):
    inputs = ("hazards",)
    batch = 6
    least = 6

    def positions(self, sample: Sample) -> tuple[int, ...]:
        """Give one for each row."""
        return (len(sample.input),)


@kind_registry.register(name="times")
class Times(_Hazards):
    """Logarithms of relative hazards, and the times of events, or of their not having come."""

    target = "times"
    is_differentiable = False
    layout = "B"
    element = "event"
    usual = ("monotone_times", "shift")
    is_met = False
    target_dtypes = (torch.int32, torch.int64, torch.float32, torch.float64)

    def shape(self, size: Size) -> tuple[int, ...]:
        """Give one for each of the batch."""
        return (size.batch,)

    def draw_target(self, input: Tensor, size: Size, generator: torch.Generator) -> Tensor:
        """Draw whole times, some of them the same."""
        del input
        return torch.randint(1, 1 + max(size.batch, 2), (size.batch,), generator=generator).double()

    def perfect(self, sample: Sample, form: str) -> Tensor:
        """Let the hazard fall with time."""
        del form
        return -sample.truth * _OUT

    def changes(self) -> Mapping[str, Change]:
        """Let time run at another pace, or shift the logarithms of all hazards."""
        return {
            "monotone_times": lambda sample: sample.facing(sample.truth**3),
            "shift": lambda sample: sample.at(sample.input + 2),
        }


@kind_registry.register(name="bins")
class Bins(_Hazards):
    """Logits of the hazard in each bin of time, and the bin in which the event came, or observation ended."""

    target = "bins"
    is_differentiable = False
    layout = "B T"
    element = "row"
    is_met = False
    target_dtypes = (torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64)

    def shape(self, size: Size) -> tuple[int, ...]:
        """Give the bins of each row."""
        return (size.batch, _BINS)

    def draw_target(self, input: Tensor, size: Size, generator: torch.Generator) -> Tensor:
        """Draw a bin for each row."""
        del input
        return torch.randint(0, _BINS, (size.batch,), generator=generator)

    def perfect(self, sample: Sample, form: str) -> Tensor:
        """Let nothing happen until the bin, and what is to happen in it."""
        del form
        is_bin = torch.arange(_BINS) == sample.truth.unsqueeze(1)
        event = sample.arguments.get("event")
        happens = is_bin if event is None else is_bin & event.bool().unsqueeze(1)
        return (2.0 * happens - 1).to(sample.input.dtype) * _OUT
