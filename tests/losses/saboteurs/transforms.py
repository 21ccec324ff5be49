"""Saboteurs of compilers, derivatives, determinism and distribution."""

import torch

from lossary_losses import BCELoss, DiceLoss, MSELoss
from lossary_losses._core.reduction import mean
from lossary_losses._core.spread import is_spread
from lossary_losses._core.streaming import streamed_sums
from saboteurs.breaking import breaks


@breaks("compiles_in_one_graph", "data-dependent|item")
@breaks("exports", "data-dependent|item")
@breaks("maps_over_samples", "vmap")
@breaks("lives_on_the_meta_device", "meta")
class LooksAtValues(MSELoss):
    def forward(self, input, target, *, mask=None, weight=None):
        value = super().forward(input, target, mask=mask, weight=weight)
        return value if value.item() > 0 else value * 0


@breaks("compiles_with_mask_and_weight", "data-dependent|item")
class LooksAtTheMask(MSELoss):
    def forward(self, input, target, *, mask=None, weight=None):
        nothing = mask is not None and not mask.any().item()
        return input.sum() * 0 if nothing else super().forward(input, target, mask=mask, weight=weight)


@breaks("compiles_in_one_graph", "graphs for three sizes|ConstraintViolationError")
class LoopsOverSamples(MSELoss):
    def forward(self, input, target, *, mask=None, weight=None):
        return sum((one - other).square().mean() for one, other in zip(input, target, strict=True)) / len(
            input
        )


@breaks("exports", "exported: got")
class DiffersWhenExported(MSELoss):
    def forward(self, input, target, *, mask=None, weight=None):
        value = super().forward(input, target, mask=mask, weight=weight)
        return 2 * value if torch.compiler.is_compiling() else value


@breaks("maps_over_samples", "the gradient of sample 0: got")
class DiffersWhenMapped(MSELoss):
    def forward(self, input, target, *, mask=None, weight=None):
        value = (input - target).square().mean()
        return 2 * value if torch._C._functorch.is_functorch_wrapped_tensor(value) else value


class WrongSlope(torch.autograd.Function):
    """The square, with a gradient that is three halves of the right one."""

    @staticmethod
    def forward(ctx, gap):
        ctx.save_for_backward(gap)
        return gap.square()

    @staticmethod
    def backward(ctx, upstream):
        (gap,) = ctx.saved_tensors
        return 3 * gap * upstream


class SlopeWithoutSlope(WrongSlope):
    """The square, with a gradient that has none itself."""

    @staticmethod
    def backward(ctx, upstream):
        (gap,) = ctx.saved_tensors
        return 2 * gap.detach() * upstream


@breaks("first_derivative_is_right", "Jacobian mismatch")
class WrongGradient(MSELoss):
    def forward(self, input, target, *, mask=None, weight=None):
        return WrongSlope.apply(input - target).mean()


@breaks("second_derivative_is_right", "Jacobian mismatch")
class OnceDifferentiable(MSELoss):
    def forward(self, input, target, *, mask=None, weight=None):
        return SlopeWithoutSlope.apply(input - target).mean()


@breaks("the_same_call_gives_the_same_bits", "two values differ")
class Noisy(MSELoss):
    def forward(self, input, target, *, mask=None, weight=None):
        return super().forward(input + 1e-3 * torch.randn_like(input), target, mask=mask, weight=weight)


@breaks("the_same_call_gives_the_same_bits", "two gradients differ")
class NoisyBackwards(MSELoss):
    def forward(self, input, target, *, mask=None, weight=None):
        value = super().forward(input, target, mask=mask, weight=weight)
        return value.detach() + (value - value.detach()) * torch.rand(())


@breaks("two_processes_are_one", "the mean over ranks of the value: got")
class EachForItself(BCELoss):
    def reduced(self, fraction):
        return mean(fraction)


@breaks("two_processes_are_one", "the mean over ranks of the gradient: got")
class GradientForItself(BCELoss):
    def reduced(self, fraction):
        value = super().reduced(fraction)
        return value.detach() + mean(fraction) - mean(fraction).detach()


@breaks("spread_tensors_are_one", "the value, spread along dimension 0: got")
class SpreadForItself(MSELoss):
    def forward(self, input, target, *, mask=None, weight=None):
        own = (each.to_local() if is_spread(each) else each for each in (input, target, mask))
        input, target, mask = own
        return super().forward(input, target, mask=mask, weight=weight)


@breaks("spread_tensors_are_one", "the gradient, spread along dimension 0: got")
class SpreadWithoutGradient(MSELoss):
    def forward(self, input, target, *, mask=None, weight=None):
        value = super().forward(input, target, mask=mask, weight=weight)
        return value.detach() + (value - value.detach()) / 2 if is_spread(input) else value


@breaks("two_parts_of_space_are_one", "the mean over ranks of the value: got")
class PositionsForItself(DiceLoss):
    def elements(self, input, target, *, mask=None, weight=None):
        return self.elements_of(streamed_sums(*self.counting(input, target, mask=mask, weight=weight)))


@breaks("two_parts_of_space_are_one", "the mean over ranks of the gradient: got")
class PositionsWithoutGradients(DiceLoss):
    def elements_of(self, counts):
        if self.position_group is not None:
            counts = tuple(each.detach() + (each - each.detach()) / 2 for each in counts)
        return super().elements_of(counts)


@breaks("other_derivatives_are_right", "Jacobian mismatch")
class DetachesWeights(MSELoss):
    def forward(self, input, target, *, mask=None, weight=None):
        weight = None if weight is None else weight.detach()
        return super().forward(input, target, mask=mask, weight=weight)


@breaks("other_derivatives_are_right", "Jacobian mismatch")
class DetachesTargets(MSELoss):
    def forward(self, input, target, *, mask=None, weight=None):
        return super().forward(input, target.detach(), mask=mask, weight=weight)
