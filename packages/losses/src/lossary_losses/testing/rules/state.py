"""State: what a loss is besides a function."""

import copy
import io
import pickle

import torch

from lossary_losses.testing.data import Data
from lossary_losses.testing.rule import close, expect, rule
from lossary_losses.testing.subject import Subject


@rule("state")
def copies_compute_the_same(subject: Subject, data: Data) -> None:
    """A deep copy, a pickled and a saved loss compute the same, and look the same."""
    loss, sample = subject.loss(), data.draw()
    saved = io.BytesIO()
    torch.save(loss, saved)
    saved.seek(0)
    twins = {
        "a deep copy": copy.deepcopy(loss),
        "a pickled loss": pickle.loads(pickle.dumps(loss)),  # noqa: S301 - made here
        "a saved loss": torch.load(saved, weights_only=False),
    }
    for name, twin in twins.items():
        close(subject.value(sample, loss=twin), subject.value(sample, loss=loss), name)
        expect(repr(twin) == repr(loss), f"{name} looks different: {twin!r}")


@rule("state")
def state_goes_round(subject: Subject, data: Data) -> None:
    """The state_dict of a loss loads into another one, strictly; options are no part of it."""
    del data
    loss = subject.loss()
    state = loss.state_dict()
    subject.loss().load_state_dict(state)
    learned = {name for name, _ in loss.named_parameters()}
    options = [name for name in state if name in subject.parameters and name not in learned]
    expect(not options, f"the state_dict holds the options {', '.join(options)}")


@rule("state")
def lives_on_the_meta_device(subject: Subject, data: Data) -> None:
    """A loss is built and called on the meta device, where tensors have no values."""
    sample = data.draw()
    expected = subject.value(sample)
    with torch.device("meta"):
        result = subject.value(sample.moved("meta"), loss=subject.loss())
    expect(result.is_meta, f"the result is on {result.device}, not on meta")
    expect(result.shape == expected.shape, f"the shape is {tuple(result.shape)}")


@rule("state", if_option=["weight"], dense=True)
def class_weights_are_copied(subject: Subject, data: Data) -> None:
    """Class weights may be a list, a tuple or a tensor, are copied, and follow the module's dtype."""
    numbers = [0.5**index for index in range(data.channels)]
    sample = data.draw()
    given = torch.tensor(numbers)
    loss = subject.loss(weight=given)
    expected = subject.value(sample, loss=loss)
    for form in (numbers, tuple(numbers), torch.tensor(numbers, dtype=torch.float64)):
        close(subject.value(sample, loss=subject.loss(weight=form)), expected, f"weights as {type(form)}")
    given.zero_()
    close(subject.value(sample, loss=loss), expected, "after the caller's tensor has changed")
    for dtype in (torch.float64, torch.bfloat16):
        moved = copy.deepcopy(loss).to(dtype)
        expect(
            any(buffer.dtype == dtype for buffer in moved.buffers()), f"weights do not follow .to({dtype})"
        )
        close(subject.value(sample, loss=moved), expected, f"after .to({dtype})")


@rule("state")
def looks_like_its_call(subject: Subject, data: Data) -> None:
    """``repr`` names the class, and the options that differ from their defaults."""
    del data
    given = {name: value for name, value in subject.options.items() if subject.takes_option(name)}
    if subject.takes_option("reduction"):
        given["reduction"] = "sum"
    shown = repr(subject.loss(**given))
    expect(shown.startswith(subject.own_class.__name__), f"repr does not name the class: {shown}")
    for name, value in given.items():
        is_default = value is subject.parameters[name].default or _plain(value) == _plain(
            subject.parameters[name].default
        )
        expect(is_default or name in shown, f"repr does not show {name}={value!r}: {shown}")


def _plain(value: object) -> object:
    return value.tolist() if isinstance(value, torch.Tensor) else value
