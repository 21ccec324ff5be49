"""How other tools write a loss: what is chosen, with which parameters, which weight and which label."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import attrs

from lossary_factory._problems import ConfigPath, show, show_key

from .rules import is_number

if TYPE_CHECKING:
    from .findings import Findings

CHOICES = ("_target_", "class_path", "class_name", "type", "name")
"""Where hydra and MONAI, jsonargparse, keras, mmengine and the origin, and we ourselves name a class."""

_NESTED = {
    "class_path": ("init_args", "dict_kwargs"),
    "class_name": ("config",),
    "type": ("params", "kwargs", "init_args"),
    "name": ("params", "kwargs"),
}
"""Where parameters stand one level deeper."""

_ABOUT_THE_CALL = {"_recursive_", "_convert_", "_partial_", "_mode_", "_requires_", "_desc_", "_id_"}
_OF_KERAS = ("module", "registered_name", "build_config")
_WEIGHTS = ("loss_weight", "weight")
_LABELS = ("loss_name", "name", "label")


@attrs.frozen
class Placed:
    """A value, and where it stands."""

    value: Any
    path: ConfigPath


@attrs.define
class Call:
    """A loss as another tool writes it.

    Attributes:
        name: What is chosen.
        path: Where the whole of it stands.
        params: Its parameters by name.
        positional: Its parameters by position.
        weight: How much it counts.
        label: What it is called among others.
        unclear: A ``weight`` that may be one of the term or a parameter.
    """

    name: Placed
    path: ConfigPath
    params: dict[str, Placed] = attrs.field(factory=dict)
    positional: list[Placed] = attrs.field(factory=list)
    weight: Placed | None = None
    label: str = ""
    unclear: Placed | None = None


def choice_of(node: Mapping[Any, Any]) -> str | None:
    """Return the key that chooses a class."""
    return next((key for key in CHOICES if isinstance(node.get(key), str)), None)


def read_call(node: Mapping[Any, Any], path: ConfigPath, findings: Findings) -> Call:
    """Take a mapping that chooses a class apart."""
    key = choice_of(node) or "name"
    call = Call(Placed(node[key], (*path, key)), path)
    nested = [name for name in _NESTED.get(key, ()) if isinstance(node.get(name), Mapping)]
    for container in nested:
        for name, value in node[container].items():
            call.params[name] = Placed(value, (*path, container, name))
    if key == "class_name" and isinstance(node.get("module"), str):
        call.name = Placed(f"{node['module']}.{node[key]}", call.name.path)
    for name, value in node.items():
        if name == key or name in nested or _is_about_the_call(name, key):
            continue
        _read_beside(call, Placed(value, (*path, name)), key, nested, findings)
    return call


def _is_about_the_call(name: object, key: str) -> bool:
    return name in _ABOUT_THE_CALL or (key == "class_name" and name in _OF_KERAS)


def _read_beside(call: Call, placed: Placed, key: str, nested: list[str], findings: Findings) -> None:
    """Take what stands beside a choice for a weight, a label or a parameter."""
    name: Any = placed.path[-1]
    if name == "_args_" and isinstance(placed.value, list):
        call.positional = [Placed(item, (*placed.path, n)) for n, item in enumerate(placed.value)]
    elif name == "_disabled_":
        if placed.value:
            findings.refuse("disabled", "this is switched off, and so is no loss", placed.path, at_key=True)
    elif name == "loss_weight":
        call.weight = placed
    elif name in _LABELS and isinstance(placed.value, str):
        call.label = call.label or placed.value
    elif name == "weight":
        _read_weight(call, placed, is_of_the_term=bool(nested) or key == "name")
    elif nested:
        message = f"{show_key(name)} stands beside {show_key(nested[0])}, and nothing is known of it"
        findings.refuse("unexpected-key", message, placed.path, at_key=True)
    else:
        call.params[name] = placed


def _read_weight(call: Call, placed: Placed, *, is_of_the_term: bool) -> None:
    """Take a weight for that of the term, or for a parameter, or for what may be either."""
    if is_of_the_term:
        call.weight = placed
    elif is_number(placed.value):
        call.unclear = placed
    else:
        call.params["weight"] = placed


def read_weight(weight: Placed | None, findings: Findings) -> Any:  # noqa: ANN401  # a number or a schedule
    """Return the weight of a term; None where there is none to write."""
    if weight is None or weight.value is None:
        return None
    if is_number(weight.value) or isinstance(weight.value, Mapping):
        return weight.value
    message = f"a weight must be a number, not {show(weight.value)}"
    findings.refuse("wrong-weight", message, weight.path)
    return None


def weight_beside(node: Mapping[Any, Any], path: ConfigPath) -> Placed | None:
    """Return the weight that stands beside a loss, by either name."""
    key = next((key for key in _WEIGHTS if key in node), None)
    return None if key is None else Placed(node[key], (*path, key))


def label_beside(node: Mapping[Any, Any]) -> str:
    """Return what a loss is called by a key beside it."""
    return next((node[key] for key in _LABELS if isinstance(node.get(key), str)), "")


def is_expression(value: object) -> bool:
    """Say whether a text is one that another tool would replace by something else."""
    return isinstance(value, str) and ("${" in value or value.startswith(("$", "@", "%")))
