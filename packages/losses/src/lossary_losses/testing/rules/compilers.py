"""Compilers, transforms, derivatives and determinism: what torch may do with a loss."""

import torch
from torch import Tensor
from torch.autograd.gradcheck import GradcheckError

from lossary_losses.testing.data import Data, Sample
from lossary_losses.testing.rule import BrokenRuleError, close, expect, gradient, rule
from lossary_losses.testing.subject import Subject


@rule("compilers")
def compiles_in_one_graph(subject: Subject, data: Data) -> None:
    """The loss compiles with fullgraph=True, and with a dynamic batch only once for several sizes."""
    torch.compiler.reset()
    loss, graphs = subject.loss(), _Counter()
    compiled = torch.compile(loss, fullgraph=True, backend=graphs)
    for batch in (3, 4, 5):
        sample = data.draw(batch=batch)
        for tensor in (sample.target, *sample.arguments.values()):
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
    positions = sample.input[:, 0]
    given = {"mask": positions < 1, "weight": positions.square()}
    compiled = torch.compile(loss, fullgraph=True, backend="eager")
    value = subject.value(sample, loss=compiled, **given)  # type: ignore[arg-type]
    close(value, subject.value(sample, loss=loss, **given), "compiled with a mask and a weight")


def _value_and_slope(subject: Subject, sample: Sample, loss: torch.nn.Module) -> tuple[Tensor, Tensor]:
    input = sample.input.detach().requires_grad_()
    torch._dynamo.mark_dynamic(input, 0)  # noqa: SLF001 - torch documents it under this name
    value = subject.value(sample.at(input), loss=loss)
    (slope,) = torch.autograd.grad(value.sum(), input)
    return value, slope


class _Counter:
    """A backend that counts the graphs, and runs them through autograd's tracing, as inductor does."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self, module: torch.fx.GraphModule, inputs: list[Tensor]) -> object:
        self.count += 1
        lookup = torch._dynamo.lookup_backend  # noqa: SLF001 - there is no other way to name a backend
        return lookup("aot_eager")(module, inputs)


@rule("compilers")
def exports(subject: Subject, data: Data) -> None:
    """The loss exports with torch.export, and the exported program computes the same."""
    sample = data.draw()
    loss = subject.loss()
    program = torch.export.export(loss, (sample.input, sample.target), dict(sample.arguments))
    close(subject.value(sample, loss=program.module()), subject.value(sample, loss=loss), "exported")


@rule("compilers")
def maps_over_samples(subject: Subject, data: Data) -> None:
    """Vmap of grad gives each sample the gradient that it has alone."""
    sample, loss = data.draw(), subject.loss()

    def single(input: Tensor, target: Tensor, arguments: dict[str, Tensor]) -> Tensor:
        one = Sample(input, target, arguments).every(lambda tensor: tensor.unsqueeze(0))
        return subject.value(one, loss=loss)

    inputs = (sample.input, sample.target, dict(sample.arguments))
    together = torch.func.vmap(torch.func.grad(single))(*inputs)
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
    _check(torch.autograd.gradgradcheck, subject, data)


@rule("derivatives", kinds=["soft", "distributions", "values"])
def other_derivatives_are_right(subject: Subject, data: Data) -> None:
    """The gradients of targets that are no labels, of weights and of other tensors agree with differences."""
    sample = data.draw(space=(3,))
    loss, names = subject.loss(), list(sample.arguments)
    tensors = {"target": _free(data, sample.target), **sample.arguments}
    if subject.takes_argument("weight"):
        tensors["weight"] = sample.input.detach()[:, 0].square() + 0.5

    def value(*tensors_at: Tensor) -> Tensor:
        at = dict(zip(tensors, tensors_at, strict=True))
        given = {name: at[name] for name in names}
        others = {"weight": at["weight"]} if "weight" in at else {}
        shown = Sample(sample.input, _bound(data, at["target"]), given)
        return subject.value(shown, loss=loss, **others).sum()

    try:
        torch.autograd.gradcheck(value, [each.clone().requires_grad_() for each in tensors.values()])
    except GradcheckError as error:
        raise BrokenRuleError(f"of {', '.join(tensors)}: {' '.join(str(error).split())}") from error


def _free(data: Data, target: Tensor) -> Tensor:
    """Give numbers that may be moved one by one, of which a target is made."""
    return target.log() if data.kind == "distributions" else target


def _bound(data: Data, numbers: Tensor) -> Tensor:
    return numbers.softmax(1) if data.kind == "distributions" else numbers


def _check(check: object, subject: Subject, data: Data) -> None:
    sample = data.draw(space=(3,))
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
