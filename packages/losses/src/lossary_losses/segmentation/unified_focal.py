"""Unified focal loss: a focal cross entropy and a focal Tversky loss with one set of three numbers."""

from typing import Any, ClassVar, Literal

import torch
from torch import Tensor

from lossary_losses._core.base import define_loss
from lossary_losses._core.claims import Claims
from lossary_losses._core.dense import Ready, per_channel
from lossary_losses._core.options import choice, flag, number
from lossary_losses._core.pointwise import PointwiseLoss
from lossary_losses._core.reduction import Elements, weigh
from lossary_losses._core.softmax import log_softmax
from lossary_losses._core.stable import binary_surprise, bounded, power_of_nonnegative, times
from lossary_losses._core.streaming import Sums
from lossary_losses.classification.cross_entropy import weight_of_labels
from lossary_losses.classification.truth import TruthLoss, binary_target
from lossary_losses.loss_registry_setup import loss_registry
from lossary_losses.segmentation.both_sides import BothSides, sides
from lossary_losses.segmentation.overlap import Activation, Overlap, OverlapLoss, SoftCounts
from lossary_losses.segmentation.region_and_pixel import OWN_ELEMENTS, RegionAndPixelLoss
from lossary_losses.segmentation.tversky import tversky_loss

__all__ = ["UnifiedFocalLoss"]


@define_loss
class ModifiedFocalLoss(TruthLoss):
    """Cross entropy with a weight and a focus of their own for foreground and background."""

    delta: float = number(at_least=0, at_most=1)
    foreground_focus: float = number(at_least=0)
    background_focus: float = number(at_least=0)

    def point(self, ready: Ready) -> Elements:
        """Give the cost of each position (softmax) or element (sigmoid)."""
        input, target, share, kind, _ = ready
        class_weight = per_channel(self.weight, input, "weight")
        if self.is_binary(kind):
            value = times(self._cost_of_values(input, binary_target(ready)), class_weight)
            return weigh(value, share, class_weight)
        if kind == "labels":
            weight_of_truth = weight_of_labels(class_weight, target)
            value = self._class_cost(log_softmax(input).of(target), target > 0)
            return weigh(times(value, weight_of_truth), share, weight_of_truth)
        log_probability = input.log_softmax(dim=1)
        each = self._class_cost(log_probability, _is_foreground(log_probability))
        return weigh((times(target, class_weight) * each).sum(dim=1, keepdim=True), share)

    def point_and_slope(self, ready: Ready) -> tuple[Elements, Tensor]:
        """Give the derivative by autograd: the family's is for one cost, whatever the class."""
        return self.point(ready), PointwiseLoss.slope(self, ready)

    def _cost_of_values(self, logits: Tensor, target: Tensor) -> Tensor:
        """Mix what both outcomes cost; the focus comes from logarithms, which have finite derivatives."""
        positive, negative = binary_surprise(logits)
        of_foreground = self.delta * positive * (-self.foreground_focus * negative).exp()
        of_background = (1 - self.delta) * negative * (-self.background_focus * positive).exp()
        return target * of_foreground + (1 - target) * of_background

    def _class_cost(self, log_probability: Tensor, foreground: Tensor) -> Tensor:
        """Compute what each class costs where it is the truth."""
        log_probability = bounded(log_probability)
        complement = -log_probability.expm1()
        of_foreground = self.delta * _focus(complement, self.foreground_focus)
        of_background = (1 - self.delta) * _focus(complement, self.background_focus)
        return torch.where(foreground, of_foreground, of_background) * -log_probability


@define_loss
class ModifiedFocalTverskyLoss(OverlapLoss):
    """The Tversky loss of foreground and background, each to a power of its own."""

    delta: float = number(at_least=0, at_most=1)
    foreground_power: float = number(above=0)
    background_power: float = number(above=0)
    smooth: float = number(at_least=0)

    def formula(self, activation: Activation) -> Sums:
        """Say what is counted: under a sigmoid the background of each channel, which has none of its own."""
        return BothSides(activation) if activation == "sigmoid" else SoftCounts(activation)

    def elements_of(self, counts: tuple[Tensor, ...]) -> Elements:
        """Give the loss of each sample and class, which is the mean of two sides under a sigmoid."""
        counts = self.pooled(counts)
        if len(counts) > len(Overlap._fields):
            overlap, background = sides(counts)
            of_background = power_of_nonnegative(self._loss(background), self.background_power)
            of_foreground = power_of_nonnegative(self._loss(overlap), self.foreground_power)
            return self.weighed((of_foreground + of_background) / 2, overlap)
        overlap = Overlap(*counts)
        loss = self._loss(overlap)
        value = torch.where(
            _is_foreground(loss),
            power_of_nonnegative(loss, self.foreground_power),
            power_of_nonnegative(loss, self.background_power),
        )
        return self.weighed(value, overlap)

    def _loss(self, overlap: Overlap) -> Tensor:
        return tversky_loss(overlap, 1 - self.delta, self.delta, self.smooth)


def _focus(complement: Tensor, exponent: float) -> Tensor | float:
    return power_of_nonnegative(complement, exponent) if exponent else 1.0


def _is_foreground(values: Tensor) -> Tensor:
    """Tell for each class, in dimension 1, whether it is another than the first."""
    indices = torch.arange(values.shape[1], device=values.device)
    return (indices > 0).reshape(1, -1, *(1 for _ in values.shape[2:]))


