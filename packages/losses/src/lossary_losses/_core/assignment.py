"""Assignment: which prediction is for which target, so that the costs of all pairs add up to the least."""

from itertools import permutations

import torch
from torch import Tensor

from lossary_losses.errors import MissingPackageError

__all__ = ["assign"]

_FEW = 3
"""Up to so many, trying all orders on the device takes less than asking another one."""

_ORDERS = [list(permutations(range(count))) for count in range(_FEW + 1)]
"""The orders of so many, made here, since torch 2.6 cannot trace how."""


@torch.no_grad()
def assign(cost: Tensor, valid: Tensor | None = None) -> Tensor:
    """Give the row that each column is assigned to.

    A cost of NaN is chosen last, one of infinity before it; of assignments that cost the same, always the
    same one is taken.

    Args:
        cost: ``(B, rows, columns)``; a row is assigned once, and so is a column.
        valid: ``(B, columns)``, True where a column is to be assigned. Default: None, all are.

    Returns:
        ``(B, columns)``; -1 where a column does not count, or there are not enough rows.

    Raises:
        MissingPackageError: scipy is needed, and not installed.
    """
    cost = _comparable(cost.detach())
    rows, columns = cost.shape[1:]
    if valid is None and rows == columns <= _FEW:
        return _best_order(cost)
    if valid is None:
        valid = torch.ones(len(cost), columns, dtype=torch.bool, device=cost.device)
    result: Tensor = _assignment(cost, valid)
    return result


def _comparable(cost: Tensor) -> Tensor:
    """Replace what is not finite, so that sums stay finite and worse is more."""
    wide = cost.to(torch.float32 if cost.device.type == "mps" else torch.float64)
    if wide.numel() == 0:
        return wide
    pairs = min(cost.shape[1:])
    largest = torch.where(wide.isfinite(), wide.abs(), 0).amax((1, 2), keepdim=True)
    # No sum of others outweighs one of these.
    endless = (largest + 1) * (2 * pairs + 1)
    wide = torch.where(wide.isinf(), endless.copysign(wide), wide)
    return torch.where(wide.isnan(), endless * (2 * pairs + 1), wide)


def _best_order(cost: Tensor) -> Tensor:
    """Try every order, on the device."""
    count = cost.shape[1]
    orders = torch.tensor(_ORDERS[count], dtype=torch.int64, device=cost.device)
    totals = cost[:, orders, torch.arange(count, device=cost.device)].sum(-1)
    return orders[totals.argmin(1)]


@torch.library.custom_op("lossary_losses::assignment", mutates_args=())
def _assignment(cost: Tensor, valid: Tensor) -> Tensor:
    try:
        from scipy.optimize import linear_sum_assignment  # noqa: PLC0415 - an extra, and slow to import
    except ImportError as error:
        raise MissingPackageError("scipy", "to match predictions with targets", extra="matching") from error
    rows = torch.full(valid.shape, -1)
    for costs, counts, chosen in zip(cost.cpu(), valid.cpu(), rows, strict=True):
        columns = counts.nonzero().flatten()
        of_rows, of_columns = linear_sum_assignment(costs[:, columns].numpy())
        chosen[columns[torch.from_numpy(of_columns)]] = torch.from_numpy(of_rows)
    return rows.to(cost.device)


@_assignment.register_fake
def _(cost: Tensor, valid: Tensor) -> Tensor:
    return cost.new_empty(valid.shape, dtype=torch.int64)
