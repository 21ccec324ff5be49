"""By how much more likely an answer has become than a reference has it."""

from torch import Tensor

from lossary_losses._core.base import require_floating_point
from lossary_losses._core.reduction import widened
from lossary_losses._core.rows import require_shape
from lossary_losses._core.stable import bounded

__all__ = ["gain_over"]


def gain_over(input: Tensor, reference: Tensor | None) -> Tensor:
    """Subtract the scores of a reference, which has no gradient; None: nothing."""
    if reference is None:
        return input
    require_floating_point(reference, "reference")
    require_shape(reference, "reference", tuple(input.shape), input)
    input = bounded(widened(input))
    return input - bounded(reference.detach().to(input.dtype))
