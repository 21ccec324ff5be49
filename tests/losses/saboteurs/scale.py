"""Saboteurs that are sound on small inputs, and not on large ones."""

import torch
from torch import nn

from lossary_losses import BCELoss, CrossEntropyLoss, MSELoss
from saboteurs.breaking import breaks

LARGE = 2**18
VERY_LARGE = 10**6


class Steeper(torch.autograd.Function):
    """What is given, with a slope that is a tenth too steep."""

    @staticmethod
    def forward(ctx, value):
        return value.clone()

    @staticmethod
    def backward(ctx, upstream):
        return 1.1 * upstream


@breaks("large_inputs_are_their_parts", "the gradient of a large input is off by 0.1")
class TooSteepWhereLarge(MSELoss):
    def elements(self, input, target, *, mask=None, weight=None):
        return super().elements(self.seen(input), target, mask=mask, weight=weight)

    def fraction(self, input, target, *, mask=None, weight=None):
        return super().fraction(self.seen(input), target, mask=mask, weight=weight)

    def seen(self, input):
        return Steeper.apply(input) if input.numel() > LARGE else input


@breaks("large_inputs_are_their_parts", "not connected to a large input|does not depend on all")
class DeadWhereLarge(TooSteepWhereLarge):
    def seen(self, input):
        return input.detach() if input.numel() > VERY_LARGE else input


@breaks("large_inputs_are_their_parts", "the value of a large input: got")
class OffWhereLarge(MSELoss):
    def forward(self, input, target, *, mask=None, weight=None):
        value = super().forward(input, target, mask=mask, weight=weight)
        return 1.01 * value if input.numel() > VERY_LARGE else value


@breaks("large_inputs_are_their_parts", "the gradient of a large input is off", targets=["labels"])
class ForgetsWeightsWhereLarge(CrossEntropyLoss):
    def forward(self, input, target, *, mask=None, weight=None):
        value = super().forward(input, target, mask=mask, weight=weight)
        if input.numel() <= LARGE:
            return value
        plain = super().forward(input, target, mask=mask)
        return value.detach() + plain - plain.detach()


@breaks(
    "large_inputs_are_their_parts", "the result does not depend on all of a large input, or of the loss's"
)
class FixedWhereLarge(BCELoss):
    def __attrs_post_init__(self):
        super().__attrs_post_init__()
        self.temperature = nn.Parameter(torch.ones(()))

    def fraction(self, input, target, *, mask=None, weight=None):
        scale = self.temperature.detach() if input.numel() > LARGE else self.temperature
        return super().fraction(input * scale, target, mask=mask, weight=weight)
