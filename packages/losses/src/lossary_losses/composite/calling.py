"""How a loss within another one is called: with a target, or without one if it takes none."""

import inspect
from collections.abc import Callable, Mapping
from typing import Any

import attrs
from torch import Tensor, nn

from lossary_losses.errors import InputTypeError

__all__ = ["Call", "call_of", "calls_of"]


# No named tuple, which torch 2.6 cannot trace a call of.
@attrs.frozen(slots=False)
class Call:
    """What the forward of a loss takes; found out once, since a graph that is compiled could not ask."""

    what: str
    """What the loss is called in messages."""
    takes_target: bool
    needs_target: bool
    arguments: frozenset[str]
    """Everything that it names."""

    def __call__(
        self,
        loss: Callable[..., Any],
        input: Any,  # noqa: ANN401 - what a model gives
        target: Any,  # noqa: ANN401 - what a dataset gives
        given: Mapping[str, Tensor],
    ) -> Any:  # noqa: ANN401 - a loss of somebody else's may give more than a tensor
        """Call the loss with what it takes.

        Raises:
            InputTypeError: It needs a target, and there is none.
        """
        if self.takes_target and target is not None:
            return loss(input, target, **given)
        if self.needs_target:
            raise InputTypeError(f"{self.what} needs a target, and there is none")
        return loss(input, **given)


def call_of(loss: nn.Module, what: str) -> Call:
    """Find out what the forward of a loss takes; of one that does not say it is assumed to take a target."""
    try:
        parameters = inspect.signature(loss.forward).parameters
    except (TypeError, ValueError):
        return Call(what, takes_target=True, needs_target=True, arguments=frozenset())
    by_place = [
        each for each in parameters.values() if each.kind not in (each.KEYWORD_ONLY, each.VAR_KEYWORD)
    ]
    others = by_place if by_place and by_place[0].kind is inspect.Parameter.VAR_POSITIONAL else by_place[1:]
    needs = bool(others) and others[0].default is inspect.Parameter.empty
    return Call(what, bool(others), needs, frozenset(parameters))


def calls_of(losses: Mapping[str, nn.Module]) -> dict[str, Call]:
    """Find out what each of several named losses takes."""
    return {name: call_of(loss, f"term {name!r}") for name, loss in losses.items()}
