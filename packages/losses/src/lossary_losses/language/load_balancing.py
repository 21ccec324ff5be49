"""Load balancing: a router that makes use of all its experts."""

from typing import ClassVar

import torch
from torch import Tensor, distributed

from lossary_losses._core.base import define_loss
from lossary_losses._core.checks import check_binary, plain
from lossary_losses._core.claims import Claims
from lossary_losses._core.dense import incompatible_shapes, require_tensor
from lossary_losses._core.reduced import ReducedLoss
from lossary_losses._core.reduction import Elements, weigh
from lossary_losses._core.rows import prepare_rows, require_dimensions, require_shape, selected
from lossary_losses._core.stable import times
from lossary_losses.loss_registry_setup import loss_registry

__all__ = ["LoadBalancingLoss"]


@loss_registry.register(
    name="load_balancing_loss",
    aliases=["LoadBalancingLoss"],
    tags=["language", "multiclass", "regularization"],
)
@define_loss
class LoadBalancingLoss(ReducedLoss):
    r"""How likely a router makes the experts that have much to do already.

    .. math:: \ell = E \sum_{i=1}^{E} f_i\, P_i, \quad P_i = \frac{1}{N} \sum_t p_{t,i},
        \quad p_t = \mathrm{softmax}(x_t)

    :math:`f_i` being the share of expert i in all that was sent to any expert.

    Convention:
        The shares add up to one, so that the loss is one where load or probability is uniform, however many
        experts a token is sent to; transformers' add up to that number k: its loss over k is ours, for one
        layer. It pools the tokens of all layers before it multiplies; here each layer is a call. The shares
        have no gradient. One is no lower bound: a batch may be sent to experts that it finds unlikely. The
        element is one token, whose loss is :math:`E \sum_i f_i p_{t,i}`; the paper's loss is their mean. A
        token that was dropped, sent to no expert, counts in the mean of probabilities. There is no
        coefficient, 0.01 in the paper.

    Shapes:
        ``input``: ``(N, E)``, a router's logits. ``target``: ``(N, E)``, 1 for an expert that a token was
        sent to and else 0, of any dtype. ``mask`` and ``weight``: ``(N,)``. Result: a scalar, or ``(N,)``
        with ``reduction="none"``.

    Args:
        reduction: ``"mean"`` (default), ``"sum"`` or ``"none"``.
        process_group: The processes that share a batch: their loads are added up, so that experts are to be
            balanced over the whole batch and not in each process, and their gradients, once averaged, are
            those of the whole batch in one process. Default: None, each process for itself.

    Raises:
        OptionTypeError: An option has the wrong type.
        OptionValueError: An option is out of its bounds.

    Example:
        >>> import torch
        >>> routes = torch.tensor([[1, 0], [1, 0], [1, 0], [0, 1]])
        >>> LoadBalancingLoss()(torch.zeros(4, 2), routes)
        tensor(1.)

    Reference:
        Fedus et al. 2021, "Switch Transformers: Scaling to Trillion Parameter Models with Simple and
        Efficient Sparsity", arXiv:2101.03961. Over all processes: Qiu et al. 2025, "Demons in the Detail: On
        Implementing Load Balancing Loss for Training Specialized Mixture-of-Expert Models", arXiv:2501.11873.
    """

    claims: ClassVar = Claims(
        input="router_logits",
        targets={"routes": {}},
        element="token",
        couples="batch",
        adds_up="no",
        perfect=None,
        layout="N E",
    )

    def elements(
        self, input: Tensor, target: Tensor, *, mask: Tensor | None = None, weight: Tensor | None = None
    ) -> Elements:
        """Give the loss of each token."""
        require_dimensions(input, "input", "N E")
        rows = prepare_rows(input, mask, weight)
        require_tensor(target, "target")
        if target.shape != input.shape:
            raise incompatible_shapes(input, target, f"{tuple(input.shape)} (0 and 1)")
        require_shape(target, "target", tuple(input.shape), input)
        routes = selected(plain(target).detach().to(rows.input.dtype), rows.counted)
        check_binary(routes, "target")
        share = None if rows.share is None else rows.share.unsqueeze(1)
        load = times(routes, share).sum(dim=0)
        if self.process_group is not None:
            distributed.all_reduce(load, group=self.process_group)
        total = load.sum()
        load = load / torch.where(total > 0, total, 1)
        return weigh(input.shape[1] * (rows.input.softmax(dim=1) * load).sum(dim=1), rows.share)
