"""A validated config, ready to be built."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import attrs

from ._frozen import Unbuilt, built

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ._source import Origin

T = TypeVar("T")


@attrs.frozen
class LossSpec(Unbuilt, Generic[T]):
    """A loss that was checked against its constructor and can be built any number of times.

    Specs are values: they do not change, they compare, and they can be keys of a dict.
    A sum is a spec like any other: its ``params`` hold the ``terms`` and the ``weights``.

    Attributes:
        name: The name under which the loss is registered; aliases are resolved.
        params: What the config gives to the constructor, nested losses as specs.
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
        arguments = {name: built(value) for name, value in self.params.items()}
        try:
            return self.loss_class(**arguments)
        except Exception as error:
            _add_note(error, f"while building {self.name} at {self.origin or 'an unknown place'}")
            raise

    def __deepcopy__(self, _memo: object) -> LossSpec[T]:
        return self  # nothing in it changes

    @classmethod
    def __get_pydantic_core_schema__(cls, _source: object, _handler: object) -> Any:  # noqa: ANN401  # pydantic's
        from ._pydantic import spec_schema  # noqa: PLC0415  # only pydantic asks, so it is installed

        return spec_schema()

    @classmethod
    def __get_pydantic_json_schema__(cls, _core_schema: object, _handler: object) -> dict[str, Any]:  # same
        return {"title": "A loss", "anyOf": [{"type": "string"}, {"type": "object"}]}

    def to_dict(self, *, defaults: bool = False) -> dict[str, Any]:
        """Write the spec as a config of plain data, which gives an equal spec when it is validated.

        Args:
            defaults: Write the parameters that the config left out as well, as far as plain data can.

        Raises:
            UnwritableError: A parameter holds an object that a config in Python gave it.
        """
        from ._writing import written  # noqa: PLC0415  # it knows plans, which know specs

        return written(self.with_defaults() if defaults else self)

    def with_defaults(self) -> LossSpec[T]:
        """Return the spec whose ``params`` hold the defaults of the constructors as well.

        Left out are those defaults that a config could not give: objects, and what is made anew each time.
        """
        from ._writing import filled  # noqa: PLC0415  # it knows plans, which know specs

        return filled(self)

    def fingerprint(self, *, defaults: bool = True) -> str:
        """Return a SHA-256 in hexadecimal that is the same for all configs that mean the same.

        Args:
            defaults: Count the defaults in: a release that changes one changes the fingerprint.
                Without them it stands for what the config itself says.
        """
        from ._writing import digest  # noqa: PLC0415  # it knows plans, which know specs

        return digest(self.to_dict(defaults=defaults))

    def replace(self, path: str, value: object) -> LossSpec[T]:
        """Return a spec with another value at a path in ``to_dict()``, checked like any config.

        Example:
            ``spec.replace("sum.region.weight", 0.5)``, ``spec.replace("params.gamma", 3)``

        Raises:
            ConfigError: The path leads nowhere, or the value does not fit there.
        """
        from ._writing import replaced  # noqa: PLC0415  # it knows plans, which know specs

        return replaced(self, path, value)


@attrs.frozen
class PartSpec(LossSpec[T]):
    """A checked part of a loss, such as a schedule: chosen by a key word of its own.

    Attributes:
        keyword: The key that chooses it, such as ``schedule``.
    """

    keyword: str = attrs.field(kw_only=True)


def _add_note(error: Exception, note: str) -> None:
    if sys.version_info >= (3, 11):
        error.add_note(note)
        return
    # Python 3.10 shows no notes: the message itself carries it, where it is a plain one.
    vars(error).setdefault("__notes__", []).append(note)
    if len(error.args) == 1 and isinstance(error.args[0], str) and not isinstance(error, KeyError):
        error.args = (f"{error.args[0]}\n{note}",)
