"""One loss of another tool as one of ours: by a record, or by our own name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import attrs

from lossary_factory._composites import OF_PARAMETERS, OF_TERMS
from lossary_factory._parameters import UNSAID, Constructor, constructor_of
from lossary_factory._problems import ConfigPath, counted, did_you_mean, either, listing, show, show_key

from .findings import Node
from .forms import Call, Placed, is_expression
from .names import Own, fold
from .rules import Rule, is_number, same

if TYPE_CHECKING:
    from lossary_registry import Registry

    from .findings import Findings
    from .names import Names
    from .records import Case, Record


@attrs.define
class Calls:
    """Makes nodes of calls.

    Attributes:
        registry: The losses of ours.
        names: What names mean.
        findings: Where it is noted what cannot be migrated as it is.
        node: Migrates a loss that is the parameter of another.
    """

    registry: Registry[Any]
    names: Names
    findings: Findings
    node: Callable[[object, ConfigPath], Node | None]

    def migrate(self, call: Call) -> Node | None:
        """Return the node, without its weight; None where that was noted as a finding."""
        written = call.name.value
        if is_expression(written):
            self._refuse_expression(call.name, "the loss")
            return None
        meaning = self.names.meaning(written, call.name.path)
        if meaning is None:
            return None
        self._decide_weight(call, meaning)
        return self._own(call, meaning) if isinstance(meaning, Own) else self._recorded(call, meaning)

    def _decide_weight(self, call: Call, meaning: Own | Record) -> None:
        """Say whose weight it is that may be the term's or a parameter."""
        if call.unclear is None:
            return
        parameters = (
            self._constructor(meaning.name).parameters if isinstance(meaning, Own) else meaning.parameters
        )
        if "weight" in parameters and is_number(parameters["weight"].default):
            call.params["weight"] = call.unclear
        elif "weight" in parameters:
            message = (
                f"this weight may be the parameter of {show_key(call.name.value)}, or count the whole loss"
            )
            hint = "write 'loss_weight:' for the whole loss, or give the parameter one number per class"
            self.findings.refuse("unclear-weight", message, call.unclear.path, hint=hint, at_key=True)
        else:
            call.weight = call.unclear

    def _constructor(self, name: str) -> Constructor:
        return constructor_of(self.registry.get(name), self.registry.base_class)

    # By our own name

    def _own(self, call: Call, meaning: Own) -> Node:
        written, name = call.name.value, meaning.name
        constructor = self._constructor(name)
        params = self._by_name(call, list(constructor.parameters))
        unknown = [key for key in params if key not in constructor.parameters and not constructor.is_open]
        for key in unknown:
            hint = f"{name} takes: {listing(constructor.parameters) or 'nothing'}"
            hint = f"{did_you_mean(key, constructor.parameters)}{hint}"
            theirs = self.names.others(name, key)
            if theirs:
                hint += f"\nthese take it; if one is meant, write its whole name: {listing(theirs)}"
            message = f"{name} has no parameter {show(key)}"
            self.findings.refuse("unknown-parameter", message, params[key].path, hint=hint, at_key=True)
        node = Node(name=name)
        given = {key: self._inside(placed) for key, placed in params.items() if key not in unknown}
        if given:
            node["params"] = given
        if meaning.change:
            hint = f"write {name} if it is that one, or pass --accept-changes"
            self.findings.change(meaning.change, call.name.path, node, hint=hint)
        elif not meaning.is_certain:
            others = self.names.others(name)
            also = f"; if another is meant, write its whole name: {listing(others)}" if others else ""
            self.findings.note(f"{show_key(written)} was taken for {name} of {self.registry.name}{also}")
        return node

    def _inside(self, placed: Placed) -> Any:  # noqa: ANN401  # a value of any kind
        """Return the value of a parameter; a loss among them is recognized by how it is chosen."""
        value = placed.value
        if isinstance(value, Mapping) and any(isinstance(value.get(key), str) for key in _FOREIGN):
            return self.node(value, placed.path)
        if isinstance(value, Mapping):
            return {key: self._inside(Placed(item, (*placed.path, key))) for key, item in value.items()}
        if isinstance(value, list):
            return [self._inside(Placed(item, (*placed.path, n))) for n, item in enumerate(value)]
        if is_expression(value):
            self._refuse_expression(placed, "the value")
        return value

    def _by_name(self, call: Call, order: list[str]) -> dict[str, Placed]:
        """Return all parameters by name."""
        if len(call.positional) > len(order):
            message = f"{show_key(call.name.value)} takes {counted(len(order), 'argument')}"
            self.findings.refuse("unknown-parameter", message, call.positional[len(order)].path)
        return {**dict(zip(order, call.positional, strict=False)), **call.params}

    def _refuse_expression(self, placed: Placed, what: str) -> None:
        message = f"{show(placed.value)} is for another tool to replace, and {what} cannot be seen"
        self.findings.refuse("expression", message, placed.path, hint="write the value itself")

    # By a record

    def _recorded(self, call: Call, record: Record) -> Node | None:
        if not record.cases:
            self._refuse(call, record, None)
            return None
        params = self._by_name(call, list(record.parameters))
        if not self._can_be_read(call, record, params):
            return None
        values = {
            name: params[name].value if name in params else parameter.default
            for name, parameter in record.parameters.items()
        }
        case = record.case_of(values)
        if case is None or case.node is None:
            self._refuse(call, record, case)
            return None
        node = _copy(case.node)
        differs = [(call.name.path, words) for words in case.differs]
        for name, value in values.items():
            placed = params.get(name) or Placed(value, call.name.path)
            words = self._apply(case.rules[name], placed, values, node, is_given=name in params)
            if words:
                differs.append((placed.path, f"{name}: {words}"))
        for words in case.notes:
            self.findings.note(f"{record.name}: {words}")
        would = ", ".join(case_losses(node))
        for path, words in differs:
            message = f"{record.name} is another number than {would}: {words}"
            hint = f"pass --accept-changes to write it all the same: {_brief(node)}"
            self.findings.change(message, path, node, hint=hint)
        return node

    def _can_be_read(self, call: Call, record: Record, params: Mapping[str, Placed]) -> bool:
        unknown = [key for key in params if key not in record.parameters]
        for key in unknown:
            takes = f"it takes: {listing(record.parameters) or 'nothing'}"
            hint = f"{did_you_mean(key, record.parameters)}{takes}"
            message = f"{record.name} has no parameter {show(key)}"
            self.findings.refuse("unknown-parameter", message, params[key].path, hint=hint, at_key=True)
        unseen = [placed for placed in params.values() if is_expression(placed.value)]
        for placed in unseen:
            self._refuse_expression(placed, "the value")
        lost = [name for name, about in record.parameters.items() if about.is_required and name not in params]
        if lost and not unknown:
            message = f"{record.name} needs {either(map(repr, lost))}, and what it is depends on that"
            self.findings.refuse("missing-parameter", message, call.name.path)
        return not (unknown or unseen or lost)

    def _refuse(self, call: Call, record: Record, case: Case | None) -> None:
        words = record.missing
        if case is not None and case.differs:
            words = " ".join(case.differs)
        own = self.names.folded.get(fold(record.short_name))
        losses = record.losses() or ([own] if own else [])
        hint = f"nearest in purpose: {', '.join(losses)}" if losses else ""
        message = f"{record.name} is none of {self.registry.name}: {words}"
        self.findings.refuse("no-counterpart", message, call.name.path, hint=hint)

    def _apply(
        self, rule: Rule, placed: Placed, values: Mapping[str, object], node: Node, *, is_given: bool
    ) -> str:
        """Write what a rule says; return what differs."""
        if rule.takes == "loss":
            inside = self.node(placed.value, placed.path)
            if inside is not None:
                _write(node, rule.to, inside)
            return ""
        outcome = rule.apply(placed.value, values)
        if outcome.to and (is_given or not same(outcome.value, self._default(node, outcome.to))):
            _write(node, outcome.to, outcome.value)
        return outcome.differs

    def _default(self, node: Mapping[str, Any], path: str) -> object:
        """Return what stands at a place of our node unless it is written."""
        *way, name = path.split(".")
        inside: Any = node
        for step in way:
            if step == "params":
                return self._default_of(inside["name"], name)
            if step in OF_PARAMETERS:
                return self._default_of(step, name)
            inside = inside[step]
        return 1 if name == "weight" else None

    def _default_of(self, loss: str, name: str) -> object:
        parameter = self._constructor(loss).parameters.get(name)
        return UNSAID if parameter is None or parameter.is_required else parameter.default


_FOREIGN = ("_target_", "class_path", "class_name", "type")


def case_losses(node: Mapping[str, Any]) -> list[str]:
    """Name the losses of a node."""
    if "name" in node:
        return [node["name"]]
    form = next(key for key in (*OF_PARAMETERS, *OF_TERMS) if key in node)
    if form in OF_PARAMETERS:
        return [form]
    return [f"a {form} of {' and '.join(name for term in node[form].values() for name in case_losses(term))}"]


def _brief(value: object) -> str:
    """Write a node in short."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key}: {_brief(item)}" for key, item in value.items()) + "}"
    return str(value) if isinstance(value, (str, list)) else show(value)


def _copy(node: Mapping[str, Any]) -> Node:
    return Node({key: _copy(value) if isinstance(value, Mapping) else value for key, value in node.items()})


def _write(node: dict[str, Any], path: str, value: object) -> None:
    *way, name = path.split(".")
    for step in way:
        node = node.setdefault(step, {})
    node[name] = value
