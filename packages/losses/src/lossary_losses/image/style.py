"""Style loss: how differently features go together, wherever they are."""

from collections.abc import Sequence
from typing import ClassVar

from torch import Tensor

from lossary_losses._core.base import define_loss
from lossary_losses._core.claims import Claims
from lossary_losses._core.features import FeaturesLoss, Weight
from lossary_losses.loss_registry_setup import loss_registry

__all__ = ["StyleLoss"]


@loss_registry.register(
    name="style_loss",
    aliases=["StyleLoss"],
    tags=["image", "features"],
)
@define_loss
class StyleLoss(FeaturesLoss):
    r"""Squared distance of the Gram matrices of the features of input and target, added up over layers.

    .. math:: \ell = \sum_l w_l \lVert G(f_l(x)) - G(f_l(t)) \rVert_F^2, \quad
        G(f) = \frac{f f^\top}{C N}

    for features :math:`f` of :math:`C` channels at :math:`N` positions.

    Convention:
        The extractor is copied and frozen: in evaluation mode,
        without gradients, no part of the loss's parameters or state; it moves along with ``to``. It is a
        Python object, which no config can name: a config has the loss of features themselves, and Python
        gives ``extractor=``. What images it wants, and how they are normalised, is its own affair. The target
        has no gradient.
        The first paper has a quarter of this. piq has Gram matrices that are not divided at all, and mean
        squares of their differences. Gram matrices are computed in float32 or float64.

    Shapes:
        ``input``: what the extractor takes, ``(B, *)``; without one, features ``(B, C, *S)``: a tensor, a
        sequence or a mapping of them.
        ``target``: the input's.
        ``mask`` and ``weight``: ``(B,)``, one for each sample.
        Result: a scalar, or ``(B,)`` with ``reduction="none"``.

    Args:
        extractor: A module or function that turns images into features: a tensor, a sequence or a mapping of
            tensors, such as :func:`features_of` makes. Default: None, input and target are features already.
        weights: How much each layer counts, >= 0: in order, or by name, where layers that are not named count
            one. Default: None, all one.
        reduction: ``"mean"`` (default), ``"sum"`` or ``"none"``.
        process_group: The processes that share a batch: their gradients, once averaged, are then those of the
            whole batch in one process. Default: None, each process for itself.

    Raises:
        OptionTypeError: An option has the wrong type.
        OptionValueError: An option is out of its bounds.

    Example:
        >>> import torch
        >>> StyleLoss()(torch.tensor([[[1.0, 1.0]]]), torch.tensor([[[2.0, 0.0]]]))
        tensor(1.)

    Reference:
        Gatys et al. 2015, "A Neural Algorithm of Artistic Style", arXiv:1508.06576.
    """

    claims: ClassVar = Claims(
        targets={"features": {}},
        input="features",
        layout="B *",
        invariant=("exchange",),
        exempt={"other_derivatives_are_right": "a target has no gradient"},
    )

    def compare(self, features: Tensor, truth: Tensor, weight: Weight) -> Tensor:
        """Give the weighed distance of the Gram matrices of each sample."""
        assert not isinstance(weight, Sequence)  # noqa: S101 - checked before; tells the type checker
        return weight * (_gram(features) - _gram(truth)).square().sum((1, 2))


def _gram(features: Tensor) -> Tensor:
    if features.ndim == 1:
        features = features.unsqueeze(1)
    rows = features.flatten(2) if features.ndim > 2 else features.unsqueeze(-1)  # noqa: PLR2004
    return rows @ rows.mT / max(rows.shape[1] * rows.shape[2], 1)
