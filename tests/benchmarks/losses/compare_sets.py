"""Time and memory of losses of sets and sources, beside what others write, in one run.

    python tests/benchmarks/losses/compare_sets.py [--threads 1] [--repeats 7] [CASE ...]

The others are written here as they stand in their repositories, which no index has as packages: DETR takes
the diagonal of the overlaps of all pairs of a batch, and whoever tries every permutation takes the least of
their sums.
"""

import itertools

import torch
from comparison import Case, Function, compare
from torch import Tensor, nn

import lossary_losses as ours

QUERIES = 100


class BoxesOnly(nn.Module):
    """The loss of sets of boxes alone, for a single tensor on either side."""

    def __init__(self) -> None:
        super().__init__()
        self.loss = ours.Matched({"boxes": ours.GIoULoss()})

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """Match the boxes of each sample."""
        return self.loss({"boxes": input}, {"boxes": target})


def sets(samples: int, targets: int = 20) -> tuple[Tensor, Tensor]:
    """Draw a hundred boxes for each sample, and those that they should be."""
    generator = torch.Generator().manual_seed(0)

    def boxes(count: int) -> Tensor:
        corner = torch.rand(samples, count, 2, generator=generator)
        return torch.cat([corner, corner + 0.1 + torch.rand(corner.shape, generator=generator)], -1)

    return boxes(QUERIES).requires_grad_(), boxes(targets)


def sources(count: int) -> tuple[Tensor, Tensor]:
    """Draw a second of sound of each source, for four samples."""
    generator = torch.Generator().manual_seed(0)
    input, target = (torch.randn(4, count, 16_000, generator=generator) for _ in range(2))
    return input.requires_grad_(), target


def diagonal_of_all() -> Function:
    """Give the loss of sets whose pairs are the diagonal of a matrix of all pairs of the batch."""
    from scipy.optimize import linear_sum_assignment  # noqa: PLC0415 - as a peer: it may be missing

    def overlaps(first: Tensor, second: Tensor) -> Tensor:
        a, b = first[:, None], second[None]
        common = (torch.min(a[..., 2:], b[..., 2:]) - torch.max(a[..., :2], b[..., :2])).clamp(min=0).prod(-1)
        hull = (torch.max(a[..., 2:], b[..., 2:]) - torch.min(a[..., :2], b[..., :2])).prod(-1)
        union = (a[..., 2:] - a[..., :2]).prod(-1) + (b[..., 2:] - b[..., :2]).prod(-1) - common
        return common / union - (hull - union) / hull

    def loss(input: Tensor, target: Tensor) -> Tensor:
        with torch.no_grad():
            costs = -overlaps(input.flatten(0, 1), target.flatten(0, 1))
        costs = costs.view(*input.shape[:2], *target.shape[:2])
        pairs = [linear_sum_assignment(costs[sample, :, sample]) for sample in range(len(input))]
        chosen = torch.cat([one[rows] for one, (rows, _) in zip(input, pairs, strict=True)])
        wanted = torch.cat([one[columns] for one, (_, columns) in zip(target, pairs, strict=True)])
        return (1 - overlaps(chosen, wanted).diag()).mean()

    return loss


def every_permutation() -> Function:
    """Give the loss of sources that tries every order of the targets."""

    def loss(input: Tensor, target: Tensor) -> Tensor:
        count = input.shape[1]
        scale = (input.unsqueeze(2) * target.unsqueeze(1)).sum(-1) / target.square().sum(-1).unsqueeze(1)
        projected = scale.unsqueeze(-1) * target.unsqueeze(1)
        noise = (input.unsqueeze(2) - projected).square().sum(-1)
        each = 10 * (noise / projected.square().sum(-1)).log10()
        orders = torch.tensor(list(itertools.permutations(range(count))))
        return each[:, torch.arange(count), orders].mean(-1).amin(1).mean()

    return loss


CASES: dict[str, Case] = {
    "few sets": (lambda: sets(8), BoxesOnly(), {"diagonal of all pairs": diagonal_of_all}),
    "many sets": (lambda: sets(64), BoxesOnly(), {"diagonal of all pairs": diagonal_of_all}),
    "three sources": (
        lambda: sources(3),
        ours.PermutationInvariant(ours.SISDRLoss()),
        {"every permutation": every_permutation},
    ),
    "eight sources": (
        lambda: sources(8),
        ours.PermutationInvariant(ours.SISDRLoss()),
        {"every permutation": every_permutation},
    ),
}

if __name__ == "__main__":
    compare("compare_sets", CASES)
