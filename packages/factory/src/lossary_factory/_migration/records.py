"""What a collection knows of other libraries' losses: one record for each of their callables.

The data is a JSON file, so that neither torch nor the other library is needed to read it:

.. code-block:: json

    {"format": 1, "version": "0.1.0", "callables": [
      {"library": "torchvision",
       "names": ["torchvision.ops.sigmoid_focal_loss"],
       "parameters": {"alpha": {"default": 0.25}, "gamma": {"default": 2}, "reduction": {"default": "none"}},
       "cases": [
         {"node": {"name": "focal_loss"},
          "rules": {"alpha": {"to": "params.alpha", "map": [[-1, null]]},
                    "gamma": {"to": "params.gamma"},
                    "reduction": {"to": "params.reduction"}}}]}]}
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs

from lossary_factory._composites import OF_PARAMETERS

from .rules import Rule, read_rule, same

FORMAT = 1


@attrs.frozen
class Parameter:
    """A parameter of a callable of another library.

    Attributes:
        default: What it is unless given.
        is_required: Whether it has to be given.
    """

    default: object = None
    is_required: bool = False


@attrs.frozen
class Case:
    """What a callable is of ours, for some values of its parameters.

    Attributes:
        when: The values that these parameters have to have.
        node: Our node, with what is always written; None where there is none.
        rules: What becomes of each parameter.
        differs: What is another number even so, in sentences.
        notes: What has to be known, and changes no number.
    """

    when: Mapping[str, tuple[object, ...]]
    node: Mapping[str, Any] | None
    rules: Mapping[str, Rule]
    differs: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    def holds(self, values: Mapping[str, object]) -> bool:
        """Say whether this is the case for these values."""
        return all(
            any(same(values[name], allowed) for allowed in options) for name, options in self.when.items()
        )


@attrs.frozen
class Record:
    """A callable of another library, and what it is of ours.

    Attributes:
        library: The library, as people call it.
        names: The dotted names by which it is known; the first is the public one.
        parameters: What it takes, in order.
        cases: The first that holds counts; none where it is no loss of ours.
        missing: What is to be said where no case holds.
    """

    library: str
    names: tuple[str, ...]
    parameters: Mapping[str, Parameter]
    cases: tuple[Case, ...]
    missing: str = ""

    @property
    def name(self) -> str:
        """The public name."""
        return self.names[0]

    @property
    def short_name(self) -> str:
        """The last part of the public name."""
        return self.name.rpartition(".")[2]

    def case_of(self, values: Mapping[str, object]) -> Case | None:
        """Return the first case that holds."""
        return next((case for case in self.cases if case.holds(values)), None)

    def losses(self) -> list[str]:
        """Name the losses of ours that it may be."""
        return list(dict.fromkeys(name for case in self.cases for name in _names(case.node or {})))


@attrs.frozen
class Records:
    """All records of a collection."""

    records: tuple[Record, ...] = ()

    @property
    def libraries(self) -> list[str]:
        """The libraries that are known, in alphabetical order."""
        return sorted({record.library for record in self.records})

    def find(self, name: str) -> Record | None:
        """Return the callable with a dotted name."""
        return next((record for record in self.records if name in record.names), None)

    def called(self, short_name: str, library: str | None = None) -> list[Record]:
        """Return the callables with a short name, of one library or of all."""
        return [
            record
            for record in self.records
            if record.short_name == short_name and library in (None, record.library)
        ]

    def is_library(self, dotted: str) -> bool:
        """Say whether a dotted name begins like one of a known library."""
        top = dotted.partition(".")[0]
        return any(name.partition(".")[0] == top for record in self.records for name in record.names)


def read_records(data: Mapping[str, Any]) -> Records:
    """Return the records that a file holds."""
    return Records(tuple(map(_record, data["callables"])))


def _record(data: Mapping[str, Any]) -> Record:
    parameters = {
        name: Parameter(_plain(about.get("default")), is_required="default" not in about)
        for name, about in data["parameters"].items()
    }
    return Record(
        data["library"],
        tuple(data["names"]),
        parameters,
        tuple(map(_case, data["cases"])),
        data.get("missing", ""),
    )


def _case(data: Mapping[str, Any]) -> Case:
    return Case(
        {name: tuple(values) for name, values in data.get("when", {}).items()},
        _plain(data["node"]),
        {name: read_rule(about) for name, about in data["rules"].items()},
        tuple(data.get("differs", ())),
        tuple(data.get("notes", ())),
    )


def _plain(value: Any) -> Any:  # noqa: ANN401  # JSON holds anything
    """Return a value of the file; JSON has no word for infinity."""
    if isinstance(value, dict):
        if value.keys() == {"float"}:
            return float(value["float"])
        return {key: _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, list) else value


def _names(node: Mapping[str, Any]) -> list[str]:
    found = [node["name"]] if "name" in node else []
    for key, value in node.items():
        if isinstance(value, Mapping):
            found += [key] if key in OF_PARAMETERS else []
            found += _names(value)
    return found
