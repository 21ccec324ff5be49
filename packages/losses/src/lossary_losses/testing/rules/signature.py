"""One signature: how a loss is built and called."""

import copy
import inspect
from functools import partial

import torch
from torch import Tensor, nn

from lossary_losses.testing.data import Data
from lossary_losses.testing.rule import expect, raises, refused, rule
from lossary_losses.testing.sample import Sample
from lossary_losses.testing.subject import Subject

_REFUSED = (TypeError, ValueError)
_IGNORED = 77


@rule("signature")
def one_signature(subject: Subject, data: Data) -> None:
    """Forward takes input, target if there is one, and mask and weight by keyword, None unless given."""
    parameters = dict(inspect.signature(subject.own_class.forward).parameters)
    wanted = ["input", "target"] if data.has_target else ["input"]
    by_place = [name for name, each in parameters.items() if each.kind is not inspect.Parameter.KEYWORD_ONLY]
    first = by_place[1 : 1 + len(wanted)] if data.has_target else by_place[1:]
    expect(first == wanted, f"forward takes {first} first, not {wanted}")
    for name in ("mask", "weight"):
        expect(name in parameters, f"forward takes no argument {name!r}")
        expect(parameters[name].default is None, f"{name} has another default than None")
        expect(parameters[name].kind is inspect.Parameter.KEYWORD_ONLY, f"{name} is not keyword-only")


@rule("signature")
def unknown_options_are_refused(subject: Subject, data: Data) -> None:
    """An option that does not exist raises TypeError, naming it."""
    del data
    raises(lambda: subject.loss(no_such_option=1), (TypeError,), "an unknown option", "no_such_option")


@rule("signature")
def options_are_checked(subject: Subject, data: Data) -> None:
    """A number that is NaN, or no number, is refused at construction by an error that names the option."""
    del data
    for name, parameter in subject.parameters.items():
        default = parameter.default
        if isinstance(default, float) or (isinstance(default, int) and not isinstance(default, bool)):
            for wrong in (float("nan"), "1", True if isinstance(default, float) else 0.5):
                raises(partial(subject.loss, **{name: wrong}), _REFUSED, f"{name}={wrong!r}", name)


@rule("signature")
def integer_input_is_refused(subject: Subject, data: Data) -> None:
    """An input of integers raises TypeError: predicted labels are no logits."""
    sample = data.draw()
    refused(subject, sample.at(sample.input.long()), TypeError, "an input of integers", "int64")


@rule("signature")
def forward_writes_nothing(subject: Subject, data: Data) -> None:
    """A call, with a mask, a weight and ignored targets too, leaves loss and arguments as they were."""
    _expect_untouched(subject.loss(), data.draw(), {})
    sample = data.draw()
    given = {"mask": data.uneven(sample), "weight": data.weight(sample)}
    taken = {name: value for name, value in given.items() if subject.takes_argument(name)}
    if taken:
        _expect_untouched(subject.loss(), data.draw(), taken)
    if subject.takes_option("ignore_index"):
        ignored = sample.truth.masked_fill(data.of_position(~data.uneven(sample), sample), _IGNORED)
        _expect_untouched(subject.loss(ignore_index=_IGNORED), sample.facing(ignored), {})


def _expect_untouched(loss: nn.Module, sample: Sample, given: dict[str, Tensor]) -> None:
    before, arguments = _attributes(loss), {**sample.arguments, **given}
    held = {"its input": sample.input, **arguments}
    if sample.target is not None:
        held["its target"] = sample.target
    copies = {name: value.clone() for name, value in held.items()}
    loss(*sample.given, **arguments)
    after = _attributes(loss)
    changed = [name for name in {**before, **after} if not _same(before.get(name), after.get(name))]
    expect(not changed, f"forward writes {', '.join(changed)}")
    for name, value in held.items():
        expect(torch.equal(value, copies[name]), f"forward changes {name} in place")


def _attributes(loss: nn.Module) -> dict[str, object]:
    """Copy what a loss and the modules in it hold: attributes, buffers and parameters."""
    held: dict[str, object] = {}
    for prefix, module in loss.named_modules():
        path = f"{prefix}." if prefix else ""
        own = {**vars(module), **vars(module)["_buffers"], **vars(module)["_parameters"]}
        for name in set(own) - {"_buffers", "_parameters", "_modules"}:
            value = own[name]
            held[path + name] = value.detach().clone() if isinstance(value, Tensor) else copy.copy(value)
    return held


def _same(before: object, after: object) -> bool:
    if isinstance(before, Tensor) and isinstance(after, Tensor):
        return before.dtype == after.dtype and before.shape == after.shape and bool((before == after).all())
    return before is after or bool(before == after)
