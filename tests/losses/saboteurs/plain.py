"""A sound loss that is written plainly, for saboteurs to change one step of."""

import torch
from torch import Tensor, nn

from lossary_losses import MSELoss

__all__ = ["Plain"]


class Plain(nn.Module):
    """Mean squared error, in steps."""

    claims = MSELoss.claims

    def __init__(self, reduction: str = "mean", ignore_index: float | None = None) -> None:
        super().__init__()
        self.reduction = reduction
        self.ignore_index = ignore_index

    def forward(
        self, input: Tensor, target: Tensor, *, mask: Tensor | None = None, weight: Tensor | None = None
    ) -> Tensor:
        """Compute the loss."""
        counts = self.counts(target, mask)
        return self.reduce(self.each(input, target, counts), self.share(counts, weight).to(input.dtype))

    def counts(self, target: Tensor, mask: Tensor | None) -> Tensor:
        """Tell which elements count."""
        counts = torch.ones_like(target, dtype=torch.bool)
        if mask is not None:
            counts = counts & (mask if mask.ndim == target.ndim else mask.unsqueeze(1))
        return counts if self.ignore_index is None else counts & (target != self.ignore_index)

    def each(self, input: Tensor, target: Tensor, counts: Tensor) -> Tensor:
        """Compute the loss of each element."""
        return (torch.where(counts, input, 0) - torch.where(counts, target, 0)).square()

    def share(self, counts: Tensor, weight: Tensor | None) -> Tensor:
        """Say how much each element counts."""
        return counts if weight is None else counts * weight.unsqueeze(1)

    def reduce(self, each: Tensor, share: Tensor) -> Tensor:
        """Bring the elements together."""
        if self.reduction == "none":
            return each * share
        total = (each * share).sum()
        return total if self.reduction == "sum" else total / share.sum().clamp(min=1)
