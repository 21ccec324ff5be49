"""Scale: a large input, which a loss may well compute in another way, gives what its parts give."""

import torch
from torch import Tensor, nn

from lossary_losses.testing.data import Data
from lossary_losses.testing.fractions import added, leaves_of, mean_of
from lossary_losses.testing.rule import BrokenRuleError, close, expect, rule
from lossary_losses.testing.sample import Sample
from lossary_losses.testing.subject import Subject

_SAMPLES, _SPACE = 5, (236, 236)
"""Of four classes more than a million elements, of which no sample has a quarter of a million."""

_ROUNDING = 1e-3
"""How much of the steepest slope the order of additions may cost in single precision."""


@rule("scale", if_option=["reduction"], large=True, parts=True)
def large_inputs_are_their_parts(subject: Subject, data: Data) -> None:
    """On more than a million elements value and gradients, of parameters too, are those of the parts."""
    sample = data.draw(batch=_SAMPLES, space=_SPACE, dtype=torch.float32)
    given = _given(subject, sample, data)
    loss, small = subject.loss(), subject.loss()
    input = sample.input.requires_grad_()
    value = subject.value(sample.at(input), loss=loss, **given)
    parts = [input.detach()[index : index + 1].requires_grad_() for index in range(_SAMPLES)]
    expected = _of_parts(subject, sample, parts, small, given)
    close(value, expected, "the value of a large input", relative=1e-4)
    (slope, *of_loss) = _slopes(value, [input], loss)
    slopes = _slopes(expected, parts, small)
    wanted = torch.cat([_known(each) for each in slopes[:_SAMPLES]])
    gap, steepest = (_known(slope) - wanted).abs().max(), wanted.abs().max()
    expect(
        gap <= _ROUNDING * steepest, f"the gradient of a large input is off by {(gap / steepest).item():.3g}"
    )
    for (name, _), got, want in zip(loss.named_parameters(), of_loss, slopes[_SAMPLES:], strict=True):
        close(_known(got), _known(want), f"the gradient of {name} on a large input", relative=1e-2)


def _given(subject: Subject, sample: Sample, data: Data) -> dict[str, Tensor]:
    """Give a mask and a weight of positions, where what they leave of each sample adds up."""
    if not _has_fractions(subject):
        return {}
    positions = torch.rand(data.kind.positions(sample), generator=torch.Generator().manual_seed(5))
    given = {"mask": positions < 0.9, "weight": data.weight(sample)}  # noqa: PLR2004 - most of them
    return {name: value for name, value in given.items() if subject.takes_argument(name)}


def _has_fractions(subject: Subject) -> bool:
    return hasattr(subject.own_class, "fraction") and "fractions_of_parts_add_up" not in subject.claims.exempt


def _of_parts(
    subject: Subject, sample: Sample, inputs: list[Tensor], loss: nn.Module, given: dict[str, Tensor]
) -> Tensor:
    """Compute the loss sample by sample: by fractions, or as the mean of what is equally large."""
    parts = []
    for index, input in enumerate(inputs):
        part = sample.every(lambda tensor: tensor[index : index + 1]).at(input)  # noqa: B023 - called at once
        arguments = {name: value[index : index + 1] for name, value in given.items()}
        if _has_fractions(subject):
            parts.append(leaves_of(loss, part, **arguments))
        else:
            value = subject.value(part, loss=loss, **arguments)
            parts.append({"": (value, torch.ones_like(value))})
    return mean_of(added(parts))


def _slopes(value: Tensor, inputs: list[Tensor], loss: nn.Module) -> tuple[Tensor | None, ...]:
    if not value.requires_grad:
        raise BrokenRuleError("the result is not connected to a large input: it has no gradient")
    return torch.autograd.grad(value, [*inputs, *loss.parameters()], allow_unused=True)


def _known(slope: Tensor | None) -> Tensor:
    if slope is None:
        raise BrokenRuleError(
            "the result does not depend on all of a large input, or of the loss's parameters"
        )
    return slope
