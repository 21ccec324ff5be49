"""What a type checker knows of a loss: its options, by name and type."""

from torch import Tensor, nn
from typing_extensions import assert_type

from lossary_losses import BCELoss, DiceLoss, FocalLoss, Fraction, WeightedSum, loss_registry
from lossary_losses.exact import Exact, Total

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


def step(input: Tensor, target: Tensor) -> Tensor:
    """Count a step, and give the share of a part."""
    assert_type(loss.fraction(input, target), Fraction)
    assert_type(loss.counts(target, like=(2, 3, 4)), Tensor)
    assert_type(total.fraction(input, target), dict[str, Fraction])
    exact = Exact(total)
    counted = exact.total([target, {"target": target, "mask": target > 0}], like=(2, 3, 4))
    assert_type(counted, Total)
    return exact(input, target, counted)


@loss_registry.register(name="my_loss", tags=["regression"])
class MyLoss(nn.Module):
    """A loss of the user's own."""

    def __init__(self, scale: float) -> None:
        super().__init__()
        self.scale = scale


assert_type(MyLoss(2.0), MyLoss)
