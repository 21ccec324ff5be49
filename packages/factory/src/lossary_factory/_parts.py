"""Parts of losses, such as schedules: ``{schedule: linear, PARAMETER: value}``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ._keys import as_written
from ._named import Value, find, read_params, require_kind
from ._parameters import plan_of
from ._problems import ConfigPath, listing, show_key
from ._spec import PartSpec

if TYPE_CHECKING:
    from ._parameters.kinds import Part
    from ._validation import Validation


def read_part(
    node: Mapping[Any, object], path: ConfigPath, part: Part, validation: Validation
) -> PartSpec[Any] | None:
    """Read ``{KEYWORD: NAME, PARAMETER: value}``; None where it names no part."""
    if validation.is_too_deep(path):
        return None
    key = as_written(node, (part.keyword,)).get(part.keyword) or as_written(node, ("name",)).get("name")
    if key is None:
        there = f"it has: {listing(map(show_key, node))}; " if node else ""
        hint = (
            f"{there}write {{{part.keyword}: NAME, ...}}, NAME being one of: {listing(part.registry.list())}"
        )
        validation.add("missing-name", f"this names no {part.keyword}", path, hint=hint, at_key=True)
        return None
    if key != part.keyword:
        message = f"there is no key {show_key(key)} here"
        hint = f"write '{part.keyword}:' in its place"
        validation.add("unexpected-key", message, (*path, key), hint=hint, at_key=True)
    found = find(Value(node[key], (*path, key)), part.registry, part.keyword, validation)
    if found is None:
        return None
    params = {name: value for name, value in node.items() if name != key}
    nested = params.get("params")
    if isinstance(nested, Mapping) and "params" not in plan_of(found.loss_class, None).parameters:
        message = f"the parameters of a {part.keyword} stand beside {part.keyword!r}, not under 'params'"
        hint = (
            f"write {{{part.keyword}: {found.name}, {': ..., '.join(map(show_key, nested)) or 'NAME'}: ...}}"
        )
        validation.add("misplaced-key", message, (*path, "params"), hint=hint, at_key=True)
        params = {**{name: value for name, value in params.items() if name != "params"}, **nested}
    given = read_params(params, path, found, validation)
    spec = PartSpec(found.name, given, found.loss_class, validation.origin(path), keyword=part.keyword)
    require_kind(spec, part.kind, path, validation)
    return spec
