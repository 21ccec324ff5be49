"""Scores: numbers of a judge, of any shape; and pairs of them, of which one should win."""

from collections.abc import Mapping

import torch
from torch import Tensor
from torch.nn import functional

from lossary_losses.testing.kinds.kind import Change, Kind, Size, kind_registry
from lossary_losses.testing.sample import Sample

__all__ = ["Pairs", "PairsByProbability", "RealOrNot", "Scores"]

_OUT = 1e4
_INTEGERS = (torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64)


class _AnyShape(Kind):
    """Scores of any shape, each an element."""

    inputs = ("scores",)
    layout = "*"
    element = "score"
    repeats = 1

    def shape(self, size: Size) -> tuple[int, ...]:
        """Give as many scores as there are positions."""
        return (size.batch, size.positions)


@kind_registry.register(name="real_or_not")
class RealOrNot(_AnyShape):
    """Scores, and whether what was judged is real: from 0 to 1."""

    target = "is_real"
    is_differentiable = False
    is_met = False

    def draw_target(self, input: Tensor, size: Size, generator: torch.Generator) -> Tensor:
        """Draw zeros and ones."""
        del size
        return torch.randint(0, 2, input.shape, generator=generator).double()

    def perfect(self, sample: Sample, form: str) -> Tensor:
        """Give certainty."""
        del form
        return (2 * sample.truth - 1) * _OUT


@kind_registry.register(name="scores")
class Scores(_AnyShape):
    """Scores, and other scores to be held against."""

    target = "scores"

    def draw_target(self, input: Tensor, size: Size, generator: torch.Generator) -> Tensor:
        """Draw other scores."""
        del size
        return torch.randn(input.shape, generator=generator, dtype=torch.float64)

    def changes(self) -> Mapping[str, Change]:
        """Shift both."""
        return {"shift": lambda sample: sample.every(lambda scores: scores + 2)}


class _Pairs(Kind):
    """Two scores in a row, or two log-probabilities; one row is one pair."""

    inputs = ("pairs", "pairs_of_log_probabilities")
    layout = "P 2"
    element = "pair"
    repeats = 0
    usual = ("shift", "swap")
    batch = 5
    is_met = False

    def shape(self, size: Size) -> tuple[int, ...]:
        """Give a pair for each of the batch."""
        return (size.batch, 2)

    def draw_input(self, form: str, size: Size, generator: torch.Generator) -> Tensor:
        """Draw scores, or logarithms of probabilities."""
        drawn = super().draw_input(form, size, generator)
        return functional.logsigmoid(drawn) if form == "pairs_of_log_probabilities" else drawn

    def positions(self, sample: Sample) -> tuple[int, ...]:
        """Give one for each pair."""
        return (len(sample.input),)

    def swapped(self, target: Tensor) -> Tensor:
        """Say who wins, of a pair that was turned around."""
        return 1 - target

    def changes(self) -> Mapping[str, Change]:
        """Shift both scores of a pair, or swap them together with what is said of them."""

        def swap(sample: Sample) -> Sample:
            arguments = {
                name: value.flip(-1) if value.shape == sample.input.shape else value
                for name, value in sample.arguments.items()
            }
            target = self.swapped(sample.truth)
            return sample._replace(input=sample.input.flip(-1), target=target, arguments=arguments)

        return {
            "shift": lambda sample: sample.at(sample.input + sample.input.detach().mean(-1, keepdim=True)),
            "swap": swap,
        }


@kind_registry.register(name="pairs")
class Pairs(_Pairs):
    """Pairs of scores, and the index of the one that is preferred."""

    target = "preferred"
    is_differentiable = False
    target_dtypes = (*_INTEGERS,)

    def draw_target(self, input: Tensor, size: Size, generator: torch.Generator) -> Tensor:
        """Draw who is preferred."""
        del input
        return torch.randint(0, 2, (size.batch,), generator=generator)

    def perfect(self, sample: Sample, form: str) -> Tensor:
        """Give the preferred one much more."""
        wins = torch.stack([sample.truth == 0, sample.truth == 1], dim=-1)
        most = 0 if form == "pairs_of_log_probabilities" else 1
        return torch.where(wins, most, -1).to(sample.input.dtype) * _OUT


@kind_registry.register(name="pairs_by_probability")
class PairsByProbability(_Pairs):
    """Pairs of scores, and with what probability each of both is preferred."""

    target = "probabilities"
    is_hard = False

    def draw_target(self, input: Tensor, size: Size, generator: torch.Generator) -> Tensor:
        """Draw how sure the preference is."""
        del input
        first = torch.rand(size.batch, 1, generator=generator, dtype=torch.float64)
        return torch.cat([first, 1 - first], dim=-1)

    def swapped(self, target: Tensor) -> Tensor:
        """Turn the probabilities around, too."""
        return target.flip(-1)

    def free(self, target: Tensor) -> Tensor:
        """Give the logarithms, any of which may be moved."""
        return target.log()

    def bound(self, numbers: Tensor) -> Tensor:
        """Give the probabilities of logarithms."""
        return numbers.softmax(-1)
