"""Losses of sources without an order: each is compared with the target that it fits."""

from collections.abc import Mapping
from typing import Any, cast

import attrs
import torch
from torch import Tensor, nn

from lossary_losses._core.assignment import assign
from lossary_losses._core.base import Loss, define_loss, full_precision
from lossary_losses._core.counting import asking_counts, asking_fractions
from lossary_losses._core.dense import incompatible_shapes, require_tensor
from lossary_losses._core.reduced import ElementLoss, Shape
from lossary_losses._core.reduction import Fraction
from lossary_losses.composite.terms import only_given
from lossary_losses.errors import InputValueError, OptionTypeError
from lossary_losses.loss_registry_setup import loss_registry

__all__ = ["PermutationInvariant"]

_SOURCES = 1
"""The dimension of the sources."""


def _check_loss(_instance: object, attribute: "attrs.Attribute[Any]", loss: object) -> None:
    if not isinstance(loss, ElementLoss):
        raise OptionTypeError(
            f"{attribute.name} must tell what each source costs, as losses of this collection do, "
            f"and is a {type(loss).__name__}"
        )


@loss_registry.register(
    name="permutation_invariant",
    aliases=["PermutationInvariant"],
    tags=["composite", "audio", "signals"],
)
@define_loss(kw_only=False)
class PermutationInvariant(Loss):
    r"""Any loss of sources, in that order of the targets in which it is least.

    .. math:: \ell = \ell'(x, t_\pi), \quad \pi = \arg\min_\pi \sum_s \ell'(x_s, t_{\pi(s)})

    A network that separates a mixture gives its sources in any order. Each sample has its own.

    Convention:
        What is compared is the cost of each source with each target, without a gradient; the loss is then
        that of the best order. That is the utterance-level form of the paper, as in asteroid's
        ``pairwise`` wrapper and torchmetrics' ``mode="speaker-wise"``. Up to three sources all orders are
        tried on the device; more of them are assigned by scipy, which does not grow with the number of
        orders. Of orders that cost the same, always the same one is taken. Masked steps have no part in it.

    Shapes:
        ``input``: ``(B, S, *)``, S sources.
        ``target``: the input's.
        ``mask`` and ``weight``: as the loss takes them; a weight belongs to a source, not to a target.
        Result: that of the loss; a scalar if it reduces.

    Args:
        loss: A loss with an element for each source, or several, such as :class:`SISDRLoss`.

    Raises:
        OptionTypeError: The loss does not tell what each source costs.
        MissingPackageError: There are more than three sources, and scipy is not installed; it comes with the
            extra ``matching``.

    Example:
        >>> import torch
        >>> from lossary_losses import MSELoss
        >>> sources = torch.tensor([[[0.0, 1.0], [2.0, 3.0]]])
        >>> PermutationInvariant(MSELoss())(sources.flip(1), sources)
        tensor(0.)

    Reference:
        Kolbaek et al. 2017, "Multi-talker Speech Separation with Utterance-level Permutation Invariant
        Training of Deep Recurrent Neural Networks", arXiv:1703.06284.
    """

    loss: nn.Module = attrs.field(validator=_check_loss, repr=False)

    def forward(
        self, input: Tensor, target: Tensor, *, mask: Tensor | None = None, weight: Tensor | None = None
    ) -> Tensor:
        """Compute the loss in the best order of the targets.

        Args:
            input: The sources that the network gives.
            target: The sources, in any order.
            mask: Handed to the loss.
            weight: Handed to the loss.

        Raises:
            InputValueError: The shapes do not fit together.
        """
        given = only_given(mask=mask, weight=weight)
        result: Tensor = self.loss(input, self.ordered(input, target, mask=mask), **given)
        return result

    def ordered(self, input: Tensor, target: Tensor, *, mask: Tensor | None = None) -> Tensor:
        """Give the targets in the order of the sources that they fit."""
        require_tensor(input, "input")
        require_tensor(target, "target")
        if input.shape != target.shape or input.ndim <= _SOURCES:
            raise incompatible_shapes(input, target, f"{tuple(input.shape)}, (B, S, *)")
        with torch.no_grad(), full_precision(input):
            source_of = assign(self._costs(input, target, mask))
        order = source_of.argsort(1)
        return target.take_along_dim(order.reshape(*order.shape, *(1 for _ in target.shape[2:])), _SOURCES)

    def parts(self) -> Mapping[str, nn.Module]:
        """Give the loss within."""
        return {"": self.loss}

    def fraction(
        self, input: Tensor, target: Tensor, *, mask: Tensor | None = None, weight: Tensor | None = None
    ) -> dict[str, Fraction]:
        """Give numerator and denominator of the loss.

        Raises:
            NotAdditiveError: The loss looks at the batch as a whole.
        """
        given = only_given(mask=mask, weight=weight)
        return asking_fractions(self.loss, "")(input, self.ordered(input, target, mask=mask), **given)

    def counts(
        self, target: Tensor, *, like: Shape, mask: Tensor | None = None, weight: Tensor | None = None
    ) -> dict[str, Tensor]:
        """Give the denominator that ``fraction`` would give, for an input of the shape of ``like``.

        Raises:
            NotAdditiveError: The loss looks at the batch as a whole.
        """
        return asking_counts(self.loss, "")(like, target, **only_given(mask=mask, weight=weight))

    def _costs(self, input: Tensor, target: Tensor, mask: Tensor | None) -> Tensor:
        """Compare each source with each target, ``(B, S, S)``: all of them with the next one at a time."""
        count, loss = input.shape[_SOURCES], cast("ElementLoss", self.loss)
        steps = []
        for shift in range(count):
            moved = target.roll(-shift, _SOURCES)
            value, _ = loss.elements(input, moved, **only_given(mask=mask))
            if value.shape[: _SOURCES + 1] != input.shape[: _SOURCES + 1]:
                raise InputValueError(
                    f"{type(self.loss).__name__} gives no number for each of {count} sources, "
                    f"but {tuple(value.shape)}"
                )
            steps.append(value.flatten(_SOURCES + 1).sum(-1) if value.ndim > _SOURCES + 1 else value)
        if not steps:
            return input.new_zeros(*input.shape[: _SOURCES + 1], 0)
        # The cost of source s with target (s + shift) % count stands at shift: put each where it belongs.
        device = input.device
        sources, targets = torch.arange(count, device=device).unsqueeze(1), torch.arange(count, device=device)
        return torch.stack(steps, -1)[:, sources, (targets - sources) % count]
