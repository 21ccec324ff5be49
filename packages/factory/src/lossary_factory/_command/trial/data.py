"""Data on which a loss is tried: read from a file, or made up."""

from __future__ import annotations

import inspect
import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs
import torch
from torch import Tensor

from lossary_factory._composites import DEEP_SUPERVISION, HEADS, MATCHED

from .examples import example
from .targets import TargetKind, classes_of, kinds_of, needs_several, nested

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from lossary_factory._spec import LossSpec

MADE_UP = "made-up data"
_SEED = 0
_SPACE = (2, 16, 16)
"""How many examples, and their extent: large enough for windows and for a few resolutions."""
_CLASSES = 4
_RESOLUTIONS = 3
_SETS = (2, 3)
"""How many samples, and how many predictions each has."""
_STEP = re.compile(r"\.(\w+)|\[(-?\d+)\]")
_SUFFIXES = (".pt", ".npz")


class NoDataError(Exception):
    """There is no data of the kind that was asked for; the message says why."""


@attrs.frozen
class Data:
    """What a loss is called with.

    Attributes:
        input: A tensor, or tensors in mappings and sequences.
        target: The same.
        others: What it is called with by keyword.
        origin: Where all of it comes from, in a few words.
    """

    input: Any
    target: Any
    """None where the loss takes none."""
    others: Mapping[str, Any] = attrs.field(factory=dict)
    origin: str = ""

    def leaves(self) -> list[Tensor]:
        """Make the tensors of the input collect gradients, and return them."""
        return [leaf.requires_grad_() for leaf in tensors(self.input) if leaf.is_floating_point()]

    def shapes(self) -> dict[str, Any]:
        """Return the shape and dtype of every tensor, in containers like those of the data."""
        return {name: _shapes(value) for name, value in self.arguments().items()}

    def arguments(self) -> dict[str, Any]:
        """Return everything by the name of its argument."""
        target = {} if self.target is None else {"target": self.target}
        return {"input": self.input, **target, **self.others}


def tensors(value: object) -> Iterator[Tensor]:
    """Yield the tensors in mappings and sequences."""
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from tensors(item)
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from tensors(item)


def _shapes(value: object) -> Any:  # noqa: ANN401  # as nested as the data
    if isinstance(value, Tensor):
        return f"{str(value.dtype).removeprefix('torch.')} {tuple(value.shape)}"
    if isinstance(value, Mapping):
        return {str(name): _shapes(item) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_shapes(item) for item in value]
    return repr(value)


def read_data(path: str, spec: LossSpec[Any]) -> Data:
    """Read the arguments of a loss from a file of tensors by name; no object is unpickled.

    Raises:
        NoDataError: The file cannot be read, or lacks ``input``, or a ``target`` that the loss takes.
    """
    try:
        found = _read(path)
    except NoDataError:
        raise
    except Exception as error:
        reason = str(error).partition("\n")[0]
        raise NoDataError(f"{path} cannot be read: {type(error).__name__}: {reason}") from error
    if not isinstance(found, Mapping):
        raise NoDataError(f"{path} must map arguments to tensors, and holds a {type(found).__name__}")
    wanted = ("input", "target") if _takes_target(spec) else ("input",)
    missing = [name for name in wanted if name not in found]
    if missing:
        has = ", ".join(map(str, found)) or "nothing"
        raise NoDataError(f"{path} has no {missing[0]!r}\nit has: {has}")
    others = {name: value for name, value in found.items() if name not in ("input", "target")}
    return Data(found["input"], found.get("target"), others, origin=f"the data of {path}")


def _read(path: str) -> object:
    suffix = Path(path).suffix.lower()
    if suffix == ".pt":
        return torch.load(path, map_location="cpu", weights_only=True)
    if suffix == ".npz":
        import numpy as np  # noqa: PLC0415  # not among our dependencies

        with np.load(path, allow_pickle=False) as arrays:
            return {name: torch.from_numpy(arrays[name]) for name in arrays.files}
    raise NoDataError(f"{path} must end in {' or '.join(_SUFFIXES)}")


def made_up(
    spec: LossSpec[Any], *, kind: TargetKind | None = None, shape: tuple[int, ...] | None = None
) -> Iterator[Data]:
    """Yield data that a loss may take, the likeliest first.

    Args:
        spec: The loss.
        kind: What the target holds; by the tags of the loss if None.
        shape: The shape of the input; one that fits the kind and the parameters if None.

    Raises:
        NoDataError: The loss wants a model's output of a form that nothing can be said of.
    """
    for rank in range(1 if kind else len(kinds_of(spec))):
        try:
            arguments = _Maker(kind, shape, rank).arguments(spec)
        except NoDataError:
            raise
        except Exception as error:
            reason = f"{type(error).__name__}: {error}".partition("\n")[0]
            raise NoDataError(f"no data can be made up for {spec.name}: {reason}") from error
        yield Data(*arguments, origin=MADE_UP)


