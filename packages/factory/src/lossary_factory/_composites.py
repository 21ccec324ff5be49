"""The forms of the grammar that stand for a registered class of losses made of losses."""

from __future__ import annotations

from typing import NamedTuple


class Form(NamedTuple):
    """A key of a node, and what is built from what stands under it."""

    key: str
    name: str
    """The name under which a registry has the class."""
    term_keys: tuple[str, ...]
    """What a term may have beside the keys of its loss."""
    takes: tuple[str, ...]
    """The parameters that the class must have."""


SUM = Form("sum", "weighted_sum", ("weight",), ("terms", "weights"))
PRODUCT = Form("product", "product", (), ("terms",))
HEADS = Form("heads", "heads", ("weight", "inputs"), ("terms", "weights", "inputs"))

OF_TERMS = {form.key: form for form in (SUM, PRODUCT, HEADS)}
"""The forms whose key holds named terms."""

DEEP_SUPERVISION = "deep_supervision"
"""The form whose key holds the parameters of the class with the same name."""

COMPOSITES = frozenset({DEEP_SUPERVISION, *(form.name for form in OF_TERMS.values())})
"""The names of the classes that the grammar builds without being asked for them by name."""


def form_of(name: str) -> Form | None:
    """Return the form of terms that builds the class with this name."""
    return next((form for form in OF_TERMS.values() if form.name == name), None)
