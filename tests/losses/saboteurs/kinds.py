"""Saboteurs of other kinds of data than classes and values at positions."""

import attrs
import torch
from torch.nn import functional

from lossary_losses import Claims, MSELoss, ReducedLoss, define_loss
from lossary_losses.building import Elements
from saboteurs.breaking import breaks


@breaks("what_must_not_matter_does_not", "after scale: got")
@define_loss
class ForgetsTheScale(ReducedLoss):
    """A mean over boxes of how far their corners are apart, whatever size they have."""

    claims = Claims(targets={"boxes": {}}, input="boxes")

    def elements(self, input, target, *, mask=None, weight=None):
        return Elements((input - target).abs().sum(-1), None)


@breaks("what_must_not_matter_does_not", "'turn' is no change that boxes know")
class ClaimsWhatNobodyKnows(ForgetsTheScale):
    claims = Claims(targets={"boxes": {}}, input="boxes", invariant=("turn",))


@define_loss
class Blurred(ReducedLoss):
    """The squared difference of images that were blurred by a window of three."""

    claims = Claims(targets={"images": {}}, input="images", reach=1)

    def elements(self, input, target, *, mask=None, weight=None):
        gap = input - target if mask is None else torch.where(mask.unsqueeze(1), input - target, 0)
        return Elements(functional.avg_pool2d(gap.square(), 3, stride=1, padding=1), None)


@breaks("far_elements_do_not_change", "another number at a position changes an element out of reach")
class LooksTooFar(Blurred):
    def elements(self, input, target, *, mask=None, weight=None):
        value, share = super().elements(input, target, mask=mask, weight=weight)
        return Elements(value + value.mean(), share)


@breaks("far_elements_do_not_change", "a mask at a position changes nothing")
class LooksPastTheMask(Blurred):
    def elements(self, input, target, *, mask=None, weight=None):
        return super().elements(input, target, weight=weight)


@breaks("memory_is_as_claimed", "forward and backward take .* times the input, not 1")
class Wasteful(MSELoss):
    claims = attrs.evolve(MSELoss.claims, memory=1.0)

    def forward(self, input, target, *, mask=None, weight=None):
        return super().forward(input + 0, target, mask=mask, weight=weight)
