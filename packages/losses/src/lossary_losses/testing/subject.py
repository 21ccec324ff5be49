"""What is put to the test: a loss that can be built anew with other options."""

import copy
import inspect
from collections.abc import Callable, Mapping
from typing import Any

import attrs
from torch import Tensor, nn

from lossary_losses._core.claims import Claims
from lossary_losses.testing.sample import Sample

__all__ = ["Buildable", "Subject", "name_of", "subject_of"]

Buildable = type[nn.Module] | nn.Module | Callable[..., nn.Module]
"""A loss class, a loss, or whatever builds one from options."""


@attrs.frozen
class Subject:
    """A loss under test, with the options that it is built with unless a rule says otherwise."""

    name: str
    build: Callable[..., nn.Module]
    options: Mapping[str, object]
    claims: Claims
    own_class: type[nn.Module]
    parameters: Mapping[str, inspect.Parameter]
    """What can be said when building it."""

    def loss(self, **options: object) -> nn.Module:
        """Build the loss."""
        return self.build(**{**self.options, **options})

    def of_elements(self) -> nn.Module:
        """Build the loss so that it gives its elements, if it does that."""
        has_elements = self.takes_option("reduction") and "sum_is_the_sum_of_none" not in self.claims.exempt
        return self.loss(**({"reduction": "none"} if has_elements else {}))

    def takes_option(self, name: str) -> bool:
        """Tell whether the constructor takes an option."""
        return name in self.parameters

    def takes_argument(self, name: str) -> bool:
        """Tell whether ``forward`` takes an argument."""
        return name in inspect.signature(self.own_class.forward).parameters

    def value(self, sample: Sample, *, loss: nn.Module | None = None, **arguments: Tensor) -> Tensor:
        """Compute the loss of a sample."""
        loss = self.loss() if loss is None else loss
        result: Tensor = loss(*sample.given, **sample.arguments, **arguments)
        return result


def subject_of(loss: Buildable, claims: Claims, options: Mapping[str, object]) -> Subject:
    """Find out how a loss is built, and what it takes."""
    if isinstance(loss, nn.Module):
        return _of_instance(loss, claims, options)
    own_class = (
        loss if isinstance(loss, type) and issubclass(loss, nn.Module) else type(_built(loss, options))
    )
    return Subject(
        name=name_of(loss),
        build=loss,
        options=options,
        claims=claims,
        own_class=own_class,
        parameters=inspect.signature(loss).parameters,
    )


def _of_instance(loss: nn.Module, claims: Claims, options: Mapping[str, object]) -> Subject:
    parameters = inspect.signature(type(loss)).parameters
    return Subject(
        name=type(loss).__name__,
        build=lambda **changes: _changed(loss, changes),
        options=options,
        claims=claims,
        own_class=type(loss),
        # Without attrs an option can be changed only if it is an attribute of the same name.
        parameters=parameters
        if attrs.has(type(loss))
        else {name: parameter for name, parameter in parameters.items() if name in vars(loss)},
    )


def _changed(loss: nn.Module, changes: Mapping[str, Any]) -> nn.Module:
    if not changes:
        return copy.deepcopy(loss)
    if attrs.has(type(loss)):
        changed: nn.Module = attrs.evolve(loss, **changes)  # type: ignore[misc]
        return changed
    changed = copy.deepcopy(loss)
    for name, value in changes.items():
        if not hasattr(changed, name):
            raise TypeError(f"{type(loss).__name__} has no option {name!r}")
        setattr(changed, name, value)
    return changed


def _built(build: object, options: Mapping[str, object]) -> nn.Module:
    try:
        result = build(**options) if callable(build) else None
    except TypeError as error:  # such as a function that computes a loss at once
        raise TypeError(
            f"a loss class, a loss or what builds one is needed; {name_of(build)} builds none: {error}"
        ) from error
    if not isinstance(result, nn.Module):
        wrong = (
            f"{build!r}" if result is None else f"{name_of(build)}, which builds a {type(result).__name__}"
        )
        raise TypeError(f"a loss class, a loss or what builds one is needed, got {wrong}")
    return result


def name_of(build: object) -> str:
    """Give what a loss, its class or what builds it is called in reports."""
    named = getattr(build, "func", build)
    return str(getattr(named, "__name__", type(named).__name__))
