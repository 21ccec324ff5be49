"""Forecasts: the parameters of a distribution, or an ensemble of values."""

from collections.abc import Mapping

import torch
from torch import Tensor

from lossary_losses.testing.kinds.kind import Change, Kind, Size, kind_registry
from lossary_losses.testing.sample import Sample

__all__ = ["Counts", "Ensembles", "Locations"]

_FAR = 1e3
_MOST = 6


class _Forecasts(Kind):
    target = "values"
    element = "element"

    def opposite(self, sample: Sample, form: str) -> Tensor:
        """Give what is far away."""
        return self.perfect(sample, form) + _FAR


@kind_registry.register(name="locations")
class Locations(_Forecasts):
    """Where a distribution lies, its other parameters by name; and the values that came."""

    inputs = ("location",)
    layout = "B *S"

    def shape(self, size: Size) -> tuple[int, ...]:
        """Give batch and space."""
        return (size.batch, *size.space)

    def draw_target(self, input: Tensor, size: Size, generator: torch.Generator) -> Tensor:
        """Draw what came."""
        del size
        return torch.randn(input.shape, generator=generator, dtype=torch.float64)

    def changes(self) -> Mapping[str, Change]:
        """Shift both."""
        return {"shift": lambda sample: sample._replace(input=sample.input + 2, target=sample.truth + 2)}


@kind_registry.register(name="counts")
class Counts(Locations):
    """Logarithms of the means of counts, other parameters by name; and the counts that came."""

    target = "counts"
    is_differentiable = False
    target_dtypes = (torch.uint8, torch.int32, torch.int64, torch.float16, torch.float32, torch.float64)

    def draw_target(self, input: Tensor, size: Size, generator: torch.Generator) -> Tensor:
        """Draw counts from 0 to 5."""
        del size
        return torch.randint(0, _MOST, input.shape, generator=generator).double()

    def perfect(self, sample: Sample, form: str) -> Tensor:
        """Give the logarithms of the counts; that of zero is far below."""
        del form
        return sample.truth.log().clamp(min=-_FAR)

    def changes(self) -> Mapping[str, Change]:
        """Give none: a count has neither origin nor unit."""
        return {}


@kind_registry.register(name="ensembles")
class Ensembles(_Forecasts):
    """The members of an ensemble, ``(B, M, *S)``, and the values that came, ``(B, *S)``."""

    inputs = ("ensembles",)
    layout = "B M *S"
    usual = ("order_of_members",)

    def shape(self, size: Size) -> tuple[int, ...]:
        """Give as many members as there are channels."""
        return (size.batch, size.channels, *size.space)

    def draw_target(self, input: Tensor, size: Size, generator: torch.Generator) -> Tensor:
        """Draw what came."""
        del input
        return torch.randn(size.batch, *size.space, generator=generator, dtype=torch.float64)

    def perfect(self, sample: Sample, form: str) -> Tensor:
        """Let each member give what came."""
        del form
        return sample.truth.unsqueeze(1).expand_as(sample.input).clone()

    def positions(self, sample: Sample) -> tuple[int, ...]:
        """Give batch and space."""
        return (sample.input.shape[0], *sample.input.shape[2:])

    def over(self, mask: Tensor, tensor: Tensor) -> Tensor:
        """Repeat a mask of positions over the members."""
        return mask if tensor.ndim == mask.ndim else mask.unsqueeze(1).expand_as(tensor)

    def cut(self, sample: Sample, kept: Tensor) -> Sample:
        """Cut positions out; what is left is one row."""

        def left(tensor: Tensor) -> Tensor:
            rows = tensor.reshape(*tensor.shape[: tensor.ndim - kept.ndim + 1], -1)
            return torch.stack(
                [values[..., where] for values, where in zip(rows, kept.flatten(1), strict=True)]
            )

        return sample.every(left)

    def changes(self) -> Mapping[str, Change]:
        """Turn the members around, or shift all."""
        return {
            "order_of_members": lambda sample: sample.at(sample.input.flip(1)),
            "shift": lambda sample: sample._replace(input=sample.input + 2, target=sample.truth + 2),
        }