@attrs.define
class _Maker:
    """Makes tensors, the same ones every time.

    Attributes:
        kind: What a target holds; as the tags of its loss say if None.
        shape: The shape of inputs, if it is given.
        rank: Which of the kinds that the tags allow is taken.
    """

    kind: TargetKind | None
    shape: tuple[int, ...] | None
    rank: int
    generator: torch.Generator = attrs.field(factory=lambda: torch.Generator().manual_seed(_SEED))

    def arguments(self, spec: LossSpec[Any]) -> tuple[Any, Any, dict[str, Any]]:
        """Return the input, the target and the other arguments of a loss."""
        if spec.name == HEADS.name:
            return self.heads(spec)
        if spec.name == MATCHED:
            return self.sets(spec)
        if spec.name == DEEP_SUPERVISION:
            return self.resolutions(spec)
        for _, child in nested(spec):
            if child.name in (HEADS.name, DEEP_SUPERVISION, MATCHED):
                return self.arguments(child)
        offered = _offered(spec)
        if offered is not None:
            return offered
        input, target = self.pair(spec)
        others = {name: self.positive(input) for name in _further_arguments(spec)}
        return input, target if _takes_target(spec) else None, others

    def pair(self, spec: LossSpec[Any]) -> tuple[Tensor, Tensor]:
        """Return an input and a target that are single tensors."""
        allowed = kinds_of(spec)
        kind = self.kind or allowed[min(self.rank, len(allowed) - 1)]
        batch, *space = _SPACE
        channels = classes_of(spec) or (_CLASSES if kind == "labels" or needs_several(spec) else 1)
        shape = self.shape or (batch, channels, *space)
        if kind == "values":
            return self.random(shape), self.random(shape)
        input = torch.randn(shape, generator=self.generator)
        if kind == "binary":
            return input, torch.randint(2, shape, generator=self.generator).to(input.dtype)
        if len(shape) < 2:  # noqa: PLR2004
            raise NoDataError(f"labels need an input of 2 dimensions or more (B, C, ...), not {shape}")
        return input, torch.randint(shape[1], (shape[0], *shape[2:]), generator=self.generator)

    def random(self, shape: tuple[int, ...]) -> Tensor:
        """Return numbers from zero to one."""
        return torch.rand(shape, generator=self.generator)

    def positive(self, like: Tensor) -> Tensor:
        """Return numbers of a tensor's shape that may be variances, distances or weights."""
        return self.random(tuple(like.shape)) + 0.5

    def resolutions(self, spec: LossSpec[Any]) -> tuple[Any, Any, dict[str, Any]]:
        """Return a list of inputs, each half as large as the one before."""
        inner: Any = spec.params["loss"]
        input, target = self.pair(inner)
        weights: Any = spec.params.get("weights")
        inputs, targets = [input], [target]
        for _ in range(1, len(weights) if weights is not None else _RESOLUTIONS):
            inputs.append(_halved(inputs[-1], 2))
            targets.append(_halved(targets[-1], targets[-1].ndim - input.ndim + 2))
        return inputs, targets if spec.params.get("target") == "given" else target, {}

    def sets(self, spec: LossSpec[Any]) -> tuple[Any, Any, dict[str, Any]]:
        """Return as many predictions as targets, of which those are taken that its losses see in a row."""
        inputs: Any = spec.params.get("inputs") or {}
        terms: Any = spec.params["terms"]
        costs: Any = spec.params.get("costs") or {}
        losses = {**costs, **terms}
        # Who finds its tensors under its own name says what they are.
        named = sorted(losses.items(), key=lambda item: item[0] in inputs)
        return self._selected(((name, *_in_rows(self.arguments(loss))) for name, loss in named), inputs)

    def heads(self, spec: LossSpec[Any]) -> tuple[Any, Any, dict[str, Any]]:
        """Return what every head finds at its selectors."""
        terms: Any = spec.params["terms"]
        inputs: Any = spec.params.get("inputs") or {}
        return self._selected(((name, *self.arguments(head)) for name, head in terms.items()), inputs)

    def _selected(
        self,
        heads: Iterable[tuple[str, Any, Any, dict[str, Any]]],
        inputs: Any,  # noqa: ANN401  # selectors by head and argument
    ) -> tuple[Any, Any, dict[str, Any]]:
        """Put the arguments of heads where their selectors lead."""
        roots: dict[Any, Any] = {}
        for name, input, target, others in heads:
            values = {**others, "input": input, **({} if target is None else {"target": target})}
            usual = {argument: f"{argument}.{name}" for argument in ("input", "target") if argument in values}
            selectors = {**usual, **inputs.get(name, {})}
            for argument, selector in selectors.items():
                value = values.get(argument)
                if value is None and isinstance(input, Tensor):
                    value = _everywhere(input) if argument == "mask" else self.positive(input)
                _put(roots, selector, value)
        found = {root: _as_containers(tree) for root, tree in roots.items()}
        batch = {"batch": found["batch"]} if "batch" in found else {}
        return found.get("input", {}), found.get("target", {}), batch


