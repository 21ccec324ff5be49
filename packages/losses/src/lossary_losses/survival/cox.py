"""Cox's partial likelihood: to whom something happens, of all to whom it could have happened."""

from typing import ClassVar

import torch
from torch import Tensor

from lossary_losses._core.base import define_loss
from lossary_losses._core.checks import check_known, plain
from lossary_losses._core.claims import Claims
from lossary_losses._core.dense import require_tensor
from lossary_losses._core.distribution import gather_rows
from lossary_losses._core.options import choice
from lossary_losses._core.reduced import ReducedLoss
from lossary_losses._core.reduction import Elements, weigh
from lossary_losses._core.risk_sets import Ties, log_risks
from lossary_losses._core.rows import left_out, prepare_rows, require_dimensions, require_shape
from lossary_losses._core.stable import bounded
from lossary_losses.loss_registry_setup import loss_registry
from lossary_losses.survival.events import find_events

__all__ = ["CoxLoss"]


@loss_registry.register(name="cox_loss", aliases=["CoxLoss"], tags=["survival"])
@define_loss
class CoxLoss(ReducedLoss):
    r"""Negative log partial likelihood of proportional hazards: of the order in which events happen.

    .. math:: \ell_i = \log \sum_{j:\, t_j \geq t_i} e^{x_j} - x_i

    for each row :math:`i` that has an event, where no two events have the same time.

    Convention:
        The mean is over events, as in pycox, and as in torchsurv where no times are equal; scikit-survival
        divides by the number of rows. Rows may stand in any order, and only the order of times matters. Who
        is censored at the time of an event is at risk. Events of one time: after Efron, by default as in R's
        ``survival`` and in lifelines, each leaves the risk before the next, and all of them have the mean of
        what they cost in every order; after Breslow, as in scikit-survival, all see the same risk. A weight
        multiplies what an event costs, and leaves risks as they are. Without any event the loss is zero.
        The risk is that of the batch, so a batch should be large; over processes it is that of all of them.

    Shapes:
        ``input``: ``(B,)``, logarithms of hazards. ``target``: ``(B,)``, times of any real dtype.
        ``event``: ``(B,)``, bool or 0 and 1. Result: a scalar, or ``(B,)`` with ``reduction="none"``.

    Args:
        ties: Of events at one time, ``"efron"`` (default) or ``"breslow"``.
        reduction: ``"mean"`` (default), ``"sum"`` or ``"none"``.
        process_group: The processes that share a batch: their gradients, once averaged, are then those of the
            whole batch in one process. Default: None, each process for itself.

    Raises:
        OptionTypeError: An option has the wrong type.
        OptionValueError: An option is out of its bounds.

    Example:
        >>> import torch
        >>> time, event = torch.tensor([5.0, 3.0, 9.0]), torch.tensor([True, True, False])
        >>> CoxLoss()(torch.zeros(3), time, event=event)
        tensor(0.8959)

    Reference:
        Cox 1972, "Regression Models and Life-Tables", doi:10.1111/j.2517-6161.1972.tb00899.x. Ties: Efron
        1977, "The Efficiency of Cox's Likelihood Function for Censored Data",
        doi:10.1080/01621459.1977.10480613. For networks: Katzman et al. 2018, "DeepSurv: personalized
        treatment recommender system using a Cox proportional hazards deep neural network", arXiv:1606.00931.
    """

    claims: ClassVar = Claims(
        memory=48,
        input="hazards",
        targets={"times": {}},
        arguments={"event": "event"},
        element="event",
        couples="batch",
        low=None,
        perfect=None,
        layout="B",
    )

    ties: Ties = choice("efron", "breslow", default="efron")

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
            input: Logarithms of hazards; half precision is computed in float32.
            target: The time of each row's event, or until which it was seen without one.
            event: Whether there was an event; None: there was one in each row.
            mask: Bool, True where a row counts; of shape ``(B,)``.
            weight: How much each event counts; of shape ``(B,)``.

        Returns:
            A scalar, or each event's loss with ``reduction="none"``, and zero for a row without one.

        Raises:
            InputValueError: The shapes do not fit together, a time is NaN, or an event is neither 0 nor 1.
            InputTypeError: A dtype is unusable.
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
        """Give the loss of each event."""
        require_dimensions(input, "input", "B")
        rows = prepare_rows(input, mask, weight)
        times = _times(target, rows.counted, input)
        happened = find_events(event, rows.counted, input)
        log_hazard = bounded(rows.input)
        risk = self._risk(left_out(log_hazard, rows.counted), times, happened)
        value = torch.where(happened, risk - log_hazard, 0)
        return weigh(value, rows.share, happened.to(value.dtype))

    def _risk(self, log_hazard: Tensor, times: Tensor, event: Tensor) -> Tensor:
        """Compute risks among the rows of all processes that share the batch."""
        # In float32 a hundred thousand additions would cost digits.
        wide = log_hazard if log_hazard.device.type == "mps" else log_hazard.double()
        if self.process_group is None:
            return log_risks(wide, times, event, self.ties).to(log_hazard.dtype)
        wide, own = gather_rows(wide, self.process_group)
        times, event = (gather_rows(each, self.process_group)[0] for each in (times, event))
        return log_risks(wide, times, event, self.ties)[own].to(log_hazard.dtype)


def _times(target: Tensor, counted: Tensor | None, input: Tensor) -> Tensor:
    """Check the times, which keep their digits: rounded, some would be equal that are not."""
    require_tensor(target, "target")
    require_shape(target, "target", tuple(input.shape), input)
    target = plain(target.detach())
    at_least = torch.float32 if target.is_floating_point() else torch.int64
    times = target.to(torch.promote_types(target.dtype, at_least))
    times = times if counted is None else torch.where(counted, times, 0)
    check_known(times, "target")
    return times.contiguous()
