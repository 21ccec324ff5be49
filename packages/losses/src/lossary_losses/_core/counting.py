"""Fractions and counts of losses within losses, leaf by leaf.

A composite's mean is a sum of means, each with a denominator of its own. So it gives a fraction for each
leaf, by the path that leads there: ``"region"``, ``"heads/depth"``.
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Protocol, runtime_checkable

import torch
from torch import Tensor, nn

from lossary_losses._core.reduced import ElementLoss
from lossary_losses._core.reduction import Fraction
from lossary_losses.errors import NotAdditiveError

__all__ = [
    "Additive",
    "asking_counts",
    "asking_fractions",
    "counts_of",
    "fractions_of",
    "no_denominator",
    "only_one",
    "require_additive",
    "scaled",
]


@runtime_checkable
class Additive(Protocol):
    """A loss of losses, whose mean can be put together from the fractions of its leaves."""

    def parts(self) -> Mapping[str, nn.Module]:
        """Give the losses within, by what their paths begin with; an empty name adds nothing to a path."""
        ...

    def fraction(self, *tensors: Any, **arguments: Any) -> dict[str, Fraction]:  # noqa: ANN401 - what forward takes
        """Give numerator, weights included, and denominator of each leaf."""
        ...

    def counts(self, *tensors: Any, **arguments: Any) -> dict[str, Tensor]:  # noqa: ANN401 - what forward takes
        """Give the denominator of each leaf."""
        ...


def require_additive(loss: nn.Module, path: str = "") -> None:
    """Refuse a loss that cannot be put together from parts of a batch.

    Raises:
        NotAdditiveError: It cannot, or a loss within cannot, which is named.
    """
    if isinstance(loss, ElementLoss):
        _require_leaf(loss, path)
    elif isinstance(loss, Additive):
        for name, part in loss.parts().items():
            require_additive(part, _joined(path, name))
    else:
        raise no_denominator(loss, path)


def no_denominator(loss: nn.Module, path: str = "") -> NotAdditiveError:
    """Give the error for a loss whose mean is no sum of fractions."""
    return NotAdditiveError(
        f"{_shown(loss, path)} tells no denominator: its mean cannot be put together from parts"
    )


def _require_leaf(loss: ElementLoss, path: str) -> None:
    if loss.reduction != "mean":
        raise NotAdditiveError(
            f"{_shown(loss, path)} has reduction={loss.reduction!r}: only a mean has shares"
        )
    if not loss.adds_up:
        raise NotAdditiveError(
            f"{_shown(loss, path)} looks at the batch as a whole: its mean cannot be put together from parts"
        )


def fractions_of(loss: nn.Module, *tensors: Any, path: str = "", **arguments: Any) -> dict[str, Fraction]:  # noqa: ANN401 - what forward takes
    """Give the fraction of each leaf of a loss, by its path."""
    if isinstance(loss, ElementLoss):
        _require_leaf(loss, path)
        return {path: loss.fraction(*tensors, **arguments)}
    return _below(loss, path, lambda whole: whole.fraction(*tensors, **arguments))


def counts_of(loss: nn.Module, *tensors: Any, path: str = "", **arguments: Any) -> dict[str, Tensor]:  # noqa: ANN401 - what forward takes
    """Give the denominator of each leaf of a loss, by its path."""
    if isinstance(loss, ElementLoss):
        _require_leaf(loss, path)
        return {path: loss.counts(*tensors, **arguments)}
    return _below(loss, path, lambda whole: whole.counts(*tensors, **arguments))


def _below(loss: nn.Module, path: str, ask: Callable[[Additive], dict[str, Any]]) -> dict[str, Any]:
    require_additive(loss, path)  # here, where the whole path is known
    if not isinstance(loss, Additive):
        raise no_denominator(loss, path)
    return {_joined(path, leaf): value for leaf, value in ask(loss).items()}


def only_one(fractions: Mapping[str, Fraction], loss: nn.Module) -> Fraction:
    """Give the one fraction of a loss that is no sum of several.

    Raises:
        NotAdditiveError: There are several, each with a denominator of its own.
    """
    if len(fractions) > 1:
        raise NotAdditiveError(
            f"{type(loss).__name__} has a denominator for each of {', '.join(fractions)}: one is not enough"
        )
    return next(iter(fractions.values()))


def scaled(fractions: Mapping[str, Fraction], factor: Tensor | float) -> dict[str, Fraction]:
    """Multiply numerators by a weight, as the mean is multiplied."""
    return {
        path: Fraction(torch.as_tensor(factor).to(each.numerator) * each.numerator, each.denominator)
        for path, each in fractions.items()
    }


def asking_fractions(loss: nn.Module, path: str) -> Callable[..., dict[str, Fraction]]:
    """Give what is called as a loss is, and gives its fractions."""
    return partial(fractions_of, loss, path=path)


def asking_counts(loss: nn.Module, path: str) -> Callable[..., dict[str, Tensor]]:
    """Give what is called as a loss is, with a shape in the place of the input, and gives its counts."""

    def ask(like: Any, *target: Any, **given: Any) -> dict[str, Tensor]:  # noqa: ANN401 - what forward takes
        return counts_of(loss, *target, path=path, like=like, **given)

    return ask


def _joined(path: str, name: str) -> str:
    return "/".join(each for each in (path, name) if each)


def _shown(loss: nn.Module, path: str) -> str:
    return f"{path}: {type(loss).__name__}" if path else type(loss).__name__
