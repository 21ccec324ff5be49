"""Saboteurs of what a loss means."""

import attrs
import torch

from lossary_losses import BCELoss, DiceLoss, MSELoss
from saboteurs.breaking import breaks


@breaks("a_perfect_prediction_is_lowest", "the loss of a perfect prediction is 0.1, not 0")
class NeverZero(BCELoss):
    def forward(self, input, target, *, mask=None, weight=None):
        return super().forward(input, target, mask=mask, weight=weight) + 0.1


@breaks("a_perfect_prediction_is_lowest", "a random prediction has -.*, which is lower than")
@breaks("better_costs_less", "a better prediction costs")
class BiggerIsBetter(BCELoss):
    def forward(self, input, target, *, mask=None, weight=None):
        return -super().forward(input, target, mask=mask, weight=weight)


@breaks("better_costs_less", "a better prediction costs")
class GivesTheScore(DiceLoss):
    def forward(self, input, target, *, mask=None, weight=None):
        return 1 - super().forward(input, target, mask=mask, weight=weight)


@breaks("better_costs_less", "a better prediction costs")
class MovesAwayFromValues(MSELoss):
    def forward(self, input, target, *, mask=None, weight=None):
        return 1 / (1 + super().forward(input, target, mask=mask, weight=weight))


@breaks("a_soft_target_can_be_met", "where p equals t")
class ClaimsZero(BCELoss):
    claims = attrs.evolve(BCELoss.claims, at_soft="zero")


@breaks("a_soft_target_can_be_met", "the loss is lower beside p = t", targets=["soft"])
class ProductOfProbabilities(DiceLoss):
    claims = attrs.evolve(DiceLoss.claims, at_soft="lowest")

    def forward(self, input, target, *, mask=None, weight=None):
        p = input.sigmoid()
        return 1 - 2 * (p * target).sum() / (p.sum() + target.sum())


@breaks("values_are_in_range", "is above 1.0, the highest that is claimed")
class TwiceTheRange(DiceLoss):
    def forward(self, input, target, *, mask=None, weight=None):
        return 2 * super().forward(input, target, mask=mask, weight=weight)


@breaks("values_are_in_range", "is below 0.0, the lowest that is claimed")
class SomeAreNegative(MSELoss):
    def forward(self, input, target, *, mask=None, weight=None):
        value = super().forward(input, target, mask=mask, weight=weight)
        return value - 1e-3 if self.reduction == "none" else value


@breaks("order_of_classes_does_not_matter", "with classes exchanged: got")
class FirstClassCountsTwice(MSELoss):
    def forward(self, input, target, *, mask=None, weight=None):
        return super().forward(input, target) + super().forward(input[:, :1], target[:, :1])


@breaks("descent_reaches_a_good_fit", "above the lowest value")
class LearnsOneClass(BCELoss):
    def forward(self, input, target, *, mask=None, weight=None):
        input = torch.cat([input[:, :1], input[:, 1:].detach()], dim=1)
        return super().forward(input, target, mask=mask, weight=weight)


@breaks("moving_against_the_gradient_helps", "a step against the gradient leads from")
class TurnsTheGradient(BCELoss):
    def forward(self, input, target, *, mask=None, weight=None):
        value = super().forward(input, target, mask=mask, weight=weight)
        return 2 * value.detach() - value


@breaks("moving_against_the_gradient_helps", "the gradient at a random prediction is zero")
class HasNoGradient(BCELoss):
    def forward(self, input, target, *, mask=None, weight=None):
        return super().forward(input.detach(), target, mask=mask, weight=weight) + 0 * input.sum()
