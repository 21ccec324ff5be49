"""clDice loss: the overlap of each region with the centre line of the other."""

from collections.abc import Callable, Sequence
from functools import partial, reduce
from typing import Any, ClassVar

import attrs
import torch
from torch import Tensor
from torch.nn import functional
from torch.utils.checkpoint import checkpoint

from lossary_losses._core.base import define_loss
from lossary_losses._core.by_sample import by_sample
from lossary_losses._core.dense import Selection
from lossary_losses._core.options import integer, number
from lossary_losses._core.reduction import Elements
from lossary_losses._core.stable import times
from lossary_losses._core.streaming import is_large
from lossary_losses.errors import InputValueError
from lossary_losses.loss_registry_setup import loss_registry
from lossary_losses.segmentation.overlap import Overlap, RegionScoreLoss, over_space, prepare_regions, ratio
from lossary_losses.segmentation.regions import NEIGHBOURHOOD, find_regions

__all__ = ["SoftClDiceLoss"]

_KEPT = 2**16
"""How many elements a region may have for all that is made of it to be kept for the backward pass."""

_POOLS = {1: functional.max_pool1d, 2: functional.max_pool2d, 3: functional.max_pool3d}


@loss_registry.register(
    name="soft_cldice_loss",
    aliases=["SoftClDiceLoss"],
    tags=["segmentation", "binary", "multilabel", "multiclass", "overlap", "topology"],
)
@define_loss
class SoftClDiceLoss(RegionScoreLoss):
    r"""One minus the harmonic mean of how much of each centre line lies in the other region.

    .. math:: \ell = 1 - \frac{2\, \mathrm{Tprec} \cdot \mathrm{Tsens}}{\mathrm{Tprec} + \mathrm{Tsens}},
        \quad \mathrm{Tprec} = \frac{\sum_i S(p)_i\, t_i + s}{\sum_i S(p)_i + s},
        \quad \mathrm{Tsens} = \frac{\sum_i S(t)_i\, p_i + s}{\sum_i S(t)_i + s}

    with :math:`S` the soft skeleton: of a region eroded again and again, all that opening takes away.

    Convention:
        For vessels, roads, cracks: what is thin and should be connected. The paper adds it to the Dice loss,
        as a sum of ``dice_loss`` and ``soft_cldice_loss`` does; alone it does not care how thick a line is.
        ``iterations`` is the authors' ``iter_``: the skeleton of a region is right if it is at least its
        largest radius. There is a value for each sample and class, and the mean over both, where MONAI and
        the authors have one for the whole batch: ``batch=True`` for a single class. A ``weight`` of zero
        leaves a class out, the background say. Targets should be 0 or 1: for others the minimum is not at
        p = t. Skeletons are made of neighbours: excluded positions are zero in prediction and truth before
        skeletons are taken, as a hole in both regions. They have no gradient, and no influence by what stands
        there, but a loss under a mask is not that of the positions cut out. A position of weight zero is
        excluded as well.

    Shapes:
        ``input``: ``(B, C, *S)`` with one to three dimensions in S, logits; with ``activation="none"``
        probabilities.
        ``target``: ``(B, *S)`` class indices of any integer dtype, or values 0 to 1 of the input's shape.
        Result: a scalar, or with ``reduction="none"`` ``(B, C)``, ``(C,)`` where the batch is pooled.

    Args:
        iterations: How many times a region is eroded, >= 0: the largest radius to be thinned. Default: 3.
        smooth: Added above and below in both quotients, >= 0. Default: 1.
        weight: One factor per class, >= 0. Default: None, all one.
        activation: ``"sigmoid"``, ``"softmax"``, ``"none"``, or None to let the target's shape decide.
            Default: None.
        batch: Whether sums are pooled over the batch, so that one score per class stands for all samples.
            Default: False.
        empty: What a sample and class without any truth gives: ``"score"`` (default), the formula's value;
            ``"zero"``, as if perfect: false positives there are free; ``"skip"``, no part in the mean.
        ignore_index: Positions where the target equals it do not count. Default: None, all count.
        reduction: ``"mean"`` (default), ``"sum"`` or ``"none"``.
        process_group: The processes that share a batch: their gradients, once averaged, are then those of the
            whole batch in one process. Default: None, each process for itself.

    Raises:
        OptionTypeError: An option has the wrong type.
        OptionValueError: An option is out of its bounds.

    Example:
        >>> import torch
        >>> line = torch.zeros(1, 1, 5, 8)
        >>> line[:, :, 2] = 1
        >>> gap = line.clone()
        >>> gap[..., 3:5] = 0
        >>> SoftClDiceLoss(smooth=0.0, activation="none")(gap, line)
        tensor(0.1429)

    Reference:
        Shit et al. 2021, "clDice - A Novel Topology-Preserving Loss Function for Tubular Structure
        Segmentation", arXiv:2003.07311.
    """

    claims: ClassVar = attrs.evolve(RegionScoreLoss.claims, at_soft="elsewhere", exempt=NEIGHBOURHOOD)

    iterations: int = integer(default=3, at_least=0)
    smooth: float = number(default=1.0, at_least=0)

    def elements(
        self, input: Tensor, target: Tensor, *, mask: Tensor | None = None, weight: Tensor | None = None
    ) -> Elements:
        """Give the loss of each sample and class, or of each class of the whole batch."""
        prepare_regions(input, target, Selection(self.ignore_index, mask, weight), self.activation)
        if input.ndim - 2 not in _POOLS:
            raise InputValueError(
                f"a skeleton needs an input of shape (B, C, *S) with 1 to 3 dimensions in S, "
                f"got {tuple(input.shape)}"
            )
        counts = by_sample(self, "sums_of_samples", input, {"target": target, "mask": mask, "weight": weight})
        return self.elements_of(counts)

    def elements_of(self, counts: tuple[Tensor, ...]) -> Elements:
        """Give the loss of each sample and class from the sums of each sample."""
        inside, length, covered, true_length, true, counted = self.pooled(counts)
        smooth = self.smooth
        precision = ratio(inside + smooth, length + smooth)
        sensitivity = ratio(covered + smooth, true_length + smooth)
        both = precision + sensitivity
        score = 2 * precision * sensitivity / torch.where(both > 0, both, 1)
        return self.weighed(1 - score, Overlap(covered, length, true, counted))

    def sums_of_samples(
        self, input: Tensor, target: Tensor, mask: Tensor | None, weight: Tensor | None
    ) -> tuple[Tensor, ...]:
        """Add up skeletons, what of them lies in the other region, the truth, and what counts."""
        selection = Selection(self.ignore_index, mask, weight)
        predicted, true, share, _ = find_regions(input, target, selection, self.activation)
        counted = torch.ones_like(predicted[:, :1]) if share is None else share
        if not (predicted.requires_grad and is_large(predicted, more_than=_KEPT)):
            return *_lengths(predicted, true, share, self.iterations), over_space(counted)
        # A skeleton makes sixty tensors of its region on the way. They are made once more when needed:
        # class by class, and where there is one class erosion by erosion.
        classes = predicted.shape[1]
        of_class = partial(_lengths, iterations=self.iterations, lean=classes == 1)
        lengths = [
            of_class(*part) if classes == 1 else _again(of_class, *part)
            for part in zip(*(_of_classes(each, classes) for each in (predicted, true, share)), strict=True)
        ]
        return *(torch.cat(each, dim=1) for each in zip(*lengths, strict=True)), over_space(counted)


