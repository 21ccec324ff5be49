"""Meaning: where a loss is smallest, and what must not change it."""

from collections.abc import Sequence

import torch
from torch import Tensor

from lossary_losses.testing.data import HARD_KINDS, Data
from lossary_losses.testing.rule import close, expect, gradient, rule
from lossary_losses.testing.subject import Subject

_SMALL = 1e-6


@rule("meaning", kinds=[*HARD_KINDS, "values"])
def a_perfect_prediction_is_lowest(subject: Subject, data: Data) -> None:
    """A perfect prediction has the value that the loss claims, and no other has a lower one."""
    sample, claimed = data.draw(), subject.claims.perfect
    if claimed is None:
        return
    best = subject.value(sample.at(data.perfect(sample)))
    expect(abs(best.mean().item() - claimed) < _SMALL, f"it is {best.mean().item():.6g}, not {claimed}")
    for seed in range(8):
        other = subject.value(sample.at(data.draw(seed=seed + 10).input))
        expect(other.sum() >= best.sum() - _SMALL, f"another has {other.mean().item():.6g}")


@rule("meaning", kinds=["soft", "distributions"])
def a_soft_target_can_be_met(subject: Subject, data: Data) -> None:
    """Where a prediction equals a soft target the loss is zero, or as low as it can be, as it claims."""
    claimed = subject.claims.at_soft
    if claimed == "elsewhere":
        return
    sample = data.draw()
    target = sample.target
    met = target if data.input == "probabilities" else target.log() if _exclusive(data) else target.logit()
    best = subject.value(sample.at(met))
    if claimed == "zero":
        expect(best.abs().max() < _SMALL, f"the loss is {best.mean().item():.6g} where p equals t")
    for seed in range(8):
        moved = met + 0.01 * data.draw(seed=seed + 10).input.sub(0.5 if data.input == "probabilities" else 0)
        other = subject.value(sample.at(moved.clamp(0, 1) if data.input == "probabilities" else moved))
        expect(other.sum() >= best.sum() - _SMALL, "the loss is lower beside p = t")


def _exclusive(data: Data) -> bool:
    return data.kind == "distributions"


@rule("meaning")
def values_are_in_range(subject: Subject, data: Data) -> None:
    """No value is outside the range that the loss claims."""
    low, high = subject.claims.low, subject.claims.high
    for seed in range(4):
        sample = data.draw(seed=seed)
        scaled = sample.at(sample.input * (1 if data.input == "probabilities" else 10.0**seed))
        value = subject.value(scaled)
        expect(low is None or (value >= low - _SMALL).all(), f"{value.min().item():.6g} is below {low}")
        expect(high is None or (value <= high + _SMALL).all(), f"{value.max().item():.6g} is above {high}")


@rule("meaning")
def order_of_classes_does_not_matter(subject: Subject, data: Data) -> None:
    """Exchanging classes together with their targets changes nothing."""
    if any(isinstance(value, (Sequence, Tensor)) and not isinstance(value, str) for value in _given(subject)):
        return  # Each class has numbers of its own.
    sample = data.draw()
    order = torch.arange(data.channels).roll(1)
    place = order.argsort()
    exchanged = sample.mapped(
        lambda tensor: tensor[:, order],
        (lambda target: place[target]) if data.has_labels else (lambda target: target[:, order]),
    )
    close(subject.value(exchanged), subject.value(sample), "with classes exchanged")


def _given(subject: Subject) -> list[object]:
    return list(subject.options.values())


@rule("meaning", kinds=HARD_KINDS)
def descent_reaches_a_good_fit(subject: Subject, data: Data) -> None:
    """A hundred steps of Adam from random inputs leave little of the loss above its lowest value."""
    sample = data.draw(dtype=torch.float32)
    input = sample.input.clone().requires_grad_()
    loss, lowest = subject.loss(), subject.claims.perfect or 0.0
    before = subject.value(sample.at(input), loss=loss).sum().item() - lowest
    optimizer = torch.optim.Adam([input], lr=0.05 if data.input == "probabilities" else 0.5)
    for _ in range(100):
        optimizer.zero_grad()
        subject.value(sample.at(input), loss=loss).sum().backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        if data.input == "probabilities":
            input.data.clamp_(0, 1)
    after = subject.value(sample.at(input), loss=loss).sum().item() - lowest
    expect(after < 0.1 * before, f"of {before:.4g} is left {after:.4g}")


@rule("meaning")
def moving_against_the_gradient_helps(subject: Subject, data: Data) -> None:
    """A small step against the gradient makes the loss smaller: smaller is better."""
    sample = data.draw()
    slope = gradient(subject, sample)
    size = slope.square().sum()
    if size > 0:
        better = sample.at(sample.input - 1e-4 * slope / size.sqrt())
        expect(subject.value(better).sum() < subject.value(sample).sum(), "the loss does not become smaller")
