"""Several losses in one, as other tools write them: how they are called, weighed and combined."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import attrs

from lossary_factory._problems import ConfigPath, listing, show, show_key

from .findings import Node
from .forms import Placed, choice_of, label_beside, read_weight, weight_beside
from .names import fold
from .rules import is_number, same

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from .findings import Findings

LISTS = ("components", "losses", "terms")
"""Where other tools keep the losses that one is made of."""

_WEIGHTS = ("weights", "coef", "coefficients", "loss_weights", "weight")
_NORMALIZE = ("normalize", "normalize_weights", "normalise")
_SUMS = {"sum", "sumloss", "weightedsum", "combined", "combinedloss", "mixedloss"}
_PRODUCTS = {"product", "productloss"}
_KEPT_AS_THEY_ARE = {"mixedloss"}
"""Those of which it is known that their weights are not divided by their sum: PaddleSeg's."""

_HOW = "write sum: or product:, with a key for each loss"


class Term(NamedTuple):
    """One of several losses."""

    label: str
    node: Node
    weight: Any


@attrs.define
class Composites:
    """Makes sums and products.

    Attributes:
        findings: Where it is noted what cannot be migrated as it is.
        term: Migrates one of several losses.
    """

    findings: Findings
    term: Callable[[object, ConfigPath], Term | None]

    def is_composite(self, node: Mapping[Any, Any]) -> bool:
        """Say whether a mapping has several losses; two of the keys are those of ours with one loss."""
        return any(isinstance(node.get(key), (list, Mapping)) for key in LISTS)

    def listed(self, items: list[Any], path: ConfigPath) -> Node:
        """Return a bare list, which in the tools that have it is added up."""
        return self.added_up(list(self._terms(items, path)))

    def migrate(self, node: Mapping[Any, Any], path: ConfigPath) -> Term | None:
        """Return a mapping that holds several losses."""
        key = next(key for key in LISTS if isinstance(node.get(key), (list, Mapping)))
        choice = choice_of(node)
        form = self._form(node, choice, (*path, key), path)
        terms = list(self._terms(node[key], (*path, key)))
        weights_key = _weights_key(node)
        if weights_key is not None:
            terms = self._weighed(terms, node[key], Placed(node[weights_key], (*path, weights_key)))
        known = {key, choice, weights_key, "loss_weight", "loss_name", "label", "name"}
        own_weight = weight_beside({name: node[name] for name in node if name != weights_key}, path)
        if own_weight is not None:
            known.add("weight")
        changes = [*self._switches(node, path, known, terms, form)]
        if form is None:
            return None
        made = self._product(terms, path) if form == "product" else self.added_up(terms)
        kind = fold(str(node[choice]).rpartition(".")[2]) if choice else ""
        is_said = kind in _KEPT_AS_THEY_ARE or any(key in node for key in _NORMALIZE)
        if form == "sum" and not is_said:
            changes += _total(terms, (*path, weights_key or key), kind)
        for words, place in changes:
            self.findings.change(words, place, made, at_key=True)
        label = label_beside({name: value for name, value in node.items() if name != choice})
        return Term(label, made, read_weight(own_weight, self.findings))

    def _form(
        self, node: Mapping[Any, Any], choice: str | None, inside: ConfigPath, path: ConfigPath
    ) -> str | None:
        if choice is None:
            self.findings.refuse(
                "unknown-composite",
                "this does not say how its losses are combined",
                inside,
                hint=_HOW,
                at_key=True,
            )
            return None
        kind = fold(node[choice].rpartition(".")[2])
        if kind in _SUMS:
            return "sum"
        if kind in _PRODUCTS:
            return "product"
        message = f"nothing is known of {show_key(node[choice])}, and how it combines its losses"
        self.findings.refuse("unknown-composite", message, (*path, choice), hint=_HOW)
        return None

    def _terms(self, items: Any, path: ConfigPath) -> Iterator[Term]:  # noqa: ANN401  # a list or a mapping
        pairs = items.items() if isinstance(items, Mapping) else enumerate(items)
        for key, item in pairs:
            term = self.term(item, (*path, key))
            if term is not None:
                yield term._replace(label=key) if isinstance(key, str) else term

    def _weighed(self, terms: list[Term], items: Any, weights: Placed) -> list[Term]:  # noqa: ANN401  # same
        """Give each term its weight from a list or a mapping beside."""
        given = weights.value
        if given is None:
            return terms
        if any(term.weight is not None for term in terms):
            message = "some losses have a weight of their own besides"
            self.findings.refuse("two-weights", message, weights.path, hint="keep one of them", at_key=True)
        keys = list(items) if isinstance(items, Mapping) else list(range(len(items)))
        if isinstance(given, Mapping) and isinstance(items, Mapping):
            self._compare_keys(list(given), keys, weights)
            numbers = [given.get(key) for key in keys]
        elif isinstance(given, list) and isinstance(items, list):
            if len(given) != len(items):
                message = f"the weights are {len(given)}, and the losses {len(items)}"
                self.findings.refuse(
                    "wrong-weight", message, weights.path, hint="give each loss one", at_key=True
                )
            numbers = given
        else:
            written = "a list" if isinstance(items, list) else "a mapping"
            message = f"the losses are {written}, and the weights are {show(given)}: which is whose?"
            hint = "give each loss a 'weight' of its own"
            self.findings.refuse("wrong-weight", message, weights.path, hint=hint, at_key=True)
            return terms
        for number, value in zip(keys, numbers, strict=False):
            place = (*weights.path, number)
            if value is not None and not is_number(value):
                message = f"a weight must be a number, not {show(value)}"
                self.findings.refuse("wrong-weight", message, place)
        return [term._replace(weight=number) for term, number in zip(terms, numbers, strict=False)] + terms[
            len(numbers) :
        ]

    def _compare_keys(self, given: list[Any], keys: list[Any], weights: Placed) -> None:
        for key in given:
            if key not in keys:
                message = f"there is a weight for {show(key)}, and no such loss"
                hint = f"the losses are: {listing(map(show_key, keys))}"
                self.findings.refuse("wrong-weight", message, (*weights.path, key), hint=hint, at_key=True)
        lost = [key for key in keys if key not in given]
        if lost:
            message = f"there is no weight for {listing(map(show_key, lost))}"
            self.findings.refuse("wrong-weight", message, weights.path, at_key=True)

    def _switches(
        self,
        node: Mapping[Any, Any],
        path: ConfigPath,
        known: set[str | None],
        terms: list[Term],
        form: str | None,
    ) -> Iterator[tuple[str, ConfigPath]]:
        """Yield what else a composite was told that ours is not."""
        total = sum(term.weight for term in terms if is_number(term.weight))
        for key, value in node.items():
            if key in known:
                continue
            place = (*path, key)
            if key in _NORMALIZE:
                if value and not math.isclose(total, 1):
                    words = f"its weights are divided by their sum, {total:g}; ours are used as they are"
                    yield f"{show_key(key)}: {words}", place
            elif key == "reduction":
                if not (value == "sum" and form == "sum"):
                    yield f"reduction: ours has none; a {form or 'sum'} takes what its losses give", place
            else:
                message = f"nothing is known of {show_key(key)} beside several losses"
                self.findings.refuse("unexpected-key", message, place, at_key=True)

    def added_up(self, terms: list[Term]) -> Node:
        """Return the sum of terms, each under a key of its own."""
        named: dict[str, Any] = {}
        for term in terms:
            if term.weight is not None:
                term.node["weight"] = term.weight
            named[_key(term, named)] = term.node
        return Node(sum=named)

    def _product(self, terms: list[Term], path: ConfigPath) -> Node:
        if any(term.weight is not None and not same(term.weight, 1) for term in terms):
            message = "the losses of a product have no weights"
            hint = "weigh the whole of it, as a term of a sum"
            self.findings.refuse("wrong-weight", message, path, hint=hint)
        named: dict[str, Any] = {}
        for term in terms:
            named[_key(term, named)] = term.node
        return Node(product=named)


