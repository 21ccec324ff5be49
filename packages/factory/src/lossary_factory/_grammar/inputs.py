"""The inputs of a head: which part of a model's output, a target or a batch an argument gets."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from lossary_factory._parameters import constructor_of
from lossary_factory._problems import did_you_mean, listing, nearest, show
from lossary_factory._values import FrozenDict

if TYPE_CHECKING:
    from lossary_factory._spec import LossSpec
    from lossary_factory._validation import Validation

    from .by_name import Value

ROOTS = ("input", "target", "batch")

_STEP = r"(?:\.[A-Za-z_]\w*|\[-?\d+\])*"
PATTERN = rf"^(?:{'|'.join(ROOTS)}){_STEP}$"
"""What a selector looks like, as a regular expression that other languages read as well."""

_ROOT = re.compile(r"\w*")
_STEPS = re.compile(_STEP)


def read_inputs(inputs: Value, spec: LossSpec[Any] | None, validation: Validation) -> FrozenDict[str, str]:
    """Read a mapping from the arguments of a loss to selectors."""
    if not isinstance(inputs.value, Mapping):
        hint = "write inputs: {input: input.depth, target: target.depth}"
        validation.wrong_type(inputs.path, inputs.value, "a mapping of selectors", hint=hint)
        return FrozenDict()
    arguments = (
        None if spec is None else constructor_of(spec.loss_class, validation.registry.base_class).arguments
    )
    validation.count(len(inputs.value), inputs.path)
    for argument, selector in inputs.value.items():
        path = (*inputs.path, argument)
        if not isinstance(argument, str):
            validation.add("bad-key", f"an argument is a word, not {show(argument)}", path, at_key=True)
        elif spec is not None and arguments is not None and argument not in arguments:
            message = f"{spec.name} is not called with {argument!r}"
            hint = f"{did_you_mean(argument, arguments)}it is called with: {listing(arguments)}"
            validation.add("unknown-argument", message, path, hint=hint, at_key=True)
        complaint, hint = _complaint(selector)
        if complaint:
            validation.add("bad-selector", f"{complaint}, not {show(selector)}", path, hint=hint)
    return FrozenDict(inputs.value)


def _complaint(selector: object) -> tuple[str, str]:
    """Say what is wrong with a selector, and how to mend it; two empty texts where it is good."""
    if not isinstance(selector, str):
        return "a selector is text such as input.depth", ""
    root = _ROOT.match(selector)
    word = root.group() if root else ""
    if word not in ROOTS:
        guess = nearest(word, ROOTS)
        hint = f"did you mean {guess + selector[len(word) :]!r}?" if guess else ""
        return f"a selector begins with {', '.join(ROOTS[:-1])} or {ROOTS[-1]}", hint
    if not _STEPS.fullmatch(selector, len(word)):
        return f"a selector goes on with .name or [index] after {word!r}", ""
    return "", ""
