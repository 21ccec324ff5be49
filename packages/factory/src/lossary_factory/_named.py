"""A loss chosen by name, and its parameters."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from lossary_registry import Registry, RegistryError

from ._plan import Plan, plan_of
from ._spec import LossSpec, Origin
from ._suggest import did_you_mean, nearest
from ._wording import ConfigPath, listing, show

if TYPE_CHECKING:
    from ._validation import Validation

_LOSS_KEYS = ("weight", "name", "params", "sum")


class Value(NamedTuple):
    """A value of the config with its place."""

    value: object
    path: ConfigPath


def find_loss(name: object, path: ConfigPath, validation: Validation) -> tuple[str, type] | None:
    """Return the canonical name and the class; note it where there is none."""
    if not isinstance(name, str):
        validation.wrong_type(path, name, "the name of a loss")
        return None
    registry = validation.registry
    if name not in registry:
        message = f"{registry.name} has no loss {show(name)}"
        validation.add("unknown-loss", message, path, hint=instead_of(name, registry))
        return None
    try:
        loss_class: Any = registry.get(name)
    except (ImportError, RegistryError) as error:
        message = f"{name} cannot be loaded: {error}"
        validation.add("unavailable-loss", message, path)
        return None
    return registry.entry(name).name, loss_class


def read_params(
    params: object, path: ConfigPath, loss: tuple[str, type], validation: Validation
) -> dict[str, object]:
    """Check the parameters of a loss against its constructor, and return what the constructor gets."""
    name, loss_class = loss
    if params is None:
        params = {}
    if not isinstance(params, Mapping):
        validation.wrong_type(path, params, f"a mapping of parameters of {name}")
        return {}
    plan = plan_of(loss_class, validation.registry.base_class)
    if plan.obstacle:
        validation.add("unusable-constructor", f"{name} cannot be built from a config: {plan.obstacle}", path)
        return {}
    given = {}
    for key, value in params.items():
        parameter = plan.parameters.get(key)
        if parameter is None:
            _complain_of_parameter(key, (*path, key), name, plan, validation)
        else:
            given[key] = parameter.read(value, (*path, key), validation)
    if not all(name in params for name in plan.required):
        _complain_of_missing(params, path, name, plan, validation)
    return given


def named_spec(name: Value, params: Value, path: ConfigPath, validation: Validation) -> LossSpec[Any] | None:
    """Read the loss at ``path`` with this name and these parameters; None where no loss has the name."""
    loss = find_loss(name.value, name.path, validation)
    if loss is None:
        return None
    given = read_params(params.value, params.path, loss, validation)
    return LossSpec(loss[0], given, loss[1], Origin(path, validation.source))


def instead_of(name: str, registry: Registry[Any]) -> str:
    """Say what could stand in place of a name that the registry does not have."""
    names = registry.list()
    aliases = [alias for known in names for alias in registry.entry(known).aliases]
    # Of an import path, the last word is what it would have imported.
    word = name.rpartition(".")[2]
    lines = [f"{did_you_mean(word, [*names, *aliases])}{registry.name} has: {listing(names) or 'nothing'}"]
    if name.endswith((".yaml", ".yml", ".toml", ".json")):
        lines.append("this looks like a file: load() reads one")
    elif "." in name:
        lines.append("a config names what is registered; it never imports")
    return "\n".join(lines)


def _complain_of_parameter(
    key: object, path: ConfigPath, loss: str, plan: Plan, validation: Validation
) -> None:
    if plan.is_open:
        message = f"{loss} takes arbitrary keyword arguments, so {show(key)} cannot be checked"
        hint = f"declare it in the constructor of {loss}"
        validation.add("unchecked-parameter", message, path, hint=hint, at_key=True)
        return
    names = [parameter.name for parameter in plan.offered]
    takes = f"{loss} takes: {listing(names)}" if names else f"{loss} takes no parameters"
    hint = f"{did_you_mean(key, names)}{takes}"
    if key in _LOSS_KEYS:
        hint += f"\nas a key of the loss itself, {key!r} stands beside 'params', not under it"
    validation.add("unknown-parameter", f"{loss} has no parameter {show(key)}", path, hint=hint, at_key=True)


def _complain_of_missing(
    params: Mapping[Any, object], path: ConfigPath, loss: str, plan: Plan, validation: Validation
) -> None:
    """Note what must be given and is not; a misspelled name was noted already."""
    guesses = {nearest(key, plan.parameters) for key in params if key not in plan.parameters}
    for name in plan.required:
        if name not in params and name not in guesses:
            check = plan.parameters[name].check
            hint = f"write {name} under 'params'; it must be {check.text}"
            message = f"{loss} needs the parameter {name!r}"
            validation.add("missing-parameter", message, (*path, name), hint=hint, at_key=True)
