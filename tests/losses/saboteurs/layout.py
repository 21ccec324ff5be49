"""Saboteurs of shapes, dtypes and values that are refused."""

import torch
from torch.nn import functional

from lossary_losses import BCELoss, CrossEntropyLoss, MSELoss
from saboteurs.breaking import breaks


@breaks("any_space", "0 spatial dimensions: got")
class MeanOfRows(MSELoss):
    def forward(self, input, target, *, mask=None, weight=None):
        return super().forward(input, target, mask=mask, weight=weight) * input.shape[-1]


@breaks("any_space", "ValueError: images only")
class ImagesOnly(MSELoss):
    def forward(self, input, target, *, mask=None, weight=None):
        if input.ndim != 4:
            raise ValueError("images only")
        return super().forward(input, target, mask=mask, weight=weight)


@breaks("any_target_dtype", "TypeError: floats only")
class FloatsOnly(BCELoss):
    def forward(self, input, target, *, mask=None, weight=None):
        if not target.is_floating_point():
            raise TypeError("floats only")
        return super().forward(input, target, mask=mask, weight=weight)


@breaks("any_target_dtype", "a target of torch.uint8: got")
class OverflowsInBytes(BCELoss):
    def forward(self, input, target, *, mask=None, weight=None):
        return functional.softplus(-(2 * target - 1) * input).mean()


@breaks("wrong_shapes_are_refused", r"a target of shape \(1,\) .* is accepted")
class Broadcasts(MSELoss):
    def forward(self, input, target, *, mask=None, weight=None):
        if target.numel() != 1:
            return super().forward(input, target, mask=mask, weight=weight)
        return (input - target).square().mean()


@breaks("wrong_shapes_are_refused", r"the message does not mention 1, 4, 3, 5: shapes differ")
class SaysNoShapes(MSELoss):
    def forward(self, input, target, *, mask=None, weight=None):
        if input.shape != target.shape:
            raise ValueError("shapes differ")
        return super().forward(input, target, mask=mask, weight=weight)


@breaks("wrong_shapes_are_refused", "RuntimeError instead of ValueError")
class LeavesShapesToTorch(MSELoss):
    def forward(self, input, target, *, mask=None, weight=None):
        return (input.flatten() - target.flatten().expand(input.numel())).square().mean()


@breaks("wrong_labels_are_refused", "the label -1 among 4 classes is accepted")
class ClampsLabels(CrossEntropyLoss):
    def forward(self, input, target, *, mask=None, weight=None):
        if not target.is_floating_point():
            target = target.clamp(0, input.shape[1] - 1)
        return super().forward(input, target, mask=mask, weight=weight)


@breaks("labels_need_two_classes", "class indices for one channel is accepted")
class OneClass(CrossEntropyLoss):
    def forward(self, input, target, *, mask=None, weight=None):
        return functional.cross_entropy(input, target)


@breaks("labels_are_integers", "class indices as floating-point numbers is accepted")
class RoundsLabels(CrossEntropyLoss):
    def forward(self, input, target, *, mask=None, weight=None):
        return super().forward(input, target.long(), mask=mask, weight=weight)


@breaks("wrong_values_are_refused", "the target 1.5 is accepted")
class ClampsTargets(BCELoss):
    def forward(self, input, target, *, mask=None, weight=None):
        return super().forward(input, target.clamp(0, 1), mask=mask, weight=weight)


@breaks("wrong_values_are_refused", "the target nan is accepted")
class TakesNaN(BCELoss):
    def forward(self, input, target, *, mask=None, weight=None):
        return super().forward(input, target.nan_to_num(), mask=mask, weight=weight)


@breaks("wrong_masks_are_refused", "a mask that broadcasts is accepted")
class BroadcastsMasks(MSELoss):
    def forward(self, input, target, *, mask=None, weight=None):
        mask = None if mask is None else mask.broadcast_to(input.shape)
        return super().forward(input, target, mask=mask, weight=weight)


@breaks("wrong_masks_are_refused", "a mask of numbers is accepted")
class MasksOfNumbers(MSELoss):
    def forward(self, input, target, *, mask=None, weight=None):
        return super().forward(input, target, mask=None if mask is None else mask.bool(), weight=weight)


@breaks("complex_numbers_are_refused", "a target of complex numbers is accepted")
class TakesTheRealPart(MSELoss):
    def forward(self, input, target, *, mask=None, weight=None):
        return super().forward(input, torch.view_as_real(target)[..., 0], mask=mask, weight=weight)


@breaks("complex_numbers_are_refused", "a weight of complex numbers is accepted")
class TakesTheRealPartOfWeights(MSELoss):
    def forward(self, input, target, *, mask=None, weight=None):
        weight = torch.view_as_real(weight)[..., 0] if weight is not None and weight.is_complex() else weight
        return super().forward(input, target, mask=mask, weight=weight)


@breaks("negative_weights_are_refused", "a weight of -0.5 is accepted")
class ClampsWeights(MSELoss):
    def forward(self, input, target, *, mask=None, weight=None):
        weight = None if weight is None else weight.relu()
        return super().forward(input, target, mask=mask, weight=weight)


@breaks("any_memory_layout", "view size is not compatible")
class NeedsContiguous(MSELoss):
    def forward(self, input, target, *, mask=None, weight=None):
        return (input.view(-1) - target.view(-1)).square().mean()


@breaks("any_memory_layout", "a channels-last input: got")
class ReadsMemoryInOrder(MSELoss):
    def forward(self, input, target, *, mask=None, weight=None):
        last = input.is_contiguous(memory_format=torch.channels_last)
        return super().forward(input.permute(0, 2, 3, 1).reshape(input.shape) if last else input, target)
