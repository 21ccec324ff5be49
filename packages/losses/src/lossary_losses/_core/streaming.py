"""Sums over positions, computed part by part: what is kept for the backward pass becomes the gradient.

A part fits the cache, so that the passes over it are fast. The forward pass leaves a draft of the gradient,
of the input's size, and the backward pass finishes it in place: no other tensor of that size is ever made.
Where a graph is compiled, transformed, differentiated twice or forwards, or where the formula holds what has
a gradient of its own, the plain formula is evaluated on the whole instead: the numbers are the same.
"""

from collections.abc import Callable, Iterator
from functools import cache, partial
from typing import Any, Protocol

import torch
from torch import Tensor
from torch.autograd import forward_ad
from torch.distributed import ProcessGroup

from lossary_losses._core.checks import values_readable
from lossary_losses._core.dense import Dense, Ready, ready
from lossary_losses._core.distribution import sum_over_processes
from lossary_losses._core.frozen import freeze

__all__ = [
    "Sums",
    "cut_out",
    "flattened",
    "gradients",
    "is_large",
    "is_seen_as_a_whole_only",
    "parts_of",
    "streamed_sums",
    "three_dimensional",
]

_PART = {"cpu": 2**18, "cuda": 2**24}
"""How many elements of the input make a part: 1 MiB stays in a core's cache, 64 MiB keep a GPU busy."""

_SMALLEST_PART = {"cpu": 2**16, "cuda": 2**22}
"""Below it, calling an operation takes longer than the operation."""

_PARTS = 16
"""A formula holds a dozen tensors of a part's size: of so many parts that is less than the input."""


class Sums(Protocol):
    """A formula whose results are sums over positions, of each sample."""

    def sums(self, ready: Ready) -> tuple[Tensor, ...]:
        """Compute the sums, each of shape ``(B, ...)``, with operations that torch can differentiate."""
        ...

    def sums_with_draft(self, ready: Ready, draft: Tensor) -> tuple[Tensor, ...]:
        """Compute the sums, and write down what of the gradient does not depend on what becomes of them."""
        ...

    def finish(self, draft: Tensor, part: Callable[[], Ready], upstream: tuple[Tensor, ...]) -> None:
        """Turn a draft into the gradient with respect to the input, in place, given that of each sum."""
        ...


def streamed_sums(
    formula: Sums, dense: Dense, position_group: ProcessGroup | None = None
) -> tuple[Tensor, ...]:
    """Compute the sums of a formula, over the positions that all processes of a group have of each sample."""
    sums = _local_sums(formula, dense)
    return sums if position_group is None else sum_over_processes(sums, position_group)


def _local_sums(formula: Sums, dense: Dense) -> tuple[Tensor, ...]:
    """Compute the sums part by part where that pays and nothing else needs the graph."""
    if is_large(dense.input):
        frozen, held = freeze(formula)
        others = (dense.target, dense.mask, dense.weight, *held)
        if not any(other is not None and is_seen_as_a_whole_only(other) for other in others):
            notes = _Notes(wanted=torch.is_grad_enabled() and dense.input.requires_grad)
            sums: tuple[Tensor, ...] = _Streamed.apply(frozen, held, notes, dense, dense.input)  # type: ignore[no-untyped-call]
            return sums
    return formula.sums(ready(dense))


class _Notes:
    """What the forward pass leaves to the backward pass."""

    def __init__(self, *, wanted: bool) -> None:
        self.wanted = wanted
        self.draft: Tensor | None = None
        self.hard = True

    def begin(self, input: Tensor) -> None:
        """Make room for a draft, unless it were larger than the gradient, as for half precision."""
        if self.wanted and input.dtype in (torch.float32, torch.float64):
            self.draft = torch.empty(input.shape, dtype=input.dtype, device=input.device)

    def take(self) -> Tensor | None:
        """Give the draft away: what is finished in place cannot be finished again."""
        draft, self.draft = self.draft, None
        return draft


def is_large(input: Tensor, *, more_than: int | None = None) -> bool:
    """Tell whether an input makes several parts, and nothing but a gradient is wanted of it."""
    part = _PART.get(input.device.type) if more_than is None else more_than
    return not (
        part is None
        or not values_readable(input)
        or input.numel() <= part
        or _has_tangent(input)
        or torch._C._are_functorch_transforms_active()  # noqa: SLF001 - torch names it nowhere else
    )


def is_seen_as_a_whole_only(tensor: Tensor) -> bool:
    """Tell whether a tensor beside the input has a gradient or a tangent of its own, or no values."""
    return (
        (torch.is_grad_enabled() and tensor.requires_grad)
        or not values_readable(tensor)
        or _has_tangent(tensor)
    )


def _has_tangent(tensor: Tensor) -> bool:
    """Tell whether a tensor is differentiated forwards, which no autograd function here knows."""
    return forward_ad.unpack_dual(tensor).tangent is not None  # type: ignore[no-untyped-call]


