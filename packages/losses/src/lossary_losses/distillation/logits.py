"""Losses of two networks' logits: how far the distributions over classes are apart at each position."""

from typing import ClassVar

from torch import Tensor

from lossary_losses._core.base import define_loss, require_floating_point
from lossary_losses._core.claims import Claims
from lossary_losses._core.dense import Dense, Ready, Selection, prepare
from lossary_losses._core.divergence import Comparison, compare
from lossary_losses._core.options import number
from lossary_losses._core.pointwise import PointwiseLoss
from lossary_losses._core.reduction import Elements, weigh

__all__ = ["LogitsLoss"]


@define_loss
class LogitsLoss(PointwiseLoss):
    """A loss of a student's and a teacher's distributions; subclasses say what a position costs."""

    claims: ClassVar = Claims(
        input="student_logits",
        targets={"teacher_logits": {}},
        memory=6,
        exempt=dict.fromkeys(
            (
                "ignored_is_cut_out",
                "an_ignored_position_hides_anything",
                "nothing_counts_when_all_is_ignored",
            ),
            "a teacher's logits hold no index; a mask leaves positions out",
        ),
    )

    temperature: float = number(default=1.0, above=0)

    def apart(self, comparison: Comparison) -> Tensor:
        """Compute how far the student is from the teacher, who is the truth; ``(B, 1, *S)``."""
        raise NotImplementedError(f"{type(self).__name__} must say how far two distributions are apart")

    def prepare(self, input: Tensor, target: Tensor, *, mask: Tensor | None, weight: Tensor | None) -> Dense:
        """Take the target as logits of the same classes."""
        require_floating_point(target, "target")
        return prepare(input, target, Selection(None, mask, weight), "logits")

    def point(self, ready: Ready) -> Elements:
        """Give the loss of each position, times the square of the temperature."""
        comparison = compare(ready.target, ready.input, self.temperature)
        return weigh(self.temperature**2 * self.apart(comparison), ready.share)