def _weights_key(node: Mapping[Any, Any]) -> str | None:
    """Return the key of all weights; a single number under ``weight`` is that of the whole."""
    given = [key for key in _WEIGHTS if key in node]
    return next((key for key in given if key != "weight" or not is_number(node[key])), None)


def _key(term: Term, taken: Mapping[str, object]) -> str:
    """Make a key of a label, or else of the name of a loss."""
    name = term.node.get("name")
    stem = term.label or (name.removesuffix("_loss") if isinstance(name, str) else "")
    stem = stem.replace(".", "_") or "term"
    number = 1
    while (key := stem if number == 1 else f"{stem}_{number}") in taken:
        number += 1
    return key


def _total(terms: list[Term], place: ConfigPath, kind: str) -> Iterator[tuple[str, ConfigPath]]:
    """Yield what is to be said of weights that do not add up to one, where nobody knows what they mean."""
    given = [term.weight for term in terms if term.weight is not None]
    if len(terms) < 2 or len(given) not in (0, len(terms)) or not all(map(is_number, given)):  # noqa: PLR2004
        return
    if not given and kind in ("sum", "sumloss"):
        return
    total = sum(given) if given else len(terms)
    if not math.isclose(total, 1):
        words = f"the weights add up to {total:g}, and some tools divide them by that"
        yield f"{words}; ours are used as they are", place
