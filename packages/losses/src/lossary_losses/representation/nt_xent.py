"""NT-Xent, the loss of SimCLR: tell the other view of a sample from all other views in the batch."""

from lossary_losses._core.base import define_loss
from lossary_losses._core.options import flag, number
from lossary_losses.loss_registry_setup import loss_registry
from lossary_losses.representation.info_nce import InfoNCELoss

__all__ = ["NTXentLoss"]


@loss_registry.register(
    name="nt_xent_loss",
    aliases=["NTXentLoss", "simclr_loss"],
    tags=["representation", "contrastive", "cross_entropy"],
)
@define_loss
class NTXentLoss(InfoNCELoss):
    r"""Normalized temperature-scaled cross entropy: find each view's other one among all views of a batch.

    .. math:: \ell_{ij} = -\log \frac{e^{\cos(z_i, z_j) / \tau}}{\sum_{k \neq i} e^{\cos(z_i, z_k) / \tau}}

    for the two views :math:`z_i` and :math:`z_j` of one sample, over all :math:`2B` views.

    Convention:
        It is :class:`InfoNCELoss` with ``symmetric`` and ``within``, and a temperature of 0.5. The mean is
        over pairs, each with the mean of both directions, as over all views in lightly, whose temperature is
        0.5 too; elsewhere it is 0.07 or 0.1. In pytorch-metric-learning both views are stacked, and labels
        say which belong together: equal where each label stands there twice; for more views of a sample,
        :class:`SupConLoss` is the loss with labels. lightly's DCL loss is ``decoupled=True``, but for its
        weights, and its queue is ``negatives``, which are compared with the inputs alone.

    Shapes:
        ``input`` and ``target``: ``(B, D)``, embeddings of two views, of any length. ``negatives``: ``(K,
        D)`` or ``(B, K, D)``. ``groups``: ``(B,)``, integers. ``temperature``: ``()``. Result: a scalar, or
        ``(B,)`` with ``reduction="none"``.

    Args:
        temperature: What similarities are divided by, > 0, unless a tensor is given. Default: 0.5.
        symmetric: Whether each target is told its input as well. Default: True.
        within: Whether a row is told from the other inputs too, a target from the other targets. Default:
            True.
        decoupled: Whether the positive is left out of the sum. Default: False.
        similarity: ``"cosine"`` (default), or ``"dot"``, the scalar product as it is.
        label_smoothing: How much of each positive is spread over all candidates, 0 to 1. Default: 0.
        reduction: ``"mean"`` (default), ``"sum"`` or ``"none"``.
        process_group: The processes that share a batch: their gradients, once averaged, are then those of the
            whole batch in one process. Default: None, each process for itself.

    Raises:
        OptionTypeError: An option has the wrong type.
        OptionValueError: An option is out of its bounds.

    Example:
        >>> import torch
        >>> NTXentLoss(temperature=1.0)(torch.eye(2), torch.eye(2))
        tensor(0.5514)

    Reference:
        Chen et al. 2020, "A Simple Framework for Contrastive Learning of Visual Representations",
        arXiv:2002.05709.
    """

    temperature: float = number(default=0.5, above=0)
    symmetric: bool = flag(default=True)
    within: bool = flag(default=True)
