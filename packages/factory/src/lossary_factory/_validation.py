"""One pass over one config: what it may name, and what was found wrong."""
# ruff: noqa: ANN401  # below the grammar nobody knows specs: annotate them where they arrive

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import attrs

from ._problems import (
    DEEPEST,
    INTERPOLATED,
    LARGEST_INTEGER,
    MOST_PROBLEMS,
    MOST_VALUES,
    ConfigPath,
    Origin,
    Problem,
    Severity,
    Source,
    is_interpolated,
    label,
    make_problem,
    show,
    too_many_problems,
)
from ._values import FrozenDict, FrozenList

if TYPE_CHECKING:
    from lossary_registry import Registry


class Grammar(NamedTuple):
    """What reads a config, and the losses and the parts that stand where a parameter takes one."""

    read_config: Callable[[object, Validation], Any]
    read_loss: Callable[[object, ConfigPath, Validation, tuple[str, ...]], Any]
    read_part: Callable[[Mapping[Any, object], ConfigPath, Any, Validation], Any]
    require_kind: Callable[[Any, type, ConfigPath, Validation], None]


@attrs.define
class Definitions:
    """The losses that a document defines once and uses anywhere, each read when it is first needed."""

    path: ConfigPath = ()
    nodes: Mapping[Any, object] = attrs.field(factory=dict)
    specs: dict[str, Any] = attrs.field(factory=dict)
    open: list[str] = attrs.field(factory=list)
    """Those that are being read, each inside the one before."""
    sizes: dict[str, int] = attrs.field(factory=dict)
    """How many definitions each of them stands for, with those that it uses, and so on."""
    counts: list[int] = attrs.field(factory=lambda: [0])
    """The same for what is being read, the document itself first."""
    depths: list[int] = attrs.field(factory=lambda: [0])
    """How deep in the whole config each of them stands that is being read, the document itself first."""
    heights: dict[str, int] = attrs.field(factory=dict)
    """How many levels of definitions each of them has below it."""
    reached: list[int] = attrs.field(factory=lambda: [0])
    """The same for what is being read, the document itself first."""


_NOTHING_DEFINED = Definitions()
_NOTHING_OVERRIDDEN: Mapping[ConfigPath, Source] = FrozenDict()


class EnoughError(Exception):
    """So much is wrong, or there is so much, that to go on would help nobody, and might take long."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem)
        self.problem = problem


@attrs.define
class Validation:
    """Collects every problem of a config, so that nothing hides behind a first mistake.

    Attributes:
        registry: Where the names of losses are looked up.
        source: The text of the config, if it came from one.
        overridden: The texts of the values that were put in the place of others.
        allowed: The names that the config may use; None for all.
        definitions: What ``use`` refers to.
        problems: What was found so far.
        values: How many values were looked at so far.
    """

    grammar: ClassVar[Grammar]
    """The grammar, which knows what values are, puts itself here when it is imported.

    A value may hold a loss, whose values may hold losses: one side must reach the other without importing it.
    """

    registry: Registry[Any]
    source: Source | None = None
    overridden: Mapping[ConfigPath, Source] = _NOTHING_OVERRIDDEN
    allowed: frozenset[str] | None = None
    definitions: Definitions = _NOTHING_DEFINED
    problems: list[Problem] = attrs.field(factory=list)
    values: int = 0

    def read_config(self, config: object) -> Any:
        """Read a whole config into a spec; None where it names no loss, or where too much is wrong."""
        return self.grammar.read_config(config, self)

    def read_loss(
        self, node: object, path: ConfigPath, more_keys: tuple[str, ...] = (), *, kind: type | None = None
    ) -> Any:
        """Read one loss, which may have keys besides its own, and must be of a kind where one is given."""
        grammar = self.grammar
        spec = grammar.read_loss(node, path, self, more_keys)
        if kind is not None:
            grammar.require_kind(spec, kind, path, self)
        return spec

    def read_part(self, node: Mapping[Any, object], path: ConfigPath, part: Any) -> Any:
        """Read one part; ``part`` is the kind of value that takes it."""
        return self.grammar.read_part(node, path, part, self)

    def add(
        self,
        code: str,
        message: str,
        path: ConfigPath,
        *,
        hint: str = "",
        at_key: bool = False,
        severity: Severity = "error",
    ) -> None:
        """Note a problem at a path, pointing at the value or at its key.

        Raises:
            EnoughError: There were so many before that this cannot be a config.
        """
        if len(self.problems) >= MOST_PROBLEMS:
            raise EnoughError(too_many_problems())
        location = file = None
        source = self.source_at(path)
        if source is not None:
            file = source.file
            location = source.locate(path, at_key=at_key)
        problem = make_problem(
            code, message, path=path, hint=hint, file=file, location=location, severity=severity
        )
        self.problems.append(problem)

    def source_at(self, path: ConfigPath) -> Source | None:
        """Return the text in which the value at a path stands."""
        for start, source in self.overridden.items():
            if path[: len(start)] == start:
                return source
        return self.source

    def origin(self, path: ConfigPath) -> Origin:
        """Say where what stands at a path comes from."""
        source = self.source_at(path) if self.overridden else self.source
        return Origin(path, source, self.registry, self.allowed)

    def wrong_type(self, path: ConfigPath, value: object, wanted: str, *, hint: str = "") -> None:
        """Note a value of the wrong kind."""
        hint = INTERPOLATED if is_interpolated(value) else hint
        self.add("wrong-type", f"{label(path)} must be {wanted}, not {show(value)}", path, hint=hint)

    def trial(self) -> Validation:
        """Return a pass whose problems do not count, to try a value on."""
        return attrs.evolve(self, problems=[])

    def is_too_deep(self, path: ConfigPath) -> bool:
        """Tell whether a path is too long for a config, and note it; cycles in Python data end here."""
        if len(path) <= DEEPEST:
            return False
        self.add("too-deep", f"values are nested more than {DEEPEST} levels deep", path[:3])
        return True

    def count(self, values: int, path: ConfigPath) -> None:
        """Count the values in a container: mappings share parts, and so can be small and stand for very much.

        Raises:
            EnoughError: They are more than a config has.
        """
        self.values += values
        if self.values > MOST_VALUES:
            message = f"the config holds more than {MOST_VALUES:,} values, shared parts counted in full"
            raise EnoughError(make_problem("too-large", message, path=path[:3]))

    def bounded(self, value: object, path: ConfigPath) -> object:
        """Return a value, unless it is a whole number that nothing can write: note that."""
        if isinstance(value, int) and abs(value) >= LARGEST_INTEGER:
            self.add("out-of-range", f"{label(path)} is too large for a whole number", path)
            return 0
        return value

    def copied(self, value: object, path: ConfigPath) -> object:
        """Copy plain data, so that a spec does not change with the config that it was made from."""
        if isinstance(value, (str, bytes)) or not isinstance(value, (Mapping, Sequence)):
            return self.bounded(value, path)
        if self.is_too_deep(path):
            return None
        self.count(len(value), path)
        if isinstance(value, Mapping):
            return FrozenDict(
                {self.bounded(key, path): self.copied(item, (*path, key)) for key, item in value.items()}
            )
        items = [self.copied(item, (*path, index)) for index, item in enumerate(value)]
        return tuple(items) if isinstance(value, tuple) else FrozenList(items)
