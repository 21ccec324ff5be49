"""What a loss says about itself in a form that can be tested."""

from collections.abc import Mapping
from typing import Literal

import attrs

__all__ = ["ArgumentKind", "Claims", "InputKind", "TargetKind"]

InputKind = Literal["logits", "probabilities", "values"]
"""What the network gives: any numbers that become probabilities, numbers from 0 to 1, or any numbers."""

TargetKind = Literal["labels", "binary", "soft", "one_hot", "distributions", "values"]
"""What a target holds: class indices ``(B, *S)``, or in the input's shape: 0 and 1; numbers from 0 to 1; 1
for one class and 0 for the others; probabilities over the classes; any numbers."""

ArgumentKind = Literal["positive"]
"""What a tensor of the input's shape holds that ``forward`` needs besides input and target."""


@attrs.frozen(kw_only=True)
class Claims:
    """What a loss class claims; the conformance suite tests all of it.

    A class declares it as ``claims: ClassVar = Claims(...)``.
    """

    targets: Mapping[str, Mapping[str, object]] = attrs.field(validator=attrs.validators.min_len(1))
    """The kinds of target, each with the options that it needs."""
    input: str = attrs.field(default="logits", validator=attrs.validators.min_len(1))
    """The kind of input."""
    element: str | None = None
    """What the mean divides by; None: a position, or each value of the input."""
    couples: Literal["batch"] | None = None
    """Whether the elements of a batch look at one another, so that it is more than its parts."""
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
    layout: str = "B C *S"
    """The input's dimensions; ``*S`` stands for any number of them."""
    arguments: Mapping[str, str] = attrs.field(factory=dict)
    """What ``forward`` needs besides input and target."""
    options: Mapping[str, object] = attrs.field(factory=dict)
    """What the constructor needs, as an example over four classes."""
    exempt: Mapping[str, str] = attrs.field(factory=dict)
    """The rules of the suite that do not apply, each with the reason."""
