"""Chamfer distance: how far the points of each of two clouds are from the nearest one of the other."""

from typing import ClassVar

import torch
from torch import Tensor

from lossary_losses._core.base import define_loss
from lossary_losses._core.claims import Claims
from lossary_losses._core.dense import incompatible_shapes, require_mask, require_tensor
from lossary_losses._core.options import flag
from lossary_losses._core.reduced import ReducedLoss
from lossary_losses._core.reduction import Elements, weigh
from lossary_losses._core.rows import prepare_rows, require_shape
from lossary_losses._core.stable import length
from lossary_losses.errors import InputValueError
from lossary_losses.loss_registry_setup import loss_registry

__all__ = ["ChamferLoss"]

_RANK = 3
"""Batch, points and coordinates."""

_AT_ONCE = {"cpu": 2**18}
"""How many pairs of points are compared at once: what is computed of them stays in a core's cache."""

_AT_ONCE_ELSEWHERE = 2**24
"""The same on a GPU, which so many keep busy."""


@loss_registry.register(
    name="chamfer_loss",
    aliases=["ChamferLoss"],
    tags=["geometry", "points"],
)
@define_loss
class ChamferLoss(ReducedLoss):
    r"""Mean squared distance of each point to the nearest one of the other cloud, both ways added.

    .. math:: \ell = \frac{1}{N} \sum_i \min_j \lVert x_i - t_j \rVert^2
        + \frac{1}{M} \sum_j \min_i \lVert x_i - t_j \rVert^2

    Neither the order of the points matters nor how many there are.

    Convention:
        Both ways are means over points, and added, as in pytorch3d; the paper has sums over points, and
        others halve the sum of both. The distance is squared unless ``squared=False``. Distances are those of
        differences: through ``torch.cdist``, which subtracts large products, equal points far from zero are
        apart. There is a gradient to the nearest points alone, of the target too; where two are equally near,
        to the first. ``mask`` says which points of the target are there, and ``input_mask`` which of the
        input: clouds of a batch that differ in size are filled up with anything. A sample of which either
        cloud has no point has no distance: it costs nothing and does not count. Time grows with the number of
        pairs, memory does not.

    Shapes:
        ``input``: ``(B, N, D)``, points.
        ``target``: ``(B, M, D)``.
        ``mask``: ``(B, M)``, True where a point of the target counts.
        ``input_mask``: ``(B, N)``, the same for the input.
        ``weight``: ``(B,)``, one for each sample.
        Result: a scalar, or ``(B,)`` with ``reduction="none"``.

    Args:
        squared: Whether distances are squared. Default: True.
        reduction: ``"mean"`` (default), ``"sum"`` or ``"none"``.
        process_group: The processes that share a batch: their gradients, once averaged, are then those of the
            whole batch in one process. Default: None, each process for itself.

    Raises:
        OptionTypeError: An option has the wrong type.
        OptionValueError: An option is out of its bounds.

    Example:
        >>> import torch
        >>> loss = ChamferLoss()
        >>> loss(torch.tensor([[[0.0, 0.0], [3.0, 0.0]]]), torch.tensor([[[0.0, 1.0]]]))
        tensor(6.5000)

    Reference:
        Fan et al. 2016, "A Point Set Generation Network for 3D Object Reconstruction from a Single Image",
        arXiv:1612.00603.
    """

    claims: ClassVar = Claims(targets={"points": {}}, input="points", layout="B N D", element="sample")

    squared: bool = flag(default=True)

    def forward(
        self,
        input: Tensor,
        target: Tensor,
        *,
        mask: Tensor | None = None,
        weight: Tensor | None = None,
        input_mask: Tensor | None = None,
    ) -> Tensor:
        """Compute the loss.

        Args:
            input: What the network gives; half precision is computed in float32.
            target: What it should have given.
            mask: Bool, True where a point of the target counts.
            weight: How much each sample counts.
            input_mask: Bool, True where a point of the input counts.

        Returns:
            A scalar, or each sample's loss with ``reduction="none"``.

        Raises:
            InputValueError: The shapes do not fit together.
            InputTypeError: A dtype is unusable.
        """
        return self.result(input, target, mask=mask, weight=weight, input_mask=input_mask)

    def elements(
        self,
        input: Tensor,
        target: Tensor,
        *,
        mask: Tensor | None = None,
        weight: Tensor | None = None,
        input_mask: Tensor | None = None,
    ) -> Elements:
        """Give the distance of each sample's clouds."""
        _require_clouds(input, target)
        own, other = _counted(input, input_mask, "input_mask"), _counted(target, mask, "mask")
        present = own.any(1) & other.any(1)
        points, _, share = prepare_rows(input, present, weight)
        truth, _, _ = prepare_rows(target.to(points.dtype), present, None)
        points, truth = _selected(points, own), _selected(truth, other)
        distance = self._one_way(points, own, truth, other) + self._one_way(truth, other, points, own)
        return weigh(distance, share)

    def _one_way(self, points: Tensor, counted: Tensor, others: Tensor, there: Tensor) -> Tensor:
        """Give the mean distance of the points of each sample to the nearest others."""
        if not points.shape[1] or not others.shape[1]:
            # Zero, since nothing counts, and connected to both.
            return points.sum((1, 2)) + others.sum((1, 2))
        gap = points - _at(others, _nearest(points, others, there))
        distance = gap.square().sum(-1) if self.squared else length(gap)
        return torch.where(counted, distance, 0).sum(1) / counted.sum(1).clamp(min=1)


