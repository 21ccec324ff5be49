"""CosFace: cross entropy with a margin on the cosine to the centre of the class."""

import torch
from torch import Tensor

from lossary_losses._core.base import define_loss
from lossary_losses._core.options import number
from lossary_losses.classification.cosine_margin import CosineMarginLoss
from lossary_losses.loss_registry_setup import loss_registry

__all__ = ["CosFaceLoss"]


@loss_registry.register(
    name="cosface_loss",
    aliases=["CosFaceLoss"],
    tags=["classification", "multiclass", "cross_entropy", "representation"],
)
@define_loss
class CosFaceLoss(CosineMarginLoss):
    r"""Cross entropy of cosines to the centres of classes, less a margin for the class of the truth.

    .. math:: \ell = -\log \frac{e^{s (x_y - m)}}{e^{s (x_y - m)} + \sum_{c \ne y} e^{s x_c}}

    Convention:
        The input is the cosine between normalised embeddings and normalised centres, which are weights of
        the model: ``normalize(embedding) @ normalize(centres).T``. The margin is 0.35, as in the paper and in
        pytorch-metric-learning; insightface has 0.4. ``margin=0`` is the normalised softmax. The mean divides
        by the weights of the labels, as in torch. Smoothing spreads over the classes after the margin is off.

    Shapes:
        ``input``: ``(B, C, *S)``, cosines. ``target``: ``(B, *S)`` class indices of any integer dtype.
        Result: a scalar, or ``(B, *S)`` with ``reduction="none"``.

    Args:
        margin: What is taken off the cosine of the truth, >= 0. Default: 0.35.
        scale: What cosines are multiplied by, > 0. Default: 64.
        weight: One factor per class, >= 0. Default: None, all one.
        label_smoothing: How much of each target is spread over all classes, 0 to 1. Default: 0.
        ignore_index: Positions where the target equals it do not count. Default: None, all count.
        reduction: ``"mean"`` (default), ``"sum"`` or ``"none"``.
        process_group: The processes that share a batch: their gradients, once averaged, are then those of the
            whole batch in one process. Default: None, each process for itself.

    Raises:
        OptionTypeError: An option has the wrong type.
        OptionValueError: An option is out of its bounds.

    Example:
        >>> import torch
        >>> CosFaceLoss(scale=1.0)(torch.zeros(1, 2), torch.tensor([1]))
        tensor(0.8834)

    Reference:
        Wang et al. 2018, "CosFace: Large Margin Cosine Loss for Deep Face Recognition", arXiv:1801.09414.
    """

    margin: float = number(default=0.35, at_least=0)

    def with_margin(self, cosine: Tensor) -> Tensor:
        """Take the margin off."""
        return cosine - self.margin

    def steepness(self, cosine: Tensor) -> Tensor:
        """Give one: a margin is a constant."""
        return torch.ones_like(cosine)
