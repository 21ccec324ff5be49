"""Logistic hazard: in each bin of time, whether the event comes now, if it has not come before."""

from typing import ClassVar

import torch
from torch import Tensor

from lossary_losses._core.base import define_loss
from lossary_losses._core.checks import check_between, plain
from lossary_losses._core.claims import Claims
from lossary_losses._core.reduced import ReducedLoss
from lossary_losses._core.reduction import Elements, weigh
from lossary_losses._core.rows import (
    prepare_rows,
    require_dimensions,
    require_integers,
    require_shape,
    selected,
)
from lossary_losses._core.stable import bounded, softplus
from lossary_losses.loss_registry_setup import loss_registry
from lossary_losses.survival.events import find_events

__all__ = ["LogisticHazardLoss"]


@loss_registry.register(name="logistic_hazard_loss", aliases=["LogisticHazardLoss"], tags=["survival"])
@define_loss
class LogisticHazardLoss(ReducedLoss):
    r"""Negative log likelihood of events in bins of time, each bin with the hazard of its logit.

    .. math:: \ell = -\sum_{j < k} \log (1 - h_j) - e \log h_k - (1 - e) \log (1 - h_k),
        \quad h = \sigma(x)

    for a row that was seen until bin :math:`k`, where it had its event (:math:`e = 1`) or had not.

    Convention:
        As ``nll_logistic_hazard`` of pycox: who is censored in a bin has survived it, and the mean is over
        rows, censored ones included. Later bins have no part in the loss. That the event comes after bin
        ``j`` has the probability :math:`\prod_{i \le j} (1 - h_i)`. Bins are drawn by the data loader, and
        ``torch.bucketize`` finds those of times.

    Shapes:
        ``input``: ``(B, T)``, logits of the hazard in each bin. ``target``: ``(B,)``, bins from 0 to T - 1 of
        any integer dtype. ``event``: ``(B,)``, bool or 0 and 1.
        Result: a scalar, or ``(B,)`` with ``reduction="none"``.

    Args:
        reduction: ``"mean"`` (default), ``"sum"`` or ``"none"``.
        process_group: The processes that share a batch: their gradients, once averaged, are then those of the
            whole batch in one process. Default: None, each process for itself.

    Raises:
        OptionTypeError: An option has the wrong type.
        OptionValueError: An option is out of its bounds.

    Example:
        >>> import torch
        >>> bins, event = torch.tensor([0, 2]), torch.tensor([True, False])
        >>> LogisticHazardLoss(reduction="none")(torch.zeros(2, 4), bins, event=event)
        tensor([0.6931, 2.0794])

    Reference:
        Kvamme and Borgan 2019, "Continuous and Discrete-Time Survival Prediction with Neural Networks",
        arXiv:1910.06724.
    """

    claims: ClassVar = Claims(
        input="hazards", targets={"bins": {}}, arguments={"event": "event"}, element="row", layout="B T"
    )

    def forward(
        self,
        input: Tensor,
        target: Tensor,
        *,
        event: Tensor | None = None,
        mask: Tensor | None = None,
        weight: Tensor | None = None,
    ) -> Tensor:
        """Compute the loss.

        Args:
            input: Logits of hazards; half precision is computed in float32.
            target: The bin of each row's event, or until which it was seen without one.
            event: Whether there was an event; None: there was one in each row.
            mask: Bool, True where a row counts; of shape ``(B,)``.
            weight: How much each row counts; of shape ``(B,)``.

        Returns:
            A scalar, or each row's loss with ``reduction="none"``.

        Raises:
            InputValueError: The shapes do not fit together, a bin is none of the input's, or an event is
                neither 0 nor 1.
            InputTypeError: A dtype is unusable, such as bins given as floats.
        """
        return self.result(input, target, event=event, mask=mask, weight=weight)

    def elements(
        self,
        input: Tensor,
        target: Tensor,
        *,
        event: Tensor | None = None,
        mask: Tensor | None = None,
        weight: Tensor | None = None,
    ) -> Elements:
        """Give the loss of each row."""
        require_dimensions(input, "input", "B T")
        rows = prepare_rows(input, mask, weight)
        require_integers(target, "target")
        require_shape(target, "target", tuple(input.shape[:1]), input)
        last = selected(plain(target).long(), rows.counted).unsqueeze(1)
        bins = torch.arange(input.shape[1], device=input.device)
        check_between(last, 0, input.shape[1] - 1, "target")
        happens = (bins == last) & find_events(event, rows.counted, input).unsqueeze(1)
        logits = bounded(rows.input)
        # What has not happened costs the softplus of a logit, and what has happened that of minus the logit.
        value = torch.where(bins <= last, softplus(torch.where(happens, -logits, logits)), 0).sum(dim=1)
        return weigh(value, rows.share)
