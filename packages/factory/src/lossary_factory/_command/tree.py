"""A spec drawn as a tree: its terms with their weights, and each loss's parameters."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import attrs

from lossary_factory._composites import composite_of
from lossary_factory._parameters import Unsaid, constructor_of
from lossary_factory._problems import printable, show_key
from lossary_factory._spec import LossSpec, PartSpec
from lossary_factory._values import plain

from .terminal import bold, dim
from .yaml import flow


def draw(spec: LossSpec[Any], base_class: type | None, *, with_places: bool = False) -> Iterator[str]:
    """Yield the lines of the tree; ``with_places`` says of each value in which line it stands."""
    return _Tree(base_class, with_places).whole(spec)


def default_text(default: object) -> str:
    """Write a default; one that is made anew for each object has no value to show."""
    if isinstance(default, Unsaid):
        return "left to the constructor"
    return "made anew" if isinstance(default, attrs.Factory) else flow(default)  # type: ignore[arg-type]


@attrs.frozen
class _Tree:
    base_class: type | None
    with_places: bool

    def whole(self, spec: LossSpec[Any]) -> Iterator[str]:
        yield self.title(spec)
        yield from self.inside(spec)

    def title(self, spec: LossSpec[Any]) -> str:
        loss_class: Any = spec.loss_class
        if not self.with_places:
            return f"{bold(spec.name)} {dim(f'({loss_class.__name__})')}"
        target = f"{loss_class.__module__}.{loss_class.__qualname__}"
        return f"{bold(spec.name)}  {dim(target)}{self.place(spec)}"

    def inside(self, spec: LossSpec[Any]) -> Iterator[str]:
        children = list(_children(spec))
        bar = "│" if children else " "
        for line in self.parameters(spec):
            yield f"{bar}   {line}"
        for number, (label, child) in enumerate(children, 1):
            is_last = number == len(children)
            yield f"{'└── ' if is_last else '├── '}{label}{self.title(child)}"
            for line in self.inside(child):
                yield f"{'    ' if is_last else '│   '}{line}"

    def parameters(self, spec: LossSpec[Any]) -> Iterator[str]:
        for parameter in constructor_of(spec.loss_class, self.base_class).parameters.values():
            name = parameter.name
            if name not in spec.params:
                if not parameter.is_for_python:
                    yield dim(f"{name} = {default_text(parameter.default)}  (default)")
            elif not _is_drawn(spec, name):
                yield f"{name} = {flow(plain(spec.params[name]))}{self.place(spec, name)}"

    def place(self, spec: LossSpec[Any], parameter: str = "") -> str:
        """Return the line of a loss or of its parameter, in the file or override that it comes from."""
        origin = spec.origin
        if not self.with_places or origin is None or origin.source is None:
            return ""
        path = (*origin.path, "params", parameter) if parameter else origin.path
        location = origin.source.locate(path, at_key=True)
        return dim(f"  {printable(origin.source.file)}:{location.line}")


def _is_drawn(spec: LossSpec[Any], name: str) -> bool:
    """Tell whether a parameter is seen in the branches of the tree."""
    is_weights = name == "weights" and composite_of(spec.name) is not None
    return is_weights or any(keys[0] == name for keys, _ in _losses(spec))


def _children(spec: LossSpec[Any]) -> Iterator[tuple[str, LossSpec[Any]]]:
    """Yield the losses inside a loss, each with its label."""
    if composite_of(spec.name) is not None:
        terms: Any = spec.params["terms"]
        weights: Any = spec.params.get("weights") or {}
        for key, term in terms.items():
            weight = f"{flow(plain(weights.get(key, 1.0)))} \N{MULTIPLICATION SIGN} " if weights else ""
            yield f"{show_key(key)}: {weight}", term
        return
    for keys, child in _losses(spec):
        yield f"{_label(keys, spec.params)}: ", child


def _losses(spec: LossSpec[Any]) -> Iterator[tuple[tuple[Any, ...], LossSpec[Any]]]:
    return ((keys, child) for keys, child in spec.children() if not isinstance(child, PartSpec))


def _label(keys: tuple[Any, ...], params: Any) -> str:  # noqa: ANN401  # as nested as the keys
    """Write what leads to a loss: the parameter, then ``.key`` in mappings and ``[index]`` in lists."""
    label, inside = str(keys[0]), params[keys[0]]
    for key in keys[1:]:
        label += f".{show_key(key)}" if isinstance(inside, Mapping) else f"[{key}]"
        inside = inside[key]
    return label
