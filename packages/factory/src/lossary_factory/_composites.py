"""The keys of the grammar that stand for registered classes of losses made of losses."""

from __future__ import annotations

from typing import NamedTuple


class Composite(NamedTuple):
    """A key of a node, and what is built from what stands under it."""

    key: str
    name: str
    """The name under which a registry has the class."""
    term_keys: tuple[str, ...]
    """What a term may have beside the keys of its loss."""
    takes: tuple[str, ...]
    """The parameters that the class must have."""


SUM = Composite("sum", "weighted_sum", ("weight",), ("terms", "weights"))
PRODUCT = Composite("product", "product", (), ("terms",))
HEADS = Composite("heads", "heads", ("weight", "inputs"), ("terms", "weights", "inputs"))

OF_TERMS = {composite.key: composite for composite in (SUM, PRODUCT, HEADS)}
"""Those whose key holds named terms."""

DEEP_SUPERVISION, MATCHED, PERMUTATION_INVARIANT = "deep_supervision", "matched", "permutation_invariant"

OF_PARAMETERS = {DEEP_SUPERVISION: "loss", PERMUTATION_INVARIANT: "loss", MATCHED: "terms"}
"""Those whose key holds the parameters of the class with the same name, and which of them holds losses."""

COMPOSITES = frozenset({*OF_PARAMETERS, *(composite.name for composite in OF_TERMS.values())})
"""The names of the classes that the grammar builds without being asked for them by name."""


def composite_of(name: str) -> Composite | None:
    """Return the composite of terms whose class has this name."""
    return next((composite for composite in OF_TERMS.values() if composite.name == name), None)
