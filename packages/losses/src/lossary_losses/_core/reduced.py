"""Losses of many elements, which ``reduction`` brings together: how they are called.

A loss says what its elements are (``elements``); where its ``forward`` takes other tensors than these bases
have, it writes a typed one that hands them on to :meth:`ElementLoss.result`, and nothing else.
"""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor
from torch.distributed import ProcessGroup

from lossary_losses._core.base import Loss, define_loss, full_precision
from lossary_losses._core.distribution import over_processes
from lossary_losses._core.options import choice, group
from lossary_losses._core.reduction import Elements, Fraction, Reduction, mean, to_fraction
from lossary_losses._core.spread import together, wherever_spread
from lossary_losses.errors import OptionValueError

if TYPE_CHECKING:
    from lossary_losses._core.claims import Claims

__all__ = ["ElementLoss", "ReducedLoss", "Shape", "TargetlessLoss", "shape_of", "stand_in"]

Shape = Sequence[int] | Tensor
"""The shape of an input, or a tensor that has it."""


def shape_of(like: Shape) -> tuple[int, ...]:
    """Give the shape that something of that shape stands for."""
    return tuple(like.shape if isinstance(like, Tensor) else like)


def stand_in(like: Shape, others: Iterable[object]) -> Tensor:
    """Give an input of a shape, for the counts, which do not depend on its values."""
    device = next((each.device for each in others if isinstance(each, Tensor)), None)
    return torch.zeros((), dtype=_widest(device), device=device).expand(shape_of(like))


def _widest(device: torch.device | None) -> torch.dtype:
    """Give the widest dtype that a device computes in; Metal has nothing wider than float32."""
    return torch.float32 if device is not None and device.type == "mps" else torch.float64


@define_loss
class ElementLoss(Loss):
    """What losses of elements share, whatever tensors their ``forward`` takes."""

    reduction: Reduction = choice("none", "mean", "sum", default="mean")
    process_group: ProcessGroup | None = group(default=None)

    # Anything, so that each loss names the tensors that it takes, and type checkers hold it to nothing else.
    def elements(self, *tensors: Any, **arguments: Any) -> Elements:  # noqa: ANN401
        """Give the loss of each element, and how much each counts in the mean."""
        raise NotImplementedError(f"{type(self).__name__} must say what its elements are")

    def leading(self, input: Any) -> Tensor:  # noqa: ANN401 - a loss may take several tensors as one input
        """Give the tensor whose dtype and device are those of the computation: the input, if it is one."""
        given: Tensor = input
        return given

    @property
    def sums_over_processes(self) -> bool:
        """Whether the elements are those of all processes already."""
        return False

    @wherever_spread
    def fraction(self, input: Tensor, *tensors: Any, **arguments: Any) -> Fraction:  # noqa: ANN401
        """Give the mean as a numerator and a denominator, whatever ``reduction`` says.

        For gradient accumulation and data parallelism over batches that count differently: divide the sum
        of the numerators by the sum of the denominators. It takes what ``forward`` takes.
        """
        with full_precision(self.leading(input)):
            return to_fraction(self.elements(input, *tensors, **arguments))

    @property
    def adds_up(self) -> bool:
        """Whether the mean over a batch is that of the fractions of its parts, added up."""
        claims: Claims | None = getattr(self, "claims", None)
        is_split = claims is None or (claims.couples is None and claims.adds_up != "no")
        return is_split and not self.sums_over_processes

    def counts(
        self,
        target: Tensor | None = None,
        *,
        like: Shape,
        mask: Tensor | None = None,
        weight: Tensor | None = None,
        **arguments: Any,  # noqa: ANN401
    ) -> Tensor:
        """Give the denominator that ``fraction`` would give, before there is an input.

        So a trainer knows what to divide by before the first forward pass of a step.

        Args:
            target: As for ``forward``; None where the loss takes none.
            like: The shape of the input, or a tensor of which only the shape is used.
            mask: As for ``forward``.
            weight: As for ``forward``.
            arguments: What else ``forward`` takes.

        Returns:
            A scalar, in float64 where the device has it: float32 cannot count beyond 2 ** 24.
        """
        given = {"target": target, "mask": mask, "weight": weight, **arguments}
        given = {name: value for name, value in given.items() if value is not None}
        with torch.no_grad():
            return self.fraction(stand_in(like, given.values()), **given).denominator.detach()

    def result(self, input: Tensor, *tensors: Any, **arguments: Any) -> Tensor:  # noqa: ANN401
        """Give what ``reduction`` asks for; for a ``forward`` to hand its tensors to."""
        if self.reduction == "none":
            input, *tensors = (together(each) for each in (input, *tensors))  # type: ignore[assignment]
            arguments = {name: together(each) for name, each in arguments.items()}
            with full_precision(self.leading(input)):
                return self.elements(input, *tensors, **arguments).value
        return self.reduced(self.fraction(input, *tensors, **arguments))

    def reduced(self, fraction: Fraction) -> Tensor:
        """Give the sum or the mean, over all processes that share the batch."""
        if self.process_group is not None and not self.sums_over_processes:
            fraction = over_processes(fraction, self.process_group)
        if self.reduction not in ("mean", "sum"):  # as an attribute, which nobody checks when it is set
            raise OptionValueError(f"reduction must be 'none', 'mean' or 'sum', got {self.reduction!r}")
        return fraction.numerator if self.reduction == "sum" else mean(fraction)


@define_loss
class ReducedLoss(ElementLoss):
    """A loss of many elements that ``reduction`` brings together; subclasses say what an element is."""

    def forward(
        self, input: Tensor, target: Tensor, *, mask: Tensor | None = None, weight: Tensor | None = None
    ) -> Tensor:
        """Compute the loss.

        Args:
            input: What the network gives; half precision is computed in float32.
            target: What it should have given.
            mask: Bool, True where a position counts; of shape ``(B, *S)`` or the target's.
            weight: How much each position counts; of shape ``(B, *S)``, or the input's where classes do not
                exclude each other.

        Returns:
            A scalar, or each element's loss with ``reduction="none"``.

        Raises:
            InputValueError: The shapes do not fit together, or the target holds impossible values.
            InputTypeError: A dtype is unusable, such as class indices given as floats.
        """
        return self.result(input, target, mask=mask, weight=weight)


@define_loss
class TargetlessLoss(ElementLoss):
    """A loss of the input alone, such as how rough an image is; subclasses say what an element is."""

    def forward(self, input: Tensor, *, mask: Tensor | None = None, weight: Tensor | None = None) -> Tensor:
        """Compute the loss.

        Args:
            input: What the network gives; half precision is computed in float32.
            mask: Bool, True where an element counts.
            weight: How much each element counts.

        Returns:
            A scalar, or each element's loss with ``reduction="none"``.

        Raises:
            InputValueError: The shapes do not fit together.
            InputTypeError: A dtype is unusable.
        """
        return self.result(input, mask=mask, weight=weight)
