"""Losses of policies: what the tokens that were drawn cost, given how good they turned out to be."""

from typing import Any, Literal

import torch
from torch import Tensor

from lossary_losses._core.base import define_loss
from lossary_losses._core.options import choice, number
from lossary_losses._core.reduced import ElementLoss, Shape, stand_in
from lossary_losses._core.reduction import Elements
from lossary_losses.errors import InputTypeError
from lossary_losses.policy.tokens import Tokens, prepare_tokens

__all__ = [
    "ClippedPolicyLoss",
    "PolicyLoss",
    "log_ratio",
    "nearer",
    "of_sequences",
    "of_tokens",
    "token_ratio",
]

_FARTHEST = 20.0
"""The largest exponent that is taken of a difference of log-probabilities: beyond, only directions matter."""


@define_loss
class PolicyLoss(ElementLoss):
    """A surrogate of how much better or worse tokens were than expected, and a divergence from a reference.

    Subclasses say what the surrogate is, and how tokens are brought together.
    """

    beta: float = number(default=0.0, at_least=0)
    kl: Literal["k3", "k2"] = choice(
        "k3",
        "k2",
        default="k3",
        refused={"k1": "as a loss its gradient is zero on average: it estimates the value alone"},
    )

    def forward(
        self,
        input: Tensor,
        target: Tensor,
        *,
        old: Tensor | None = None,
        reference: Tensor | None = None,
        mask: Tensor | None = None,
        weight: Tensor | None = None,
    ) -> Tensor:
        """Compute the loss.

        Args:
            input: The log-probabilities of the tokens that were drawn; half precision is computed in float32.
            target: The advantages, which have no gradient; of the input's shape, or ``(B,)``.
            old: What the log-probabilities were when the tokens were drawn, without a gradient; None: what
                they are now.
            reference: The log-probabilities of a reference, without a gradient; needed where ``beta`` is.
            mask: Bool, True where a token counts; of the input's shape.
            weight: How much each token counts; of the input's shape.

        Returns:
            A scalar, or what each token adds to the sum with ``reduction="none"``.

        Raises:
            InputValueError: The shapes do not fit together, or a weight is negative.
            InputTypeError: A dtype is unusable, or there is no reference where ``beta`` is not zero.
        """
        return self.result(input, target, old=old, reference=reference, mask=mask, weight=weight)

    def surrogate(self, tokens: Tokens) -> Tensor:
        """Compute what each token costs, but for the divergence from a reference."""
        raise NotImplementedError(f"{type(self).__name__} must say what a token costs")

    def together(self, cost: Tensor, tokens: Tokens) -> Elements:
        """Say what each token adds to the sum, and to what it is divided by."""
        return of_tokens(cost, tokens)

    def elements(
        self,
        input: Tensor,
        target: Tensor,
        *,
        old: Tensor | None = None,
        reference: Tensor | None = None,
        mask: Tensor | None = None,
        weight: Tensor | None = None,
    ) -> Elements:
        """Give what each token adds to the sum, and to what it is divided by."""
        given = {"old": old, "reference": reference, "mask": mask, "weight": weight}
        tokens = prepare_tokens(input, target, **given)
        cost = self.surrogate(tokens)
        if self.beta:
            cost = cost + self.beta * self._divergence(tokens)
        return self.together(cost, tokens)

    def counts(
        self,
        target: Tensor | None = None,
        *,
        like: Shape,
        mask: Tensor | None = None,
        weight: Tensor | None = None,
        **arguments: Any,  # noqa: ANN401
    ) -> Tensor:
        """Give the denominator that ``fraction`` would give; no reference is needed for that."""
        arguments.setdefault("reference", stand_in(like, [target]))
        return super().counts(target, like=like, mask=mask, weight=weight, **arguments)

    def _divergence(self, tokens: Tokens) -> Tensor:
        """Estimate the divergence from the reference, token by token."""
        if tokens.reference is None:
            raise InputTypeError(f"beta={self.beta:g} needs the log-probabilities of a reference=")
        difference = tokens.reference - tokens.input
        if self.kl == "k2":
            return difference.square() / 2
        difference = nearer(difference)
        # Near zero the exponential less one has the digits that the square of a small difference needs.
        return torch.expm1(difference) - difference


@define_loss
class ClippedPolicyLoss(PolicyLoss):
    """The clipped surrogate of PPO, for losses that differ in ratios, bounds and what they divide by."""

    clip_low: float = number(default=0.2, at_least=0, below=1)
    clip_high: float = number(default=0.2, at_least=0)
    dual_clip: float | None = number(default=None, above=1)

    def ratio(self, tokens: Tokens) -> Tensor:
        """Give how many times as likely each token has become."""
        return token_ratio(tokens)

    def surrogate(self, tokens: Tokens) -> Tensor:
        """Give minus the worse of what the ratio gains, and of what the ratio within its bounds does."""
        advantage, ratio = tokens.advantage(), self.ratio(tokens)
        free, held = -ratio * advantage, -ratio.clamp(1 - self.clip_low, 1 + self.clip_high) * advantage
        # Where both are equal, the one with a gradient, whatever torch's own has at an edge.
        cost = torch.where(free >= held, free, held)
        if self.dual_clip is None:
            return cost
        most = -self.dual_clip * advantage
        return torch.where((advantage < 0) & (cost > most), most, cost)


def of_tokens(cost: Tensor, tokens: Tokens) -> Elements:
    """Let each token count alike, whatever sequence it is in."""
    return Elements(cost * tokens.share, tokens.share)


def of_sequences(cost: Tensor, tokens: Tokens) -> Elements:
    """Let each sequence that has tokens count alike, whatever its length."""
    share = tokens.share / tokens.lengths()
    return Elements(cost * share, share)


def log_ratio(tokens: Tokens) -> Tensor:
    """Give the logarithm of how many times as likely each token has become; of what is as it was, zero."""
    return tokens.input - (tokens.input.detach() if tokens.old is None else tokens.old)


def token_ratio(tokens: Tokens) -> Tensor:
    """Give how many times as likely each token has become."""
    return nearer(log_ratio(tokens)).exp()


def nearer(difference: Tensor) -> Tensor:
    """Limit an exponent from above in value, not in gradient: how far off it is must not stop learning."""
    return difference.detach().clamp(max=_FARTHEST) + (difference - difference.detach())
