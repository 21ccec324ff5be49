"""Cards: what each loss says about itself, for people and for machines."""

import json
from collections.abc import Mapping
from typing import Any

import attrs
from torch import nn

from lossary_losses._core.claims import Claims
from lossary_losses._core.docstring import Paper, read_docstring
from lossary_losses.loss_registry_setup import loss_registry
from lossary_registry import Registry

__all__ = ["Card", "card_of", "cards"]


@attrs.frozen
class Card:
    """What a loss says about itself: its docstring taken apart, and its claims, which the suite tests."""

    name: str
    """The canonical name in the registry; the class's name where it is in none."""
    aliases: tuple[str, ...]
    tags: tuple[str, ...]
    path: str
    """Where the class is, as ``module:Class``."""
    summary: str
    formula: str
    """LaTeX."""
    notes: str
    convention: str
    shapes: Mapping[str, str]
    options: Mapping[str, str]
    raises: Mapping[str, str]
    example: str
    papers: tuple[Paper, ...]
    claims: Claims | None
    """None where a class declares none, such as a composite, which is what its terms are."""

    def to_dict(self) -> dict[str, Any]:
        """Give the card as what JSON can hold."""
        plain: dict[str, Any] = attrs.asdict(self, value_serializer=_plain)
        return plain

    def to_json(self) -> str:
        """Give the card as JSON."""
        return json.dumps(self.to_dict(), indent=1, ensure_ascii=False)


def card_of(loss: type[nn.Module], registry: Registry[nn.Module] = loss_registry) -> Card:
    """Give the card of a class, registered or not."""
    name = next((each for each in registry if registry.get(each) is loss), None)
    entry = registry.entry(name) if name else None
    text = read_docstring(loss)
    return Card(
        name=entry.name if entry else loss.__name__,
        aliases=tuple(entry.aliases) if entry else (),
        tags=tuple(sorted(entry.tags)) if entry else (),
        path=f"{loss.__module__}:{loss.__qualname__}",
        summary=text.summary,
        formula=text.formula,
        notes=text.notes,
        convention=" ".join(text.sections.get("Convention", "").split()),
        shapes=_shapes(text.sections.get("Shapes", "")),
        options=text.entries("Args"),
        raises=text.entries("Raises"),
        example=text.sections.get("Example", ""),
        papers=text.papers(),
        claims=getattr(loss, "claims", None),
    )


def cards(registry: Registry[nn.Module] = loss_registry) -> dict[str, Card]:
    """Give the card of every loss in a registry, by canonical name."""
    return {name: card_of(registry.get(name), registry) for name in registry}


def _shapes(text: str) -> dict[str, str]:
    """Read ``name: what`` lines whose names may be marked as code; a line that goes on is indented."""
    shapes: dict[str, str] = {}
    for line in text.splitlines():
        name, colon, what = line.partition(": ")
        if colon and " " not in name.replace(" and ", ""):
            shapes[name.replace("``", "")] = what
        elif shapes:
            shapes[next(reversed(shapes))] += f" {line.strip()}"
    return shapes


def _plain(_instance: object, _attribute: object, value: Any) -> Any:  # noqa: ANN401 - attrs' own signature
    return _as_json_has_it(value)


def _as_json_has_it(value: Any) -> Any:  # noqa: ANN401 - as nested as options are
    if isinstance(value, Mapping):
        return {name: _as_json_has_it(each) for name, each in value.items()}
    return [_as_json_has_it(each) for each in value] if isinstance(value, (tuple, list)) else value
