"""Emptiness and reduction: what none, mean and sum mean, and what there is where there is nothing."""

from collections.abc import Callable
from typing import Any

import torch
from torch import nn

from lossary_losses.testing.data import Data
from lossary_losses.testing.fractions import added, counts_of, leaves_of, mean_of
from lossary_losses.testing.kinds.dense import HARD
from lossary_losses.testing.rule import close, expect, gradient, rule
from lossary_losses.testing.sample import Sample
from lossary_losses.testing.subject import Subject


@rule("emptiness")
def a_batch_may_be_empty(subject: Subject, data: Data) -> None:
    """A batch of no samples has a loss of zero, with a gradient of the input's shape."""
    sample = data.draw(batch=0)
    value = subject.value(sample)
    expect((value == 0).all(), f"the loss of no samples is {value.sum().item()}")
    expect(gradient(subject, sample).shape == sample.input.shape, "the gradient has another shape")


@rule("emptiness", kinds=HARD)
def a_class_may_be_absent(subject: Subject, data: Data) -> None:
    """A target in which a class is nowhere, or everywhere, gives a finite value and gradient."""
    sample = data.draw()
    for name, target in _targets_of_one_class(sample, data).items():
        hard = sample.facing(target)
        for input in (sample.input, data.perfect(hard), data.opposite(hard)):
            uniform = hard.at(input)
            expect(subject.value(uniform).isfinite().all(), f"the value is not finite with {name}")
            expect(gradient(subject, uniform).isfinite().all(), f"the gradient is not finite with {name}")


def _targets_of_one_class(sample: Sample, data: Data) -> dict[str, torch.Tensor]:
    nothing = torch.zeros_like(sample.truth)
    if data.target == "binary":
        return {"no positives": nothing, "no negatives": torch.ones_like(sample.truth)}
    if data.has_labels:
        return {"the first class alone": nothing, "the last class alone": nothing + data.channels - 1}
    one = nothing.clone()
    one[:, -1] = 1
    return {"the last class alone": one}


@rule("reduction", options=["reduction"])
def sum_is_the_sum_of_none(subject: Subject, data: Data) -> None:
    """What reduction="sum" gives is the sum of what "none" gives."""
    sample = data.draw()
    each = subject.value(sample, loss=subject.loss(reduction="none"))
    # Pooled over the batch, a loss may have one element only.
    single = each.ndim == 0 and not subject.options.get("batch")
    expect(not single, 'reduction="none" gives a single number, not one for each element')
    close(each.sum(), subject.value(sample, loss=subject.loss(reduction="sum")), "the sum")


@rule("reduction", options=["reduction"], arguments=["mask"])
def none_is_zero_where_masked(subject: Subject, data: Data) -> None:
    """With reduction="none" an element that is masked costs nothing."""
    sample = data.draw()
    mask = data.uneven(sample)
    each = subject.value(sample, loss=subject.loss(reduction="none"), mask=mask)
    if each.shape in (mask.shape, sample.input.shape):  # else an element is more than a position
        expect((each[~data.kind.over(mask, each)] == 0).all(), "a masked element costs something")


@rule("reduction", methods=["fraction"], arguments=["mask"])
def mean_is_the_fraction(subject: Subject, data: Data) -> None:
    """The numerator of ``fraction`` over its denominator is the mean, whatever the reduction."""
    sample = data.draw()
    mask = data.uneven(sample)
    weighed: dict[str, Any] = {"weight": data.weight(sample)} if subject.takes_argument("weight") else {}
    for given in ({}, weighed):
        expected = subject.value(sample, mask=mask, **given)
        for loss in _in_other_reductions(subject):
            leaves = leaves_of(loss, sample, mask=mask, **given)
            what = f"numerator over denominator, {', '.join(given) or 'masked'}"
            close(mean_of(leaves), expected, what)


@rule("reduction", methods=["fraction", "counts"], arguments=["mask"], additive=True)
def counts_are_the_denominator(subject: Subject, data: Data) -> None:
    """``counts`` gives the denominator of ``fraction``, from target, mask and weights alone."""
    sample = data.draw()
    weighed: dict[str, Any] = {"weight": data.weight(sample)} if subject.takes_argument("weight") else {}
    for given in ({}, {"mask": data.uneven(sample)}, {"mask": data.uneven(sample), **weighed}):
        loss = subject.loss()
        counts = counts_of(loss, sample, **given)
        for leaf, (_, expected) in leaves_of(loss, sample, **given).items():
            close(counts[leaf], expected, f"the count with {', '.join(given) or 'neither mask nor weight'}")
            expect(not counts[leaf].requires_grad, "a count has a gradient")


@rule("reduction", methods=["fraction"], arguments=["mask"], parts=True)
def fractions_of_parts_add_up(subject: Subject, data: Data) -> None:
    """Fractions of micro-batches that count differently add up to the mean over all of them."""
    sample = data.draw(batch=2)
    mask = data.uneven(sample)
    loss = subject.loss()
    parts = [
        leaves_of(loss, sample.every(_sample_at(index)), mask=mask[index : index + 1]) for index in (0, 1)
    ]
    close(mean_of(added(parts)), subject.value(sample, mask=mask), "the mean of added fractions")


@rule("reduction", options=["reduction"], parts=True)
def sums_of_parts_add_up(subject: Subject, data: Data) -> None:
    """The sum over two batches together is the sum of both sums."""
    loss, sample = subject.loss(reduction="sum"), data.draw(batch=2)
    parts = [subject.value(sample.every(_sample_at(index)), loss=loss) for index in (0, 1)]
    close(parts[0] + parts[1], subject.value(sample, loss=loss), "the sum of both batches")


@rule("reduction", arguments=["mask", "weight"], parts=True)
def weight_zero_is_a_mask(subject: Subject, data: Data) -> None:
    """A weight of one or zero does what a mask does."""
    sample = data.draw()
    counts = data.uneven(sample)
    if data.kind.weights(sample) != counts.shape or subject.claims.reach is not None:
        # A weight is of more than a position, or one that is masked is missing to its neighbours: all of a
        # sample is left out.
        counts = torch.ones(data.kind.weights(sample), dtype=torch.bool)
        counts[1] = False
    mask = data.kind.over(counts, data.everything(sample))
    result = subject.value(sample, weight=counts.double())
    close(result, subject.value(sample, mask=mask), "weights of one and zero")


@rule("reduction", arguments=["weight"], repeated=True, parts=True)
def weight_two_counts_twice(subject: Subject, data: Data) -> None:
    """Where every second element has weight two, the loss is that of data in which it stands twice."""
    sample = data.draw(space=(1, 6))
    doubled, weight = data.kind.doubled(sample)
    close(subject.value(sample, weight=weight), subject.value(doubled), "weights of two", relative=1e-5)


@rule("reduction")
def order_of_samples_does_not_matter(subject: Subject, data: Data) -> None:
    """Turning the batch around changes nothing."""
    sample = data.draw(batch=4)
    turned = sample.every(lambda tensor: tensor.flip(0))
    close(subject.value(turned).sum(), subject.value(sample).sum(), "the batch turned around")


def _sample_at(index: int) -> Callable[[torch.Tensor], torch.Tensor]:
    return lambda tensor: tensor[index : index + 1]


def _in_other_reductions(subject: Subject) -> list[nn.Module]:
    """Give the loss as it would reduce otherwise, if it has elements to be reduced."""
    if not subject.takes_option("reduction") or "sum_is_the_sum_of_none" in subject.claims.exempt:
        return [subject.loss()]
    return [subject.loss(reduction=each) for each in ("sum", "none")]
