"""Keypoint similarity loss: how far points are off, by the size of the object and the kind of point."""

from collections.abc import Sequence
from typing import ClassVar

import torch
from torch import Tensor

from lossary_losses._core.base import define_loss, require_floating_point
from lossary_losses._core.checks import check_positive, plain
from lossary_losses._core.claims import Claims
from lossary_losses._core.dense import (
    Selection,
    incompatible_shapes,
    prepare,
    ready,
    require_mask,
    require_tensor,
)
from lossary_losses._core.options import per_class
from lossary_losses._core.reduced import ReducedLoss
from lossary_losses._core.reduction import Elements, weigh
from lossary_losses._core.rows import require_shape
from lossary_losses._core.vectors import in_a_row
from lossary_losses.errors import InputTypeError, InputValueError
from lossary_losses.loss_registry_setup import loss_registry

__all__ = ["KeypointSimilarityLoss"]

_DIMENSIONS = 2


@loss_registry.register(
    name="keypoint_similarity_loss",
    aliases=["KeypointSimilarityLoss"],
    tags=["detection", "keypoints"],
)
@define_loss
class KeypointSimilarityLoss(ReducedLoss):
    r"""One minus the similarity of key points: how far they are off, beside what an annotator would be.

    .. math:: \ell = 1 - \exp \left( -\frac{d^2}{2\, s\, (2 \sigma_k)^2} \right)

    :math:`d` being the distance of point :math:`k`, and :math:`s` the area of its object.

    Convention:
        As in COCO's object keypoint similarity (OKS) and in Ultralytics, the constant of a point is twice its
        ``sigma``. The mean is over visible points, those under ``mask``, of all objects together;
        Ultralytics weighs objects by how many of their points are visible, and adds 1e-9 to the area. A point
        that is far off, beside the size of its object, costs one and hardly has a gradient: add a loss that
        has one, or begin with it.

    Shapes:
        ``input``: ``(*, K, 2)``, the points of objects.
        ``target``: the input's.
        ``area``: ``(*)``, of each object, in units of the input squared, above zero where a point counts.
        ``mask`` and ``weight``: ``(*, K)``, one for each point.
        Result: a scalar, or ``(*, K)`` with ``reduction="none"``.

    Args:
        sigmas: How far annotators are off for each kind of point, as a share of the root of the area; one
            number per point, or one for all, > 0.
        reduction: ``"mean"`` (default), ``"sum"`` or ``"none"``.
        process_group: The processes that share a batch: their gradients, once averaged, are then those of the
            whole batch in one process. Default: None, each process for itself.

    Raises:
        OptionTypeError: An option has the wrong type.
        OptionValueError: An option is out of its bounds.

    Example:
        >>> import torch
        >>> loss = KeypointSimilarityLoss(sigmas=[0.1, 0.05])
        >>> points = torch.tensor([[[1.0, 1.0], [3.0, 2.0]]])
        >>> loss(points, points + 0.5, area=torch.tensor([16.0]))
        tensor(0.5569)

    Reference:
        Maji et al. 2022, "YOLO-Pose: Enhancing YOLO for Multi Person Pose Estimation Using Object Keypoint
        Similarity Loss", arXiv:2204.06806.
    """

    claims: ClassVar = Claims(
        targets={"keypoints": {}},
        input="keypoints",
        high=1.0,
        layout="* K 2",
        element="keypoint",
        arguments={"area": "area"},
        options={"sigmas": 0.25},
    )

    sigmas: float | Sequence[float] | Tensor = per_class(one_for_all=True, above=0)

    def forward(
        self,
        input: Tensor,
        target: Tensor,
        *,
        area: Tensor | None = None,
        mask: Tensor | None = None,
        weight: Tensor | None = None,
    ) -> Tensor:
        """Compute the loss.

        Args:
            input: The points of objects; half precision is computed in float32.
            target: Where they are.
            area: The area of each object, > 0; it has to be given.
            mask: Bool, True where a point is visible; of shape ``(*, K)``.
            weight: How much each point counts; of shape ``(*, K)``.

        Returns:
            A scalar, or each point's loss with ``reduction="none"``.

        Raises:
            InputValueError: The shapes do not fit together, or an area is not above zero.
            InputTypeError: A dtype is unusable, or there is no area.
        """
        return self.result(input, target, area=area, mask=mask, weight=weight)

    def elements(
        self,
        input: Tensor,
        target: Tensor,
        *,
        area: Tensor | None = None,
        mask: Tensor | None = None,
        weight: Tensor | None = None,
    ) -> Elements:
        """Give the loss of each point."""
        require_tensor(target, "target")
        if input.ndim < 2 or input.shape[-1] != _DIMENSIONS:  # noqa: PLR2004 - points, and their coordinates
            raise InputValueError(
                f"points have shape (*, K, {_DIMENSIONS}): "
                f"input {tuple(input.shape)}, target {tuple(target.shape)}"
            )
        if target.shape != input.shape:
            raise incompatible_shapes(input, target, f"{tuple(input.shape)}")
        if mask is not None:
            require_mask(mask)
        selection = Selection(None, in_a_row(mask, input, "mask"), in_a_row(weight, input, "weight"))
        points = input.reshape(-1, _DIMENSIONS)
        dense = prepare(points, target.reshape(points.shape), selection, "values")
        made, shape = ready(dense), input.shape[:-1]
        squared = (made.input - made.target).square().sum(dim=1).reshape(shape)
        share = None if made.share is None else made.share.reshape(shape)
        return weigh(-torch.expm1(-squared / self._reach(area, input, mask)), share)

    def _reach(self, area: Tensor | None, input: Tensor, mask: Tensor | None) -> Tensor:
        """Give twice the variance of each point, of an area of one where it does not count."""
        if area is None:
            raise InputTypeError("give the area of each object as area=: it is not there")
        require_floating_point(area, "area")
        require_shape(area, "area", tuple(input.shape[:-2]), input)
        dtype = torch.promote_types(input.dtype, torch.float32)
        area = plain(area).to(dtype).unsqueeze(-1).expand(input.shape[:-1])
        if mask is not None:
            area = torch.where(mask, area, 1)
        check_positive(area, "area")
        return 2 * area * (2 * self._sigmas(input.shape[-2]).to(area)).square()

    def _sigmas(self, points: int) -> Tensor:
        sigmas = self.sigmas
        assert isinstance(sigmas, Tensor)  # noqa: S101 - tells the type checker what becomes of numbers
        if sigmas.ndim == 1 and len(sigmas) != points:
            raise InputValueError(f"sigmas has {len(sigmas)} values, and each object {points} points")
        return sigmas
