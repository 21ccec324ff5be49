"""Saboteurs of masks and of ignore_index."""

import torch

from lossary_losses import BCELoss, CrossEntropyLoss
from saboteurs.breaking import breaks
from saboteurs.plain import Plain


@breaks("masked_is_cut_out", "masked, reduction='mean': got")
@breaks("ignored_is_cut_out", "ignored, reduction='mean': got")
@breaks("one_sample_may_be_masked", "beside a sample that is masked, reduction='mean': got")
class DividesByAll(Plain):
    def reduce(self, each, share):
        total = (each * share).sum()
        return total if self.reduction == "sum" else total / share.numel()


@breaks("masked_is_cut_out", "masked, reduction='sum': got")
class AddsMaskedUp(Plain):
    def reduce(self, each, share):
        return each.sum() + (1 - share).sum() if self.reduction == "sum" else super().reduce(each, share)


@breaks("masked_is_cut_out", "IndexError|RuntimeError")
class MasksOfPositionsOnly(Plain):
    def counts(self, target, mask):
        return super().counts(target, None if mask is None else mask.unsqueeze(1).expand(target.shape))


@breaks("a_mask_hides_anything", "the value beside masked NaN: got nan")
@breaks("an_ignored_position_hides_anything", "the value beside ignored NaN: got nan")
class MultipliesByTheMask(Plain):
    def each(self, input, target, counts):
        return (input - target).square() * counts


@breaks("a_mask_hides_anything", "the gradient of masked positions is not zero")
class PoisonsTheGradient(Plain):
    def each(self, input, target, counts):
        return torch.where(counts, (input - target.nan_to_num()).square(), 0)


@breaks("an_ignored_position_hides_anything", "the gradient is not finite")
class PoisonsTheGradientWhereIgnored(PoisonsTheGradient):
    pass


@breaks("a_mask_hides_anything", "label", targets=["labels"])
class LooksAtMaskedLabels(CrossEntropyLoss):
    def forward(self, input, target, *, mask=None, weight=None):
        if not target.is_floating_point() and target.max() >= input.shape[1]:
            raise ValueError("label out of range")
        return super().forward(input, target, mask=mask, weight=weight)


@breaks("nothing_counts_under_an_empty_mask", "the loss of nothing is nan, not zero, reduction='mean'")
@breaks("nothing_counts_when_all_is_ignored", "the loss of nothing is nan, not zero, reduction='mean'")
class DividesByNothing(Plain):
    def reduce(self, each, share):
        total = (each * share).sum()
        return total if self.reduction == "sum" else total / share.sum()


@breaks("nothing_counts_under_an_empty_mask", "not connected to the input")
class GivesAConstant(Plain):
    def reduce(self, each, share):
        return super().reduce(each, share) if share.any() else torch.zeros(())


@breaks("one_sample_may_be_masked", "the masked sample has a gradient")
class SpreadsTheGradient(Plain):
    def each(self, input, target, counts):
        return super().each(input, target, counts) + 1e-3 * input.mean()


@breaks("any_label_may_be_ignored", "ignore_index=-100|label", targets=["labels"])
class IgnoresNoNegativeLabel(CrossEntropyLoss):
    def __attrs_post_init__(self):
        super().__attrs_post_init__()
        if self.ignore_index is not None and self.ignore_index < 0:
            self.ignore_index = None


@breaks("any_label_may_be_ignored", "ignore_index=0, as built: got", targets=["labels"])
class IgnoresNoClass(CrossEntropyLoss):
    def forward(self, input, target, *, mask=None, weight=None):
        if self.ignore_index == 0:
            return CrossEntropyLoss(reduction=self.reduction)(input, target, mask=mask, weight=weight)
        return super().forward(input, target, mask=mask, weight=weight)


@breaks("any_label_may_be_ignored", "a label of 255 beside ignore_index=-1 is accepted", targets=["labels"])
class WrapsAround(CrossEntropyLoss):
    def forward(self, input, target, *, mask=None, weight=None):
        wrapped = target.to(torch.int64)
        if target.dtype == torch.uint8 and self.ignore_index == -1:
            wrapped = wrapped.masked_fill(target == 255, -1)
        return super().forward(input, wrapped, mask=mask, weight=weight)


@breaks("any_label_may_be_ignored", "ignore_index=-100, label_smoothing=0.1: got", targets=["labels"])
class SmoothsOverIgnored(CrossEntropyLoss):
    def forward(self, input, target, *, mask=None, weight=None):
        value = super().forward(input, target, mask=mask, weight=weight)
        smoothed = 0.0 if self.ignore_index is None else self.label_smoothing
        return value - smoothed * input.log_softmax(1).mean()


class LooksAtPositions(BCELoss):
    """Takes a mask of elements for one of positions."""

    def of_positions(self, counts):
        raise NotImplementedError

    def forward(self, input, target, *, mask=None, weight=None):
        if self.ignore_index is not None:
            counts = target != self.ignore_index
            mask = counts if mask is None else counts & mask
            target = target.masked_fill(~counts, 0)
        if mask is not None and mask.shape == target.shape:
            mask = self.of_positions(mask)
        return BCELoss(reduction=self.reduction)(input, target, mask=mask, weight=weight)


@breaks("masks_may_differ_between_channels", "the gradient of an element that is left out is not zero")
@breaks("ignored_elements_may_differ_between_channels", "of an element that is left out is not zero")
class CountsWhereAnyCounts(LooksAtPositions):
    def of_positions(self, counts):
        return counts.any(1)


@breaks("masks_may_differ_between_channels", "has no part because another channel is left out")
@breaks("ignored_elements_may_differ_between_channels", "because another channel is left out")
class CountsWhereAllCount(LooksAtPositions):
    def of_positions(self, counts):
        return counts.all(1)
