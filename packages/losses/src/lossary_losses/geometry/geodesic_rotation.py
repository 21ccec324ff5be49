"""Geodesic distance of rotations: the angle by which one must be turned to be the other."""

from typing import ClassVar

import torch
from torch import Tensor

from lossary_losses._core.base import define_loss
from lossary_losses._core.claims import Claims
from lossary_losses._core.dense import incompatible_shapes, require_tensor
from lossary_losses._core.reduced import ReducedLoss
from lossary_losses._core.reduction import Elements, weigh
from lossary_losses._core.rows import prepare_rows, require_shape
from lossary_losses._core.stable import length
from lossary_losses.errors import InputValueError
from lossary_losses.loss_registry_setup import loss_registry

__all__ = ["GeodesicRotationLoss"]

_MATRIX = (3, 3)


@loss_registry.register(
    name="geodesic_rotation_loss",
    aliases=["GeodesicRotationLoss"],
    tags=["geometry", "rotations"],
)
@define_loss
class GeodesicRotationLoss(ReducedLoss):
    r"""The angle, in radians, of the rotation that leads from the input to the target.

    .. math:: \ell = \operatorname{atan2}\big(\lVert v \rVert, \operatorname{tr} R - 1\big), \quad
        R = x^\top t, \quad v = (R_{23} - R_{32}, R_{31} - R_{13}, R_{12} - R_{21})

    Both are twice the sine and the cosine of the angle.

    Convention:
        The angle is the paper's, :math:`\arccos((\operatorname{tr} R - 1) / 2)`, where both are rotations,
        and exact at both ends: the arc cosine has an infinite slope at equal rotations, so that other code
        clamps it, or extrapolates as pytorch3d does, and small angles are rounded away. At an angle of zero,
        and at half a turn exactly, where every direction leads back, the gradient is zero. Radians, from 0 to
        pi, and not their square. Matrices that are no rotations are not refused: the formula has a value for
        them, but a network should give rotations, by orthogonalization of six or nine numbers.

    Shapes:
        ``input``: ``(*, 3, 3)``, rotation matrices.
        ``target``: the input's.
        ``mask`` and ``weight``: ``(*)``, one for each rotation.
        Result: a scalar, or ``(*)`` with ``reduction="none"``.

    Args:
        reduction: ``"mean"`` (default), ``"sum"`` or ``"none"``.
        process_group: The processes that share a batch: their gradients, once averaged, are then those of the
            whole batch in one process. Default: None, each process for itself.

    Raises:
        OptionTypeError: An option has the wrong type.
        OptionValueError: An option is out of its bounds.

    Example:
        >>> import torch
        >>> quarter = torch.tensor([[0.0, -1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0]])
        >>> GeodesicRotationLoss()(quarter, torch.eye(3))
        tensor(1.5708)

    Reference:
        Zhou et al. 2018, "On the Continuity of Rotation Representations in Neural Networks",
        arXiv:1812.07035.
    """

    claims: ClassVar = Claims(
        targets={"rotations": {}},
        input="rotations",
        layout="* 3 3",
        element="rotation",
        high=torch.pi,
        memory=5,
    )

    def elements(
        self, input: Tensor, target: Tensor, *, mask: Tensor | None = None, weight: Tensor | None = None
    ) -> Elements:
        """Give the angle of each pair of rotations."""
        _require_rotations(input, target)
        places = input.shape[:-2]
        mask, weight = (_in_a_row(each, input, name) for each, name in ((mask, "mask"), (weight, "weight")))
        rotations, counted, share = prepare_rows(input.reshape(-1, *_MATRIX), mask, weight)
        truth, _, _ = prepare_rows(target.to(rotations.dtype).reshape(-1, *_MATRIX), counted, None)
        value, share = weigh(_angle(rotations, truth), share)
        return Elements(value.reshape(places), None if share is None else share.reshape(places))


def _angle(rotations: Tensor, others: Tensor) -> Tensor:
    """Give the angle between rotations from its sine and its cosine, both doubled."""
    # Row by row, and not as a product of matrices, which a GPU may round.
    sine = length(torch.linalg.cross(rotations, others, dim=-1).sum(-2))
    cosine = (rotations * others).sum((-2, -1)) - 1
    # Matrices that are no rotations may have neither.
    nothing = (sine == 0) & (cosine == 0)
    return torch.atan2(sine, torch.where(nothing, 1, cosine))


def _require_rotations(input: Tensor, target: Tensor) -> None:
    require_tensor(target, "target")
    if input.shape[-2:] != _MATRIX:
        raise InputValueError(
            f"rotations are matrices, (*, 3, 3): input {tuple(input.shape)}, target {tuple(target.shape)}"
        )
    if target.shape != input.shape:
        raise incompatible_shapes(input, target, f"{tuple(input.shape)}")
    require_shape(target, "target", tuple(input.shape), input)  # on the input's device


def _in_a_row(of_rotations: Tensor | None, input: Tensor, name: str) -> Tensor | None:
    """Flatten what there is one of for each rotation."""
    if of_rotations is None:
        return None
    require_tensor(of_rotations, name)
    require_shape(of_rotations, name, tuple(input.shape[:-2]), input)
    return of_rotations.reshape(-1)
