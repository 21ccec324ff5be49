"""Saboteurs of how a loss is built and called."""

import torch
from torch import nn
from torch.nn import functional

from lossary_losses import BCELoss, CrossEntropyLoss, DiceLoss, FocalLoss, MSELoss
from saboteurs.breaking import breaks


@breaks("one_signature", "forward takes no argument 'weight'")
class WithoutWeight(BCELoss):
    def forward(self, input, target, *, mask=None):
        return super().forward(input, target, mask=mask)


@breaks("one_signature", r"forward takes \['pred', 'target'\] first")
class OtherNames(BCELoss):
    def forward(self, pred, target, *, mask=None, weight=None):
        return super().forward(pred, target, mask=mask, weight=weight)


@breaks("one_signature", "mask is not keyword-only")
class MaskByPosition(BCELoss):
    def forward(self, input, target, mask=None, *, weight=None):
        return super().forward(input, target, mask=mask, weight=weight)


@breaks("unknown_options_are_refused", "an unknown option is accepted")
class AnyOption(BCELoss):
    def __init__(self, **options):
        super().__init__()


@breaks("options_are_checked", "gamma=nan is accepted", targets=["binary"])
class Unchecked(nn.Module):
    def __init__(self, gamma=2.0):
        super().__init__()
        self.gamma = gamma

    def forward(self, input, target, *, mask=None, weight=None):
        return functional.binary_cross_entropy_with_logits(input, target) ** self.gamma


@breaks("options_are_checked", "the message does not mention gamma", targets=["binary"])
class ChecksWithoutAName(Unchecked):
    def __init__(self, gamma=2.0):
        if not isinstance(gamma, float) or gamma != gamma:  # noqa: PLR0124 - NaN alone differs from itself
            raise ValueError("wrong")
        super().__init__(gamma)


@breaks("integer_input_is_refused", "an input of integers is accepted")
class TakesIntegers(BCELoss):
    def forward(self, input, target, *, mask=None, weight=None):
        return super().forward(input.double(), target, mask=mask, weight=weight)


@breaks("forward_writes_nothing", "forward writes last")
class KeepsTheLast(BCELoss):
    def forward(self, input, target, *, mask=None, weight=None):
        self.last = super().forward(input, target, mask=mask, weight=weight)
        return self.last


@breaks("forward_writes_nothing", "forward writes history")
class KeepsAll(BCELoss):
    def __init__(self):
        super().__init__()
        self.history = []

    def forward(self, input, target, *, mask=None, weight=None):
        self.history.append(0)
        return super().forward(input, target, mask=mask, weight=weight)


@breaks("forward_writes_nothing", "forward writes inner.last", targets=["binary"])
class WritesWithin(nn.Module):
    def __init__(self):
        super().__init__()
        self.inner = KeepsTheLast()

    def forward(self, input, target, *, mask=None, weight=None):
        return self.inner(input, target, mask=mask, weight=weight)


@breaks("forward_writes_nothing", "forward writes seen")
class CountsInABuffer(DiceLoss):
    def __init__(self):
        super().__init__()
        self.register_buffer("seen", torch.zeros(3), persistent=False)

    def forward(self, input, target, *, mask=None, weight=None):
        self.seen += 1
        return super().forward(input, target, mask=mask, weight=weight)


@breaks("forward_writes_nothing", "forward changes its target in place")
class ClampsInPlace(BCELoss):
    def forward(self, input, target, *, mask=None, weight=None):
        return super().forward(input, target.clamp_(0.1, 0.9), mask=mask, weight=weight)


@breaks("forward_writes_nothing", "forward changes its input in place")
class ClearsMaskedInput(MSELoss):
    def forward(self, input, target, *, mask=None, weight=None):
        if mask is not None:
            input.data.masked_fill_(~mask.unsqueeze(1), 0)
        return super().forward(input, target, mask=mask, weight=weight)


@breaks("forward_writes_nothing", "forward changes its target in place", targets=["labels"])
class ClearsIgnoredTargets(CrossEntropyLoss):
    def forward(self, input, target, *, mask=None, weight=None):
        value = super().forward(input, target, mask=mask, weight=weight)
        if self.ignore_index is not None:
            target.masked_fill_(target == self.ignore_index, 0)
        return value


@breaks("every_option_has_an_effect", "gamma has no effect on any data")
class ForgetsGamma(FocalLoss):
    def __attrs_post_init__(self):
        super().__attrs_post_init__()
        self.gamma = 2.0


@breaks("every_option_has_an_effect", "weight has no effect on any data")
class ForgetsClassWeights(CrossEntropyLoss):
    def __attrs_post_init__(self):
        super().__attrs_post_init__()
        self.weight = None


@breaks("every_option_has_an_effect", "label_smoothing has no effect on any data")
class ForgetsSmoothing(CrossEntropyLoss):
    def __attrs_post_init__(self):
        super().__attrs_post_init__()
        self.label_smoothing = 0.0