def _further_arguments(spec: LossSpec[Any]) -> list[str]:
    """Return what a loss must be called with besides input and target, by its signature or its claims."""
    claimed = getattr(getattr(spec.loss_class, "claims", None), "arguments", ())
    try:
        _, _, _, *parameters = inspect.signature(spec.loss_class.forward).parameters.values()
    except (AttributeError, TypeError, ValueError):
        return []
    named = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    required = [each for each in parameters if each.default is inspect.Parameter.empty]
    return list(dict.fromkeys([*(each.name for each in required if each.kind in named), *claimed]))


def _offered(spec: LossSpec[Any]) -> tuple[Any, Any, dict[str, Any]] | None:
    """Return the data that are offered for a loss, or for one within, one with a target before others."""
    found = example(spec.loss_class)
    if found is not None and found[1] is not None:
        return found
    inside = [each for _, child in nested(spec) if (each := _offered(child)) is not None]
    return next((each for each in inside if each[1] is not None), found or next(iter(inside), None))


def _takes_target(spec: LossSpec[Any]) -> bool:
    """Tell whether a loss is called with more than an input, as far as its signature says."""
    try:
        parameters = [*inspect.signature(spec.loss_class.forward).parameters.values()][2:]
    except (AttributeError, TypeError, ValueError):
        return True
    return bool(parameters) and parameters[0].kind is not inspect.Parameter.KEYWORD_ONLY


def _halved(tensor: Tensor, first: int) -> Tensor:
    """Keep every second position of each dimension from the first on."""
    for dimension in range(first, tensor.ndim):
        tensor = tensor[(slice(None),) * dimension + (slice(None, None, 2),)]
    return tensor.contiguous()


def _in_rows(arguments: tuple[Any, Any, dict[str, Any]]) -> tuple[Any, Any, dict[str, Any]]:
    """Give each of two samples three predictions, out of the elements that a loss was made up data for."""
    input, target, others = arguments
    rank = input.ndim - 1 if target.shape == input.shape[:1] + input.shape[2:] else 0
    rows = [each.movedim(1, -1) if rank and each.ndim > rank else each for each in (input, target)]
    lead = rank or input.ndim - 1
    input, target = (each.flatten(0, lead - 1)[: _SETS[0] * _SETS[1]].unflatten(0, _SETS) for each in rows)
    return input, target, others


def _everywhere(input: Tensor) -> Tensor:
    return torch.ones(input.shape[0], *input.shape[2:], dtype=torch.bool)


def _put(tree: dict[Any, Any], selector: str, value: object) -> None:
    """Put a value where a selector leads; what stands there already is shared."""
    root = selector.partition(".")[0].partition("[")[0]
    keys = [root, *(int(index) if index else name for name, index in _STEP.findall(selector))]
    for key in keys[:-1]:
        tree = tree.setdefault(key, {})
        if not isinstance(tree, dict):
            raise NoDataError(f"no data can be made up where {selector!r} is a part of another head's tensor")
    tree.setdefault(keys[-1], value)


def _as_containers(tree: Any) -> Any:  # noqa: ANN401  # as nested as the selectors
    """Turn mappings from indexes into lists."""
    if not isinstance(tree, dict):
        return tree
    items = {key: _as_containers(item) for key, item in tree.items()}
    indexes = [key for key in items if isinstance(key, int)]
    if not indexes:
        return items
    length = max(*(key + 1 if key >= 0 else -key for key in indexes), 1)
    found: list[Any] = [None] * length
    for key in indexes:
        found[key] = items[key]
    return found
