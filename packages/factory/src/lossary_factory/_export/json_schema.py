"""The grammar and all losses of a registry as a JSON Schema, for editors that complete and underline.

Every loss is a branch with its name as a constant, which is what lets an editor offer the parameters of the
loss that was chosen. A schema cannot say everything, such as that what ``use`` names stands under ``defs``,
or that a term of a product has no weight: the validator has the last word, and better ones.
"""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING, Any

import attrs

from lossary_factory._collections import chosen_registry, registered
from lossary_factory._composites import HEADS, OF_PARAMETERS, OF_TERMS, SUM
from lossary_factory._grammar import PATTERN, weight_kind
from lossary_factory._parameters import Constructor, Parameter, constructor_of
from lossary_factory._parameters.kinds import Kind, Nested, Part

from .description import summary
from .json_schema_values import Schema, default_of, value_schema

if TYPE_CHECKING:
    from lossary_registry import Registry

_SHORT = 30
"""How long, in characters, a rule is that a reference to it would not shorten."""
_NODE = {"$ref": "#/$defs/node"}
_INPUTS: Schema = {
    "description": "Where each argument of the loss comes from, such as input.depth or batch.valid[0].",
    "type": "object",
    "additionalProperties": {"type": "string", "pattern": PATTERN},
}
_BESIDE_NAME = {"weight": {"$ref": "#/$defs/weight"}, "inputs": {"$ref": "#/$defs/inputs"}}


def schema(*, registry: Registry[Any] | None = None) -> Schema:
    """Return a JSON Schema (draft-07) of the configs that name the losses of a registry.

    Args:
        registry: The losses; those of the installed collection if None. What cannot be loaded is left out.

    Raises:
        CollectionError: No registry was given, and not exactly one collection is installed.
    """
    return _Writer(chosen_registry(registry)).document()


