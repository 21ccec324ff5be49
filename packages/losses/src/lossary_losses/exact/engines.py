"""Losses as engines want them that count by themselves."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from torch import Tensor, nn

from lossary_losses._core.counting import fractions_of, only_one, require_additive
from lossary_losses._core.pointwise import PointwiseLoss
from lossary_losses._core.reduction import Fraction, mean
from lossary_losses.errors import InputValueError, NotAdditiveError

if TYPE_CHECKING:
    from lossary_losses._core.claims import Claims

__all__ = ["for_megatron", "for_trainer"]

_NO_LABEL = -100
"""What the Trainer does not count."""

_Counted = tuple[Tensor, Tensor, dict[str, Tensor]]
"""Numerator, count, and what to log."""


def for_trainer(loss: nn.Module, *, causal: bool) -> Callable[..., Tensor]:
    """Give a loss as the ``compute_loss_func`` of Hugging Face's Trainer.

    The Trainer counts the labels of a whole step that are not -100, of causal models but for the first of
    each sequence, and says the number. So the loss must count just these: one with class weights counts
    otherwise, and came out 3.5 times too large.

    Args:
        loss: A loss of labels, such as a cross entropy.
        causal: Whether the model predicts the next token, so that logits and labels are shifted against each
            other: True for ``AutoModelForCausalLM``, False for token or sequence classification and for
            masked language models.

    Raises:
        NotAdditiveError: The loss counts otherwise than the Trainer; the message says how.
    """
    require_additive(loss)
    otherwise = _counts_otherwise(loss)
    if otherwise:
        raise NotAdditiveError(f"the Trainer counts labels that are not {_NO_LABEL}, and {otherwise}")

    def compute_loss(outputs: Any, labels: Tensor, num_items_in_batch: Tensor | int | None = None) -> Tensor:  # noqa: ANN401 - a model's own
        logits: Tensor = outputs["logits"] if isinstance(outputs, Mapping) else outputs.logits
        if causal:
            logits, labels = logits[..., :-1, :], labels[..., 1:]
        fraction = only_one(fractions_of(loss, logits.movedim(-1, 1), labels), loss)
        if num_items_in_batch is None:  # in evaluation
            return mean(fraction)
        return fraction.numerator / num_items_in_batch

    return compute_loss


def _counts_otherwise(loss: nn.Module) -> str:
    """Say how a loss counts otherwise than the labels that are not -100; nothing if it does count these."""
    name = type(loss).__name__
    claims: Claims | None = getattr(loss, "claims", None)
    if not isinstance(loss, PointwiseLoss) or claims is None or "labels" not in claims.targets:
        return f"{name} is no loss of labels, one by one"
    if getattr(loss, "weight", None) is not None:
        return f"{name} counts the weights of their classes"
    if getattr(loss, "ignore_index", None) != _NO_LABEL:
        return f"{name} has ignore_index={getattr(loss, 'ignore_index', None)}: give it {_NO_LABEL}"
    return ""


def for_megatron(loss: nn.Module) -> Callable[..., _Counted]:
    """Give a loss as Megatron wants it with ``calculate_per_token_loss``: numerator, count, and what to log.

    Megatron adds up counts as integers; so what is called refuses one with a fraction, as weights make it.

    Raises:
        NotAdditiveError: The loss cannot be put together from parts.
    """
    require_additive(loss)

    def loss_func(input: Tensor, target: Tensor, **given: Any) -> _Counted:  # noqa: ANN401 - mask or weight
        fraction: Fraction = only_one(fractions_of(loss, input, target, **given), loss)
        numerator, denominator = fraction
        if denominator != denominator.round():
            raise InputValueError(
                f"{type(loss).__name__} counts {float(denominator):g}, and Megatron adds up whole numbers"
            )
        return numerator, denominator.int(), {"loss": mean(fraction).detach()}

    return loss_func