def _require_clouds(input: Tensor, target: Tensor) -> None:
    require_tensor(target, "target")
    if input.ndim != _RANK or not input.shape[2]:
        raise InputValueError(
            "clouds of points have a batch, points and coordinates, (B, N, D): "
            f"input {tuple(input.shape)}, target {tuple(target.shape)}"
        )
    batch, _, coordinates = input.shape
    if target.ndim != _RANK or target.shape[0] != batch or target.shape[2] != coordinates:
        raise incompatible_shapes(input, target, f"({batch}, M, {coordinates}), for any M")
    require_shape(target, "target", tuple(target.shape), input)  # on the input's device


def _counted(points: Tensor, mask: Tensor | None, name: str) -> Tensor:
    """Tell which points count."""
    if mask is None:
        return torch.ones(points.shape[:2], dtype=torch.bool, device=points.device)
    require_mask(mask)
    require_shape(mask, name, tuple(points.shape[:2]), points)
    return mask


def _selected(points: Tensor, counted: Tensor) -> Tensor:
    return torch.where(counted.unsqueeze(-1), points, 0)


@torch.no_grad()
def _nearest(points: Tensor, others: Tensor, there: Tensor) -> Tensor:
    """Find the nearest of the others that are there, for some points after another."""
    # What is infinitely far in every direction is nearest to nothing.
    others = torch.where(there.unsqueeze(-1), others, torch.inf)
    parts = torch.split(points, _points_at_once(points, others), 1)
    found = [_gaps(part, others).argmin(2) for part in parts]
    return torch.cat(found, 1)


def _points_at_once(points: Tensor, others: Tensor) -> int:
    if torch.compiler.is_compiling():
        return points.shape[1]  # a compiler that joins loops makes no tensor of all pairs
    pairs = _AT_ONCE.get(points.device.type, _AT_ONCE_ELSEWHERE)
    return max(1, pairs // max(1, len(points) * others.shape[1]))


def _gaps(points: Tensor, others: Tensor) -> Tensor:
    """Compute all squared distances, one coordinate after another: no tensor holds all differences."""
    gaps = (
        own.unsqueeze(2) - other.unsqueeze(1)
        for own, other in zip(points.unbind(2), others.unbind(2), strict=True)
    )
    total = next(gaps).square_()
    for gap in gaps:
        total += gap.square_()
    return total


def _at(points: Tensor, index: Tensor) -> Tensor:
    """Give the points of each sample at some places."""
    if points.device.type == "cpu":
        return points.gather(1, index.unsqueeze(2).expand(-1, -1, points.shape[2]))
    # Elsewhere the gradient of gather is added up in random order, and this one is sorted.
    return points[torch.arange(len(points), device=points.device).unsqueeze(1), index]
