"""A validated config, ready to be built."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import attrs

from ._wording import ConfigPath, show_path

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ._source import Source

T = TypeVar("T")

_SCALARS = frozenset({bool, int, float, str, type(None)})


@attrs.frozen
class Origin:
    """Where in which file a spec comes from."""

    path: ConfigPath
    source: Source | None

    def __str__(self) -> str:
        place = show_path(self.path) or "the top of the config"
        if self.source is None:
            return place
        location = self.source.locate(self.path, at_key=True)
        return f"{place} ({self.source.file}:{location.line}:{location.column})"


@attrs.frozen
class LossSpec(Generic[T]):
    """A loss that was checked against its constructor and can be built any number of times.

    A sum is a spec like any other: its ``params`` hold the ``terms`` and the ``weights``.

    Attributes:
        name: The name under which the loss is registered; aliases are resolved.
        params: What the config gives to the constructor, nested losses as specs. Not to be changed.
        loss_class: The class that was registered when the config was checked, and that will be built.
    """

    name: str
    params: Mapping[str, object]
    loss_class: type[T]
    origin: Origin | None = attrs.field(default=None, eq=False, repr=False)

    def build(self) -> T:
        """Call the constructor.

        Raises:
            Exception: Whatever the constructor raises, with a note that says for which part of the config.
        """
        arguments = {name: _built(value) for name, value in self.params.items()}
        try:
            return self.loss_class(**arguments)
        except Exception as error:
            _add_note(error, f"while building {self.name} at {self.origin or 'an unknown place'}")
            raise


def holds_spec(value: object) -> bool:
    """Tell whether a checked value is a nested loss, or contains one."""
    if isinstance(value, dict):
        return any(map(holds_spec, value.values()))
    if isinstance(value, (list, tuple)):
        return any(map(holds_spec, value))
    return isinstance(value, LossSpec)


def _built(value: Any) -> Any:  # noqa: ANN401  # what a constructor takes
    """Build the losses in a value, and copy its containers: a constructor may keep and change them."""
    kind = type(value)
    if kind in _SCALARS:
        return value
    if kind is LossSpec:
        return value.build()
    if kind is dict:
        return {key: _built(item) for key, item in value.items()}
    if kind is list:
        return [_built(item) for item in value]
    if kind is tuple:
        return tuple(map(_built, value))
    return value


def _add_note(error: Exception, note: str) -> None:
    if sys.version_info >= (3, 11):
        error.add_note(note)
        return
    # Python 3.10 shows no notes: the message itself carries it, where it is a plain one.
    vars(error).setdefault("__notes__", []).append(note)
    if len(error.args) == 1 and isinstance(error.args[0], str) and not isinstance(error, KeyError):
        error.args = (f"{error.args[0]}\n{note}",)
