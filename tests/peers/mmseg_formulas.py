"""What mmsegmentation says that its losses are, by its documentation: to be imported it needs mmcv.

Versions differ: these are the losses of 1.x on labels, each as its docstring has it, in a few lines.
"""

from types import SimpleNamespace

import torch
from torch import Tensor, nn
from torch.nn import functional

__all__ = ["losses"]


class CrossEntropyLoss(nn.Module):
    """Cross entropy whose mean counts ignored positions, unless told otherwise."""

    def __init__(  # noqa: PLR0917 - as there
        self,
        use_sigmoid: bool = False,
        use_mask: bool = False,
        reduction: str = "mean",
        class_weight: list[float] | None = None,
        loss_weight: float = 1.0,
        loss_name: str = "loss_ce",
        avg_non_ignore: bool = False,
    ) -> None:
        super().__init__()
        del use_mask, loss_name
        self.use_sigmoid, self.reduction, self.loss_weight = use_sigmoid, reduction, loss_weight
        self.class_weight, self.avg_non_ignore = class_weight, avg_non_ignore

    def forward(self, input: Tensor, label: Tensor, ignore_index: int = 255) -> Tensor:
        counts = label != ignore_index
        weight = None if self.class_weight is None else torch.as_tensor(self.class_weight, dtype=input.dtype)
        if self.use_sigmoid:
            one_hot = functional.one_hot(label * counts, input.shape[1]).movedim(-1, 1).to(input.dtype)
            element = functional.binary_cross_entropy_with_logits(input, one_hot, reduction="none")
            element, counts = element * counts.unsqueeze(1), counts.unsqueeze(1).expand_as(element)
        else:
            element = functional.cross_entropy(
                input, label, weight, ignore_index=ignore_index, reduction="none"
            )
        total = counts.sum() if self.avg_non_ignore else counts.numel()
        loss = {"mean": element.sum() / total, "sum": element.sum(), "none": element}[self.reduction]
        return self.loss_weight * loss


class FocalLoss(nn.Module):
    """A focal loss of one class against the rest."""

    def __init__(  # noqa: PLR0917 - as there
        self,
        use_sigmoid: bool = True,
        gamma: float = 2.0,
        alpha: float = 0.5,
        reduction: str = "mean",
        class_weight: list[float] | None = None,
        loss_weight: float = 1.0,
        loss_name: str = "loss_focal",
    ) -> None:
        super().__init__()
        del use_sigmoid, loss_name
        self.gamma, self.alpha, self.reduction = gamma, alpha, reduction
        self.class_weight, self.loss_weight = class_weight, loss_weight

    def forward(self, input: Tensor, label: Tensor, ignore_index: int = 255) -> Tensor:
        counts = label != ignore_index
        truth = functional.one_hot(label * counts, input.shape[1]).movedim(-1, 1).to(input.dtype)
        p = input.sigmoid()
        wrong = (1 - p) * truth + p * (1 - truth)
        element = functional.binary_cross_entropy_with_logits(input, truth, reduction="none")
        element = element * (self.alpha * truth + (1 - self.alpha) * (1 - truth)) * wrong**self.gamma
        if self.class_weight is not None:
            element = element * torch.as_tensor(self.class_weight, dtype=input.dtype).view(1, -1, 1, 1)
        element = element * counts.unsqueeze(1)
        loss = {"mean": element.mean(), "sum": element.sum(), "none": element}[self.reduction]
        return self.loss_weight * loss


class TverskyLoss(nn.Module):
    """The mean of the Tversky losses of samples and classes."""

    def __init__(  # noqa: PLR0917 - as there
        self,
        smooth: float = 1,
        reduction: str = "mean",
        class_weight: list[float] | None = None,
        loss_weight: float = 1.0,
        ignore_index: int = 255,
        alpha: float = 0.3,
        beta: float = 0.7,
        loss_name: str = "loss_tversky",
    ) -> None:
        super().__init__()
        del loss_name, reduction
        self.smooth, self.class_weight, self.loss_weight = smooth, class_weight, loss_weight
        self.ignore_index, self.alpha, self.beta = ignore_index, alpha, beta

    def forward(self, input: Tensor, label: Tensor) -> Tensor:
        counts = (label != self.ignore_index).unsqueeze(1)
        p = input.softmax(1)
        truth = functional.one_hot(label.clamp(0, p.shape[1] - 1), p.shape[1]).movedim(-1, 1)
        hit, false, missed = (
            (each * counts).flatten(2).sum(2) for each in (p * truth, p * (1 - truth), (1 - p) * truth)
        )
        score = (hit + self.smooth) / (hit + self.alpha * false + self.beta * missed + self.smooth)
        loss = 1 - score
        if self.class_weight is not None:
            loss = loss * torch.as_tensor(self.class_weight, dtype=input.dtype)
        return self.loss_weight * loss.mean()


losses = SimpleNamespace(CrossEntropyLoss=CrossEntropyLoss, FocalLoss=FocalLoss, TverskyLoss=TverskyLoss)
