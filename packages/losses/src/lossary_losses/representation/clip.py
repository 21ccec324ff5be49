"""The loss of CLIP: tell the caption of an image from those of the batch, and the image of a caption."""

from lossary_losses._core.base import define_loss
from lossary_losses._core.options import flag
from lossary_losses.loss_registry_setup import loss_registry
from lossary_losses.representation.info_nce import InfoNCELoss

__all__ = ["CLIPLoss"]


@loss_registry.register(
    name="clip_loss",
    aliases=["CLIPLoss"],
    tags=["representation", "contrastive", "cross_entropy"],
)
@define_loss
class CLIPLoss(InfoNCELoss):
    r"""Cross entropy of finding the text of each image, and the image of each text, in a batch of pairs.

    .. math:: \ell_i = \tfrac{1}{2} \Big( \log \sum_{j} e^{(s_{ij} - s_{ii}) / \tau}
        + \log \sum_{j} e^{(s_{ji} - s_{ii}) / \tau} \Big)

    with the cosines :math:`s_{ij}` of images and texts.

    Convention:
        It is :class:`InfoNCELoss` with ``symmetric``. The mean is over pairs, each with the mean of both
        directions, as in open_clip, which takes rows of length one and ``logit_scale``, one over the
        temperature. Embeddings of any length are taken; where they are of length one already,
        ``similarity="dot"`` saves a step. CLIP learns the logarithm of the scale, beginning at
        ``log(1 / 0.07)``, and keeps the scale to 100 at most:
        ``temperature=log_scale.clamp(max=math.log(100)).neg().exp()``. A bias added to all similarities,
        which open_clip takes as ``logit_bias``, cancels out.

    Shapes:
        ``input`` and ``target``: ``(B, D)``, embeddings of images and of texts. ``negatives``: ``(K, D)`` or
        ``(B, K, D)``. ``groups``: ``(B,)``, integers. ``temperature``: ``()``. Result: a scalar, or ``(B,)``
        with ``reduction="none"``.

    Args:
        temperature: What similarities are divided by, > 0, unless a tensor is given. Default: 0.07.
        symmetric: Whether each target is told its input as well. Default: True.
        within: Whether a row is told from the other inputs too, a target from the other targets. Default:
            False.
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
        >>> images, texts = torch.eye(2), torch.eye(2)
        >>> CLIPLoss()(images, texts, temperature=torch.tensor(1.0))
        tensor(0.3133)

    Reference:
        Radford et al. 2021, "Learning Transferable Visual Models From Natural Language Supervision",
        arXiv:2103.00020.
    """

    symmetric: bool = flag(default=True)
