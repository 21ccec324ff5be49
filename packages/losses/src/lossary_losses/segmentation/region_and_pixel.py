"""Losses of a region and of its pixels at once: one pass over the input for both."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, Literal, NamedTuple

import torch
from torch import Tensor, nn
from torch.distributed import ProcessGroup

from lossary_losses._core.base import Loss, define_loss, full_precision
from lossary_losses._core.claims import Claims
from lossary_losses._core.counting import require_additive, scaled
from lossary_losses._core.dense import Ready
from lossary_losses._core.options import choice, flag, group, integer, number, per_class
from lossary_losses._core.pointwise import PointwiseLoss
from lossary_losses._core.reduced import Shape, stand_in
from lossary_losses._core.reduction import Fraction, to_fraction
from lossary_losses._core.spread import wherever_spread
from lossary_losses._core.streaming import Sums, streamed_sums
from lossary_losses.classification.binary_cross_entropy import BCELoss
from lossary_losses.classification.cross_entropy import CrossEntropyLoss
from lossary_losses.classification.focal import FocalLoss
from lossary_losses.composite.terms import Evaluation
from lossary_losses.loss_registry_setup import loss_registry
from lossary_losses.segmentation.dice import DiceLoss
from lossary_losses.segmentation.overlap import OverlapLoss

__all__ = ["BCEDiceLoss", "DiceCELoss", "FocalDiceLoss", "RegionAndPixelLoss"]


OWN_ELEMENTS: dict[str, str] = dict.fromkeys(
    (
        "sum_is_the_sum_of_none",
        "none_is_zero_where_masked",
    ),
    "the elements of both losses are not the same",
)
"""The rules that cannot hold for a sum of two means."""


@define_loss
class RegionAndPixelLoss(Loss):
    """A weighted overlap loss plus a weighted pointwise loss; subclasses say which, and build both."""

    smooth: float = number(default=1.0, at_least=0)
    weight: Sequence[float] | Tensor | None = per_class(default=None)
    batch: bool = flag(default=False)
    empty: Literal["score", "zero", "skip"] = choice("score", "zero", "skip", default="score")
    ignore_index: int | None = integer(default=None)
    reduction: Literal["mean", "sum"] = choice("mean", "sum", default="mean")
    process_group: ProcessGroup | None = group(default=None)
    position_group: ProcessGroup | None = group(default=None)

    def __attrs_post_init__(self) -> None:
        """Build both losses from the options, as long as these have values, which on meta no buffer has."""
        shared: dict[str, Any] = {
            "weight": self.weight,
            "ignore_index": self.ignore_index,
            "reduction": self.reduction,
            "process_group": self.process_group,
        }
        self.region, self.pixel = self.build(
            {**shared, "smooth": self.smooth, "batch": self.batch, "empty": self.empty}, shared
        )
        super().__attrs_post_init__()

    def build(self, region: dict[str, Any], pixel: dict[str, Any]) -> tuple[OverlapLoss, PointwiseLoss]:
        """Build the loss of the region and that of the pixels, from the options of each."""
        raise NotImplementedError(f"{type(self).__name__} must say what it is made of")

    @property
    def region_weight(self) -> float:
        """The weight of the overlap loss."""
        raise NotImplementedError(f"{type(self).__name__} must say how much its region weighs")

    @property
    def pixel_weight(self) -> float:
        """The weight of the pointwise loss."""
        raise NotImplementedError(f"{type(self).__name__} must say how much its pixels weigh")

    def forward(
        self, input: Tensor, target: Tensor, *, mask: Tensor | None = None, weight: Tensor | None = None
    ) -> Tensor:
        """Compute the weighted sum of both losses.

        Args:
            input: Logits; half precision is computed in float32.
            target: What they should have given.
            mask: Bool, True where a position counts; of shape ``(B, *S)`` or the target's.
            weight: How much each position counts; of shape ``(B, *S)``, or the input's where classes do not
                exclude each other.

        Raises:
            InputValueError: The shapes do not fit together, or the target holds impossible values.
            InputTypeError: A dtype is unusable, such as class indices given as floats.
        """
        return self.evaluate(input, target, mask=mask, weight=weight).total

    def evaluate(
        self, input: Tensor, target: Tensor, *, mask: Tensor | None = None, weight: Tensor | None = None
    ) -> Evaluation:
        """Compute the weighted sum, and what ``region`` and ``pixel`` add to it, in one pass."""
        total, terms = self.combine(input, self.values(input, target, mask=mask, weight=weight))
        return Evaluation(total, {name: value.detach() for name, value in terms.items()})

    def values(
        self, input: Tensor, target: Tensor, *, mask: Tensor | None = None, weight: Tensor | None = None
    ) -> dict[str, Tensor]:
        """Give ``region`` and ``pixel``, without their weights and as part of the graph."""
        both = self._fractions(input, target, mask, weight)
        return {
            "region": self.region.reduced(both["region"]),
            "pixel": self.pixel.reduced(both["pixel"]),
        }

    def combine(self, _input: object, values: Mapping[str, Tensor]) -> Evaluation:
        """Weigh what ``values`` gave and add it up; the terms stay part of the graph."""
        region = self.region_weight * values["region"]
        pixel = self.pixel_weight * values["pixel"]
        return Evaluation(region + pixel, {"region": region, "pixel": pixel})

    def parts(self) -> Mapping[str, nn.Module]:
        """Give both losses."""
        return {"region": self.region, "pixel": self.pixel}

    def fraction(
        self, input: Tensor, target: Tensor, *, mask: Tensor | None = None, weight: Tensor | None = None
    ) -> dict[str, Fraction]:
        """Give numerator, weight included, and denominator of both losses.

        Raises:
            NotAdditiveError: The losses are no means, or the batch is one region.
        """
        require_additive(self)
        both = self._fractions(input, target, mask, weight)
        return {
            **scaled({"region": both["region"]}, self.region_weight),
            **scaled({"pixel": both["pixel"]}, self.pixel_weight),
        }

    def counts(
        self,
        target: Tensor,
        *,
        like: Shape,
        mask: Tensor | None = None,
        weight: Tensor | None = None,
    ) -> dict[str, Tensor]:
        """Give the denominators that ``fraction`` would give, for an input of the shape of ``like``.

        Raises:
            NotAdditiveError: The losses are no means, or the batch is one region.
        """
        require_additive(self)
        with torch.no_grad():
            both = self._fractions(stand_in(like, [target]), target, mask, weight)
        return {name: fraction.denominator.detach() for name, fraction in both.items()}

    @property
    def adds_up(self) -> bool:
        """Whether both means over a batch are those of the fractions of its parts, added up."""
        return self.region.adds_up and self.pixel.adds_up

    @wherever_spread
    def _fractions(
        self, input: Tensor, target: Tensor, mask: Tensor | None, weight: Tensor | None
    ) -> dict[str, Fraction]:
        """Count for both losses in one pass."""
        with full_precision(input):
            dense = self.pixel.prepare(input, target, mask=mask, weight=weight)
            counting, _ = self.region.counting(input, target, mask=mask, weight=weight)
            *counts, numerator, denominator = streamed_sums(
                _Both(counting, self.pixel), dense, self.position_group
            )
            region = to_fraction(self.region.elements_of(tuple(counts)))
            return {"region": region, "pixel": Fraction(numerator.sum(), denominator.sum())}


class _Both(NamedTuple):
    """The sums of both formulas, and the gradient of both at once."""

    counts: Sums
    pixel: PointwiseLoss

    def sums(self, ready: Ready) -> tuple[Tensor, ...]:
        """Compute the counts, and the two sums of the pixels."""
        return *self.counts.sums(ready), *self.pixel.sums(ready)

    def sums_with_draft(self, ready: Ready, draft: Tensor) -> tuple[Tensor, ...]:
        """Compute all sums, and keep what the counts keep: the probabilities."""
        return *self.counts.sums_with_draft(ready, draft), *self.pixel.sums(ready)

    def finish(self, draft: Tensor, part: Callable[[], Ready], upstream: tuple[Tensor, ...]) -> None:
        """Add the gradients of both."""
        ready = part()
        of_pixels = self.pixel.slope_given(ready, draft)
        self.pixel.finish(of_pixels, part, upstream[-2:])
        self.counts.finish(draft, lambda: ready, upstream[:-2])
        draft += of_pixels


@define_loss
class DiceAndPixelLoss(RegionAndPixelLoss):
    """A weighted Dice loss plus a weighted pointwise loss."""

    dice_weight: float = number(default=1.0, at_least=0)

    @property
    def region_weight(self) -> float:
        """The weight of the Dice loss."""
        return self.dice_weight


@loss_registry.register(
    name="bce_dice_loss",
    aliases=["BCEDiceLoss"],
    tags=["segmentation", "binary", "multilabel", "imbalance", "overlap", "cross_entropy"],
    metadata={"first_choice": ["binary"]},
)
@define_loss
class BCEDiceLoss(DiceAndPixelLoss):
    r"""Binary cross entropy plus Dice loss, each channel for itself.

    .. math:: \ell = w_D\, \ell_\mathrm{Dice} + w_B\, \ell_\mathrm{BCE}

    Convention:
        Both losses are means of their own, added with their weights as given. Some collections take the
        weights to be shares of one, and divide by their sum.

    Shapes:
        ``input``: ``(B, C, *S)``, logits.
        ``target``: the input's shape, of any dtype, values from 0 to 1.
        Result: a scalar.

    Args:
        dice_weight: The weight of the Dice loss, >= 0. Default: 1.
        bce_weight: The weight of the binary cross entropy, >= 0. Default: 1.
        smooth: Added above and below in the Dice score, >= 0. Default: 1.
        pos_weight: One factor per class for the positives in the cross entropy, or one number, >= 0. Default:
            None, one.
        weight: One factor per class for both losses, >= 0. Default: None, all one.
        batch: Whether sizes are pooled over the batch in the Dice score. Default: False.
        empty: What the Dice loss of a sample and class without truth is, as in :class:`DiceLoss`:
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
        >>> loss = BCEDiceLoss()
        >>> loss(torch.zeros(1, 1, 2), torch.tensor([[[1.0, 0.0]]]))
        tensor(1.0265)

    Reference:
        Taghanaki et al. 2019, "Combo loss: Handling input and output imbalance in multi-organ segmentation",
        arXiv:1805.02798.
    """

    claims: ClassVar = Claims(targets={"binary": {}, "soft": {}}, at_soft="lowest", exempt=OWN_ELEMENTS)

    bce_weight: float = number(default=1.0, at_least=0)
    pos_weight: float | Sequence[float] | Tensor | None = per_class(default=None, one_for_all=True)

    @property
    def pixel_weight(self) -> float:
        """The weight of the binary cross entropy."""
        return self.bce_weight

    def build(self, region: dict[str, Any], pixel: dict[str, Any]) -> tuple[OverlapLoss, PointwiseLoss]:
        """Build the Dice loss and the binary cross entropy."""
        return DiceLoss(activation="sigmoid", **region), BCELoss(pos_weight=self.pos_weight, **pixel)


@loss_registry.register(
    name="dice_ce_loss",
    aliases=["DiceCELoss"],
    tags=["segmentation", "multiclass", "imbalance", "overlap", "cross_entropy"],
    metadata={"first_choice": ["segmentation"]},
)
@define_loss
class DiceCELoss(DiceAndPixelLoss):
    r"""Cross entropy plus Dice loss over classes that exclude each other.

    .. math:: \ell = w_D\, \ell_\mathrm{Dice} + w_C\, \ell_\mathrm{CE}

    Convention:
        Both losses are means of their own, the cross entropy over positions and the Dice loss over samples
        and classes, added with their weights as given.

    Shapes:
        ``input``: ``(B, C, *S)``, logits.
        ``target``: ``(B, *S)`` class indices of any integer dtype, or ``(B, C, *S)`` probabilities.
        Result: a scalar.

    Args:
        dice_weight: The weight of the Dice loss, >= 0. Default: 1.
        ce_weight: The weight of the cross entropy, >= 0. Default: 1.
        smooth: Added above and below in the Dice score, >= 0. Default: 1.
        label_smoothing: How much of each target of the cross entropy is spread over all classes, 0 to 1.
            Default: 0.
        weight: One factor per class for both losses, >= 0. Default: None, all one.
        batch: Whether sizes are pooled over the batch in the Dice score. Default: False.
        empty: What the Dice loss of a sample and class without truth is, as in :class:`DiceLoss`:
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
        >>> loss = DiceCELoss(ce_weight=0.5)
        >>> loss(torch.zeros(1, 2, 2), torch.tensor([[1, 0]]))
        tensor(0.6799)

    Reference:
        Isensee et al. 2018, "nnU-Net: Self-adapting Framework for U-Net-Based Medical Image Segmentation",
        arXiv:1809.10486.
    """

    claims: ClassVar = Claims(
        targets={"labels": {}, "distributions": {}}, at_soft="lowest", exempt=OWN_ELEMENTS
    )

    ce_weight: float = number(default=1.0, at_least=0)
    label_smoothing: float = number(default=0.0, at_least=0, at_most=1)

    @property
    def pixel_weight(self) -> float:
        """The weight of the cross entropy."""
        return self.ce_weight

    def build(self, region: dict[str, Any], pixel: dict[str, Any]) -> tuple[OverlapLoss, PointwiseLoss]:
        """Build the Dice loss and the cross entropy."""
        pixel = {**pixel, "label_smoothing": self.label_smoothing}
        return DiceLoss(activation="softmax", **region), CrossEntropyLoss(**pixel)


@loss_registry.register(
    name="focal_dice_loss",
    aliases=["FocalDiceLoss"],
    tags=["segmentation", "binary", "multilabel", "multiclass", "imbalance", "overlap", "cross_entropy"],
)
@define_loss
class FocalDiceLoss(DiceAndPixelLoss):
    r"""Focal loss plus Dice loss, for small regions and hard pixels.

    .. math:: \ell = w_D\, \ell_\mathrm{Dice} + w_F\, \ell_\mathrm{focal}

    Convention:
        Both losses are means of their own, added with their weights as given. The target's shape decides
        between sigmoid and softmax for both; ``activation`` says otherwise.

    Shapes:
        ``input``: ``(B, C, *S)``, logits.
        ``target``: ``(B, *S)`` class indices of any integer dtype, or values 0 to 1 of the input's shape.
        Result: a scalar.

    Args:
        dice_weight: The weight of the Dice loss, >= 0. Default: 1.
        focal_weight: The weight of the focal loss, >= 0. Default: 1.
        smooth: Added above and below in the Dice score, >= 0. Default: 1.
        gamma: How strongly easy pixels are looked away from, >= 0. Default: 2.
        alpha: The weight of positives against negatives, 0 to 1, sigmoid only. Default: None, no weights.
        activation: ``"sigmoid"``, ``"softmax"``, or None to let the target's shape decide. Default: None.
        weight: One factor per class for both losses, >= 0. Default: None, all one.
        batch: Whether sizes are pooled over the batch in the Dice score. Default: False.
        empty: What the Dice loss of a sample and class without truth is, as in :class:`DiceLoss`:
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
        >>> loss = FocalDiceLoss(focal_weight=2.0)
        >>> loss(torch.zeros(1, 1, 2), torch.tensor([[[1.0, 0.0]]]))
        tensor(0.6799)

    Reference:
        Zhu et al. 2019, "AnatomyNet: Deep learning for fast and fully automated whole-volume segmentation of
        head and neck anatomy", arXiv:1808.05238.
    """

    claims: ClassVar = Claims(
        targets={"labels": {}, "binary": {}, "soft": {}}, at_soft="elsewhere", exempt=OWN_ELEMENTS
    )

    focal_weight: float = number(default=1.0, at_least=0)
    gamma: float = number(default=2.0, at_least=0)
    alpha: float | None = number(default=None, at_least=0, at_most=1)
    activation: Literal["sigmoid", "softmax"] | None = choice("sigmoid", "softmax", None, default=None)

    @property
    def pixel_weight(self) -> float:
        """The weight of the focal loss."""
        return self.focal_weight

    def build(self, region: dict[str, Any], pixel: dict[str, Any]) -> tuple[OverlapLoss, PointwiseLoss]:
        """Build the Dice loss and the focal loss."""
        region, pixel = ({**options, "activation": self.activation} for options in (region, pixel))
        return DiceLoss(**region), FocalLoss(gamma=self.gamma, alpha=self.alpha, **pixel)
