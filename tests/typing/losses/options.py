"""What a type checker knows of a loss: its options, by name and type."""

from torch import Tensor, nn
from typing_extensions import assert_type

from lossary_losses import BCELoss, DiceLoss, FocalLoss, WeightedSum, loss_registry

loss = FocalLoss(gamma=1.0, alpha=0.25, weight=[1.0, 2.0], reduction="sum")
assert_type(loss, FocalLoss)
assert_type(loss.gamma, float)
assert_type(loss.alpha, float | None)

FocalLoss(gama=1.0)  # type: ignore[call-arg]  # ty: ignore
FocalLoss(gamma="two")  # type: ignore[arg-type]  # ty: ignore
DiceLoss(reduction="average")  # type: ignore[arg-type]  # ty: ignore

total = WeightedSum({"region": DiceLoss(), "pixel": BCELoss()}, weights={"region": 0.5})
assert_type(total.weights, dict[str, float])

assert_type(loss_registry.get("dice_loss"), type[nn.Module])
assert_type(loss_registry.instantiate("dice_loss", smooth=1.0), nn.Module)


def terms(input: Tensor, target: Tensor) -> dict[str, Tensor]:
    """Evaluate a composite; the terms are typed."""
    evaluation = total.evaluate(input, target)
    assert_type(evaluation.total, Tensor)
    return evaluation.terms


@loss_registry.register(name="my_loss", tags=["regression"])
class MyLoss(nn.Module):
    """A loss of the user's own."""

    def __init__(self, scale: float) -> None:
        super().__init__()
        self.scale = scale


assert_type(MyLoss(2.0), MyLoss)