class _Streamed(torch.autograd.Function):
    """Sums over parts, whose gradient is computed part by part again."""

    @staticmethod
    def forward(
        formula: Sums,
        held: tuple[Tensor, ...],  # noqa: ARG004 - by the formula; for the backward pass
        notes: _Notes,
        dense: Dense,
        input: Tensor,
    ) -> tuple[Tensor, ...]:
        """Add up what each part gives, and draft the gradient on the way."""
        dense = flattened(dense._replace(input=input))
        notes.begin(dense.input)
        samples: list[tuple[Tensor, ...]] = []
        for batch, positions in parts_of(dense.input):
            part = ready(cut_out(dense, batch, positions))
            notes.hard &= part.hard
            if notes.draft is None:
                sums = formula.sums(part)
            else:
                sums = formula.sums_with_draft(part, notes.draft[batch, :, positions])
            if positions.start:
                sums = tuple(a + b for a, b in zip(samples.pop(), sums, strict=True))
            samples.append(sums)
        return tuple(torch.cat(each) for each in zip(*samples, strict=True))

    @staticmethod
    def setup_context(
        ctx: Any,  # noqa: ANN401 - torch's own signature
        inputs: tuple[Sums, tuple[Tensor, ...], _Notes, Dense, Tensor],
        output: tuple[Tensor, ...],  # noqa: ARG004 - torch's own signature
    ) -> None:
        """Keep what the gradient is made of: the formula as it is now, the inputs themselves, the draft.

        What the formula holds is saved so that torch refuses to go on where it was changed in place.
        """
        ctx.formula, held, ctx.notes, dense, input = inputs
        ctx.save_for_backward(input, dense.target, dense.mask, dense.weight, *held)
        ctx.meaning = dense.kind, dense.ignore_index

    @staticmethod
    def backward(ctx: Any, *upstream: Tensor) -> tuple[None, None, None, None, Tensor]:  # noqa: ANN401 - torch's own signature
        """Finish the gradient part by part; for a second derivative, differentiate the plain formula.

        So too for several gradients at once, with ``is_grads_batched``: there is one draft.
        """
        dense = Dense(*ctx.saved_tensors[:4], *ctx.meaning)
        if torch.is_grad_enabled() or not all(values_readable(each) for each in upstream):
            with torch.enable_grad():
                sums = ctx.formula.sums(ready(dense, check=False))
            return None, None, None, None, gradients(sums, dense.input, upstream, again=True)[0]
        return None, None, None, None, _gradient(ctx.formula, dense, ctx.notes, upstream)


def _gradient(formula: Sums, dense: Dense, notes: _Notes, upstream: tuple[Tensor, ...]) -> Tensor:
    flat = flattened(dense)
    draft = notes.take()
    gradient = draft
    if gradient is None:
        gradient = torch.empty(flat.input.shape, dtype=dense.input.dtype, device=dense.input.device)
    for batch, positions in parts_of(flat.input):
        # Made when it is asked for, and once.
        part = cache(partial(ready, cut_out(flat, batch, positions), check=False, hard=notes.hard))
        place = gradient[batch, :, positions]
        part_draft = place
        if draft is None:
            part_draft = torch.empty_like(part().input)
            formula.sums_with_draft(part(), part_draft)
        formula.finish(part_draft, part, tuple(each[batch] for each in upstream))
        if draft is None:
            place.copy_(part_draft)
    return gradient.view(dense.input.shape)


def gradients(
    results: tuple[Tensor, ...], input: Tensor, upstream: tuple[Tensor, ...], *, again: bool = False
) -> tuple[Tensor, ...]:
    """Give the gradient of results with respect to the input, to be differentiated ``again`` or not."""
    pairs = [(each, above) for each, above in zip(results, upstream, strict=True) if each.requires_grad]
    return torch.autograd.grad(
        [each for each, _ in pairs], input, [above for _, above in pairs], create_graph=again
    )


def flattened(dense: Dense) -> Dense:
    """Bring every tensor to ``(B, C, N)``; a view, unless the memory of a tensor is in no usual order."""
    tensors = (dense.input, dense.target, dense.mask, dense.weight)
    input, target, mask, weight = (None if each is None else three_dimensional(each) for each in tensors)
    assert input is not None and target is not None  # noqa: S101, PT018 - tells the type checker
    return dense._replace(input=input, target=target, mask=mask, weight=weight)


def three_dimensional(tensor: Tensor) -> Tensor:
    """Bring a tensor to ``(B, C, N)``."""
    while tensor.ndim < 3:  # noqa: PLR2004 - batch, classes, positions
        tensor = tensor.unsqueeze(-1)
    return tensor.flatten(2)


def parts_of(input: Tensor) -> Iterator[tuple[slice, slice]]:
    """Cut ``(B, C, N)`` into several samples at once, or each sample into several ranges of positions."""
    device = input.device.type
    part = min(_PART[device], max(_SMALLEST_PART[device], input.numel() // _PARTS))
    samples, classes, positions = input.shape
    samples_at_once = max(1, part // (classes * positions))
    positions_at_once = positions if samples_at_once > 1 else max(1, part // classes)
    for first in range(0, samples, samples_at_once):
        for start in range(0, positions, positions_at_once):
            yield slice(first, first + samples_at_once), slice(start, start + positions_at_once)


def cut_out(dense: Dense, batch: slice, positions: slice) -> Dense:
    """Cut a part out of tensors ``(B, C, N)``; views of them."""

    def cut(tensor: Tensor | None) -> Any:  # noqa: ANN401 - the type that is given
        return None if tensor is None else tensor[batch, :, positions]

    return dense._replace(
        input=cut(dense.input), target=cut(dense.target), mask=cut(dense.mask), weight=cut(dense.weight)
    )
