"""Parity of losses of boxes."""

from parity_record import Parity

__all__ = ["RECORDS"]

RECORDS = [
    Parity(
        "ciou_loss",
        "boxes",
        "CIoULoss()(x, t)",
        'torchvision.ops.complete_box_iou_loss(x, t, reduction="mean")',
        "Its eps of 1e-7 is added to the areas, whatever is given; the mean has to be asked for.",
    ),
    Parity(
        "ciou_loss",
        "boxes of side 1e-4",
        "CIoULoss()(x, t)",
        'torchvision.ops.complete_box_iou_loss(x, t, reduction="mean", eps=0)',
        "Its eps is not handed on, so that small boxes cost more.",
        agree=False,
    ),
    Parity(
        "diou_loss",
        "boxes",
        "DIoULoss()(x, t)",
        'torchvision.ops.distance_box_iou_loss(x, t, reduction="mean", eps=0)',
        "Its eps is added to the areas; the mean has to be asked for.",
    ),
    Parity(
        "giou_loss",
        "boxes",
        "GIoULoss()(x, t)",
        'torchvision.ops.generalized_box_iou_loss(x, t, reduction="mean", eps=0)',
        "Its eps is added to the areas; the mean has to be asked for.",
    ),
    Parity(
        "giou_loss",
        "boxes of side 1e-4",
        "GIoULoss()(x, t)",
        'torchvision.ops.generalized_box_iou_loss(x, t, reduction="mean")',
        "Boxes whose area is not large beside its eps of 1e-7 cost more: a perfect one 0.9.",
        agree=False,
    ),
    Parity(
        "giou_loss",
        "boxes",
        "GIoULoss()(x, t)",
        "monai.losses.BoxGIoULoss()(x, t)",
        "It computes in float32.",
        tolerance=1e-5,
    ),
]
