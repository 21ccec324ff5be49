"""Continuous ranked probability score of an ensemble."""

from typing import ClassVar

import torch
from torch import Tensor

from lossary_losses._core.base import define_loss
from lossary_losses._core.checks import plain
from lossary_losses._core.claims import Claims
from lossary_losses._core.dense import (
    Dense,
    at_rank,
    incompatible_shapes,
    on_one_device,
    position_shape,
    ready,
    require_mask,
    require_tensor,
)
from lossary_losses._core.options import number
from lossary_losses._core.reduced import ReducedLoss
from lossary_losses._core.reduction import Elements, drop_dimension, weigh
from lossary_losses._core.stable import bounded
from lossary_losses.errors import InputValueError
from lossary_losses.loss_registry_setup import loss_registry

__all__ = ["EnsembleCRPSLoss"]


@loss_registry.register(
    name="ensemble_crps_loss",
    aliases=["EnsembleCRPSLoss", "fair_crps_loss"],
    tags=["forecasting", "regression", "probabilistic"],
)
@define_loss
class EnsembleCRPSLoss(ReducedLoss):
    r"""Error of an ensemble's members, less what they differ by: lowest for members of the true distribution.

    .. math:: \ell = \frac{1}{M} \sum_i |x_i - y| - \frac{c}{2 M (M - 1)} \sum_i \sum_j |x_i - x_j|,
        \quad c = 1 - \frac{1 - \alpha}{M}

    Convention:
        ``fair=1`` divides by the number of pairs of different members, and is lowest in expectation for
        members from the true distribution, however few: scoringrules' ``fair`` and ``pwm``. ``fair=0`` takes
        the ensemble for the distribution, and rewards small ensembles for being too narrow: scoringrules'
        ``nrg``, ``qd`` and ``int``. Between is the almost fair score, ``fair`` being the paper's alpha, 0.95
        in AIFS: where all members but one are right, the fair one does not care about that one. Of members
        that are equal each has the same gradient. Two members or more are needed, unless ``fair`` is 0.
        Members are sorted, so that memory and time are those of a sort, and no pair is ever formed.

    Shapes:
        ``input``: ``(B, M, *S)``, the M members. ``target``: ``(B, *S)``.
        Result: a scalar, or ``(B, *S)`` with ``reduction="none"``.

    Args:
        fair: From 0, the score of the ensemble, to 1, that of what it is drawn from. Default: 1.
        reduction: ``"mean"`` (default), ``"sum"`` or ``"none"``.
        process_group: The processes that share a batch: their gradients, once averaged, are then those of the
            whole batch in one process. Default: None, each process for itself.

    Raises:
        OptionTypeError: An option has the wrong type.
        OptionValueError: An option is out of its bounds.

    Example:
        >>> import torch
        >>> EnsembleCRPSLoss()(torch.tensor([[1.0, 3.0, 4.0]]), torch.tensor([2.0]))
        tensor(0.3333)

    Reference:
        Gneiting and Raftery 2007, "Strictly Proper Scoring Rules, Prediction, and Estimation",
        doi:10.1198/016214506000001437. Almost fair: Lang et al. 2024, "AIFS-CRPS: Ensemble forecasting using
        a model trained with a loss function based on the Continuous Ranked Probability Score",
        arXiv:2412.15832.
    """

    claims: ClassVar = Claims(
        input="ensembles",
        targets={"values": {}},
        element="position",
        low=None,
        perfect=None,
        layout="B M *S",
        invariant=("order_of_members", "shift"),
        memory=12,
    )

    fair: float = number(default=1.0, at_least=0, at_most=1)

    def forward(
        self, input: Tensor, target: Tensor, *, mask: Tensor | None = None, weight: Tensor | None = None
    ) -> Tensor:
        """Compute the loss.

        Args:
            input: The members; half precision is computed in float32.
            target: What came.
            mask: Bool, True where a position counts; of the target's shape.
            weight: How much each position counts; of the target's shape.

        Returns:
            A scalar, or each position's loss with ``reduction="none"``.

        Raises:
            InputValueError: The shapes do not fit together, or there are too few members.
            InputTypeError: A dtype is unusable.
        """
        return self.result(input, target, mask=mask, weight=weight)

    def elements(
        self, input: Tensor, target: Tensor, *, mask: Tensor | None = None, weight: Tensor | None = None
    ) -> Elements:
        """Give the loss of each position."""
        members, truth, share, *_ = ready(_prepared(input, target, mask, weight))
        count = members.shape[1]
        if count < (2 if self.fair else 1):
            needed = "members, 2 or more unless fair=0: it divides by M - 1" if self.fair else "members"
            raise InputValueError(f"input must have {needed}; got {tuple(input.shape)}")
        # Differences to the target keep the digits that matter, wherever both lie.
        errors = bounded(members) - bounded(truth)
        value = errors.abs().mean(dim=1, keepdim=True)
        if count > 1:
            pairs = (1 - (1 - self.fair) / count) / (count * (count - 1))
            value = value - pairs * _sum_of_distances(errors.movedim(1, -1)).unsqueeze(1)
        return drop_dimension(weigh(value, share), 1)


def _prepared(input: Tensor, target: Tensor, mask: Tensor | None, weight: Tensor | None) -> Dense:
    """Check the shapes of everything, and give all but the members one channel."""
    require_tensor(target, "target")
    if input.ndim < 2 or target.shape != position_shape(input):  # noqa: PLR2004 - batch and members
        raise incompatible_shapes(input, target, "(B, *S) beside an input (B, M, *S)")
    if mask is not None:
        require_mask(mask)
        mask = at_rank(mask, input, "mask", elementwise=False)
    if weight is not None:
        require_tensor(weight, "weight")
        weight = at_rank(weight, input, "weight", elementwise=False)
    return on_one_device(Dense(input, plain(target).unsqueeze(1), mask, weight, "values", None))


def _sum_of_distances(values: Tensor) -> Tensor:
    """Add the distances of all pairs up, each pair once, in the last dimension."""
    ordered = values.sort(dim=-1).values
    return (_number_below_less_above(ordered.detach()) * ordered).sum(dim=-1)


def _number_below_less_above(ordered: Tensor) -> Tensor:
    """Count, for each of sorted values, those below it, less those above; what is equal is neither."""
    count = ordered.shape[-1]
    place = torch.arange(count, dtype=ordered.dtype, device=ordered.device)
    differs, end = ordered[..., 1:] != ordered[..., :-1], torch.ones_like(ordered[..., :1], dtype=torch.bool)
    first = torch.where(torch.cat([end, differs], dim=-1), place, 0).cummax(dim=-1).values
    last = (
        torch.where(torch.cat([differs, end], dim=-1), place, count).flip(-1).cummin(dim=-1).values.flip(-1)
    )
    return first + last - (count - 1)
