"""How a rule of the suite is declared: a function that raises where a loss breaks it."""

from collections.abc import Callable, Iterable
from typing import Any, TypeVar

import attrs
import torch
from torch import Tensor

from lossary_losses.testing.arguments import WITHOUT_GRADIENT
from lossary_losses.testing.data import Data
from lossary_losses.testing.kinds import name_of_kind
from lossary_losses.testing.sample import Sample
from lossary_losses.testing.subject import Subject
from lossary_registry import FunctionRegistry

__all__ = [
    "BrokenRuleError",
    "Needs",
    "changes_for",
    "close",
    "expect",
    "gradient",
    "needs_of",
    "raises",
    "refused",
    "rule",
    "rule_registry",
]

Rule = Callable[[Subject, Data], None]
_Function = TypeVar("_Function", bound=Rule)

rule_registry = FunctionRegistry[Rule]("rules of the conformance suite")
"""Every rule, by name, tagged by what it is about."""


class BrokenRuleError(AssertionError):
    """A rule is broken; what a loss raises itself is never this."""


@attrs.frozen
class Needs:
    """What a rule is about: it is tried only where a loss offers it, on data that it says something about."""

    arguments: tuple[str, ...] = ()
    options: tuple[str, ...] = ()
    if_option: tuple[str, ...] = ()
    """Options that a loss may well do without: the rule says nothing then."""
    methods: tuple[str, ...] = ()
    kinds: frozenset[str] | None = None
    """The kinds of data, as they are registered; None: all."""
    inputs: frozenset[str] | None = None
    """The kinds of input; None: all."""
    dense: bool = False
    """Whether it says something of classes or values at positions alone."""
    target: bool = False
    """Whether there must be a target."""
    hard: bool = False
    """Whether the target must say what is right."""
    cut: bool = False
    """Whether an element must be such that it can be cut out."""
    repeated: bool = False
    """Whether an element must be such that it can be there twice."""
    fit: bool = False
    """Whether a good fit must be near enough to be reached."""
    nearer: bool = False
    """Whether it must be better to come nearer to a perfect prediction."""
    others: bool = False
    """Whether something beside the input must have a gradient."""
    size: bool = False
    """Whether an input must be such that its numbers can be large."""
    large: bool = False
    """Whether the data must be of a kind that may be large."""
    changes: bool = False
    """Whether a loss must claim that something leaves it as it is."""
    claimed: tuple[str, ...] = ()
    """What a loss must claim."""
    additive: bool = False
    """Whether it takes a denominator that parts of a batch can add up."""
    parts: bool = False
    """Whether it takes a batch apart, which says nothing of a loss whose elements look at one another."""

    def missing(self, subject: Subject) -> str:
        """Say what a loss does not offer; nothing if it offers all."""
        for name in self.arguments:
            if not subject.takes_argument(name):
                return f"forward of {subject.name} takes no argument {name!r}"
        for name in self.options:
            if not subject.takes_option(name):
                return f"{subject.name} takes no option {name!r}"
        for name in self.methods:
            if not hasattr(subject.own_class, name):
                return f"{subject.name} has no method {name!r}"
        return ""

    def concern(self, subject: Subject, data: Data) -> bool:
        """Tell whether a rule says anything about such a loss and such data."""
        return (
            (self.kinds is None or name_of_kind(data.kind) in self.kinds)
            and (self.inputs is None or data.input in self.inputs)
            and (data.is_dense or not self.dense)
            and (data.has_target or not self.target)
            and (data.kind.is_hard or not self.hard)
            and (data.kind.can_cut or not self.cut)
            and (data.kind.repeats is not None or not self.repeated)
            and (data.kind.learning_rate is not None or not self.fit)
            and (data.is_dense or subject.claims.perfect is not None or not self.nearer)
            and (_have_gradients(subject, data) or not self.others)
            and (data.has_size or not self.size)
            and (data.kind.can_be_large or not self.large)
            and (bool(changes_for(subject, data)) or not self.changes)
            and all(getattr(subject.claims, name) is not None for name in self.claimed)
            and all(subject.takes_option(name) for name in self.if_option)
        )

    def excused(self, subject: Subject) -> str:
        """Say why a rule does not apply by what a loss claims to be; nothing if it does apply."""
        if self.additive and subject.claims.adds_up == "no":
            return "it claims that the denominators of parts do not add up"
        if self.parts and subject.claims.couples:
            return f"its elements look at one another: it couples the {subject.claims.couples}"
        return ""


