"""All that is known of one registered loss, on one page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lossary_factory._export import summary
from lossary_factory._parameters import Parameter, Plan, StandIn, plan_of

from ._example import example_config, yaml_lines
from ._terminal import bold, columns, dim
from ._tree import default_text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lossary_registry import Entry, Registry


def page(entry: Entry[Any], registry: Registry[Any]) -> Iterator[str]:
    """Yield the lines that describe an entry."""
    loss_class: Any = registry.get(entry.name)
    yield bold(entry.name)
    if summary(loss_class):
        yield f"  {summary(loss_class)}"
    yield ""
    yield from _facts(entry, loss_class)
    yield ""
    yield from _parameters(plan_of(loss_class, registry.base_class))
    config = example_config(entry.name, registry)
    if config is not None:
        yield from ("", bold("Example"), *yaml_lines(config, "  "))


def _facts(entry: Entry[Any], loss_class: type) -> list[str]:
    where = ":".join(map(str, entry.where)) if entry.where else entry.distribution
    if issubclass(loss_class, StandIn):
        where = loss_class.origin
    facts = {
        "class": f"{loss_class.__module__}.{loss_class.__qualname__}",
        "aliases": ", ".join(entry.aliases),
        "tags": ", ".join(entry.tags),
        "defined": where,
    }
    return columns([f"  {dim(name)}", text] for name, text in facts.items() if text)


def _parameters(plan: Plan) -> Iterator[str]:
    yield bold("Parameters")
    if plan.obstacle:
        yield f"  It cannot be built from a config: {plan.obstacle}."
    elif plan.offered:
        yield from columns(map(_row, plan.offered))
    else:
        yield "  none"
    if plan.is_open:
        yield "  The constructor takes more keyword arguments, which a config cannot give."


def _row(parameter: Parameter) -> list[str]:
    default = "required" if parameter.is_required else f"default {default_text(parameter.default)}"
    return [f"  {parameter.name}", parameter.check.text, dim(default)]
