"""Groups of processes for losses that look at a batch as a whole."""

from typing import TypeVar

from torch import nn
from torch.distributed import ProcessGroup

from lossary_losses._core.reduced import ElementLoss

__all__ = ["with_group"]

_Module = TypeVar("_Module", bound=nn.Module)


def with_group(loss: _Module, group: ProcessGroup | None) -> _Module:
    """Let every loss within that looks at the batch as a whole look at that of all processes of a group.

    A configuration cannot name a group: it is of the process that reads it. Losses whose parts add up are
    left as they are: :class:`Exact` counts for them.

    Args:
        loss: A loss, or a composite of losses, which is changed.
        group: The processes that share a batch; None: each looks at its own.

    Returns:
        The same loss.
    """
    for path, module in loss.named_modules():
        if isinstance(module, ElementLoss) and not module.adds_up:
            module.process_group = group
            for above in _above(loss, path):
                if hasattr(above, "process_group"):  # a pair hands its options on
                    above.process_group = group  # type: ignore[assignment]
    return loss


def _above(loss: nn.Module, path: str) -> list[nn.Module]:
    """Give the modules that a module is within."""
    names = path.split(".")[:-1]
    return [loss.get_submodule(".".join(names[:end])) for end in range(len(names) + 1)]
