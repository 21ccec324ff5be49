"""Losses whose elements are rows (pairs, lists, events): what holds for all of them."""

from collections.abc import Callable
from dataclasses import dataclass, field

import pytest
import torch
from torch import Tensor, nn
from torch.testing import assert_close

from lossary_losses import (
    BradleyTerryLoss,
    ContrastiveLoss,
    CosineSimilarityLoss,
    CoxLoss,
    DINOLoss,
    DPOLoss,
    InfoNCELoss,
    KTOLoss,
    ListMLELoss,
    ListSoftmaxLoss,
    LogisticHazardLoss,
    MultiSimilarityLoss,
    PairwiseLogisticLoss,
    SigLIPLoss,
    SupConLoss,
    TripletLoss,
)
from lossary_losses.testing.rules.distribution import _on_two_ranks

Tensors = dict[str, Tensor]


@dataclass
class Case:
    """A loss with some options, and what draws the tensors that it takes."""

    build: type[nn.Module]
    draw: Callable[[int, torch.Generator], Tensors]
    options: dict[str, object] = field(default_factory=dict)
    smooth: tuple[str, ...] = ("input", "target")
    """The tensors that have a gradient."""
    shared: tuple[str, ...] = ()
    """The tensors without a row for each sample."""
    columns: bool = False
    """Whether a mask has columns as the input has."""

    @property
    def name(self) -> str:
        """A label for pytest's report."""
        return f"{self.build.__name__}-{','.join(f'{key}={value}' for key, value in self.options.items())}"

    def loss(self, **options: object) -> nn.Module:
        """Build the loss with its own options and some more."""
        return self.build(**{**self.options, **options})

    def data(self, rows: int = 6, dtype: torch.dtype = torch.float64, seed: int = 0) -> Tensors:
        """Draw tensors; those of floats in the dtype."""
        tensors = self.draw(rows, torch.Generator().manual_seed(seed))
        return {name: each.to(dtype) if each.is_floating_point() else each for name, each in tensors.items()}

    def rows(self, tensors: Tensors, chosen: Tensor | slice) -> Tensors:
        """Give some of the rows."""
        return {name: each if name in self.shared else each[chosen] for name, each in tensors.items()}

    def mask(self, kept: Tensor, tensors: Tensors) -> Tensor:
        """Give the mask that keeps some rows."""
        return kept.unsqueeze(1).expand(tensors["input"].shape) if self.columns else kept

    def free(self, tensors: Tensors) -> Tensors:
        """Give the tensors anew, those that have a gradient as leaves."""
        return {name: each.clone().requires_grad_(name in self.smooth) for name, each in tensors.items()}


def embeddings(rows: int, generator: torch.Generator) -> Tensors:
    """Draw two views."""
    input, target = (torch.randn(rows, 4, generator=generator, dtype=torch.float64) for _ in range(2))
    return {"input": input, "target": target}


def embeddings_and_more(rows: int, generator: torch.Generator) -> Tensors:
    """Draw two views, with everything that may be given besides."""
    return {
        **embeddings(rows, generator),
        "negatives": torch.randn(3, 4, generator=generator, dtype=torch.float64),
        "groups": torch.randint(0, 3, (rows,), generator=generator),
        "temperature": torch.tensor(0.4, dtype=torch.float64),
    }


def embeddings_and_own_negatives(rows: int, generator: torch.Generator) -> Tensors:
    """Draw two views, with negatives of each row."""
    negatives = torch.randn(rows, 2, 4, generator=generator, dtype=torch.float64)
    return {**embeddings(rows, generator), "negatives": negatives}


def embeddings_and_two_numbers(rows: int, generator: torch.Generator) -> Tensors:
    """Draw two views, a scale and a bias."""
    numbers = {"scale": torch.tensor(4.0), "bias": torch.tensor(-2.0)}
    return {**embeddings(rows, generator), **numbers}


