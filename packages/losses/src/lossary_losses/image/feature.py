"""Feature loss: what a network that is not trained sees differently."""

from collections.abc import Sequence
from typing import ClassVar, Literal

from torch import Tensor

from lossary_losses._core.base import define_loss
from lossary_losses._core.claims import Claims
from lossary_losses._core.features import FeaturesLoss, Weight
from lossary_losses._core.options import choice, flag
from lossary_losses._core.rows import reciprocal_length
from lossary_losses.errors import InputValueError
from lossary_losses.loss_registry_setup import loss_registry

__all__ = ["FeatureLoss"]


@loss_registry.register(
    name="feature_loss",
    aliases=["FeatureLoss"],
    tags=["image", "features"],
)
@define_loss
class FeatureLoss(FeaturesLoss):
    r"""Mean difference of the features of input and target, added up over layers.

    .. math:: \ell = \sum_l w_l\, \frac{1}{C_l N_l} \sum_{c,i} |f_l(x)_{ci} - f_l(t)_{ci}|^q

    with :math:`q` one for ``norm="l1"`` and two for ``"l2"``.

    Convention:
        The extractor is copied and frozen: in evaluation mode,
        without gradients, no part of the loss's parameters or state; it moves along with ``to``. It is a
        Python object, which no config can name: a config has the loss of features themselves, and Python
        gives ``extractor=``. What images it wants, and how they are normalised, is its own affair. The target
        has no gradient. LPIPS is
        ``norm="l2"``, ``unit=True`` and weights of channels, which are added up, not averaged; its epsilon of
        1e-10 is added to lengths, and here a feature of zeros stays zero and has no gradient there. Feature
        matching is this loss without an extractor, on features of a discriminator.

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
            one. A sequence of numbers in the place of one weighs each channel; these are added up then, and
            only positions averaged. Default: None, all one.
        norm: ``"l1"`` (default) or ``"l2"``, absolute or squared differences.
        unit: Whether the features of each position are divided by their length. Default: False.
        reduction: ``"mean"`` (default), ``"sum"`` or ``"none"``.
        process_group: The processes that share a batch: their gradients, once averaged, are then those of the
            whole batch in one process. Default: None, each process for itself.

    Raises:
        OptionTypeError: An option has the wrong type.
        OptionValueError: An option is out of its bounds.

    Example:
        >>> import torch
        >>> loss = FeatureLoss(extractor=torch.nn.ReLU())
        >>> loss(torch.tensor([[-1.0, 2.0]]), torch.tensor([[0.0, 1.0]]))
        tensor(0.5000)

    Reference:
        Zhang et al. 2018, "The Unreasonable Effectiveness of Deep Features as a Perceptual Metric",
        arXiv:1801.03924.
    """

    claims: ClassVar = Claims(
        targets={"features": {}},
        input="features",
        layout="B *",
        invariant=("exchange",),
        exempt={"other_derivatives_are_right": "a target has no gradient"},
    )

    weighs_channels: ClassVar = True

    norm: Literal["l1", "l2"] = choice("l1", "l2", default="l1")
    unit: bool = flag(default=False)

    def compare(self, features: Tensor, truth: Tensor, weight: Weight) -> Tensor:
        """Give the weighed mean of the differences of each sample."""
        if self.unit:
            features, truth = _of_unit_length(features), _of_unit_length(truth)
        gap = features - truth
        cost = gap.abs() if self.norm == "l1" else gap.square()
        cost = cost.flatten(2) if cost.ndim > 2 else cost.reshape(len(cost), -1 if cost.ndim > 1 else 1, 1)  # noqa: PLR2004
        if isinstance(weight, Sequence):
            if len(weight) != cost.shape[1]:
                raise InputValueError(f"there are {len(weight)} weights and {cost.shape[1]} channels")
            return (cost * cost.new_tensor(weight).unsqueeze(-1)).sum((1, 2)) / max(cost.shape[2], 1)
        return weight * cost.sum((1, 2)) / max(cost.shape[1] * cost.shape[2], 1)


def _of_unit_length(features: Tensor) -> Tensor:
    """Divide what each position has by its length; zeros stay."""
    if features.ndim == 1:
        features = features.unsqueeze(1)
    last = features.movedim(1, -1)
    return (last * reciprocal_length(last)).movedim(-1, 1)
