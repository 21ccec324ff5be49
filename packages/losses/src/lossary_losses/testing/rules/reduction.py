"""Emptiness and reduction: what none, mean and sum mean, and what there is where there is nothing."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

import torch

from lossary_losses.testing.data import HARD_KINDS, SPACE, Data, Sample
from lossary_losses.testing.rule import close, expect, gradient, rule
from lossary_losses.testing.subject import Subject


@rule("emptiness")
def a_batch_may_be_empty(subject: Subject, data: Data) -> None:
    """A batch of no samples has a loss of zero, with a gradient of the input's shape."""
    sample = data.draw(batch=0)
    value = subject.value(sample)
    expect((value == 0).all(), f"the loss of no samples is {value.sum().item()}")
    expect(gradient(subject, sample).shape == sample.input.shape, "the gradient has another shape")


@rule("emptiness", kinds=HARD_KINDS)
def a_class_may_be_absent(subject: Subject, data: Data) -> None:
    """A target in which a class is nowhere, or everywhere, gives a finite value and gradient."""
    sample = data.draw()
    for name, target in _targets_of_one_class(sample, data).items():
        hard = sample._replace(target=target)
        for input in (sample.input, data.perfect(hard), data.opposite(hard)):
            uniform = hard.at(input)
            expect(subject.value(uniform).isfinite().all(), f"the value is not finite with {name}")
            expect(gradient(subject, uniform).isfinite().all(), f"the gradient is not finite with {name}")


def _targets_of_one_class(sample: Sample, data: Data) -> dict[str, torch.Tensor]:
    nothing = torch.zeros_like(sample.target)
    if data.kind == "binary":
        return {"no positives": nothing, "no negatives": torch.ones_like(sample.target)}
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
    sample, mask = data.draw(), _uneven_mask()
    each = subject.value(sample, loss=subject.loss(reduction="none"), mask=mask)
    out = ~mask if each.shape == mask.shape else ~mask.unsqueeze(1).expand(2, data.channels, *SPACE)
    if each.shape == out.shape:  # else an element is more than a position
        expect((each[out] == 0).all(), "a masked element costs something")


@rule("reduction", methods=["fraction"], arguments=["mask"])
def mean_is_the_fraction(subject: Subject, data: Data) -> None:
    """The numerator of ``fraction`` over its denominator is the mean, whatever the reduction."""
    sample, mask = data.draw(), _uneven_mask()
    weighed = {"weight": sample.input.detach()[:, 0].square()} if subject.takes_argument("weight") else {}
    for given in ({}, weighed):
        expected = subject.value(sample, mask=mask, **given)  # type: ignore[arg-type]
        for reduction in ("sum", "none"):
            numerator, denominator = _fraction(subject, sample, mask, reduction, given)
            close(
                numerator / denominator,
                expected,
                f"numerator over denominator, {', '.join(given) or 'masked'}",
            )


@rule("reduction", methods=["fraction"], arguments=["mask"])
def fractions_of_parts_add_up(subject: Subject, data: Data) -> None:
    """Fractions of micro-batches that count differently add up to the mean over all of them."""
    sample, mask = data.draw(), _uneven_mask()
    parts = [
        _fraction(subject, sample.every(_sample_at(index)), mask[index : index + 1], "mean")
        for index in (0, 1)
    ]
    numerator, denominator = (parts[0][i] + parts[1][i] for i in (0, 1))
    close(numerator / denominator, subject.value(sample, mask=mask), "the mean of added fractions")


@rule("reduction", options=["reduction"])
def sums_of_parts_add_up(subject: Subject, data: Data) -> None:
    """The sum over two batches together is the sum of both sums."""
    loss, sample = subject.loss(reduction="sum"), data.draw()
    parts = [subject.value(sample.every(_sample_at(index)), loss=loss) for index in (0, 1)]
    close(parts[0] + parts[1], subject.value(sample, loss=loss), "the sum of both batches")


@rule("reduction", arguments=["mask", "weight"])
def weight_zero_is_a_mask(subject: Subject, data: Data) -> None:
    """A weight of one or zero does what a mask does."""
    sample, mask = data.draw(), _uneven_mask()
    result = subject.value(sample, weight=mask.double())
    close(result, subject.value(sample, mask=mask), "weights of one and zero")


@rule("reduction", arguments=["weight"])
def weight_two_counts_twice(subject: Subject, data: Data) -> None:
    """Where every second position has weight two, the loss is that of data in which it stands twice."""
    sample = data.draw(space=(1, 6))
    twice = torch.tensor([0, 1, 2, 3, 4, 5, 1, 3, 5])
    doubled = sample.every(lambda tensor: tensor[..., twice])
    weight = torch.tensor([1.0, 2.0]).repeat(3).expand(2, 1, 6)
    close(subject.value(sample, weight=weight), subject.value(doubled), "weights of two", relative=1e-5)


@rule("reduction")
def order_of_samples_does_not_matter(subject: Subject, data: Data) -> None:
    """Turning the batch around changes nothing."""
    sample = data.draw(batch=4)
    turned = sample.every(lambda tensor: tensor.flip(0))
    close(subject.value(turned).sum(), subject.value(sample).sum(), "the batch turned around")


def _sample_at(index: int) -> Callable[[torch.Tensor], torch.Tensor]:
    return lambda tensor: tensor[index : index + 1]


def _uneven_mask() -> torch.Tensor:
    """Give a mask under which the first sample counts less than the second."""
    mask = torch.rand(2, *SPACE, generator=torch.Generator().manual_seed(4)) < 0.7  # noqa: PLR2004 - most of them
    mask[0, 0] = False
    return mask


def _fraction(
    subject: Subject,
    sample: Sample,
    mask: torch.Tensor,
    reduction: str,
    given: Mapping[str, torch.Tensor] = MappingProxyType({}),
) -> tuple[torch.Tensor, torch.Tensor]:
    options = {"reduction": reduction} if subject.takes_option("reduction") else {}
    loss = subject.loss(**options)
    numerator, denominator = loss.fraction(
        sample.input, sample.target, mask=mask, **sample.arguments, **given
    )  # type: ignore[operator]
    return numerator, denominator
