"""Saboteurs of masks and of ignore_index."""

import torch

from lossary_losses import CrossEntropyLoss
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
