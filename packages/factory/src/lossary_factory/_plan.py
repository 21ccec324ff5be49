"""A class's constructor, read once, as the schema of its parameters."""

from __future__ import annotations

import functools
import inspect
import math
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar

import attrs

from ._annotations import evaluated, names_of
from ._bounds import with_validator
from ._checks import Anything, AsIs, Check, Null, any_of
from ._declared import declared
from ._frozen import SCALARS, holds_unbuilt
from ._hints import Hints

if TYPE_CHECKING:
    from ._problems import ConfigPath
    from ._validation import Validation

Rule = Callable[[object], None]
"""Raises ValueError or TypeError for a value that a field's own converter or validator refuses."""


class Unsaid:
    """The default of what may be left out, where only the constructor knows what it is then."""


UNSAID = Unsaid()


@attrs.frozen
class Parameter:
    """One thing that a constructor takes.

    Attributes:
        name: The keyword.
        check: What it accepts, by its annotation and the limits that can be read.
        default: What it is when not given; ``inspect.Parameter.empty`` where it must be given, and an
            ``Unsaid`` where the constructor decides.
        rule: The validation that can only be run, if there is any.
    """

    name: str
    check: Check
    default: object = inspect.Parameter.empty
    rule: Rule | None = None
    takes_as_is: AsIs | None = attrs.field(
        init=False,
        eq=False,
        repr=False,
        default=attrs.Factory(lambda parameter: parameter.check.as_is(), takes_self=True),
    )
    """Tells at once that a value is right, so that most values cost one call."""

    @property
    def is_required(self) -> bool:
        """Whether the constructor has no default for it."""
        return self.default is inspect.Parameter.empty

    @property
    def is_for_python(self) -> bool:
        """Whether it takes only what no file can hold, and can be left out."""
        return not self.is_required and self.check.is_for_python

    def read(self, value: object, path: ConfigPath, validation: Validation) -> object:
        """Return what the constructor gets for a value; note what is wrong with it."""
        if self.takes_as_is is not None and self.takes_as_is(value):
            result = value
        else:
            before = len(validation.problems)
            result = self.check(value, path, validation)
            if len(validation.problems) > before:
                return result
        if self.rule is not None and result is not self.default:  # a default needs no judge
            try:
                self.rule(result)
            except (TypeError, ValueError) as error:
                validation.add("invalid-value", self._refusal(error), path)
        return result

    def _refusal(self, error: Exception) -> str:
        """Put what a validator raised into one sentence that names the parameter."""
        reason = str(error.args[0] if error.args else type(error).__name__).partition("\n")[0]
        is_named = reason.lstrip("'").startswith(self.name)
        return reason if is_named else f"{self.name} is refused: {reason}"


@attrs.frozen
class Plan:
    """What a constructor takes.

    Attributes:
        parameters: What it names.
        is_open: Whether it takes keyword arguments beyond those that it names.
        obstacle: Why no config can call it, if none can.
        arguments: What the loss is called with once it is built; None where that is not known.
        required: Those of its parameters that have no default.
        offered: Those that people are told of: all but what no file can hold.
    """

    parameters: Mapping[str, Parameter]
    is_open: bool = False
    obstacle: str = ""
    arguments: tuple[str, ...] | None = None
    required: frozenset[str] = attrs.field(
        init=False, default=attrs.Factory(lambda plan: plan.find_required(), takes_self=True)
    )
    offered: tuple[Parameter, ...] = attrs.field(
        init=False, default=attrs.Factory(lambda plan: plan.find_offered(), takes_self=True)
    )

    def find_required(self) -> frozenset[str]:
        """Work out ``required``."""
        return frozenset(name for name, parameter in self.parameters.items() if parameter.is_required)

    def find_offered(self) -> tuple[Parameter, ...]:
        """Work out ``offered``."""
        return tuple(parameter for parameter in self.parameters.values() if not parameter.is_for_python)


class StandIn:
    """The base of such classes: it is known what the constructor takes, and nothing can be constructed.

    Attributes:
        stands_for: Where the real class is defined.
        kinds: Where that class and its bases are defined.
        origin: The distribution that has it.
    """

    stands_for: ClassVar[str] = ""
    kinds: ClassVar[frozenset[str]] = frozenset()
    origin: ClassVar[str] = ""

    def __init__(self, **_arguments: object) -> None:
        raise TypeError(f"{type(self).__name__} was described and not imported: it cannot be built")

    @staticmethod
    def make_plan() -> Plan:
        """Return what the constructor of the real class takes."""
        raise NotImplementedError


def is_kind_of(cls: type, kind: type) -> bool:
    """Tell whether a class is of a kind, where both may be stand-ins."""
    # Not issubclass: the kind may be a protocol, which does not answer.
    return kind in cls.__mro__ or (
        StandIn in kind.__mro__ and StandIn in cls.__mro__ and kind.stands_for in cls.kinds  # type: ignore[attr-defined]
    )