def labelled(rows: int, generator: torch.Generator) -> Tensors:
    """Draw embeddings and their labels, of which each is there twice among those that a mask keeps."""
    return {"input": embeddings(rows, generator)["input"], "target": torch.arange(rows) // 2 % 2}


def labelled_and_remembered(rows: int, generator: torch.Generator) -> Tensors:
    """Draw embeddings and their labels, and a memory that has positives for each."""
    return {
        "input": embeddings(rows, generator)["input"],
        "target": torch.randint(0, 3, (rows,), generator=generator),
        "memory": torch.randn(3, 4, generator=generator, dtype=torch.float64),
        "memory_labels": torch.arange(3),
        "temperature": torch.tensor(0.4),
    }


def survival(rows: int, generator: torch.Generator) -> Tensors:
    """Draw log hazards, times of which some are equal, and events."""
    return {
        "input": torch.randn(rows, generator=generator, dtype=torch.float64),
        "target": torch.randint(0, 4, (rows,), generator=generator),
        "event": torch.rand(rows, generator=generator) < 0.7,
    }


def hazards(rows: int, generator: torch.Generator) -> Tensors:
    """Draw logits of hazards in four bins, the bin of each row, and events."""
    return {
        **survival(rows, generator),
        "input": torch.randn(rows, 4, generator=generator, dtype=torch.float64),
    }


def lists(rows: int, generator: torch.Generator) -> Tensors:
    """Draw scores and relevance of four documents each."""
    scores = torch.randn(rows, 4, generator=generator, dtype=torch.float64)
    return {"input": scores, "target": torch.rand(rows, 4, generator=generator, dtype=torch.float64)}


def pairs(rows: int, generator: torch.Generator) -> Tensors:
    """Draw log-probabilities of both answers, which of them is preferred, and a reference."""
    input, reference = (10 * torch.randn(rows, 2, generator=generator, dtype=torch.float64) for _ in range(2))
    return {
        "input": input,
        "target": torch.randint(0, 2, (rows,), generator=generator),
        "reference": reference,
    }


def soft_pairs(rows: int, generator: torch.Generator) -> Tensors:
    """Draw log-probabilities of both answers, and how likely each is preferred."""
    likely = torch.rand(rows, 1, generator=generator, dtype=torch.float64)
    return {**pairs(rows, generator), "target": torch.cat([likely, 1 - likely], dim=1)}


def rewards(rows: int, generator: torch.Generator) -> Tensors:
    """Draw rewards of both answers, which of them is preferred, and by what margin."""
    drawn = pairs(rows, generator)
    return {"input": drawn["input"], "target": drawn["target"], "margin": drawn["reference"][:, 0]}


def answers(rows: int, generator: torch.Generator) -> Tensors:
    """Draw log-probabilities of answers, which of them are desirable, a reference and a baseline."""
    drawn = pairs(rows, generator)
    return {
        "input": drawn["input"][:, 0],
        "target": drawn["target"].double(),
        "reference": drawn["reference"][:, 0],
        "baseline": torch.tensor(1.5, dtype=torch.float64),
    }


ALL = {"symmetric": True, "within": True, "label_smoothing": 0.2}
CASES = [
    Case(InfoNCELoss, embeddings),
    Case(InfoNCELoss, embeddings, {"symmetric": True, "similarity": "dot", "temperature": 1.0}),
    Case(
        InfoNCELoss,
        embeddings_and_more,
        ALL,
        smooth=("input", "target", "negatives", "temperature"),
        shared=("negatives", "temperature"),
    ),
    Case(
        InfoNCELoss,
        embeddings_and_own_negatives,
        {"decoupled": True, "symmetric": True, "temperature": 0.5},
        smooth=("input", "target", "negatives"),
    ),
    Case(DINOLoss, embeddings, {"centering": "sinkhorn", "teacher_temperature": 0.5}, smooth=("input",)),
    Case(CosineSimilarityLoss, embeddings, {"detach_target": False}),
    Case(
        SigLIPLoss,
        embeddings_and_two_numbers,
        smooth=("input", "target", "scale", "bias"),
        shared=("scale", "bias"),
    ),
    Case(
        SupConLoss,
        labelled_and_remembered,
        smooth=("input", "memory", "temperature"),
        shared=("memory", "memory_labels", "temperature"),
    ),
    Case(ContrastiveLoss, labelled, {"margin": 2.0}, smooth=("input",)),
    Case(MultiSimilarityLoss, labelled, smooth=("input",)),
    Case(TripletLoss, labelled, {"margin": 5.0, "mining": "semi_hard"}, smooth=("input",)),
    Case(CoxLoss, survival, smooth=("input",)),
    Case(CoxLoss, survival, {"ties": "breslow"}, smooth=("input",)),
    Case(LogisticHazardLoss, hazards, smooth=("input",)),
    Case(ListSoftmaxLoss, lists, columns=True),
    Case(ListSoftmaxLoss, lists, {"distribution": "softmax", "temperature": 0.5}, columns=True),
    Case(PairwiseLogisticLoss, lists, {"sigma": 0.5}, smooth=("input",), columns=True),
    Case(ListMLELoss, lists, {"discount": "p_list_mle"}, smooth=("input",), columns=True),
    Case(DPOLoss, pairs, smooth=("input",)),
    Case(DPOLoss, soft_pairs, smooth=("input",)),
    Case(BradleyTerryLoss, rewards, {"centering": 0.1}, smooth=("input",)),
    Case(KTOLoss, answers, smooth=("input",), shared=("baseline",)),
]

MANY_TENSORS = [case for case in CASES if len(case.smooth) > 2]
"""Those with more tensors that have a gradient than input and target."""

every_case = pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
KEPT = torch.tensor([True, False, True, True, False, True])


def evaluate(loss: nn.Module, tensors: Tensors, **more: Tensor) -> Tensor:
    """Call a loss with input and target by place, and the rest by name."""
    others = {name: each for name, each in tensors.items() if name not in ("input", "target")}
    return loss(tensors["input"], tensors["target"], **others, **more)


def fraction(loss: nn.Module, tensors: Tensors, **more: Tensor) -> tuple[Tensor, Tensor]:
    """Give the mean as numerator and denominator."""
    others = {name: each for name, each in tensors.items() if name not in ("input", "target")}
    return loss.fraction(tensors["input"], tensors["target"], **others, **more)


def slopes(value: Tensor, tensors: Tensors) -> Tensors:
    """Give the gradient with respect to every tensor that has one."""
    leaves = {name: each for name, each in tensors.items() if each.requires_grad}
    return dict(zip(leaves, torch.autograd.grad(value, leaves.values()), strict=True))


@every_case
def test_reductions(case):
    """The sum is that of the elements, the mean the numerator over the denominator of the fraction."""
    tensors = case.data()
    each, total, mean = (evaluate(case.loss(reduction=each), tensors) for each in ("none", "sum", "mean"))
    numerator, denominator = fraction(case.loss(), tensors)
    assert each.shape == (6,)
    assert_close(total, each.sum())
    assert_close(numerator, total)
    assert_close(mean, numerator / denominator)


@every_case
@pytest.mark.parametrize("reduction", ["mean", "sum"])
def test_a_mask_drops_rows(case, reduction):
    """Masked rows count as little as if they were not there, whatever they hold, in value and gradient."""
    tensors, loss = case.data(), case.loss(reduction=reduction)
    left = case.free(case.rows(tensors, KEPT))
    expected = evaluate(loss, left)
    poisoned = {
        name: each.clone() if name in case.shared or not each.is_floating_point() else _poisoned(each)
        for name, each in tensors.items()
    }
    poisoned = case.free(poisoned)
    value = evaluate(loss, poisoned, mask=case.mask(KEPT, tensors))
    assert_close(value, expected)
    gradients, wanted = slopes(value, poisoned), slopes(expected, left)
    for name, gradient in gradients.items():
        if name in case.shared:
            assert_close(gradient, wanted[name])
        else:
            assert_close(gradient[KEPT], wanted[name])
            assert (gradient[~KEPT] == 0).all()


def _poisoned(tensor: Tensor) -> Tensor:
    tensor = tensor.clone()
    tensor[~KEPT] = float("nan")
    return tensor


@every_case
def test_masked_elements_are_zero(case):
    """Without reduction a masked row is zero, and the others are what they are without it."""
    tensors, loss = case.data(), case.loss(reduction="none")
    value = evaluate(loss, tensors, mask=case.mask(KEPT, tensors))
    assert_close(value[KEPT], evaluate(loss, case.rows(tensors, KEPT)))
    assert (value[~KEPT] == 0).all()


@every_case
@pytest.mark.parametrize("reduction", ["none", "mean", "sum"])
@pytest.mark.parametrize("rows", [0, 6])
def test_nothing_counts(case, reduction, rows):
    """An empty batch, and one that is all masked, give zero, with a gradient of zero."""
    tensors = case.free(case.data(rows))
    mask = case.mask(torch.zeros(rows, dtype=torch.bool), tensors)
    value = evaluate(case.loss(reduction=reduction), tensors, mask=mask)
    assert value.shape == ((rows,) if reduction == "none" else ())
    assert (value == 0).all()
    assert all((each == 0).all() for each in slopes(value.sum(), tensors).values())
    assert fraction(case.loss(), tensors, mask=mask)[1] == 0


@every_case
def test_weights(case):
    """A weight multiplies its row, and is what the row counts in the mean; zero takes a row out of both."""
    tensors = case.data()
    weight = torch.tensor([0.5, 1.0, 0.0, 2.0, 0.25, 1.0], dtype=torch.float64)
    plain = evaluate(case.loss(reduction="none"), tensors)
    assert_close(evaluate(case.loss(reduction="none"), tensors, weight=weight), plain * weight)
    counted = (fraction(case.loss(), case.rows(tensors, slice(None)))[1]).item()
    numerator, denominator = fraction(case.loss(), tensors, weight=weight)
    assert_close(numerator, (plain * weight).sum())
    if counted == 6:
        assert_close(denominator, weight.sum())
    assert_close(evaluate(case.loss(), tensors, weight=weight), numerator / denominator)


@every_case
def test_derivatives(case):
    """First and second derivatives agree with finite differences, for every tensor that has them."""
    tensors, above = case.data(5), torch.linspace(0.5, 1.5, 5, dtype=torch.float64)

    def weighted(*values: Tensor) -> Tensor:
        given = {**tensors, **dict(zip(case.smooth, values, strict=True))}
        return (evaluate(case.loss(reduction="none"), given) * above).sum()

    leaves = [tensors[name].clone().requires_grad_() for name in case.smooth]
    assert torch.autograd.gradcheck(weighted, leaves)
    assert torch.autograd.gradgradcheck(weighted, leaves, fast_mode=True)


class Counter:
    """A backend that counts graphs."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self, module: torch.fx.GraphModule, _inputs: list[Tensor]) -> object:
        self.count += 1
        return module.forward


@pytest.mark.compilers
@pytest.mark.parametrize("case", MANY_TENSORS, ids=lambda case: case.name)
def test_compiles_in_one_graph(case):
    """With every tensor that may be given nothing compiles again for a second size of a dynamic batch.

    What compiles with no others, and through autograd's tracing, is a rule of the suite.
    """
    torch.compiler.reset()
    graphs, counts = Counter(), set()
    compiled = torch.compile(case.loss(), fullgraph=True, backend=graphs)
    for rows in (4, 5):
        tensors = case.free(case.data(rows))
        kept = torch.arange(rows) != 1
        given = {"mask": case.mask(kept, tensors).clone(), "weight": torch.rand(rows, dtype=torch.float64)}
        for name, each in {**tensors, **given}.items():
            if name not in case.shared:
                torch._dynamo.mark_dynamic(each, 0)
        value, expected = evaluate(compiled, tensors, **given), evaluate(case.loss(), tensors, **given)
        assert_close(value, expected)
        assert_close(slopes(value, tensors), slopes(expected, tensors))
        counts.add(graphs.count)
    assert len(counts) == 1


@every_case
@pytest.mark.parametrize("reduction", ["mean", "sum"])
@pytest.mark.parametrize("own", [1, 2, 6])
def test_two_processes_are_one(case, reduction, own):
    """The mean over two processes of value and gradient is that of one, with uneven and with empty parts."""
    tensors = case.data()
    mask = KEPT

    def on_rank(rank, group):
        part = slice(0, own) if rank == 0 else slice(own, None)
        mine = case.free(case.rows(tensors, part))
        loss = case.loss(process_group=group, reduction=reduction)
        value = evaluate(loss, mine, mask=case.mask(mask[part], mine))
        return value.detach(), slopes(value, mine)

    (first, first_slopes), (second, second_slopes) = _on_two_ranks(on_rank)
    whole = case.free(tensors)
    value = evaluate(case.loss(reduction=reduction), whole, mask=case.mask(mask, tensors))
    assert_close((first + second) / 2, value.detach())
    for name, expected in slopes(value, whole).items():
        if name in case.shared:
            assert_close((first_slopes[name] + second_slopes[name]) / 2, expected)
        else:
            assert_close(torch.cat([first_slopes[name], second_slopes[name]]) / 2, expected)


@every_case
def test_elements_of_a_process_are_its_own(case):
    """Without reduction each process has the elements of its own rows."""
    tensors = case.data()

    def on_rank(rank, group):
        part = slice(0, 2) if rank == 0 else slice(2, None)
        value = evaluate(case.loss(process_group=group, reduction="none"), case.rows(tensors, part))
        return value, value

    (first, _), (second, _) = _on_two_ranks(on_rank)
    assert_close(torch.cat([first, second]), evaluate(case.loss(reduction="none"), tensors))
