"""A mask for losses that know none."""

from collections.abc import Mapping

import attrs
import torch
from torch import Tensor, nn

from lossary_losses._core.base import Loss, define_loss
from lossary_losses._core.checks import values_readable
from lossary_losses._core.counting import asking_counts, asking_fractions, require_additive
from lossary_losses._core.dense import (
    at_rank,
    can_hold,
    incompatible_shapes,
    kind_of,
    require_mask,
    require_tensor,
)
from lossary_losses._core.options import flag, number
from lossary_losses._core.reduced import Shape, shape_of
from lossary_losses._core.reduction import Fraction, widened
from lossary_losses.composite.calling import call_of
from lossary_losses.composite.terms import check_loss, connected_zero, only_given
from lossary_losses.errors import InputTypeError
from lossary_losses.loss_registry_setup import loss_registry

__all__ = ["Masked"]

_RANK = 2
"""Batch and channels: what has positions at all."""


@loss_registry.register(name="masked", aliases=["Masked"], tags=["composite"])
@define_loss(kw_only=False)
class Masked(Loss):
    r"""Any loss on the positions that count alone.

    .. math:: \ell = \ell' \left( (x_i, t_i)_{i \text{ counts}} \right)

    Convention:
        What does not count has no part in the loss, a gradient of zero, and may hold NaN; where nothing
        counts the loss is zero. A loss whose ``forward`` takes ``mask`` is handed one: of the target's
        shape, or of the mask's where nothing is ignored. Any other, such as torch's own, is given the
        positions that count in one row: ``(N, C)`` with a target of ``(N,)`` or ``(N, C)``, or, where some
        channels of a position count and others do not, single elements ``(N,)``. For a loss of elements or
        positions that is the same; not so for one that looks at neighbours (gradients, windows, distances)
        or at whole samples (a Dice for each), which needs a mask of its own. Cutting out takes a shape that
        depends on the data, and does not compile into one graph; handing over does.

    Shapes:
        ``input``: ``(B, C, *S)``, or any shape where the target has the same.
        ``target``: the input's, or ``(B, *S)``.
        Result: that of the loss; a scalar if it reduces.

    Args:
        loss: The loss, any ``nn.Module``.
        ignore_index: Where the target equals it, nothing counts. Default: None.
        ignore_nan: Whether nothing counts where the target is NaN, as in depth maps with holes. Default:
            False.

    Raises:
        OptionTypeError: The loss is no module, or an option has the wrong type.
        OptionValueError: ignore_index is not finite.

    Example:
        >>> import torch
        >>> loss = Masked(torch.nn.L1Loss(), ignore_nan=True)
        >>> loss(torch.tensor([1.0, 2.0]), torch.tensor([3.0, float("nan")]))
        tensor(2.)

    Reference:
        None: it is plain selection.
    """

    loss: nn.Module = attrs.field(validator=check_loss, repr=False)
    ignore_index: float | None = number(default=None)
    ignore_nan: bool = flag(default=False)

    def __attrs_post_init__(self) -> None:
        """See what the loss takes; a graph that is compiled could not ask."""
        super().__attrs_post_init__()
        self._call = call_of(self.loss, type(self.loss).__name__)

    def forward(
        self,
        input: Tensor,
        target: Tensor | None = None,
        *,
        mask: Tensor | None = None,
        weight: Tensor | None = None,
    ) -> Tensor:
        """Compute the loss of what counts.

        Args:
            input: What the network gives.
            target: What it should have given.
            mask: Bool, True where a position counts; of shape ``(B, *S)`` or the target's.
            weight: Handed to the loss along with the rest, if it takes one.

        Raises:
            InputValueError: The shapes do not fit together.
            InputTypeError: The input is no tensor, the mask not bool, or the loss takes no weight.
        """
        valid = self._valid(input, target, mask)
        if weight is not None and "weight" not in self._call.arguments:
            raise InputTypeError(f"{type(self.loss).__name__} takes no weight: give it none, or a mask")
        if valid is None:
            return self._result(input, target, **only_given(weight=weight))
        is_ours = isinstance(self.loss, Loss)
        if is_ours and "mask" in self._call.arguments:
            return self._handed(input, target, valid, weight)
        if values_readable(valid) and not valid.any():
            return connected_zero(input)
        if "mask" in self._call.arguments:
            # A mask that is multiplied with would let NaN through.
            input = torch.where(valid, input, 0)
            if target is not None:
                target = torch.where(valid if target.ndim == input.ndim else valid.squeeze(1), target, 0)
            return self._handed(input, target, valid, weight)
        return self._cut(input, target, valid, weight)

    def parts(self) -> Mapping[str, nn.Module]:
        """Give the loss within."""
        return {"": self.loss}

    def fraction(
        self,
        input: Tensor,
        target: Tensor | None = None,
        *,
        mask: Tensor | None = None,
        weight: Tensor | None = None,
    ) -> dict[str, Fraction]:
        """Give numerator and denominator of each loss within, by its path.

        Raises:
            NotAdditiveError: The loss tells no denominator, or looks at the batch as a whole.
        """
        given = self._handed_on(input, target, mask, weight)
        fractions: dict[str, Fraction] = self._call(asking_fractions(self.loss, ""), input, target, given)
        return fractions

    def counts(
        self,
        target: Tensor | None = None,
        *,
        like: Shape,
        mask: Tensor | None = None,
        weight: Tensor | None = None,
    ) -> dict[str, Tensor]:
        """Give the denominators that ``fraction`` would give, for an input of the shape of ``like``.

        Raises:
            NotAdditiveError: The loss tells no denominator, or looks at the batch as a whole.
        """
        input = torch.empty(shape_of(like), device="meta")
        given = self._handed_on(input, target, mask, weight)
        counts: dict[str, Tensor] = self._call(asking_counts(self.loss, ""), input, target, given)
        return counts

    def _handed_on(
        self, input: Tensor, target: Tensor | None, mask: Tensor | None, weight: Tensor | None
    ) -> dict[str, Tensor]:
        """Give what the loss is handed besides input and target, where it knows masks."""
        require_additive(self.loss)
        valid = self._valid(input, target, mask)
        given = only_given(weight=weight)
        return given if valid is None else {"mask": _as_given(valid, input), **given}

    def _valid(self, input: Tensor, target: Tensor | None, mask: Tensor | None) -> Tensor | None:
        """Tell what counts, at the input's rank with the channels of the target; None: everything."""
        require_tensor(input, "input")
        if target is None:
            return self._valid_alone(input, mask)
        kind = kind_of(input, target)
        if kind == "labels" and input.shape[1] == 1:
            # In rows, (N, 1) and (N,) would broadcast in a loss that does not look.
            raise incompatible_shapes(
                input, target, f"{tuple(input.shape)} (one channel): target.unsqueeze(1)"
            )
        valid = None
        if mask is not None:
            require_mask(mask)
            valid = at_rank(mask, input, "mask", elementwise=kind != "labels")
        truth = target.unsqueeze(1) if kind == "labels" else target
        if self.ignore_index is not None and can_hold(truth.dtype, self.ignore_index):
            kept = truth != self.ignore_index
            valid = kept if valid is None else valid & kept
        if self.ignore_nan:
            kept = ~truth.isnan()
            valid = kept if valid is None else valid & kept
        return valid

    def _valid_alone(self, input: Tensor, mask: Tensor | None) -> Tensor | None:
        """Tell what counts where there is no target to be ignored."""
        if self.ignore_index is not None or self.ignore_nan:
            raise InputTypeError("ignore_index and ignore_nan are about a target, and there is none")
        if mask is None:
            return None
        require_mask(mask)
        return at_rank(mask, input, "mask", elementwise=True)

    def _handed(self, input: Tensor, target: Tensor | None, valid: Tensor, weight: Tensor | None) -> Tensor:
        """Give the loss a mask."""
        return self._result(input, target, mask=_as_given(valid, input), **only_given(weight=weight))

    def _cut(self, input: Tensor, target: Tensor | None, valid: Tensor, weight: Tensor | None) -> Tensor:
        """Give the loss what counts, in rows."""
        is_flat = input.ndim < _RANK
        by_position = not is_flat and bool((valid == valid[:, :1]).all())
        given = {"input": input, **only_given(target=target)}
        if weight is not None:
            # Only to check its shape: what is cut out has the rank that it was given with.
            at_rank(weight, input, "weight", elementwise=target is None or target.shape == input.shape)
            given["weight"] = weight
        for name, tensor in given.items():
            has_channels = is_flat or tensor.ndim == input.ndim
            if by_position:
                given[name] = (tensor.movedim(1, -1) if has_channels else tensor)[valid[:, 0]]
            else:
                given[name] = (tensor if has_channels else tensor.unsqueeze(1).expand_as(input))[valid]
        return self._result(given.pop("input"), given.pop("target", None), **given)

    def _result(self, input: Tensor, target: Tensor | None, **given: Tensor) -> Tensor:
        """Give what the loss gives, which may be more than a tensor; of a tensor, no half precision."""
        result: Tensor = self._call(self.loss, input, target, given)
        return widened(result) if isinstance(result, Tensor) else result  # type: ignore[redundant-expr]


def _as_given(valid: Tensor, input: Tensor) -> Tensor:
    """Give a mask in one of the shapes that losses take: the input's, or without the channels."""
    return valid if valid.shape == input.shape else valid.squeeze(1)
