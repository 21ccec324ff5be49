"""Named losses with weights, added up: what sums and heads share."""

import math
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, cast

import attrs
import torch
from torch import Tensor, nn

from lossary_losses._core.base import Loss, define_loss
from lossary_losses._core.checks import values_readable
from lossary_losses._core.plain_numbers import is_finite, is_number
from lossary_losses._core.reduction import widened
from lossary_losses.composite.calling import calls_of
from lossary_losses.composite.schedules import ConstantSchedule, Schedule
from lossary_losses.errors import InputValueError, OptionTypeError, OptionValueError
from lossary_registry import nearest_names

if TYPE_CHECKING:
    from typing_extensions import Self

__all__ = [
    "Evaluation",
    "WeightedTerms",
    "add_up",
    "check_loss",
    "check_weight",
    "checked_terms",
    "connected_zero",
    "held",
    "only_given",
    "require_names",
    "require_one_shape",
    "set_progress",
]


_PRIVATE = frozenset(name for name in dir(nn.ModuleDict()) if name.startswith("_"))
_TAKEN = _PRIVATE | vars(nn.ModuleDict()).keys()
"""Names of what the module of the terms stores for itself."""


class Evaluation(NamedTuple):
    """What one pass through a composite gives."""

    total: Tensor
    """The loss to call ``backward`` on."""
    terms: dict[str, Tensor]
    """What each term added to the total, weight included, detached: for logs and plots."""