@attrs.define
class _Writer:
    registry: Registry[Any]
    parts: dict[str, Registry[Any]] = attrs.field(factory=dict)
    """The registries of parts that the losses need, by their key words."""
    shared: Schema = attrs.field(factory=dict)
    """The parameters that losses have in common, each written once: they are most of the whole."""
    uses: Counter[tuple[str, str]] = attrs.field(factory=Counter)
    """How many losses have a parameter of this name that takes just this."""

    def document(self) -> Schema:
        names = [name for name in self.registry.list() if self.registry.entry(name).available]
        for name in names:
            offered = self.constructor(name).offered
            self.uses.update((parameter.name, _compact(self.parameter(parameter))) for parameter in offered)
        losses = {_loss(name): self.loss(name) for name in names}
        for name in names:
            losses.update(
                {_loss(alias): self.alias(alias, name) for alias in self.registry.entry(name).aliases}
            )
        weight = {"description": "How much this term counts.", **self.weight()}
        definitions = {"node": self.node(names), "inputs": _INPUTS, "weight": weight, **losses}
        known: set[str] = set()
        while new := self.parts.keys() - known:  # a part may need others
            known |= new
            definitions.update({_part(keyword): self.part(keyword) for keyword in sorted(new)})
        definitions.update(self.shared)
        document = _closed(
            {
                "version": {"const": 1},
                "defs": {
                    "description": "Losses to be used by name, any number of times.",
                    "type": "object",
                    "additionalProperties": _NODE,
                },
                "loss": _NODE,
            },
            ["loss"],
        )
        return {
            "$schema": "http://json-schema.org/draft-07/schema#",
            "description": f"A loss of {self.registry.name}",
            "oneOf": [document, _NODE],
            "$defs": definitions,
        }

    def node(self, names: list[str]) -> Schema:
        complete = [name for name in names if not self.constructor(name).required]
        branches: list[Schema] = [{"enum": complete}] if complete else []
        entries = [self.registry.entry(name) for name in names]
        branches += (_reference(_loss(name)) for name in names)
        branches += (_reference(_loss(alias)) for entry in entries for alias in entry.aliases)
        aliases = [alias for entry in entries if entry.name in complete for alias in entry.aliases]
        if aliases:
            self.shared["alias"] = {"enum": aliases}
            branches.append(_reference("alias"))
        terms = {"type": "object", "minProperties": 1, "additionalProperties": _NODE}
        composites = [composite for composite in OF_TERMS.values() if composite.name in names]
        for composite in composites:
            described_terms = {**self.described(composite.name), **terms}
            branches.append(_closed({composite.key: described_terms, **_BESIDE_NAME}, [composite.key]))
        for key in filter(names.__contains__, OF_PARAMETERS):
            params = {**self.described(key), **self.params(self.constructor(key))}
            del params["type"]  # servers would offer the word "object" beside the parameters
            branches.append(_closed({key: params, **_BESIDE_NAME}, [key]))
        definition = {"description": "The name of a loss that stands under 'defs'.", "type": "string"}
        use = {"use": definition, "params": {"type": ["object", "null"]}, **_BESIDE_NAME}
        return {"oneOf": [*branches, _closed(use, ["use"])]}

    def loss(self, name: str) -> Schema:
        constructor = self.constructor(name)
        spelled = {"const": name, **self.described(name)}
        properties = {"name": spelled, "params": self.params(constructor), **_BESIDE_NAME}
        return _closed(properties, ["name", *(["params"] if constructor.required else [])])

    def alias(self, alias: str, name: str) -> Schema:
        """Return the branch of another name of a loss, whose parameters are those of the loss."""
        branch = self.loss(name)
        params = {"$ref": f"{_reference(_loss(name))['$ref']}/properties/params"}
        spelled = {**branch["properties"]["name"], "const": alias}
        return {**branch, "properties": {**branch["properties"], "name": spelled, "params": params}}

    def described(self, name: str) -> Schema:
        """Return what an editor shows over the name of a loss."""
        about = summary(registered(name, self.registry))
        return {"description": about} if about else {}

    def part(self, keyword: str) -> Schema:
        registry = self.parts[keyword]
        branches = []
        for name in registry.list():
            constructor = constructor_of(registered(name, registry), self.registry.base_class)
            params = self.params(constructor)
            names = [name, *registry.entry(name).aliases]
            properties = {keyword: {"enum": names}, **params["properties"]}
            branches.append(_closed(properties, [keyword, *params.get("required", [])]))
        return {"oneOf": branches}

    def weight(self) -> Schema:
        for composite in (SUM, HEADS):
            if composite.name in self.registry and self.registry.entry(composite.name).available:
                return self.value(weight_kind(self.constructor(composite.name)))
        return {"type": "number", "minimum": 0}

    def constructor(self, name: str) -> Constructor:
        return constructor_of(registered(name, self.registry), self.registry.base_class)

    def params(self, constructor: Constructor) -> Schema:
        properties = {}
        for parameter in constructor.offered:
            properties[parameter.name] = self.share(parameter.name, self.parameter(parameter))
        required = [name for name in properties if name in constructor.required]
        params = _closed(properties, required)
        if not required:  # null stands for no parameters
            params["type"] = ["object", "null"]
        # What only Python can give may be said to be nothing. No editor has to offer that: hence a pattern.
        unsaid = [name for name, parameter in constructor.parameters.items() if parameter.is_for_python]
        nothing = {"patternProperties": {f"^(?:{'|'.join(unsaid)})$": {"type": "null"}}} if unsaid else {}
        return {**params, **nothing}

    def share(self, name: str, value: Schema) -> Schema:
        """Return a reference to what several losses have in common, or the schema where that is as short."""
        text = _compact(value)
        if len(text) <= _SHORT or self.uses[name, text] == 1:
            return value
        number = 1
        while self.shared.setdefault(definition := f"{number}.{name}", value) != value:
            number += 1
        return _reference(definition)

    def parameter(self, parameter: Parameter) -> Schema:
        return {**self.value(parameter.kind), **default_of(parameter)}

    def value(self, kind: Kind) -> Schema:
        """Return what a kind accepts of plain data."""
        if isinstance(kind, Nested):
            return _NODE
        if isinstance(kind, Part):
            self.parts[kind.keyword] = kind.registry
            return _reference(_part(kind.keyword))
        return value_schema(kind, self.value)


def _compact(value: Schema) -> str:
    return json.dumps(value, separators=(",", ":"))


def _closed(properties: Schema, required: list[str]) -> Schema:
    need = {"required": required} if required else {}
    return {"type": "object", "properties": properties, **need, "additionalProperties": False}


def _loss(name: str) -> str:
    return f"loss.{name}"


def _part(keyword: str) -> str:
    return f"part.{keyword}"


def _reference(definition: str) -> Schema:
    from urllib.parse import quote  # noqa: PLC0415  # slow, and only for this

    return {"$ref": f"#/$defs/{quote(definition.replace('~', '~0').replace('/', '~1'))}"}