def _have_gradients(subject: Subject, data: Data) -> bool:
    """Tell whether a target, a weight or another tensor may have a gradient."""
    of_target = data.has_target and data.kind.is_differentiable
    of_others = bool(set(data.arguments.values()) - WITHOUT_GRADIENT)
    return of_target or of_others or subject.takes_argument("weight")


def changes_for(subject: Subject, data: Data) -> tuple[str, ...]:
    """Give the names of the changes that leave a loss as it is, by what it claims or what is usual."""
    claimed = subject.claims.invariant
    return data.kind.usual if claimed is None else claimed


def rule(about: str, **needs: Iterable[str] | bool) -> Callable[[_Function], _Function]:
    """Declare a rule; the docstring is what it promises."""
    gathered: dict[str, Any] = {
        name: values
        if isinstance(values, bool)
        else frozenset(values)
        if name in ("kinds", "inputs")
        else tuple(values)
        for name, values in needs.items()
    }
    return rule_registry.register(tags=[about], metadata={"needs": Needs(**gathered)})


def needs_of(name: str) -> Needs:
    """Give what a rule needs."""
    needs: Needs = rule_registry.entry(name).metadata["needs"]
    return needs


def expect(condition: object, message: str) -> None:
    """Raise unless a condition holds, also where Python leaves assertions out."""
    if not condition:
        raise BrokenRuleError(message)


def close(actual: Tensor, expected: Tensor, what: str, *, relative: float = 1e-6) -> None:
    """Assert that two tensors are equal but for rounding; ``what`` says which."""
    actual, expected = actual.detach().double(), expected.detach().double()
    expect(
        actual.shape == expected.shape,
        f"{what}: the shape is {tuple(actual.shape)}, not {tuple(expected.shape)}",
    )
    if not torch.allclose(actual, expected, rtol=relative, atol=1e-8):
        gap = (actual - expected).abs().nan_to_num(torch.inf)
        where = int(gap.argmax())
        got, wanted = actual.flatten()[where].item(), expected.flatten()[where].item()
        raise BrokenRuleError(f"{what}: got {got:.6g}, expected {wanted:.6g}")


def gradient(subject: Subject, sample: Sample, **extra: Any) -> Tensor:  # noqa: ANN401 - arguments of forward
    """Give the gradient of the loss with respect to the input."""
    input = sample.input.detach().clone().requires_grad_()
    total = subject.value(sample.at(input), **extra).sum()
    expect(total.requires_grad, "the result is not connected to the input: it has no gradient")
    (result,) = torch.autograd.grad(total, input, allow_unused=True)
    if result is None:
        raise BrokenRuleError("the result does not depend on the input")
    return result


def refused(
    subject: Subject,
    sample: Sample,
    error: type[Exception],
    what: str,
    *mentioned: object,
    **extra: Any,  # noqa: ANN401 - arguments of forward
) -> None:
    """Assert that a loss refuses a sample, by an error that mentions what it is about."""
    raises(lambda: subject.value(sample, **extra), (error,), what, *mentioned)


def raises(
    call: Callable[[], object], errors: tuple[type[Exception], ...], what: str, *mentioned: object
) -> None:
    """Assert that a call raises one of some errors, with a message that mentions what it is about."""
    try:
        result = call()
    except errors as error:
        for each in mentioned:
            expect(str(each) in str(error), f"{what}: the message does not mention {each}: {error}")
    except Exception as error:
        wanted = " or ".join(each.__name__ for each in errors)
        raise BrokenRuleError(f"{what}: {type(error).__name__} instead of {wanted}: {error}") from error
    else:
        raise BrokenRuleError(f"{what} is accepted, and gives {result!r}")
