"""A class's constructor, read once, as the schema of its parameters."""
# ruff: noqa: ANN401  # limits, values and validators are of any type

from __future__ import annotations

import inspect
import math
from typing import TYPE_CHECKING, Any, ClassVar

import attrs

from lossary_factory._values import SCALARS, holds_unbuilt

from .annotations import declared, evaluated, names_of
from .hints import Hints
from .kinds import COMPARISONS, Anything, Bound, Choice, Kind, Null, annotated_bounds, any_of, bounded
from .parameter import UNSAID, Parameter, Rule

if TYPE_CHECKING:
    from collections.abc import Mapping


@attrs.frozen(eq=False)
class Constructor:
    """What a constructor takes; there is one for each, so that it can be the key of what is worked out once.

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
        init=False, default=attrs.Factory(lambda constructor: constructor.find_required(), takes_self=True)
    )
    offered: tuple[Parameter, ...] = attrs.field(
        init=False, default=attrs.Factory(lambda constructor: constructor.find_offered(), takes_self=True)
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
    def make_constructor() -> Constructor:
        """Return what the constructor of the real class takes."""
        raise NotImplementedError


def is_kind_of(cls: type, kind: type) -> bool:
    """Tell whether a class is of a kind, where both may be stand-ins."""
    # Not issubclass: the kind may be a protocol, which does not answer.
    return kind in cls.__mro__ or (
        StandIn in kind.__mro__ and StandIn in cls.__mro__ and kind.stands_for in cls.kinds  # type: ignore[attr-defined]
    )


def read_constructor(cls: Any, base_class: type | None) -> Constructor:  # a class or a function
    """Read what a constructor takes from its signature."""
    if isinstance(cls, type) and issubclass(cls, StandIn):
        return cls.make_constructor()
    try:
        signature = _signature(cls)
    except (TypeError, ValueError):
        return Constructor({}, obstacle="its constructor does not tell what it takes")
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
        return Constructor({}, obstacle=str(error))
    parameters = {
        name: Parameter(
            name,
            Hints(base_class).kind(annotation),
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
    return Constructor(
        {name: parameters[name] for name in (*named, *parameters)},
        is_open=more is None,
        obstacle=f"its constructor takes {nameless[0]!r} by position only" if nameless else "",
        arguments=_arguments(cls),
    )


_OPEN = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)


def _signature(cls: Any) -> inspect.Signature:  # a class or a function
    """Return what a class is called with: that of ``__init__`` where ``__new__`` hands everything on."""
    signature = inspect.signature(cls)
    parameters = signature.parameters.values()
    if isinstance(cls, type) and parameters and all(each.kind in _OPEN for each in parameters):
        initializer: Any = cls.__init__  # type: ignore[misc]  # of this very class
        if initializer is not object.__init__ and not hasattr(cls, "__signature__"):
            own = inspect.signature(initializer)
            return own.replace(parameters=list(own.parameters.values())[1:])
    return signature


def _arguments(cls: Any) -> tuple[str, ...] | None:  # a class or a function
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
    kind = _kind(parameter.annotation, parameter.default, names, base_class)
    return Parameter(parameter.name, kind, parameter.default)


def _field_parameter(
    field: attrs.Attribute[Any], names: Mapping[str, Any], base_class: type | None
) -> Parameter:
    # A converter's annotation replaces the field's own in the signature: only the field tells its type.
    annotation = inspect.Parameter.empty if field.type is None else field.type
    default = inspect.Parameter.empty if field.default is attrs.NOTHING else field.default
    kind = _kind(annotation, default, names, base_class)
    is_all = False
    if not field.converter:  # a validator speaks of what the converter made
        kind, is_all = with_validator(kind, field.validator)
    return Parameter(field.alias or field.name, kind, default, None if is_all else _rule(field))


def _kind(annotation: object, default: object, names: Mapping[str, Any], base_class: type | None) -> Kind:
    if annotation is inspect.Parameter.empty:
        return Anything()
    # A class whose own default is infinite means infinities.
    finite = not isinstance(default, float) or math.isfinite(default)
    kind = Hints(base_class, finite).kind(evaluated(annotation, names))
    if default is None and not kind.fits(None):
        return any_of([kind, Null()])
    return kind


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


def with_validator(kind: Kind, validator: Any) -> tuple[Kind, bool]:
    """Fold the limits of an attrs validator into a kind, and tell whether the validator says no more.

    attrs does not document the fields of its own validators; one that changes is called, no longer read.
    """
    name = type(validator).__name__
    if name == "_AndValidator":
        is_all = True
        for part in validator._validators:  # noqa: SLF001  # attrs has no other way to ask
            kind, is_part = with_validator(kind, part)
            is_all = is_all and is_part
        return kind, is_all
    if name == "_OptionalValidator":
        inner, is_all = with_validator(kind, validator.validator)
        return any_of([inner, Null()]), is_all
    if name == "_NumberValidator" and validator.compare_op in COMPARISONS:
        return bounded(kind, [Bound(validator.compare_op, validator.bound)]), True
    if name == "_InValidator" and _is_words(validator.options):
        return Choice(tuple(validator.options)), True
    # A validator of one's own may say that its bounds, and the type of its field, are all that it checks.
    is_all = validator is None or getattr(validator, "declares_all", False) is True
    return bounded(kind, annotated_bounds([validator])), is_all


def _is_words(options: object) -> bool:
    return isinstance(options, (list, tuple)) and all(isinstance(option, str) for option in options)
