"""The loss of SigLIP: for each pair of an image and a text on its own, whether they belong together."""

from typing import ClassVar, NamedTuple

import torch
from torch import Tensor

from lossary_losses._core.base import define_loss
from lossary_losses._core.claims import Claims
from lossary_losses._core.options import number
from lossary_losses._core.reduced import ReducedLoss
from lossary_losses._core.reduction import Elements, weigh
from lossary_losses._core.rows import prepare_rows, reciprocal_length, require_dimensions
from lossary_losses._core.rowwise import rowwise
from lossary_losses._core.stable import softplus
from lossary_losses.loss_registry_setup import loss_registry
from lossary_losses.representation.learned import learned_number, positive_number
from lossary_losses.representation.pairs import counted_of_all, of_all

__all__ = ["SigLIPLoss"]


@loss_registry.register(
    name="siglip_loss",
    aliases=["SigLIPLoss"],
    tags=["representation", "contrastive", "binary"],
)
@define_loss
class SigLIPLoss(ReducedLoss):
    r"""Binary cross entropy of telling, for every input with every target, whether they are a pair.

    .. math:: \ell_i = \sum_j \log \big( 1 + e^{-z_{ij} (t \cos(x_i, y_j) + b)} \big)

    with :math:`z_{ij} = 1` where :math:`i = j`, and -1 elsewhere; :math:`t` is the scale, :math:`b` the bias.

    Convention:
        The mean is over rows, each with the sum over all targets: the sum over pairs, divided by the number
        of rows, as in the paper and in open_clip, which take rows of length one. The paper learns the
        logarithm of the scale, beginning at ``log(10)``, and the bias, beginning at -10, so that most pairs
        cost little at first; give what is learned as tensors: ``scale=log_scale.exp(), bias=bias``.
        Over processes each row is compared with the targets of all of them.

    Shapes:
        ``input`` and ``target``: ``(B, D)``, embeddings of images and of texts, of any length. ``scale`` and
        ``bias``: ``()``. Result: a scalar, or ``(B,)`` with ``reduction="none"``.

    Args:
        scale: What cosines are multiplied by, > 0, unless a tensor is given. Default: 10.
        bias: What is added then, unless a tensor is given. Default: -10.
        reduction: ``"mean"`` (default), ``"sum"`` or ``"none"``.
        process_group: The processes that share a batch: their gradients, once averaged, are then those of the
            whole batch in one process. Default: None, each process for itself.

    Raises:
        OptionTypeError: An option has the wrong type.
        OptionValueError: An option is out of its bounds.

    Example:
        >>> import torch
        >>> SigLIPLoss()(torch.eye(2), torch.eye(2))
        tensor(0.6932)

    Reference:
        Zhai et al. 2023, "Sigmoid Loss for Language Image Pre-Training", arXiv:2303.15343.
    """

    claims: ClassVar = Claims(
        input="embeddings",
        targets={"embeddings": {}},
        element="pair",
        couples="batch",
        perfect=None,
        layout="B D",
    )

    scale: float = number(default=10.0, above=0)
    bias: float = number(default=-10.0)

    def forward(
        self,
        input: Tensor,
        target: Tensor,
        *,
        scale: Tensor | None = None,
        bias: Tensor | None = None,
        mask: Tensor | None = None,
        weight: Tensor | None = None,
    ) -> Tensor:
        """Compute the loss.

        Args:
            input: Embeddings; half precision is computed in float32.
            target: The embedding that belongs to each of them.
            scale: What cosines are multiplied by, where it is learned.
            bias: What is added then, where it is learned.
            mask: Bool, True where a row counts, as input and as target alike; of shape ``(B,)``.
            weight: How much each row counts in the mean; of shape ``(B,)``.

        Returns:
            A scalar, or each row's loss with ``reduction="none"``.

        Raises:
            InputValueError: The shapes do not fit together, or a scale or a weight is impossible.
            InputTypeError: A dtype is unusable.
        """
        return self.result(input, target, scale=scale, bias=bias, mask=mask, weight=weight)

    def elements(
        self,
        input: Tensor,
        target: Tensor,
        *,
        scale: Tensor | None = None,
        bias: Tensor | None = None,
        mask: Tensor | None = None,
        weight: Tensor | None = None,
    ) -> Elements:
        """Give the loss of each row."""
        require_dimensions(input, "input", "B D")
        rows = prepare_rows(input, mask, weight)
        target = rows.like_input(target, "target")
        factor = positive_number(scale, "scale", self.scale, rows.input)
        offset = learned_number(bias, "bias", self.bias, rows.input)
        ours, theirs = (each * reciprocal_length(each) for each in (rows.input, target))
        # With one more number each, scalar products are logits.
        ours = torch.cat([factor * ours, offset.expand(len(ours), 1)], dim=1)
        theirs = torch.cat([theirs, theirs.new_ones(len(theirs), 1)], dim=1)
        targets, place = of_all(theirs, self.process_group)
        counted = counted_of_all(rows.counted, target, self.process_group)
        return weigh(rowwise(_Sides(place.start, counted), ours, targets), rows.share)


class _Sides(NamedTuple):
    """For which pairs a logit speaks, and against which."""

    first: int
    """The place of the first row's own target."""
    counted: Tensor | None

    def of_rows(self, similarities: Tensor, first: int) -> Tensor:
        """Add up what each row's pairs cost."""
        place = self.first + first
        own = similarities.diagonal(place)[: len(similarities)]
        # softplus of minus the logit for the row's own target, exact where that is small.
        cost = softplus(similarities.diagonal_scatter(-own, place))
        return (cost if self.counted is None else torch.where(self.counted, cost, 0)).sum(dim=1)