def plan_of(loss_class: Any, base_class: type | None) -> Plan:  # noqa: ANN401  # a class or a function
    """Return what a constructor takes, for a registry with this base class."""
    return _read_constructor(loss_class, base_class)


@functools.lru_cache(maxsize=4096)
def _read_constructor(cls: Any, base_class: Any) -> Plan:  # noqa: ANN401  # a class or a function
    if isinstance(cls, type) and issubclass(cls, StandIn):
        return cls.make_plan()
    try:
        signature = inspect.signature(cls)
    except (TypeError, ValueError):
        return Plan({}, obstacle="its constructor does not tell what it takes")
    kinds = inspect.Parameter
    named = {
        name: parameter
        for name, parameter in signature.parameters.items()
        if parameter.kind in (kinds.POSITIONAL_OR_KEYWORD, kinds.KEYWORD_ONLY)
    }
    others = [parameter for name, parameter in signature.parameters.items() if name not in named]
    keywords = next((parameter for parameter in others if parameter.kind is kinds.VAR_KEYWORD), None)
    nameless = [p.name for p in others if p.kind is kinds.POSITIONAL_ONLY and p.default is kinds.empty]
    fields = _fields(cls, named)
    names = names_of(cls)
    try:
        more = declared(cls, keywords, names) if keywords else {}
    except TypeError as error:
        return Plan({}, obstacle=str(error))
    parameters = {
        name: Parameter(
            name,
            Hints(base_class).check(annotation),
            inspect.Parameter.empty if is_required else UNSAID,
        )
        for name, (annotation, is_required) in (more or {}).items()
    }
    parameters |= {
        name: _field_parameter(fields[name], names, base_class)
        if fields
        else _plain_parameter(parameter, names, base_class)
        for name, parameter in named.items()
    }
    return Plan(
        {name: parameters[name] for name in (*named, *parameters)},
        is_open=more is None,
        obstacle=f"its constructor takes {nameless[0]!r} by position only" if nameless else "",
        arguments=_arguments(cls),
    )


def _arguments(cls: Any) -> tuple[str, ...] | None:  # noqa: ANN401  # a class or a function
    """Return the names of what ``forward`` takes, if it names all of it."""
    try:
        _, *parameters = inspect.signature(cls.forward).parameters.values()
    except (AttributeError, TypeError, ValueError):
        return None
    is_open = any(
        parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD) for parameter in parameters
    )
    return None if is_open else tuple(parameter.name for parameter in parameters)


def _fields(cls: type, named: Mapping[str, object]) -> dict[str, attrs.Attribute[Any]]:
    """Return the attrs fields by the names that the constructor uses, where they describe it.

    A subclass may have a constructor of its own, whatever the fields that it inherits.
    """
    if not attrs.has(cls):
        return {}
    fields = {field.alias or field.name.lstrip("_"): field for field in attrs.fields(cls) if field.init}
    return fields if fields.keys() == named.keys() else {}


def _plain_parameter(
    parameter: inspect.Parameter, names: Mapping[str, Any], base_class: type | None
) -> Parameter:
    check = _check(parameter.annotation, parameter.default, names, base_class)
    return Parameter(parameter.name, check, parameter.default)


def _field_parameter(
    field: attrs.Attribute[Any], names: Mapping[str, Any], base_class: type | None
) -> Parameter:
    # A converter's annotation replaces the field's own in the signature: only the field tells its type.
    annotation = inspect.Parameter.empty if field.type is None else field.type
    default = inspect.Parameter.empty if field.default is attrs.NOTHING else field.default
    check = _check(annotation, default, names, base_class)
    is_all = False
    if not field.converter:  # a validator speaks of what the converter made
        check, is_all = with_validator(check, field.validator)
    return Parameter(field.alias or field.name, check, default, None if is_all else _rule(field))


def _check(annotation: object, default: object, names: Mapping[str, Any], base_class: type | None) -> Check:
    if annotation is inspect.Parameter.empty:
        return Anything()
    # A class whose own default is infinite means infinities.
    finite = not isinstance(default, float) or math.isfinite(default)
    check = Hints(base_class, finite).check(evaluated(annotation, names))
    if default is None and not check.fits(None):
        return any_of([check, Null()])
    return check


def _rule(field: attrs.Attribute[Any]) -> Rule | None:
    """Return what runs a field's converter and validator on a value alone, before any object exists."""
    converter: Any = field.converter
    validator: Any = field.validator
    if isinstance(converter, getattr(attrs, "Converter", ())):  # may want the object
        return None

    def rule(value: object) -> None:
        if type(value) not in SCALARS and holds_unbuilt(value):
            return  # both want the built loss
        try:
            converted = converter(value) if converter else value
            if validator:
                validator(None, field, converted)
        except (TypeError, ValueError):
            raise
        except Exception:  # noqa: BLE001, S110  # a validator that wants the object is left to the constructor
            pass

    return rule
