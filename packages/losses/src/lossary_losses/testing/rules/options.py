"""Options: each does something."""

import inspect
from collections.abc import Iterator
from typing import Any, Literal, get_args, get_origin, get_type_hints

import attrs
import torch

from lossary_losses.testing.data import Data
from lossary_losses.testing.kinds import find_kind
from lossary_losses.testing.rule import expect, rule
from lossary_losses.testing.sample import Sample
from lossary_losses.testing.subject import Subject

_ELSEWHERE = {"reduction", "process_group", "position_group"}
"""Options that rules of their own are about."""


@rule("signature")
def every_option_has_an_effect(subject: Subject, data: Data) -> None:
    """Each option changes the loss of some data, or is refused with them."""
    kinds = subject.claims.targets
    if data.target != next(iter(kinds)):
        return  # tried with the first kind, for all of them
    own = kinds[data.target]
    trials = []
    for kind, options in kinds.items():
        kept = {name: value for name, value in subject.options.items() if own.get(name) != value}
        trials.append(
            (
                attrs.evolve(subject, options={**kept, **options}),
                attrs.evolve(data, kind=find_kind(data.input, kind)),
            )
        )
    for name, parameter in subject.parameters.items():
        if name in _ELSEWHERE or parameter.kind in (parameter.VAR_KEYWORD, parameter.VAR_POSITIONAL):
            continue
        found = {_effect(each, of_kind, name) for each, of_kind in trials}
        expect(True in found or False not in found, f"{name} has no effect on any data")


def _effect(subject: Subject, data: Data, name: str) -> bool | None:
    """Tell whether another value of an option changes anything; None if none is accepted."""
    known = None
    present = subject.options.get(name, subject.parameters[name].default)
    for value in _other_values(subject, data, name, present):
        try:
            changed = subject.loss(**{name: value})
        except (TypeError, ValueError):
            continue
        known = False
        base = subject.loss()
        if _size(changed) != _size(base):
            return True
        for sample in _samples(data):
            try:
                result = subject.value(sample, loss=changed)
            except (TypeError, ValueError):
                return True
            if not torch.allclose(result, subject.value(sample, loss=base), rtol=1e-9, atol=1e-12):
                return True
    return known


def _size(loss: torch.nn.Module) -> int:
    return sum(each.numel() for each in loss.parameters())


def _other_values(subject: Subject, data: Data, name: str, present: Any) -> Iterator[object]:  # noqa: ANN401 - any option
    """Give values that the option may accept, none of them the present one."""
    numbers = [0.25, 0.75, 2.0, 5.0]
    classes = [0.5 + index for index in range(data.channels)]
    guesses: list[object] = list(_choices(subject, name))
    if isinstance(present, bool):
        guesses.append(not present)
    elif isinstance(present, int):
        guesses += [present + 1, present - 1, 0]
    elif isinstance(present, float):
        # Half of zero is no other value.
        guesses += [each for each in (present + 0.5, present / 2, *numbers, -present) if each != present]
    elif name == "ignore_index":
        guesses.append(data.draw().truth.flatten()[0].item())
    elif present is None or present is inspect.Parameter.empty:
        guesses += [classes, *numbers]
    elif not isinstance(present, str):
        guesses += [classes, list(reversed(list(present))), list(present)[:-1]]
    yield from (each for each in guesses if each is not present)


def _choices(subject: Subject, name: str) -> tuple[object, ...]:
    """Give the words that an annotation allows."""
    hints = get_type_hints(subject.own_class.__init__)
    annotation = hints.get(name)
    parts = (annotation, *get_args(annotation))
    return tuple(word for part in parts if get_origin(part) is Literal for word in get_args(part))


def _samples(data: Data) -> Iterator[Sample]:
    """Give data on which losses differ: random, far out, and with a class that is nowhere."""
    sample = data.draw()
    yield sample
    if data.input != "probabilities":
        yield sample.at(5 * sample.input)
    yield from data.kind.edges(sample)
