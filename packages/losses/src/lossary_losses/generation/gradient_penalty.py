"""Gradient penalties: how fast the scores of a discriminator change with what it judges."""

from typing import ClassVar

import torch
from torch import Tensor

from lossary_losses._core.base import define_loss, require_floating_point
from lossary_losses._core.claims import Claims
from lossary_losses._core.options import flag, number
from lossary_losses._core.reduced import TargetlessLoss
from lossary_losses._core.reduction import Elements, weigh, widened
from lossary_losses._core.rows import prepare_rows
from lossary_losses._core.stable import length
from lossary_losses.errors import InputValueError, OptionValueError
from lossary_losses.loss_registry_setup import loss_registry

__all__ = ["GradientPenaltyLoss", "input_gradient"]


def input_gradient(scores: Tensor, input: Tensor) -> Tensor:
    """Give the gradient of each sample's scores with respect to that sample, itself differentiable.

    For networks whose scores of a sample depend on that sample alone; batch normalization is none. Scores of
    several patches of a sample are added up.

    Args:
        scores: What a network gives for the input, ``(B, *)``.
        input: What it was given, ``(B, *)``; it must have had ``requires_grad`` then.

    Returns:
        A tensor of the input's shape, for :class:`GradientPenaltyLoss`.

    Raises:
        InputValueError: There is not a score for each sample, or scores do not depend on the input.
        InputTypeError: Scores or input are no floating-point tensors.

    Example:
        >>> import torch
        >>> images = torch.ones(2, 3, requires_grad=True)
        >>> input_gradient(images.square().sum(1), images)
        tensor([[2., 2., 2.],
                [2., 2., 2.]], grad_fn=<MulBackward0>)
    """
    require_floating_point(scores, "scores")
    require_floating_point(input, "input")
    if scores.shape[:1] != input.shape[:1] or not scores.ndim:
        raise InputValueError(
            f"Incompatible shapes: input {tuple(input.shape)}, scores {tuple(scores.shape)}; "
            "accepted for the scores: one or more for each sample, before any mean"
        )
    if not input.requires_grad:
        raise InputValueError("input has no requires_grad: call input.requires_grad_() before the network")
    if scores.requires_grad:
        total = widened(scores).sum()
        (gradient,) = torch.autograd.grad(total, input, create_graph=True, allow_unused=True)
        if gradient is not None:
            return gradient
    raise InputValueError(
        "scores do not depend on the input: they come from another tensor, or were detached on the way"
    )


@loss_registry.register(
    name="gradient_penalty_loss",
    aliases=["GradientPenaltyLoss"],
    tags=["generation", "adversarial", "regularization"],
)
@define_loss
class GradientPenaltyLoss(TargetlessLoss):
    r"""How far the gradient of a discriminator's scores is from zero, or from a length that it should have.

    .. math:: \ell = \frac{1}{2} \lVert g \rVert^2, \quad \text{or around a centre} \quad
        \ell = (\lVert g \rVert - c)^2, \quad \text{one-sided} \quad \ell = \max(0, \lVert g \rVert - c)^2

    It takes the gradient, not the network: ``loss(input_gradient(discriminator(images), images))``.

    Convention:
        The norm is over everything of a sample, not its channels alone. Around zero it is R1 at real and R2
        at generated samples, with the half of the paper; StyleGAN2 multiplies it by how many steps it leaves
        out as well. Around one it is WGAN-GP's, at points between both. Their factors, gamma and lambda, are
        weights of a sum. At a gradient of zero the slope is zero; peers have NaN there. What is penalized is
        the gradient: it is not detached.

    Shapes:
        ``input``: ``(B, *)``, the gradient for each sample; there is no target.
        ``mask`` and ``weight``: ``(B,)``.
        Result: a scalar, or ``(B,)`` with ``reduction="none"``.

    Args:
        centre: The length that a gradient should have, >= 0. Default: 0.
        one_sided: Whether only gradients that are longer cost something; around zero all are, and it is
            refused. Default: False.
        reduction: ``"mean"`` (default), ``"sum"`` or ``"none"``.
        process_group: The processes that share a batch: their gradients, once averaged, are then those of the
            whole batch in one process. Default: None, each process for itself.

    Raises:
        OptionTypeError: An option has the wrong type.
        OptionValueError: An option is out of its bounds, or one_sided is on around zero.

    Example:
        >>> import torch
        >>> GradientPenaltyLoss(centre=1.0)(torch.tensor([[3.0, 4.0], [0.6, 0.8]]))
        tensor(8.)

    Reference:
        Mescheder et al. 2018, "Which Training Methods for GANs do actually Converge?", arXiv:1801.04406.
        Around one: Gulrajani et al. 2017, "Improved Training of Wasserstein GANs", arXiv:1704.00028.
    """

    claims: ClassVar = Claims(
        targets={"nothing": {}}, input="gradients", layout="B *", invariant=("sign",), memory=5
    )

    centre: float = number(default=0.0, at_least=0)
    one_sided: bool = flag(default=False)

    def __attrs_post_init__(self) -> None:
        """Refuse a side where there is one only."""
        super().__attrs_post_init__()
        if self.one_sided and not self.centre:
            raise OptionValueError("one_sided needs a centre above 0: no gradient is shorter than 0")

    def elements(
        self, input: Tensor, *, mask: Tensor | None = None, weight: Tensor | None = None
    ) -> Elements:
        """Give the penalty of each sample."""
        gradient, _, share = prepare_rows(input, mask, weight)
        gradient = gradient.flatten(1) if gradient.ndim > 1 else gradient.unsqueeze(-1)
        if not self.centre:
            return weigh(gradient.square().sum(-1) / 2, share)
        excess = length(gradient) - self.centre
        return weigh((excess.relu() if self.one_sided else excess).square(), share)