@define_loss(kw_only=False)
class WeightedTerms(Loss):
    """Named losses, each with a weight that may change while training goes on, added up."""

    terms: Mapping[str, nn.Module] = attrs.field(repr=False)
    initial_weights: Mapping[str, float | Schedule] | None = attrs.field(
        default=None, alias="weights", repr=False, kw_only=True
    )

    def __attrs_post_init__(self) -> None:
        """Check the terms and their weights, and hold them as submodules and buffers."""
        terms = checked_terms(self.terms)
        weights = _checked_weights(self.initial_weights, terms)
        del self.terms
        self.terms = held(terms)
        self._calls = calls_of(terms)
        for name in terms:
            weight = weights.get(name, 1.0)
            value = weight.at(0) if isinstance(weight, Schedule) else float(weight)
            exact = torch.tensor(value, dtype=torch.float64, device="cpu")
            self.hold(_buffer_name(name), exact, saved=True, fixed=True)
        self._find_active()
        self._waits_for_progress = any(
            not isinstance(each, ConstantSchedule) for each in self.schedules.values()
        )

    @property
    def weights(self) -> dict[str, float]:
        """The present weight of each term; NaN on the meta device, where it is not known."""
        present = {name: self._weight(name) for name in self.terms}
        return {name: math.nan if weight.is_meta else float(weight) for name, weight in present.items()}

    @property
    def schedules(self) -> dict[str, Schedule]:
        """The schedule of each term that has one."""
        weights = self.initial_weights or {}
        return {name: weight for name, weight in weights.items() if isinstance(weight, Schedule)}

    def set_weight(self, name: str, value: float) -> None:
        """Change the weight of a term, from the next call on."""
        _check_name(name, self.terms)
        check_weight(f"weights[{name!r}]", value)
        self._weight(name).fill_(value)
        self._waits_for_progress = False
        self._find_active()

    def set_progress(self, *, step: float | None = None, epoch: float | None = None) -> None:
        """Bring every scheduled weight, those of losses within included, to this step or epoch."""
        set_progress(self, step=step, epoch=epoch)

    def extra_repr(self) -> str:
        """Show the weights."""
        return "weights: " + ", ".join(f"{name} {value:g}" for name, value in self.weights.items())

    def _follow_schedules(self, progress: Mapping[str, float]) -> None:
        for name, schedule in self.schedules.items():
            if schedule.unit in progress:
                self.set_weight(name, schedule.at(progress[schedule.unit]))

    def _weight(self, name: str) -> Tensor:
        return cast("Tensor", getattr(self, _buffer_name(name)))

    def active_terms(self) -> tuple[str, ...]:
        """Give the names of the terms that are not switched off by a weight of zero.

        Known on the Python side, so that skipping a term needs no look at a device, as long as the weights
        are the tensors of the last look and nobody has written to them. A compiled graph does not ask: there
        a weight is to be changed by :meth:`set_weight`.
        """
        if torch.compiler.is_compiling() or all(
            _is_as_seen(self._weight(name), *seen) for name, seen in self._seen.items()
        ):
            return self._active
        return tuple(name for name in self.terms if _is_on(self._weight(name)))

    def _find_active(self) -> None:
        self._active = tuple(name for name in self.terms if _is_on(self._weight(name)))
        self._seen = {name: (self._weight(name), _version(self._weight(name))) for name in self.terms}

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> "Self":
        super()._apply(fn, recurse)
        self._find_active()
        return self

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)  # type: ignore[no-untyped-call]
        self._find_active()

    def _load_from_state_dict(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - torch's own signature
        super()._load_from_state_dict(*args, **kwargs)
        self._find_active()

    def _factor(self, name: str) -> Tensor:
        """Give a copy of a weight, which may be changed before the backward pass."""
        return self._weight(name).clone()

    def combine(self, input: object, values: Mapping[str, Tensor]) -> Evaluation:
        """Weigh what ``values`` gave and add it up; the terms stay part of the graph."""
        terms = {name: _weighed(self._weight(name), value) for name, value in values.items()}
        return Evaluation(add_up(input, terms), terms)

    def _evaluate(self, input: object, values: dict[str, Tensor]) -> Evaluation:
        """Weigh the values of the active terms and add them up."""
        total, terms = self.combine(input, values)
        if (
            self._waits_for_progress
            and total.requires_grad
            and self.training
            and not torch.compiler.is_compiling()
        ):
            _warn_of_weights_that_stay(self.schedules)
        nothing = total.new_zeros(())
        return Evaluation(total, {name: terms.get(name, nothing).detach() for name in self.terms})


def _warn_of_weights_that_stay(schedules: Iterable[str]) -> None:
    """Say that a training has begun, and nobody has said how far it is."""
    warnings.warn(
        f"the weight of {', '.join(schedules)} follows a schedule, and stays where it begins: call "
        "set_progress(step=..., epoch=...) before each step of the training",
        stacklevel=5,  # of who calls the loss, through forward, evaluate and torch's own call
    )


def _weighed(weight: Tensor, value: Tensor) -> Tensor:
    """Multiply by a copy of a weight, which may be changed before the backward pass."""
    value = widened(value)
    return weight.to(value.dtype, copy=True) * value


def _is_on(weight: Tensor) -> bool:
    """Tell whether a term counts, or may: a weight may have a gradient, or no values to be looked at."""
    return not values_readable(weight) or weight.requires_grad or bool(weight != 0)


def _version(weight: Tensor) -> int | None:
    """Give what grows with each write; None where torch does not count them."""
    return None if weight.is_inference() else weight._version  # noqa: SLF001 - what autograd goes by


def _is_as_seen(weight: Tensor, seen: Tensor, version: int | None) -> bool:
    return weight is seen and version is not None and _version(weight) == version


def set_progress(loss: nn.Module, *, step: float | None = None, epoch: float | None = None) -> None:
    """Bring every scheduled weight within a loss to this step or epoch; what is None stays as it is."""
    progress = {unit: value for unit, value in (("step", step), ("epoch", epoch)) if value is not None}
    for unit, value in progress.items():
        check_weight(unit, value)
    for module in loss.modules():
        if isinstance(module, WeightedTerms):
            module._follow_schedules(progress)  # noqa: SLF001 - of the same kind


def add_up(input: object, terms: Mapping[str, Tensor]) -> Tensor:
    """Add terms of one shape; without any, give a zero that is still part of the graph."""
    require_one_shape(terms)
    if not terms:
        return connected_zero(input)
    first, *others = terms.values()
    return sum(others, start=first)


def require_one_shape(terms: Mapping[str, Tensor]) -> None:
    """Refuse results that would only broadcast."""
    shapes = {name: tuple(value.shape) for name, value in terms.items()}
    if len(set(shapes.values())) > 1:
        raise InputValueError(f"the terms give results of different shapes: {shapes}; reduce each of them")


def only_given(**arguments: Tensor | None) -> dict[str, Tensor]:
    """Leave out what is None: a term that knows no mask is still usable where none is given."""
    return {name: value for name, value in arguments.items() if value is not None}


def connected_zero(input: object) -> Tensor:
    """Give zero as a function of the tensors in a mapping or sequence, so that backward works."""
    if isinstance(input, Tensor):
        dtype = torch.promote_types(input.dtype, torch.float32)
        return torch.where(torch.zeros_like(input, dtype=torch.bool), input, 0).sum(dtype=dtype)
    parts: Iterable[object] = ()
    if isinstance(input, Mapping):
        parts = input.values()
    elif isinstance(input, Sequence) and not isinstance(input, (str, bytes)):
        parts = input
    # What else a model gives, a name say, has no part in a graph.
    return sum((connected_zero(part) for part in parts), start=torch.zeros((), dtype=torch.float32))


def check_loss(_instance: object, attribute: "attrs.Attribute[Any]", loss: object) -> None:
    """Refuse what is no module, as the validator of a field."""
    if not isinstance(loss, nn.Module):
        raise OptionTypeError(f"{attribute.name} must be an nn.Module, got {type(loss).__name__}")


def checked_terms(terms: object, what: str = "terms") -> dict[str, nn.Module]:
    """Check that terms are named losses, and copy the mapping."""
    if not isinstance(terms, (Mapping, nn.ModuleDict)):
        raise OptionTypeError(f"{what} must map names to losses, got {type(terms).__name__}")
    if not terms:
        raise OptionValueError(f"{what} must name one loss or more, got none")
    for name, term in terms.items():
        if not isinstance(name, str) or not name or "." in name or name in _TAKEN:
            raise OptionValueError(
                f"{what} has an unusable name, {name!r}: "
                "it must not be empty, hold a dot, or be what nn.ModuleDict stores for itself"
            )
        if not isinstance(term, nn.Module):
            raise OptionTypeError(f"{what}[{name!r}] must be an nn.Module, got {type(term).__name__}")
    return dict(terms.items())


def held(terms: Mapping[str, nn.Module]) -> Mapping[str, nn.Module]:
    """Hold terms as submodules, under any name that a head of a model may have.

    ``nn.ModuleDict`` itself refuses the names of its methods, such as ``values`` and ``type``, although
    its items are never looked up as attributes.
    """
    module = nn.ModuleDict()
    module._modules.update(terms)  # noqa: SLF001 - what add_module does once it has refused names
    return cast("Mapping[str, nn.Module]", module)


def _buffer_name(name: str) -> str:
    return f"weight_of_{name}"


def _checked_weights(weights: object, terms: Mapping[str, nn.Module]) -> Mapping[str, float | Schedule]:
    named = require_names(weights, terms, "weights")
    for name, value in named.items():
        if not isinstance(value, Schedule):
            check_weight(f"weights[{name!r}]", value)
    return named


def require_names(given: object, terms: Mapping[str, nn.Module], what: str) -> Mapping[str, Any]:
    """Refuse what is no mapping from names of terms; None is an empty one."""
    if given is None:
        return {}
    if not isinstance(given, Mapping):
        raise OptionTypeError(f"{what} must map names of terms to numbers, got {type(given).__name__}")
    for name in given:
        _check_name(name, terms, what)
    return given


def _check_name(name: object, terms: Mapping[str, nn.Module], what: str = "weights") -> None:
    if name not in terms:
        near = nearest_names(str(name), terms)
        hint = f"did you mean {near[0]!r}?" if near else f"the terms are {', '.join(terms)}"
        raise OptionValueError(f"{what} has {name!r}, which is no term: {hint}")


def check_weight(what: str, value: object) -> None:
    """Refuse what cannot weigh a term."""
    if not is_number(value):
        raise OptionTypeError(f"{what} must be a finite number >= 0, got {value!r}")
    if not (is_finite(value) and value >= 0):
        raise OptionValueError(f"{what} must be a finite number >= 0, got {value!r}")
