"""What a loss says about itself in a form that can be tested."""

from collections.abc import Mapping
from typing import Any, Literal

import attrs

__all__ = ["Claims"]


def _some(_instance: object, attribute: "attrs.Attribute[Any]", value: Mapping[str, object]) -> None:
    if not value:
        raise ValueError(f"{attribute.name} must name one kind or more; 'nothing' where there is no target")


@attrs.frozen(kw_only=True)
class Claims:
    """What a loss class claims; the conformance suite tests all of it.

    A class declares it as ``claims: ClassVar = Claims(...)``. The words for kinds of input, target and
    argument are those of :mod:`lossary_losses.testing`, which says which there are where one is unknown.
    """

    targets: Mapping[str, Mapping[str, object]] = attrs.field(validator=_some)
    """The kinds of target, each with the options that it needs; ``"nothing"`` where there is no target."""
    input: str = "logits"
    """What the network gives: ``"logits"``, ``"probabilities"``, ``"values"``, ``"boxes"`` ..."""
    element: str | None = None
    """What a mean divides by and a mask takes out; None: what it is for that kind of data."""
    couples: Literal["batch"] | None = None
    """Whether the elements of a batch look at one another, so that it cannot be computed in parts."""
    reach: int | None = None
    """How many positions away an element sees, where each sees its neighbours; None: it sees itself alone."""
    invariant: tuple[str, ...] | None = None
    """What leaves it as it is, of the changes that its kind of data knows; None: the usual ones."""
    low: float | None = 0.0
    """The smallest value of an element; None: there is none."""
    high: float | None = None
    """The largest value of an element; None: there is none."""
    perfect: float | None = 0.0
    """The value at a perfect prediction, lower than any other; None: the lowest is elsewhere, or nowhere."""
    at_soft: Literal["zero", "lowest", "elsewhere"] = "zero"
    """What the loss is where a prediction equals a soft target: zero; lowest, but not zero; or neither."""
    learns_at: float = 8.0
    """By how large a logit a prediction may be wrong everywhere and still have a gradient, up to 1,000."""
    adds_up: Literal["elements", "samples", "no"] = "elements"
    """What the denominator counts, so that parts can be added up; ``"no"``: they cannot."""
    memory: float | None = None
    """What forward and backward allocate at the most, as a multiple of the input; None: nothing is said."""
    layout: str = "B C *S"
    """The input's dimensions; ``*S`` stands for any number of them."""
    arguments: Mapping[str, str] = attrs.field(factory=dict)
    """What ``forward`` needs besides input and target, and what each tensor holds: ``"positive"``,
    ``"real"``, ``"log_probability"``, ``"held_log_probability"``, ``"area"``, ``"event"``, ``"groups"``,
    ``"same_as_target"``, ``"scalar"``, ``"projection"``, ``"marks"``, ``"labels"`` or ``"top"``."""
    options: Mapping[str, object] = attrs.field(factory=dict)
    """What the constructor needs, as an example over four classes."""
    exempt: Mapping[str, str] = attrs.field(factory=dict)
    """The rules of the suite that do not apply, each with the reason."""