def _of_classes(values: Tensor | None, classes: int) -> list[Tensor | None]:
    if values is None or values.shape[1] == 1:
        return [values] * classes
    return [values[:, index : index + 1] for index in range(classes)]


def _again(function: Callable[..., Any], *arguments: object) -> Any:  # noqa: ANN401 - what the function gives
    """Call a function whose tensors are not kept, but made again for the backward pass."""
    return checkpoint(function, *arguments, use_reentrant=False, preserve_rng_state=False)


def _lengths(
    predicted: Tensor, true: Tensor, share: Tensor | None, iterations: int, *, lean: bool = False
) -> tuple[Tensor, ...]:
    """Add up skeletons, what of them lies in the other region, and the truth."""
    skeleton, true_skeleton = (soft_skeleton(each, iterations, lean=lean) for each in (predicted, true))
    parts = (skeleton * true, skeleton, true_skeleton * predicted, true_skeleton, true)
    return tuple(over_space(times(each, share)) for each in parts)


def soft_skeleton(region: Tensor, iterations: int, *, lean: bool = False) -> Tensor:
    """Collect what is lost at each erosion when the eroded region grows again; values 0 to 1, (B, C, *S)."""
    if region.numel() == 0:  # pooling refuses a space without positions
        return region
    skeleton = torch.zeros_like(region)
    for _ in range(iterations + 1):
        step = partial(_again, _thinned) if lean and region.requires_grad else _thinned
        region, skeleton = step(region, skeleton)
    return skeleton


def _thinned(region: Tensor, skeleton: Tensor) -> tuple[Tensor, Tensor]:
    """Erode once, and give the skeleton what is lost for good."""
    eroded = _erode(region)
    ridge = (region - _dilate(eroded)).relu()
    return eroded, skeleton + ridge * (1 - skeleton)


def _erode(region: Tensor) -> Tensor:
    """Take the least of each position and its neighbours along the axes."""
    # The least is the largest of the negatives, and pooling knows the largest only.
    return -reduce(torch.maximum, [_largest(-region, [axis]) for axis in range(2, region.ndim)])


def _dilate(region: Tensor) -> Tensor:
    """Take the largest of each position and its neighbours, diagonal ones included."""
    return _largest(region, range(2, region.ndim))


def _largest(values: Tensor, axes: Sequence[int]) -> Tensor:
    """Take the largest of each position and its neighbours along some axes together."""
    if values.device.type == "cpu":
        along = [axis in axes for axis in range(2, values.ndim)]
        kernel, padding = [3 if each else 1 for each in along], [int(each) for each in along]
        return _POOLS[len(along)](values, kernel, stride=1, padding=padding)
    # Elsewhere the gradient of pooling is added up in random order.
    for axis in reversed(axes):
        values = _largest_along(values, axis)
    return values


def _largest_along(values: Tensor, axis: int) -> Tensor:
    """Take the largest of each position and its two neighbours; the first of equal ones, as pooling does."""
    size = values.shape[axis]
    beyond = torch.full_like(values.narrow(axis, 0, 1), -torch.inf)
    padded = torch.cat([beyond, values, beyond], dim=axis)
    largest = padded.narrow(axis, 0, size)
    for offset in (1, 2):
        other = padded.narrow(axis, offset, size)
        largest = torch.where(largest >= other, largest, other)
    return largest