@loss_registry.register(
    name="unified_focal_loss",
    aliases=["UnifiedFocalLoss"],
    tags=["segmentation", "binary", "multilabel", "multiclass", "imbalance", "overlap", "cross_entropy"],
)
@define_loss
class UnifiedFocalLoss(RegionAndPixelLoss):
    r"""A focal cross entropy plus a focal Tversky loss, which share what they make of rare and of hard.

    .. math:: \ell = \lambda\, \ell_F + (1 - \lambda)\, \ell_T, \quad
        \ell_F = -\delta_c (1 - p_c)^{a_c} \log p_c, \quad
        \ell_T = \frac{1}{C} \sum_c \left( 1 - \frac{I_c + s}
        {I_c + \delta (T_c - I_c) + (1 - \delta) (P_c - I_c) + s} \right)^{b_c}

    with :math:`\delta_c = \delta` for foreground and :math:`1 - \delta` for background. The asymmetric form
    has :math:`a = \gamma, b = 1` for background and :math:`a = 0, b = 1 - \gamma` for foreground: it looks
    away from easy background, and never from foreground. The symmetric form has
    :math:`a = 1 - \gamma, b = \gamma` for both.

    Convention:
        With class indices the first class is the background and all others are foreground; under a sigmoid
        each channel has both, and :math:`\ell_T` is the mean of the two. ``gamma`` is the paper's in each
        form, and means the opposite in them: in the asymmetric form more of it is more focus, in the
        symmetric form less. At 0.5 they agree; the authors' code has the exponents of the asymmetric form in
        both, where its ``gamma`` is one minus ours for the symmetric form. ``balance`` is :math:`\lambda`,
        MONAI's ``weight``, and one minus the ``weight`` of the authors' code. ``delta`` is the price of false
        negatives and of a missed foreground: the paper's index 0 is the background, as its authors have said
        of their formula. The paper adds the Tversky losses of all classes; the mean of them, as in its code,
        keeps the balance whatever their number. ``smooth`` is 1 here, and next to nothing elsewhere.

    Shapes:
        ``input``: ``(B, C, *S)``, logits.
        ``target``: ``(B, *S)`` class indices of any integer dtype, or values 0 to 1 of the input's shape.
        Result: a scalar.

    Args:
        balance: The share of the focal cross entropy, 0 to 1; the focal Tversky loss has the rest.
            Default: 0.5.
        delta: The weight of foreground against background, and the price of false negatives against false
            positives, 0 to 1. Default: 0.6.
        gamma: How far hard is told from easy, > 0 and < 1: next to 0 there is no focus in the asymmetric
            form, and next to 1 none in the symmetric form. Default: 0.5.
        asymmetric: Whether the cross entropy looks away from background only, and the Tversky loss turns to
            hard foreground only. Default: True.
        smooth: Added above and below in the Tversky index, >= 0. Default: 1.
        activation: ``"sigmoid"``, ``"softmax"``, or None to let the target's shape decide. Default: None.
        weight: One more factor per class for both losses, >= 0. Default: None, all one.
        batch: Whether sizes are pooled over the batch in the Tversky index. Default: False.
        empty: What the Tversky loss of a sample and class without truth is, as in :class:`DiceLoss`:
            ``"score"`` (default), ``"zero"`` or ``"skip"``.
        ignore_index: Positions where the target equals it do not count. Default: None, all count.
        reduction: ``"mean"`` (default) or ``"sum"``, of each loss; their elements are not the same.
        process_group: The processes that share a batch: their gradients, once averaged, are then those of the
            whole batch in one process. Default: None, each process for itself.
        position_group: The processes that share the positions of each sample, such as parts of a volume. What
            is summed over positions is that of whole samples then, and gradients are those of whole samples
            once they are averaged over these processes too; where they are added up, divide the loss by the
            number of these processes. Those of ``process_group`` are to have other samples. Default: None,
            each process has whole samples.

    Raises:
        OptionTypeError: An option has the wrong type.
        OptionValueError: An option is out of its bounds.

    Example:
        >>> import torch
        >>> loss = UnifiedFocalLoss()
        >>> loss(torch.zeros(1, 1, 2), torch.tensor([[[1.0, 0.0]]]))
        tensor(0.3405)

    Reference:
        Yeung et al. 2022, "Unified Focal loss: Generalising Dice and cross entropy-based losses to handle
        class imbalanced medical image segmentation", arXiv:2102.04525.
    """

    claims: ClassVar = Claims(
        targets={"labels": {}, "binary": {}, "soft": {}},
        at_soft="elsewhere",
        exempt={**OWN_ELEMENTS, "order_of_classes_does_not_matter": "class 0 is the background"},
    )

    balance: float = number(default=0.5, at_least=0, at_most=1)
    delta: float = number(default=0.6, at_least=0, at_most=1)
    gamma: float = number(default=0.5, above=0, below=1)
    asymmetric: bool = flag(default=True)
    activation: Literal["sigmoid", "softmax"] | None = choice("sigmoid", "softmax", None, default=None)

    @property
    def region_weight(self) -> float:
        """The share of the focal Tversky loss."""
        return 1 - self.balance

    @property
    def pixel_weight(self) -> float:
        """The share of the focal cross entropy."""
        return self.balance

    def build(self, region: dict[str, Any], pixel: dict[str, Any]) -> tuple[OverlapLoss, PointwiseLoss]:
        """Build the focal Tversky loss and the focal cross entropy."""
        shared: dict[str, Any] = {"delta": self.delta, "activation": self.activation}
        focus: dict[str, Any]
        powers: dict[str, Any]
        gamma = self.gamma
        if self.asymmetric:
            powers = {"foreground_power": 1 - gamma, "background_power": 1.0}
            focus = {"foreground_focus": 0.0, "background_focus": gamma}
        else:
            powers = {"foreground_power": gamma, "background_power": gamma}
            focus = {"foreground_focus": 1 - gamma, "background_focus": 1 - gamma}
        return (
            ModifiedFocalTverskyLoss(**region, **shared, **powers),
            ModifiedFocalLoss(**pixel, **shared, **focus),
        )
