"""The same loss at several resolutions."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal, NamedTuple

import attrs
import torch
from torch import Tensor, nn

from lossary_losses._core.base import Loss, define_loss
from lossary_losses._core.counting import asking_counts, asking_fractions, scaled
from lossary_losses._core.dense import require_tensor
from lossary_losses._core.options import choice
from lossary_losses._core.plain_numbers import is_finite, is_number
from lossary_losses._core.reduced import Shape, shape_of
from lossary_losses._core.reduction import Fraction, widened
from lossary_losses.composite.calling import call_of
from lossary_losses.composite.terms import Evaluation, add_up, check_loss, only_given
from lossary_losses.errors import InputTypeError, InputValueError, OptionTypeError, OptionValueError
from lossary_losses.loss_registry_setup import loss_registry

__all__ = ["DeepSupervision"]


def _check_weights(_instance: object, attribute: "attrs.Attribute[Any]", weights: object) -> None:
    if weights is None:
        return
    if not isinstance(weights, Sequence) or isinstance(weights, str):
        raise OptionTypeError(f"{attribute.name} must be a sequence of numbers or None, got {weights!r}")
    for weight in weights:
        if not is_number(weight):
            raise OptionTypeError(f"{attribute.name} must hold finite numbers >= 0, got {weight!r}")
        if not (is_finite(weight) and weight >= 0):
            raise OptionValueError(f"{attribute.name} must hold finite numbers >= 0, got {weight!r}")


@loss_registry.register(name="deep_supervision", aliases=["DeepSupervision"], tags=["composite"])
@define_loss(kw_only=False)
class DeepSupervision(Loss):
    r"""The weighted sum of one loss at several resolutions of the output.

    .. math:: \ell = \sum_i w_i\, \ell(x_i, t_i), \quad w_i = 2^{-i} \text{ unless given}

    Convention:
        The finest output comes first. Weights are used as given, never normalised; nnU-Net divides them by
        their sum and leaves out the coarsest: its four outputs have ``weights=[4/7, 2/7, 1/7, 0]``. Targets
        are brought to each resolution by taking the nearest position, which keeps labels labels.

    Shapes:
        ``input``: a sequence of ``(B, C, *S_i)``. ``target``: ``(B, *S)`` or ``(B, C, *S)``, or with
        ``target="given"`` a sequence of one for each input.
        Result: that of the loss, if all resolutions agree; a scalar if it reduces.

    Args:
        loss: The loss, any ``nn.Module``.
        weights: A finite number >= 0 for each resolution; zero leaves one out. Default: None, for 1, 1/2,
            1/4 and so on.
        target: ``"resize"`` (default) brings the target to each resolution, ``"same"`` hands it to each as
            it is, ``"given"`` takes one for each.

    Raises:
        OptionTypeError: The loss is no module, or a weight no number.
        OptionValueError: A weight is negative, or the option for the target is none of the three.

    Example:
        >>> import torch
        >>> from lossary_losses import BCELoss
        >>> outputs = [torch.zeros(1, 1, 4, 4), torch.zeros(1, 1, 2, 2)]
        >>> DeepSupervision(BCELoss())(outputs, torch.ones(1, 1, 4, 4))
        tensor(1.0397)

    Reference:
        Lee et al. 2015, "Deeply-Supervised Nets", arXiv:1409.5185; weights as in Isensee et al. 2018,
        "nnU-Net", arXiv:1809.10486, before its normalisation.
    """

    loss: nn.Module = attrs.field(validator=check_loss, repr=False)
    weights: Sequence[float] | None = attrs.field(default=None, validator=_check_weights)
    target: Literal["resize", "same", "given"] = choice("resize", "same", "given", default="resize")

    def __attrs_post_init__(self) -> None:
        """See what the loss takes."""
        super().__attrs_post_init__()
        self._call = call_of(self.loss, "the loss")

    def forward(
        self,
        input: Sequence[Tensor],
        target: Tensor | Sequence[Tensor] | None = None,
        *,
        mask: Tensor | None = None,
        weight: Tensor | None = None,
    ) -> Tensor:
        """Compute the weighted sum; ``mask`` and ``weight`` are brought to each resolution as the target is.

        Raises:
            InputValueError: The outputs are not as many as the weights, or the targets.
            InputTypeError: The input is no sequence of tensors, or the loss needs a target and there is none.
        """
        return self.evaluate(input, target, mask=mask, weight=weight).total

    def evaluate(
        self,
        input: Sequence[Tensor],
        target: Tensor | Sequence[Tensor] | None = None,
        *,
        mask: Tensor | None = None,
        weight: Tensor | None = None,
    ) -> Evaluation:
        """Compute the weighted sum, and what each resolution adds to it, in one pass."""
        total, terms = self.combine(input, self.values(input, target, mask=mask, weight=weight))
        return Evaluation(total, {name: value.detach() for name, value in terms.items()})

    def values(
        self,
        input: Sequence[Tensor],
        target: Tensor | Sequence[Tensor] | None = None,
        *,
        mask: Tensor | None = None,
        weight: Tensor | None = None,
    ) -> dict[str, Tensor]:
        """Give the loss at each resolution that counts, without its weight and as part of the graph."""
        given = only_given(mask=mask, weight=weight)
        return {
            each.name: widened(self._call(self.loss, each.output, each.target, each.given))
            for each in self._resolutions(input, target, given)
        }

    def combine(self, input: Sequence[Tensor], values: Mapping[str, Tensor]) -> Evaluation:
        """Weigh what ``values`` gave and add it up; the terms stay part of the graph."""
        weights = self._weights(len(input))
        factors = {f"resolution_{index}": weight for index, weight in enumerate(weights)}
        terms = {name: factors[name] * value for name, value in values.items()}
        return Evaluation(add_up(input, terms), terms)

    def parts(self) -> Mapping[str, nn.Module]:
        """Give the one loss that there is at each resolution."""
        return {"": self.loss}

    def fraction(
        self,
        input: Sequence[Tensor],
        target: Tensor | Sequence[Tensor] | None = None,
        *,
        mask: Tensor | None = None,
        weight: Tensor | None = None,
    ) -> dict[str, Fraction]:
        """Give numerator, weight included, and denominator of each resolution and loss within, by its path.

        Raises:
            NotAdditiveError: The loss tells no denominator, or looks at the batch as a whole.
        """
        given = only_given(mask=mask, weight=weight)
        found: dict[str, Fraction] = {}
        for each in self._resolutions(input, target, given):
            ask = asking_fractions(self.loss, each.name)
            found |= scaled(self._call(ask, each.output, each.target, each.given), each.factor)
        return found

    def counts(
        self,
        target: Tensor | Sequence[Tensor] | None = None,
        *,
        like: Sequence[Shape],
        mask: Tensor | None = None,
        weight: Tensor | None = None,
    ) -> dict[str, Tensor]:
        """Give the denominators that ``fraction`` would give; ``like`` has a shape for each resolution.

        Raises:
            NotAdditiveError: The loss tells no denominator, or looks at the batch as a whole.
        """
        given = only_given(mask=mask, weight=weight)
        outputs = [torch.empty(shape_of(each), device="meta") for each in like]
        found: dict[str, Tensor] = {}
        for each in self._resolutions(outputs, target, given):
            ask = asking_counts(self.loss, each.name)
            found |= self._call(ask, each.output, each.target, each.given)
        return found

    def _resolutions(
        self,
        input: Sequence[Tensor],
        target: Tensor | Sequence[Tensor] | None,
        given: Mapping[str, Tensor],
    ) -> Iterator["_Resolution"]:
        """Yield what there is at each resolution that counts."""
        _require_sequence(input)
        targets = self._targets(input, target)
        weights = self._weights(len(input))
        for index, (output, truth, factor) in enumerate(zip(input, targets, weights, strict=True)):
            if factor:
                resized = {name: _resized(each, output, name) for name, each in given.items()}
                yield _Resolution(f"resolution_{index}", factor, output, truth, resized)

    def _weights(self, resolutions: int) -> Sequence[float]:
        if self.weights is None:
            return [0.5**index for index in range(resolutions)]
        if len(self.weights) != resolutions:
            raise InputValueError(f"there are {len(self.weights)} weights for {resolutions} outputs")
        return [float(weight) for weight in self.weights]

    def _targets(
        self, input: Sequence[Tensor], target: Tensor | Sequence[Tensor] | None
    ) -> Sequence[Tensor | None]:
        if target is None:
            return [None] * len(input)
        if isinstance(target, Tensor):
            if self.target == "given":
                raise InputTypeError("target='given' needs a sequence of targets, one for each output")
            return [_resized(target, each, "target") if self.target == "resize" else target for each in input]
        if self.target != "given":
            raise InputTypeError(
                f"target={self.target!r} needs one target; 'given' takes one for each output"
            )
        if len(target) != len(input):
            raise InputValueError(f"there are {len(target)} targets for {len(input)} outputs")
        return target


class _Resolution(NamedTuple):
    """What the loss is called with at one resolution."""

    name: str
    factor: float
    output: Tensor
    target: Tensor | None
    given: Mapping[str, Tensor]


def _require_sequence(input: object) -> None:
    if not isinstance(input, Sequence):
        raise InputTypeError(f"input must be a sequence of tensors, got {type(input).__name__}")
    if not input:
        raise InputValueError("input must hold one output or more, got none")
    for index, output in enumerate(input):
        require_tensor(output, f"input[{index}]")


def _resized(tensor: Tensor, output: Tensor, name: str) -> Tensor:
    """Bring ``(B, *S)`` or ``(B, C, *S)`` to the space of an output, by the nearest position."""
    require_tensor(tensor, name)
    space = output.shape[2:]
    first = tensor.ndim - len(space)
    if first < 1 or 0 in tensor.shape[first:]:
        # Without a batch, or a position to take: left to the loss, which says what fits.
        return tensor
    for dimension, wanted in enumerate(space, start=first):
        present = tensor.shape[dimension]
        if present != wanted:
            # The floor of (i + 1/2) present / wanted, in integers: a float may be of half precision.
            twice_centres = 2 * torch.arange(wanted, device=tensor.device) + 1
            tensor = tensor.index_select(dimension, twice_centres * present // (2 * max(wanted, 1)))
    return tensor
