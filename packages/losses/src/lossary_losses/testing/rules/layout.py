"""Layout: which shapes and dtypes are taken, and which are refused."""

import torch

from lossary_losses.testing.data import Data
from lossary_losses.testing.kinds.dense import LABELS, UNIT
from lossary_losses.testing.rule import close, expect, raises, refused, rule
from lossary_losses.testing.subject import Subject


@rule("layout", dense=True)
def any_space(subject: Subject, data: Data) -> None:
    """(B, C, *S) gives what (B, C, N) gives, for any number of spatial dimensions and for none."""
    for space in ((), (7,), (2, 3), (2, 3, 2)):
        sample = data.draw(space=space)
        flat = sample.mapped(
            lambda tensor: tensor.reshape(*tensor.shape[:2], -1),
            lambda tensor: tensor.reshape(*tensor.shape[: 1 if data.has_labels else 2], -1),
        )
        close(subject.value(sample), subject.value(flat), f"{len(space)} spatial dimensions")


@rule("layout", target=True)
def any_target_dtype(subject: Subject, data: Data) -> None:
    """Labels may be integers of any size; values may be integers or bool where they are whole numbers."""
    sample = data.draw()
    expected = subject.value(sample)
    for dtype in data.kind.target_dtypes:
        result = subject.value(sample.facing(sample.truth.to(dtype)))
        close(result, expected, f"a target of {dtype}", relative=1e-5)


@rule("layout", target=True)
def wrong_shapes_are_refused(subject: Subject, data: Data) -> None:
    """A target that does not fit raises ValueError with both shapes, and never broadcasts."""
    sample = data.draw()
    for shape in data.kind.wrong_targets(sample):
        wrong = sample.facing(torch.zeros(shape, dtype=sample.truth.dtype))
        given = f"a target of shape {shape} for an input {tuple(sample.input.shape)}"
        refused(subject, wrong, ValueError, given, _digits(shape), _digits(sample.input.shape))


def _digits(shape: tuple[int, ...]) -> str:
    """Write a shape as it stands within any brackets."""
    return ", ".join(map(str, shape))


@rule("layout", kinds=LABELS)
def wrong_labels_are_refused(subject: Subject, data: Data) -> None:
    """A label outside the classes raises ValueError, naming it."""
    sample = data.draw()
    for label in (-1, -100, data.channels, 255):
        target = sample.truth.clone()
        target[0, 0, 0] = label
        wrong = sample.facing(target)
        refused(subject, wrong, ValueError, f"the label {label} among {data.channels} classes", label)


@rule("layout", kinds=LABELS)
def labels_need_two_classes(subject: Subject, data: Data) -> None:
    """Class indices for an input of one channel raise ValueError: a softmax over one is always 1."""
    sample = data.draw()
    one = sample.mapped(lambda tensor: tensor[:, :1], torch.zeros_like)
    refused(subject, one, ValueError, "class indices for one channel")


@rule("layout", kinds=LABELS)
def labels_are_integers(subject: Subject, data: Data) -> None:
    """Class indices given as floating-point numbers are refused."""
    sample = data.draw()
    wrong = sample.facing(sample.truth.double())
    raises(lambda: subject.value(wrong), (ValueError, TypeError), "class indices as floating-point numbers")


@rule("layout", kinds=UNIT)
def wrong_values_are_refused(subject: Subject, data: Data) -> None:
    """A target outside 0 to 1, or NaN where it counts, raises ValueError."""
    sample = data.draw()
    for value in (1.5, -0.5, 255.0, float("nan")):
        target = sample.truth.clone()
        target[0, 0, 0, 0] = value
        refused(subject, sample.facing(target), ValueError, f"the target {value}")


@rule("layout", arguments=["mask", "weight"])
def wrong_masks_are_refused(subject: Subject, data: Data) -> None:
    """A mask or weight that would only broadcast raises ValueError, and a mask that is not bool TypeError."""
    sample = data.draw()
    positions = data.kind.positions(sample)
    shape = (positions[0], 1, 1, positions[-1]) if data.is_dense else (*positions, 1)
    mask, weight = torch.ones(shape, dtype=torch.bool), torch.ones(shape)
    refused(subject, sample, ValueError, "a mask that broadcasts", _digits(shape), mask=mask)
    refused(subject, sample, ValueError, "a weight that broadcasts", _digits(shape), weight=weight)
    numbers = torch.ones(positions)
    refused(subject, sample, TypeError, "a mask of numbers", "bool", mask=numbers)


@rule("layout", arguments=["weight"])
def complex_numbers_are_refused(subject: Subject, data: Data) -> None:
    """A target or weight of complex numbers raises TypeError: half of each would be lost without a word."""
    sample = data.draw()
    if data.has_target:
        target = sample.facing(sample.truth.to(torch.complex64))
        refused(subject, target, TypeError, "a target of complex numbers", "complex64")
    weight = torch.ones(data.kind.weights(sample), dtype=torch.complex64)
    refused(subject, sample, TypeError, "a weight of complex numbers", "complex64", weight=weight)


@rule("layout", arguments=["mask", "weight"])
def negative_weights_are_refused(subject: Subject, data: Data) -> None:
    """A weight below zero raises ValueError; at an excluded position it may stand."""
    sample = data.draw()
    weight = torch.ones(data.kind.weights(sample))
    # A position that is masked is missing to its neighbours: where they see it, all of a sample is left out.
    left_out = weight.view(-1)[:1] if subject.claims.reach is None else weight[0]
    left_out.fill_(-0.5)
    refused(subject, sample, ValueError, "a weight of -0.5", "-0.5", weight=weight)
    if subject.claims.couples:
        return  # what weighs nothing is still there for the others, and what is masked is not
    counts = data.kind.over(weight > 0, data.everything(sample))
    harmless = subject.value(sample, weight=weight.relu())
    close(subject.value(sample, weight=weight, mask=counts), harmless, "a masked weight of -0.5")


@rule("layout")
def any_memory_layout(subject: Subject, data: Data) -> None:
    """Channels-last, strided and expanded inputs give the result of contiguous ones."""
    sample = data.draw(space=(4, 6) if data.is_dense else None)
    expected = subject.value(sample)
    if data.has_channels:
        last = sample.at(sample.input.to(memory_format=torch.channels_last))
        close(subject.value(last), expected, "a channels-last input")
    strided = sample.every(lambda tensor: torch.stack([tensor, tensor], dim=-1).flatten(-2)[..., ::2])
    expect(not strided.input.is_contiguous(), "the strided input is contiguous")
    close(subject.value(strided), expected, "a strided input and target")
    one = sample.every(lambda tensor: tensor[:1].expand(3, *tensor.shape[1:]))
    close(subject.value(one), subject.value(one.every(torch.Tensor.contiguous)), "an expanded input")
    if not data.has_channels:
        return
    turned = sample.every(lambda tensor: tensor.transpose(-1, -2))
    solid = turned.every(torch.Tensor.contiguous)
    close(subject.value(turned), subject.value(solid), "a transposed input and target")
