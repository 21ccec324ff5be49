"""What a module holds besides parameters: numbers that were given to it, and groups of processes.

Numbers are exact, whatever the default dtype, in float64 where they need it and a device has it; what is
computed with them has the input's dtype.
"""

import copy
import math
import warnings
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from torch.distributed import ProcessGroup

from lossary_losses._core.checks import values_readable

if TYPE_CHECKING:
    from typing_extensions import Self

__all__ = ["Stateful"]


class Stateful(nn.Module):
    """A module whose numbers are buffers, and which can be copied and saved with a group of processes."""

    _given: dict[str, object]
    """The numbers of each buffer as plain Python numbers; None where they are not known."""
    _fixed: frozenset[str]
    """The buffers whose dtype stays when that of the module changes."""

    def __init__(self) -> None:
        super().__init__()
        self._given, self._fixed = {}, frozenset()

    def hold(self, name: str, numbers: Tensor, *, saved: bool = False, fixed: bool = False) -> None:
        """Hold numbers as a buffer that moves along, and keeps its dtype if ``fixed``."""
        self._given[name] = numbers.tolist() if values_readable(numbers) else None
        if fixed:
            self._fixed |= {name}
        if numbers.device.type == "cpu":
            numbers = _placed(numbers, torch.empty(0).device)  # the default, which may be meta
        self.register_buffer(name, numbers, persistent=saved)

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> "Self":
        """Move as any module does, with numbers that stay what they are.

        On the meta device they have no values: what comes from there has those that were given, or NaN,
        where memory that nobody has written to would be taken for weights.
        """
        if recurse:
            for child in self.children():
                child._apply(fn)  # type: ignore[no-untyped-call]  # noqa: SLF001 - as torch does
        before = dict(self._buffers)
        super()._apply(partial(_moved, fn), recurse=False)  # type: ignore[no-untyped-call]
        for name, given in self._given.items():
            old, new = before.get(name), self._buffers.get(name)
            if old is None or new is None:
                continue
            if name in self._fixed and new.dtype != old.dtype:
                new = self._buffers[name] = _placed(old, new.device)
            if old.is_meta and not new.is_meta:
                with torch.no_grad():
                    new.copy_(
                        torch.tensor(math.nan if given is None else given, dtype=torch.float64).to(new.dtype)
                    )
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> "Self":
        """Copy everything but the group, which is that of the original."""
        memo.update((id(each), each) for each in vars(self).values() if isinstance(each, ProcessGroup))
        twin = memo[id(self)] = type(self).__new__(type(self))
        twin.__setstate__(copy.deepcopy(vars(self), memo))  # type: ignore[no-untyped-call]
        return twin

    def __copy__(self) -> "Self":
        """Share everything, the group too."""
        twin = type(self).__new__(type(self))
        twin.__setstate__(vars(self).copy())  # type: ignore[no-untyped-call]
        return twin

    def __getstate__(self) -> dict[str, Any]:
        """Leave the group out of what is pickled: it consists of processes that run now."""
        groups = [name for name, each in vars(self).items() if isinstance(each, ProcessGroup)]
        if groups:
            warnings.warn(
                f"{type(self).__name__} is saved without its {groups[0]}: give it one where it is loaded",
                stacklevel=2,
            )
        return {**vars(self), **dict.fromkeys(groups)}


def _moved(fn: Callable[[Tensor], Tensor], tensor: Tensor) -> Tensor:
    """Do to a tensor what a module is told to do; a device without float64 has it in float32."""
    try:
        return fn(tensor)
    except TypeError:
        if tensor.dtype != torch.float64:
            raise
        return fn(tensor.float())


def _placed(numbers: Tensor, device: torch.device) -> Tensor:
    return _moved(lambda tensor: tensor.to(device), numbers)
