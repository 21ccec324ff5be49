"""Saboteurs of precision and of inputs that are far out."""

import torch
from torch.nn import functional

from lossary_losses import BCELoss, MSELoss
from saboteurs.breaking import breaks


@breaks("half_is_computed_in_single", "the result of torch.float16 is torch.float16, not torch.float32")
class GivesHalf(BCELoss):
    def forward(self, input, target, *, mask=None, weight=None):
        return super().forward(input, target, mask=mask, weight=weight).to(input.dtype)


@breaks("half_is_computed_in_single", r"torch.bfloat16 on \(16, 16\): got")
class ComputesInHalf(MSELoss):
    def forward(self, input, target, *, mask=None, weight=None):
        return (input - target).square().mean().to(torch.promote_types(input.dtype, torch.float32))


@breaks("half_holds_large_images", r"torch.float16 on \(300, 300\): got inf")
class AddsUpInHalf(MSELoss):
    def forward(self, input, target, *, mask=None, weight=None):
        total = (input.float() - target.float()).square().sum().to(input.dtype)
        return total.float() / input.numel()


@breaks("half_holds_large_images", r"the gradient of torch.float16 on \(300, 300\) is not finite")
class OverflowsBackwards(MSELoss):
    def forward(self, input, target, *, mask=None, weight=None):
        value = super().forward(input, target, mask=mask, weight=weight)
        steep = (1e12 * input.float()).mean()
        return value.detach() + (steep - steep.detach())


@breaks("double_stays_double", "the result of torch.float64 is torch.float32")
class GivesSingle(BCELoss):
    def forward(self, input, target, *, mask=None, weight=None):
        return super().forward(input, target, mask=mask, weight=weight).float()


@breaks("double_stays_double", "as if it were computed in single precision")
class ComputesInSingle(BCELoss):
    def forward(self, input, target, *, mask=None, weight=None):
        return super().forward(input.float(), target, mask=mask, weight=weight).to(input.dtype)


@breaks("autocast_changes_nothing", "under autocast: got")
class Multiplies(MSELoss):
    def forward(self, input, target, *, mask=None, weight=None):
        gap = (input - target).reshape(1, -1)
        return (gap @ gap.T).squeeze() / gap.numel()


@breaks("far_inputs_are_finite", "the value is not finite at ±50")
class LogOfSigmoid(BCELoss):
    def forward(self, input, target, *, mask=None, weight=None):
        p = input.sigmoid()
        return -(target * p.log() + (1 - target) * (1 - p).log()).mean()


@breaks("far_inputs_are_finite", "the gradient is not finite at ±50")
class RootOfSigmoid(BCELoss):
    def forward(self, input, target, *, mask=None, weight=None):
        return (1 - (1 - (1 - input.sigmoid())).sqrt()).mean() + (1 - input.sigmoid()).sqrt().mean()


@breaks("minus_infinity_off_the_target_is_finite", "the value is not finite")
class InfinityTimesZero(BCELoss):
    def forward(self, input, target, *, mask=None, weight=None):
        return (functional.softplus(input) - target * input).mean()


@breaks("wrong_predictions_have_a_gradient", "8 off, the gradient of a sample is zero")
class ClampsLogits(BCELoss):
    def forward(self, input, target, *, mask=None, weight=None):
        return super().forward(input.clamp(-5, 5), target, mask=mask, weight=weight)


@breaks("wrong_predictions_have_a_gradient", "a step against the gradient does not make the loss smaller")
class PushesTheWrongWay(BCELoss):
    def forward(self, input, target, *, mask=None, weight=None):
        value = super().forward(input, target, mask=mask, weight=weight)
        return 2 * value.detach() - value


@breaks("half_is_computed_in_single", "the gradient of torch.float16 is off by 1")
class DeadInHalf(MSELoss):
    def forward(self, input, target, *, mask=None, weight=None):
        value = super().forward(input, target, mask=mask, weight=weight)
        return value.detach() + 0 * value if input.dtype in (torch.float16, torch.bfloat16) else value


@breaks("nan_is_not_hidden", "with NaN in the input the loss is")
class TakesNanForZero(MSELoss):
    def forward(self, input, target, *, mask=None, weight=None):
        return super().forward(input.nan_to_num(), target, mask=mask, weight=weight)


@breaks("wrong_predictions_have_a_gradient", "50 off, the gradient of a sample is zero")
class ClampsFarLogits(BCELoss):
    def forward(self, input, target, *, mask=None, weight=None):
        return super().forward(input.clamp(-15, 15), target, mask=mask, weight=weight)


@breaks("wrong_predictions_have_a_gradient", "1000 off, the gradient of a sample is zero")
class ClampsVeryFarLogits(BCELoss):
    def forward(self, input, target, *, mask=None, weight=None):
        return super().forward(input.clamp(-100, 100), target, mask=mask, weight=weight)
