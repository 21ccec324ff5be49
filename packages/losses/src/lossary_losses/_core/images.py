"""Images, whose positions are compared with their neighbours, one sample at a time where that pays."""

from torch import Tensor

from lossary_losses._core.base import define_loss, full_precision
from lossary_losses._core.by_sample import by_sample
from lossary_losses._core.dense import Dense, Selection, prepare
from lossary_losses._core.reduced import ElementLoss
from lossary_losses._core.reduction import Fraction, fraction_of_each
from lossary_losses._core.spread import wherever_spread
from lossary_losses.errors import InputValueError

__all__ = ["ImageLoss", "prepare_images"]

_RANK = 3
"""Batch, channels, and one dimension of space or more."""


@define_loss
class ImageLoss(ElementLoss):
    """A loss of the neighbours in images ``(B, C, *S)``, compared with other images or not."""

    @wherever_spread
    def fraction(
        self,
        input: Tensor,
        target: Tensor | None = None,
        *,
        mask: Tensor | None = None,
        weight: Tensor | None = None,
    ) -> Fraction:
        """Add up what the samples give, one at a time where that pays."""
        with full_precision(input):
            # Shapes that do not fit are refused as they are given, not as those of a sample.
            self.prepare(input, target, mask, weight)
            given = {"mask": mask, "weight": weight, **({} if target is None else {"target": target})}
            sums = by_sample(self, "fraction_of_samples", input, given, one_number=True)
            return Fraction(sums[0].sum(), sums[1].sum())

    def prepare(
        self, input: Tensor, target: Tensor | None, mask: Tensor | None, weight: Tensor | None
    ) -> Dense:
        """Check the shapes of everything."""
        return prepare_images(input, target, mask, weight)

    def fraction_of_samples(self, input: Tensor, **given: Tensor | None) -> tuple[Tensor, Tensor]:
        """Give numerator and denominator of each sample."""
        return fraction_of_each(self.elements(input, **given))


def prepare_images(input: Tensor, target: Tensor | None, mask: Tensor | None, weight: Tensor | None) -> Dense:
    """Check the shapes of everything; images without a target are their own."""
    dense = prepare(input, input if target is None else target, Selection(None, mask, weight), "values")
    if input.ndim < _RANK:
        raise InputValueError(
            f"images have a batch, channels and space, (B, C, *S): input {tuple(input.shape)}"
        )
    return dense
