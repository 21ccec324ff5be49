"""A sum of named losses with weights that may change during training."""

import math
from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any, NamedTuple, cast

import attrs
import torch
from torch import Tensor, nn

from lossary_losses._core.base import Loss, define_loss
from lossary_losses.errors import InputValueError, OptionTypeError, OptionValueError
from lossary_losses.loss_registry_setup import loss_registry

__all__ = ["Evaluation", "WeightedSum"]


class Evaluation(NamedTuple):
    """What one pass through a composite gives."""

    total: Tensor
    """The loss to call ``backward`` on."""
    terms: dict[str, Tensor]
    """What each term added to the total, weight included, detached: for logs and plots."""


@loss_registry.register(name="weighted_sum", aliases=["WeightedSum"], tags=["composite"])
@define_loss
class WeightedSum(Loss):
    r"""The weighted sum of named losses on the same input and target.

    .. math:: \ell = \sum_k w_k\, \ell_k(x, t)

    Convention:
        The weights are used as given, never normalised: weights that add up to 2 give twice the gradient.
        They are part of the ``state_dict``, and :meth:`set_weight` changes them during training. A term of
        weight zero is not computed.

    Shapes:
        ``input`` and ``target``: whatever all terms accept.
        Result: that of the terms, which must agree; a scalar if each reduces.

    Args:
        terms: A loss (any ``nn.Module``) for each name. A name is not empty, and holds no dot.
        weights: A finite number >= 0 for each name that should not weigh one. Default: None, all one.

    Raises:
        OptionTypeError: A term is no module, or a weight no number.
        OptionValueError: There is no term, a name is unusable, or a weight belongs to no term.

    Example:
        >>> import torch
        >>> from lossary_losses import BCELoss, DiceLoss
        >>> loss = WeightedSum(terms={"region": DiceLoss(), "pixel": BCELoss()}, weights={"pixel": 0.5})
        >>> target = torch.tensor([[[1.0, 0.0]]])
        >>> total, terms = loss.evaluate(torch.zeros(1, 1, 2), target)
        >>> {name: round(float(value), 4) for name, value in terms.items()}
        {'region': 0.3333, 'pixel': 0.3466}

    Reference:
        None: it is plain arithmetic.
    """

    terms: Mapping[str, nn.Module] = attrs.field(kw_only=False, repr=False)
    initial_weights: Mapping[str, float] | None = attrs.field(default=None, alias="weights", repr=False)

    def __attrs_post_init__(self) -> None:
        """Check the terms and their weights, and hold them as submodules and buffers."""
        terms = _checked_terms(self.terms)
        weights = _checked_weights(self.initial_weights, terms)
        del self.terms
        self.terms = cast("Mapping[str, nn.Module]", nn.ModuleDict(terms))
        for name in terms:
            self.register_buffer(_buffer_name(name), torch.tensor(float(weights.get(name, 1.0))))
        self._find_active()

    @property
    def weights(self) -> dict[str, float]:
        """The present weight of each term."""
        return {name: float(self._weight(name)) for name in self.terms}

    def set_weight(self, name: str, value: float) -> None:
        """Change the weight of a term, from the next call on."""
        _check_weight(name, value, self.terms)
        self._weight(name).fill_(value)
        self._find_active()

    def forward(
        self, input: Tensor, target: Tensor, *, mask: Tensor | None = None, weight: Tensor | None = None
    ) -> Tensor:
        """Compute the weighted sum; ``mask`` and ``weight`` are handed to every term."""
        return self._sum(input, self._weighted_terms(input, target, mask, weight))

    def evaluate(
        self, input: Tensor, target: Tensor, *, mask: Tensor | None = None, weight: Tensor | None = None
    ) -> Evaluation:
        """Compute the weighted sum, and what each term adds to it, in one pass."""
        terms = self._weighted_terms(input, target, mask, weight)
        shown = {name: terms[name].detach() if name in terms else input.new_zeros(()) for name in self.terms}
        return Evaluation(self._sum(input, terms), shown)

    def extra_repr(self) -> str:
        """Show the weights."""
        return "weights: " + ", ".join(f"{name} {value:g}" for name, value in self.weights.items())

    def _weight(self, name: str) -> Tensor:
        return cast("Tensor", getattr(self, _buffer_name(name)))

    def _find_active(self) -> None:
        # Known on the Python side, so that skipping a term needs no look at a device.
        self._active = tuple(name for name, value in self.weights.items() if value != 0)

    def _load_from_state_dict(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - torch's own signature
        super()._load_from_state_dict(*args, **kwargs)
        self._find_active()

    def _weighted_terms(
        self, input: Tensor, target: Tensor, mask: Tensor | None, weight: Tensor | None
    ) -> dict[str, Tensor]:
        # A term that knows neither mask nor weight is still usable where neither is given.
        given = {key: value for key, value in (("mask", mask), ("weight", weight)) if value is not None}
        return {name: self._weight(name) * self.terms[name](input, target, **given) for name in self._active}

    def _sum(self, input: Tensor, terms: dict[str, Tensor]) -> Tensor:
        shapes = {name: tuple(value.shape) for name, value in terms.items()}
        if len(set(shapes.values())) > 1:
            raise InputValueError(
                f"the terms give results of different shapes: {shapes}; reduce each of them"
            )
        if not terms:
            # Zero, and still part of the graph, so that backward works.
            return torch.where(torch.zeros_like(input, dtype=torch.bool), input, 0).sum()
        first, *others = terms.values()
        return sum(others, start=first)


def _buffer_name(name: str) -> str:
    return f"weight_of_{name}"


def _checked_terms(terms: object) -> dict[str, nn.Module]:
    if not isinstance(terms, (Mapping, nn.ModuleDict)):
        raise OptionTypeError(f"terms must map names to losses, got {type(terms).__name__}")
    if not terms:
        raise OptionValueError("terms must name one loss or more, got none")
    for name, term in terms.items():
        if not isinstance(name, str) or not name or "." in name or hasattr(nn.ModuleDict(), name):
            raise OptionValueError(
                f"terms has an unusable name, {name!r}: "
                "it must not be empty, hold a dot, or be taken by nn.ModuleDict"
            )
        if not isinstance(term, nn.Module):
            raise OptionTypeError(f"terms[{name!r}] must be an nn.Module, got {type(term).__name__}")
    return dict(terms.items())


def _checked_weights(weights: object, terms: Mapping[str, nn.Module]) -> Mapping[str, float]:
    if weights is None:
        return {}
    if not isinstance(weights, Mapping):
        raise OptionTypeError(f"weights must map names of terms to numbers, got {type(weights).__name__}")
    for name, value in weights.items():
        _check_weight(name, value, terms)
    return weights


def _check_weight(name: str, value: object, terms: Mapping[str, nn.Module]) -> None:
    if name not in terms:
        near = get_close_matches(str(name), list(terms), n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"the terms are {', '.join(terms)}"
        raise OptionValueError(f"weights has {name!r}, which is no term: {hint}")
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise OptionTypeError(f"weights[{name!r}] must be a finite number >= 0, got {value!r}")
    if not (math.isfinite(value) and value >= 0):
        raise OptionValueError(f"weights[{name!r}] must be a finite number >= 0, got {value!r}")
