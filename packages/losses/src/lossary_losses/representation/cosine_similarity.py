"""Cosine similarity: two views of one thing point the same way."""

from typing import ClassVar

from torch import Tensor

from lossary_losses._core.base import define_loss
from lossary_losses._core.claims import Claims
from lossary_losses._core.options import flag
from lossary_losses._core.reduced import ReducedLoss
from lossary_losses._core.reduction import Elements, weigh
from lossary_losses._core.rows import prepare_rows, reciprocal_length, require_dimensions
from lossary_losses.loss_registry_setup import loss_registry

__all__ = ["CosineSimilarityLoss"]


@loss_registry.register(
    name="cosine_similarity_loss", aliases=["CosineSimilarityLoss"], tags=["representation", "pointwise"]
)
@define_loss
class CosineSimilarityLoss(ReducedLoss):
    r"""One minus the cosine between each embedding and its target, as in BYOL and SimSiam.

    .. math:: \ell = 1 - \frac{x \cdot t}{|x|\, |t|}

    Convention:
        SimSiam and lightly's ``NegativeCosineSimilarity`` leave the one out, so that their value plus one is
        ours; BYOL's squared distance of vectors of length one is twice ours. The target has no gradient
        unless ``detach_target`` is off: with one, both views can agree by becoming the same everywhere.
        Both papers add up the losses of both directions; call it twice for that. An embedding of zeros has no
        direction: it costs one, and has no gradient.

    Shapes:
        ``input`` and ``target``: ``(B, D)``, embeddings. Result: a scalar, or ``(B,)`` with
        ``reduction="none"``.

    Args:
        detach_target: Whether the target is taken as it is, without a gradient. Default: True.
        reduction: ``"mean"`` (default), ``"sum"`` or ``"none"``.
        process_group: The processes that share a batch: their gradients, once averaged, are then those of the
            whole batch in one process. Default: None, each process for itself.

    Raises:
        OptionTypeError: An option has the wrong type.
        OptionValueError: An option is out of its bounds.

    Example:
        >>> import torch
        >>> CosineSimilarityLoss()(torch.tensor([[1.0, 0.0]]), torch.tensor([[3.0, 4.0]]))
        tensor(0.4000)

    Reference:
        Grill et al. 2020, "Bootstrap your own latent: A new approach to self-supervised Learning",
        arXiv:2006.07733. Chen and He 2020, "Exploring Simple Siamese Representation Learning",
        arXiv:2011.10566.
    """

    claims: ClassVar = Claims(
        input="embeddings",
        targets={"embeddings": {}},
        element="pair",
        high=2.0,
        invariant=("rotation", "scale"),
        layout="B D",
        exempt={
            "every_option_has_an_effect": "detaching the target changes its gradient alone",
            "other_derivatives_are_right": "the target has no gradient unless it is asked for",
        },
    )

    detach_target: bool = flag(default=True)

    def elements(
        self, input: Tensor, target: Tensor, *, mask: Tensor | None = None, weight: Tensor | None = None
    ) -> Elements:
        """Give the loss of each pair."""
        require_dimensions(input, "input", "B D")
        rows = prepare_rows(input, mask, weight)
        target = rows.like_input(target, "target")
        if self.detach_target:
            target = target.detach()
        ours, theirs = (each * reciprocal_length(each) for each in (rows.input, target))
        # Half the squared distance of vectors of length one: one less the cosine would lose its digits.
        value = (ours - theirs).square().sum(dim=1) / 2 + (_is_zero(ours) + _is_zero(theirs)) / 2
        return weigh(value, rows.share)


def _is_zero(vectors: Tensor) -> Tensor:
    """Give one for a vector of zeros, which lacks the half that a length of one adds."""
    return (vectors == 0).all(dim=1).to(vectors.dtype)
