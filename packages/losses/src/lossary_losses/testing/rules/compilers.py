"""Compilers, transforms, derivatives and determinism: what torch may do with a loss."""

from functools import partial

import torch
from torch import Tensor
from torch.autograd.gradcheck import GradcheckError

from lossary_losses.testing.arguments import WITHOUT_GRADIENT
from lossary_losses.testing.data import Data
from lossary_losses.testing.rule import BrokenRuleError, close, expect, gradient, rule
from lossary_losses.testing.sample import Sample
from lossary_losses.testing.subject import Subject


@rule("compilers")
def compiles_in_one_graph(subject: Subject, data: Data) -> None:
    """The loss compiles with fullgraph=True, and with a dynamic batch only once for several sizes."""
    torch.compiler.reset()
    loss, graphs = subject.loss(), _Counter()
    compiled = torch.compile(loss, fullgraph=True, backend=graphs)
    for batch in (3, 4, 5):
        sample = data.draw(batch=batch)
        own = (value for name, value in sample.arguments.items() if name not in sample.shared)
        for tensor in (*sample.given[1:], *own):
            torch._dynamo.mark_dynamic(tensor, 0)  # noqa: SLF001 - torch documents it under this name
        value, slope = _value_and_slope(subject, sample, compiled)  # type: ignore[arg-type]
        expected, expected_slope = _value_and_slope(subject, sample, loss)
        close(value, expected, f"the compiled value of {batch} samples")
        close(slope, expected_slope, f"the compiled gradient of {batch} samples")
    expect(graphs.count == 1, f"{graphs.count} graphs for three sizes of a dynamic batch, not one")


@rule("compilers", arguments=["mask", "weight"])
def compiles_with_mask_and_weight(subject: Subject, data: Data) -> None:
    """With a mask and a weight the loss compiles with fullgraph=True as well."""
    torch.compiler.reset()
    loss, sample = subject.loss(), data.draw()
    given = {"mask": data.uneven(sample), "weight": data.weight(sample)}
    # Through autograd's tracing, as inductor takes it; with dynamic sizes, above, that would take seconds.
    compiled = torch.compile(loss, fullgraph=True, backend="aot_eager")
    value, slope = _value_and_slope(subject, sample, compiled, **given)  # type: ignore[arg-type]
    expected, expected_slope = _value_and_slope(subject, sample, loss, **given)
    close(value, expected, "compiled with a mask and a weight")
    close(slope, expected_slope, "the gradient, compiled with a mask and a weight")


def _value_and_slope(
    subject: Subject, sample: Sample, loss: torch.nn.Module, **given: Tensor
) -> tuple[Tensor, Tensor]:
    input = sample.input.detach().requires_grad_()
    if not given:
        torch._dynamo.mark_dynamic(input, 0)  # noqa: SLF001 - torch documents it under this name
    value = subject.value(sample.at(input), loss=loss, **given)
    (slope,) = torch.autograd.grad(value.sum(), input)
    return value, slope


class _Counter:
    """A backend that counts the graphs."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self, module: torch.fx.GraphModule, _inputs: list[Tensor]) -> object:
        self.count += 1
        return module.forward


@rule("compilers")
def exports(subject: Subject, data: Data) -> None:
    """The loss exports with torch.export, and the exported program computes the same."""
    sample = data.draw()
    loss = subject.loss()
    program = torch.export.export(loss, sample.given, dict(sample.arguments))
    close(subject.value(sample, loss=program.module()), subject.value(sample, loss=loss), "exported")


@rule("compilers", parts=True)
def maps_over_samples(subject: Subject, data: Data) -> None:
    """Vmap of grad gives each sample the gradient that it has alone."""
    sample, loss = data.draw(), subject.loss()

    own = {name: value for name, value in sample.arguments.items() if name not in sample.shared}
    common = {name: value for name, value in sample.arguments.items() if name in sample.shared}

    def single(input: Tensor, others: tuple[Tensor, ...], arguments: dict[str, Tensor]) -> Tensor:
        one = [each.unsqueeze(0) for each in (input, *others)]
        given = {name: value.unsqueeze(0) for name, value in arguments.items()}
        value: Tensor = loss(*one, **given, **common)
        return value

    together = torch.func.vmap(torch.func.grad(single))(sample.input, sample.given[1:], own)
    for index in range(len(sample.input)):
        alone = gradient(subject, sample.every(lambda tensor: tensor[index : index + 1]), loss=loss)  # noqa: B023 - called at once
        close(together[index], alone[0], f"the gradient of sample {index}")


@rule("derivatives")
def first_derivative_is_right(subject: Subject, data: Data) -> None:
    """The gradient agrees with finite differences, under a non-uniform gradient from above."""
    _check(torch.autograd.gradcheck, subject, data)


@rule("derivatives")
def second_derivative_is_right(subject: Subject, data: Data) -> None:
    """The gradient of the gradient agrees with finite differences."""
    # Along random directions, of all second derivatives at once: one by one they take four times as long.
    _check(partial(torch.autograd.gradgradcheck, fast_mode=True), subject, data)


@rule("derivatives", others=True)
def other_derivatives_are_right(subject: Subject, data: Data) -> None:
    """The gradients of targets that are no labels, of weights and of other tensors agree with differences."""
    sample = data.draw(space=data.kind.small_space)
    loss = subject.loss()
    tensors = {
        name: value
        for name, value in sample.arguments.items()
        if data.arguments[name] not in WITHOUT_GRADIENT
    }
    if data.has_target and data.kind.is_differentiable:
        tensors["target"] = data.kind.free(sample.truth)
    if subject.takes_argument("weight"):
        tensors["weight"] = data.weight(sample)

    def value(*tensors_at: Tensor) -> Tensor:
        at = dict(zip(tensors, tensors_at, strict=True))
        others = {"weight": at.pop("weight")} if "weight" in at else {}
        target = data.kind.bound(at.pop("target")) if "target" in at else sample.target
        shown = sample._replace(target=target, arguments={**sample.arguments, **at})
        return subject.value(shown, loss=loss, **others).sum()

    try:
        torch.autograd.gradcheck(value, [each.clone().requires_grad_() for each in tensors.values()])
    except GradcheckError as error:
        raise BrokenRuleError(f"of {', '.join(tensors)}: {' '.join(str(error).split())}") from error


def _check(check: object, subject: Subject, data: Data) -> None:
    sample = data.draw(space=data.kind.small_space)
    loss = subject.of_elements()

    def weighted(input: Tensor) -> Tensor:
        value = subject.value(sample.at(input), loss=loss).flatten()
        return (value * torch.linspace(0.5, 1.5, len(value), dtype=value.dtype)).sum()

    try:
        check(weighted, sample.input.requires_grad_())  # type: ignore[operator]
    except GradcheckError as error:
        raise BrokenRuleError(" ".join(str(error).split())) from error


@rule("determinism")
def the_same_call_gives_the_same_bits(subject: Subject, data: Data) -> None:
    """Twice the same call gives bitwise the same value and gradient."""
    sample = data.draw(space=(64, 64), dtype=torch.float32)
    expect(torch.equal(subject.value(sample), subject.value(sample)), "two values differ")
    expect(torch.equal(gradient(subject, sample), gradient(subject, sample)), "two gradients differ")
