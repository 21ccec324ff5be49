"""Meaning: where a loss is smallest, and what must not change it."""

from collections.abc import Sequence

import torch
from torch import Tensor

from lossary_losses.testing.data import Data
from lossary_losses.testing.rule import BrokenRuleError, changes_for, close, expect, gradient, rule
from lossary_losses.testing.subject import Subject

_SMALL = 1e-6


@rule("meaning", hard=True)
def a_perfect_prediction_is_lowest(subject: Subject, data: Data) -> None:
    """A perfect prediction has the value that the loss claims, and no other has a lower one."""
    sample, claimed = data.draw(), subject.claims.perfect
    if claimed is None:
        return
    best = subject.value(sample.at(data.perfect(sample)))
    lowest = best.mean().item()
    expect(
        abs(lowest - claimed) < _SMALL, f"the loss of a perfect prediction is {lowest:.6g}, not {claimed:g}"
    )
    for seed in range(8):
        other = subject.value(sample.at(data.draw(seed=seed + 10).input))
        found = other.mean().item()
        expect(
            other.sum() >= best.sum() - _SMALL,
            f"a random prediction has {found:.6g}, which is lower than the {lowest:.6g} of a perfect one",
        )


@rule("meaning", hard=True, nearer=True)
def better_costs_less(subject: Subject, data: Data) -> None:
    """A prediction that moves a little towards the truth has a smaller loss: smaller is better."""
    sample = data.draw()
    truth = data.perfect(sample)
    towards = truth - sample.input if data.bounded else truth.sign()
    before, after = subject.value(sample).sum(), subject.value(sample.at(sample.input + 1e-4 * towards)).sum()
    expect(after < before, f"a better prediction costs {after.item():.6g}, no less than {before.item():.6g}")


@rule("meaning", kinds=["soft", "distributions"])
def a_soft_target_can_be_met(subject: Subject, data: Data) -> None:
    """Where a prediction equals a soft target the loss is zero, or as low as it can be, as it claims."""
    claimed = subject.claims.at_soft
    if claimed == "elsewhere":
        return
    sample = data.draw()
    target = sample.truth
    met = target if data.input == "probabilities" else target.log() if _exclusive(data) else target.logit()
    best = subject.value(sample.at(met))
    if claimed == "zero":
        expect(best.abs().max() < _SMALL, f"the loss is {best.mean().item():.6g} where p equals t")
    for seed in range(8):
        moved = met + 0.01 * data.draw(seed=seed + 10).input.sub(0.5 if data.input == "probabilities" else 0)
        other = subject.value(sample.at(moved.clamp(0, 1) if data.input == "probabilities" else moved))
        expect(other.sum() >= best.sum() - _SMALL, "the loss is lower beside p = t")


def _exclusive(data: Data) -> bool:
    return data.target == "distributions"


@rule("meaning")
def values_are_in_range(subject: Subject, data: Data) -> None:
    """No element, and no mean where classes have weights, is outside the range that the loss claims."""
    low, high = subject.claims.low, subject.claims.high
    loss = subject.loss() if _tells_classes_apart(subject, data) else subject.of_elements()
    for seed in range(4):
        sample = data.draw(seed=seed)
        scaled = sample.at(sample.input * (10.0**seed if data.has_size else 1))
        value = subject.value(scaled, loss=loss)
        least, most = value.min().item(), value.max().item()
        expect(
            low is None or least >= low - _SMALL, f"{least:.6g} is below {low}, the lowest that is claimed"
        )
        expect(
            high is None or most <= high + _SMALL, f"{most:.6g} is above {high}, the highest that is claimed"
        )


@rule("meaning", dense=True)
def order_of_classes_does_not_matter(subject: Subject, data: Data) -> None:
    """Exchanging classes together with their targets changes nothing."""
    if _tells_classes_apart(subject, data):
        return
    sample = data.draw()
    order = torch.arange(data.channels).roll(1)
    place = order.argsort()
    exchanged = sample.mapped(
        lambda tensor: tensor[:, order],
        (lambda target: place[target]) if data.has_labels else (lambda target: target[:, order]),
    )
    close(subject.value(exchanged), subject.value(sample), "with classes exchanged")


def _tells_classes_apart(subject: Subject, data: Data) -> bool:
    """Tell whether each class has a number of its own, given now or when the loss was built before."""
    loss = subject.loss()
    held = (*subject.options.values(), *vars(loss).values(), *loss.buffers())
    return any(_is_for_each(data.channels, value) for value in held)


def _is_for_each(channels: int, value: object) -> bool:
    if isinstance(value, Tensor):
        return value.numel() == channels
    return isinstance(value, Sequence) and not isinstance(value, str) and len(value) == channels


@rule("meaning", fit=True)
def descent_reaches_a_good_fit(subject: Subject, data: Data) -> None:
    """A hundred steps of Adam from random inputs leave little of the loss above its lowest value."""
    sample = data.draw(dtype=torch.float32)
    input = sample.input.clone().requires_grad_()
    loss, lowest = subject.loss(), subject.claims.perfect or 0.0
    before = subject.value(sample.at(input), loss=loss).sum().item() - lowest
    rate = 0.05 if data.input == "probabilities" else data.kind.learning_rate or 0
    optimizer = torch.optim.Adam([input], lr=rate)
    for _ in range(100):
        optimizer.zero_grad()
        subject.value(sample.at(input), loss=loss).sum().backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        if data.input == "probabilities":
            input.data.clamp_(0, 1)
    after = subject.value(sample.at(input), loss=loss).sum().item() - lowest
    expect(after < 0.1 * before, f"of {before:.4g} above the lowest value {after:.4g} is left")


@rule("meaning", changes=True)
def what_must_not_matter_does_not(subject: Subject, data: Data) -> None:
    """What leaves the truth of its kind of data as it is, such as a shift of both boxes, leaves the loss."""
    sample, changes = data.draw(), data.kind.changes()
    expected = subject.value(sample)
    for name in changes_for(subject, data):
        if name not in changes:
            raise BrokenRuleError(f"{name!r} is no change that {data.input} know, but {', '.join(changes)}")
        result = subject.value(changes[name](sample))
        close(result.sum(), expected.sum(), f"after {name.replace('_', ' ')}")


@rule("meaning")
def moving_against_the_gradient_helps(subject: Subject, data: Data) -> None:
    """There is a gradient at a random prediction, and a small step against it makes the loss smaller."""
    sample = data.draw()
    slope = gradient(subject, sample)
    size = slope.square().sum()
    expect(size > 0, "the gradient at a random prediction is zero")
    better = sample.at(sample.input - 1e-4 * slope / size.sqrt())
    before, after = subject.value(sample).sum().item(), subject.value(better).sum().item()
    expect(after < before, f"a step against the gradient leads from {before:.9g} to {after:.9g}")
