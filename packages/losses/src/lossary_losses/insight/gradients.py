"""Gradients of a loss and of each of its terms, and how they compare."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from functools import partial
from typing import Any, NamedTuple, Protocol, cast, runtime_checkable

import torch
from torch import Tensor, nn

from lossary_losses.composite.terms import Evaluation

__all__ = ["Composed", "Gradient", "PulledTerm", "as_leaves", "gradient_of", "inner", "pulled_terms"]

Gradient = tuple[Tensor, ...]
"""A gradient with respect to several tensors."""


@runtime_checkable
class Composed(Protocol):
    """A loss that tells what its terms are, and how they are brought together."""

    def values(self, *tensors: Any, **arguments: Any) -> dict[str, Tensor]:  # noqa: ANN401 - what forward takes
        """Give the terms, unweighted and as part of the graph."""
        ...

    def combine(self, input: Any, values: Mapping[str, Tensor]) -> Evaluation:  # noqa: ANN401 - as above
        """Bring the terms together."""
        ...


class PulledTerm(NamedTuple):
    """What a term adds to the loss and to its gradient, weights included."""

    path: tuple[str, ...]
    value: float
    gradient: Gradient


class _Given(NamedTuple):
    tensors: tuple[Any, ...]
    arguments: dict[str, Any]


def as_leaves(input: object) -> tuple[Any, list[Tensor]]:
    """Copy a tensor, or a structure of tensors, so that each has a gradient; and list them."""
    if isinstance(input, Tensor):
        if not input.is_floating_point():
            return input, []
        leaf = input.detach().requires_grad_()
        return leaf, [leaf]
    if isinstance(input, Mapping):
        named = {name: as_leaves(each) for name, each in input.items()}
        return {name: copy for name, (copy, _) in named.items()}, [
            leaf for _, leaves in named.values() for leaf in leaves
        ]
    if isinstance(input, Sequence) and not isinstance(input, (str, bytes)):
        copies = [as_leaves(each) for each in input]
        return [copy for copy, _ in copies], [leaf for _, leaves in copies for leaf in leaves]
    return input, []


def gradient_of(value: Tensor, of: Sequence[Tensor], upstream: Tensor | None = None) -> Gradient:
    """Give the gradient of a value that is kept for others; zero where it does not depend on a tensor."""
    if not value.requires_grad or not of:
        return tuple(torch.zeros_like(each) for each in of)
    upstream = torch.ones_like(value) if upstream is None else upstream
    found: tuple[Tensor | None, ...] = torch.autograd.grad(
        value, list(of), grad_outputs=upstream, retain_graph=True, allow_unused=True
    )
    return tuple(
        torch.zeros_like(each) if slope is None else slope.detach()
        for each, slope in zip(of, found, strict=True)
    )


def inner(first: Gradient, second: Gradient) -> float:
    """Multiply two gradients, element by element, and add up."""
    products = ((a.double() * b.double()).sum() for a, b in zip(first, second, strict=True))
    return float(sum(products, start=torch.zeros((), dtype=torch.float64)))


def pulled_terms(
    loss: Composed, tensors: tuple[Any, ...], arguments: dict[str, Any], of: Sequence[Tensor]
) -> tuple[Tensor, list[PulledTerm]]:
    """Give the value of a loss of losses, and what each term adds to it, those of terms included."""
    total, terms = _terms(loss, _Given(tensors, arguments), of, None, ())
    return total, list(terms)


def _terms(
    loss: Composed, given: _Given, of: Sequence[Tensor], upstream: Tensor | None, path: tuple[str, ...]
) -> tuple[Tensor, Iterator[PulledTerm]]:
    values, calls = _values_and_calls(loss, given)
    total, _ = loss.combine(given.tensors[0], values)
    factors = gradient_of(total, list(values.values()), upstream)
    return total, _each_term(values, calls, factors, of, path)


def _each_term(
    values: Mapping[str, Tensor],
    calls: Mapping[str, tuple[Composed, _Given]],
    factors: Gradient,
    of: Sequence[Tensor],
    path: tuple[str, ...],
) -> Iterator[PulledTerm]:
    for (name, value), factor in zip(values.items(), factors, strict=True):
        own = (*path, name)
        yield PulledTerm(own, float((factor * value.detach()).sum()), gradient_of(value, of, factor))
        if name in calls:
            inside, inner_given = calls[name]
            yield from _terms(inside, inner_given, of, factor, own)[1]


def _values_and_calls(
    loss: Composed, given: _Given
) -> tuple[dict[str, Tensor], dict[str, tuple[Composed, _Given]]]:
    """Give the values of the terms, and what those were called with that have terms themselves."""
    parts: Mapping[str, nn.Module] = getattr(loss, "parts", dict)()
    calls: dict[str, tuple[Composed, _Given]] = {}
    with ExitStack() as hooks:
        for name, part in parts.items():
            if isinstance(part, Composed):
                module = cast("nn.Module", part)
                handle = module.register_forward_pre_hook(partial(_remember, calls, name), with_kwargs=True)
                hooks.callback(handle.remove)
        values = loss.values(*given.tensors, **given.arguments)
    return values, {name: call for name, call in calls.items() if name in values}


def _remember(
    calls: dict[str, tuple[Composed, _Given]],
    name: str,
    module: nn.Module,
    tensors: tuple[Any, ...],
    arguments: dict[str, Any],
) -> None:
    calls[name] = cast("Composed", module), _Given(tensors, arguments)
