"""Events: to whom something happened, and who was only seen until then."""

import torch
from torch import Tensor

from lossary_losses._core.checks import check_binary, plain
from lossary_losses._core.dense import require_tensor
from lossary_losses._core.rows import require_shape

__all__ = ["find_events"]


def find_events(event: Tensor | None, counted: Tensor | None, input: Tensor) -> Tensor:
    """Check the events, and say where there is one that counts."""
    if event is None:
        return input.new_ones(len(input), dtype=torch.bool) if counted is None else counted
    require_tensor(event, "event")
    require_shape(event, "event", tuple(input.shape[:1]), input)
    event = plain(event)
    event = event if counted is None else torch.where(counted, event, 0)
    check_binary(event, "event")
    return event != 0
