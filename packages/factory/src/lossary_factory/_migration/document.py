"""A whole config of another tool as one of ours."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import attrs

from lossary_factory._composites import MATCHED, OF_PARAMETERS, OF_TERMS
from lossary_factory._problems import ConfigPath, Source, listing, show, show_key

from .calls import Calls
from .composites import Composites, Term
from .findings import Finding, Findings, Node
from .forms import Call, Placed, choice_of, label_beside, read_call, read_weight, weight_beside
from .names import Names
from .rules import is_number, same

if TYPE_CHECKING:
    from lossary_registry import Registry

    from .records import Records

_FORMS = (*OF_TERMS, *OF_PARAMETERS, "use")
_OURS = ("version", "defs", "loss")
_BESIDE = ("weight", "loss_weight", "name", "label", "loss_name")


@attrs.frozen
class Migration:
    """What became of a config.

    Attributes:
        config: Ours; what could not be migrated is left out.
        findings: What changes a number, or could not be migrated.
        notes: What has to be known, and changes no number.
    """

    config: dict[str, Any]
    findings: list[Finding]
    notes: list[str]


def migrate(
    data: object,
    registry: Registry[Any],
    records: Records,
    *,
    library: str | None = None,
    source: Source | None = None,
    path: ConfigPath = (),
) -> Migration:
    """Migrate a config, which stands at a path of a file.

    Args:
        data: The config.
        registry: The losses of ours.
        records: What is known of those of other libraries.
        library: The library that names without one belong to.
        source: The text of the file.
        path: Where in it the config stands.
    """
    findings = Findings(source)
    names = Names(registry, records, findings, library)
    config = _Documents(registry, names, findings).document(data, path)
    return Migration(config, findings.found, findings.notes)


@attrs.define
class _Documents:
    registry: Registry[Any]
    names: Names
    findings: Findings
    calls: Calls = attrs.field(init=False)
    composites: Composites = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self.calls = Calls(self.registry, self.names, self.findings, self.node)
        self.composites = Composites(self.findings, self.term)

    def document(self, data: object, path: ConfigPath) -> dict[str, Any]:
        config: dict[str, Any] = {"version": 1}
        if isinstance(data, Mapping) and "loss" in data and choice_of(data) is None:
            defs = data.get("defs")
            if isinstance(defs, Mapping):
                inside = {name: self.node(node, (*path, "defs", name)) for name, node in defs.items()}
                config["defs"] = {name: node for name, node in inside.items() if node is not None}
            weights = [key for key in data if key in ("weights", "coef", "loss_weights")]
            for key in weights:
                message = f"{show_key(key)} stands beside 'loss', and not beside its losses"
                hint = "give each loss a 'weight' of its own"
                self.findings.refuse("wrong-weight", message, (*path, key), hint=hint, at_key=True)
            beside = [key for key in data if key not in (*_OURS, *weights, *_BESIDE)]
            if beside:
                self.findings.note(
                    f"what stands beside the loss is left out: {listing(map(show_key, beside))}"
                )
            if not same(data.get("version", 1), 1):
                self.findings.refuse("unsupported-version", "version must be 1", (*path, "version"))
        config["loss"] = self._alone(self._item(data, path, is_top=True))
        return config

    def node(self, node: object, path: ConfigPath) -> Node | None:
        """Migrate a loss that stands where nothing is weighed."""
        made = self._alone(self._item(node, path))
        return made or None

    def term(self, node: object, path: ConfigPath) -> Term | None:
        """Migrate one of several losses."""
        return self._item(node, path)

    def _alone(self, term: Term | None) -> Node:
        """Return a loss alone, with its weight if that is not one."""
        if term is None:
            return Node()
        if term.weight is None or same(term.weight, 1):
            return term.node
        term.node["weight"] = term.weight
        return Node(sum={term.label or "loss": term.node})

    def _item(self, node: object, path: ConfigPath, *, is_top: bool = False) -> Term | None:
        if isinstance(node, str):
            made = self.calls.migrate(Call(Placed(node, path), path))
            return None if made is None else Term("", made, None)
        if isinstance(node, list) and node:
            return Term("", self.composites.listed(node, path), None)
        if not isinstance(node, Mapping) or not node:
            message = f"a loss is a name or a mapping, not {show(node)}" if node else "there is no loss here"
            self.findings.refuse("no-loss", message, path)
            return None
        return self._mapping(node, path, is_top=is_top)

    def _mapping(self, node: Mapping[Any, Any], path: ConfigPath, *, is_top: bool) -> Term | None:
        form = next((key for key in _FORMS if key in node), None)
        if form is not None and choice_of(node) is None:
            return self._ours(node, form, path)
        if self.composites.is_composite(node):
            return self.composites.migrate(node, path)
        choice = choice_of(node)
        if "loss" in node and choice in (None, "name"):
            return self._wrapped(node, path, is_top=is_top)
        if choice is None:
            return self._by_names(node, path)
        call = read_call(node, path, self.findings)
        made = self.calls.migrate(call)
        weight = read_weight(call.weight, self.findings)
        return None if made is None else Term(call.label, made, weight)

    def _wrapped(self, node: Mapping[Any, Any], path: ConfigPath, *, is_top: bool) -> Term | None:
        """Migrate ``{loss: NODE, weight: 0.5}``."""
        if not is_top:
            for key in node:
                if key not in (*_OURS, *_BESIDE):
                    message = f"nothing is known of {show_key(key)} beside 'loss'"
                    self.findings.refuse("unexpected-key", message, (*path, key), at_key=True)
        term = self._item(node["loss"], (*path, "loss"))
        if term is None:
            return None
        outer = read_weight(weight_beside(node, path), self.findings)
        if outer is not None and term.weight is not None:
            message = "the loss has a weight of its own besides"
            self.findings.refuse("two-weights", message, path, hint="keep one of them")
        weight = term.weight if outer is None else outer
        return Term(label_beside(node) or term.label, term.node, weight)

    def _by_names(self, node: Mapping[Any, Any], path: ConfigPath) -> Term | None:
        """Migrate ``{dice_loss: 0.5, focal_loss: 0.5}``, where each key is the name of a loss."""
        if all(isinstance(key, str) and is_number(value) for key, value in node.items()):
            terms = [
                Term("", made, weight)
                for key, weight in node.items()
                if (made := self.calls.migrate(Call(Placed(key, (*path, key)), (*path, key)))) is not None
            ]
            if len(terms) == len(node):
                self.findings.note("names with numbers were taken for losses with their weights, added up")
            return Term("", self.composites.added_up(terms), None)
        keys = listing(map(show_key, node))
        message = f"this names no loss; it has: {keys}"
        hint = (
            "a loss is chosen by _target_, class_path, class_name, type or name; --key says where it stands"
        )
        self.findings.refuse("no-loss", message, path, hint=hint)
        return None

    def _ours(self, node: Mapping[Any, Any], form: str, path: ConfigPath) -> Term:
        """Migrate what is inside a node of our own grammar."""
        made = Node({key: value for key, value in node.items() if key not in (form, "weight")})
        inside = node[form]
        if form in OF_TERMS and isinstance(inside, Mapping):
            made = Node({form: self._our_terms(inside, (*path, form)), **made})
        elif form in OF_PARAMETERS and isinstance(inside, Mapping):
            params = dict(inside)
            if form == MATCHED:
                for part in params.keys() & {"terms", "costs"}:
                    params[part] = self._our_terms(params[part], (*path, form, part))
            elif "loss" in params:
                params["loss"] = self.node(params["loss"], (*path, form, "loss"))
            made = Node({form: params, **made})
        else:
            made = Node({form: inside, **made})
        return Term("", made, read_weight(weight_beside(node, path), self.findings))

    def _our_terms(self, terms: Mapping[Any, Any], path: ConfigPath) -> dict[Any, Any]:
        made: dict[Any, Any] = {}
        for key, node in terms.items():
            inputs = node.get("inputs") if isinstance(node, Mapping) else None
            bare = {name: value for name, value in node.items() if name != "inputs"} if inputs else node
            term = self._item(bare, (*path, key))
            if term is None:
                continue
            if term.weight is not None:
                term.node["weight"] = term.weight
            if inputs is not None:
                term.node["inputs"] = inputs
            made[key] = term.node
        return made
