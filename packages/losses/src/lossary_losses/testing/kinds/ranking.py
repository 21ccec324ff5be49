"""Lists ``(B, L)`` of scored documents."""

from collections.abc import Mapping

import torch
from torch import Tensor

from lossary_losses.testing.kinds.kind import Change, Kind, Size, kind_registry
from lossary_losses.testing.sample import Sample

__all__ = ["Relevance"]

_GRADES = 5


@kind_registry.register(name="relevance")
class Relevance(Kind):
    """Scores of the documents of each list, and how relevant each document is."""

    inputs = ("lists",)
    target = "relevance"
    is_differentiable = False
    layout = "B L"
    element = "list"
    usual = ("shift", "order_of_documents")
    is_met = False
    target_dtypes = (torch.int32, torch.int64, torch.float32, torch.float64)

    def shape(self, size: Size) -> tuple[int, ...]:
        """Give as many documents as there are positions."""
        return (size.batch, size.positions)

    def draw_target(self, input: Tensor, size: Size, generator: torch.Generator) -> Tensor:
        """Draw grades from 0 to 4."""
        del size
        return torch.randint(0, _GRADES, input.shape, generator=generator).double()

    def perfect(self, sample: Sample, form: str) -> Tensor:
        """Score each document by its relevance, far apart."""
        del form
        return sample.truth * 1e3

    def weights(self, sample: Sample) -> tuple[int, ...]:
        """Give one for each list."""
        return (len(sample.input),)

    def changes(self) -> Mapping[str, Change]:
        """Shift the scores of each list, or turn the documents around."""
        return {
            "shift": lambda sample: sample.at(sample.input + sample.input.detach()[:, :1]),
            "order_of_documents": lambda sample: sample.every(lambda tensor: tensor.flip(1)),
        }
