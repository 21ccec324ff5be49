"""What ``explain`` tells of a loss is what its gradients are, and what was planted is named."""

import json
import math

import pytest
import torch
from torch import nn
from torch.nn import functional
from torch.testing import assert_close

from lossary_losses import (
    BCELoss,
    CrossEntropyLoss,
    DeepSupervision,
    DiceCELoss,
    DiceLoss,
    FocalLoss,
    GIoULoss,
    Heads,
    L1Loss,
    MSELoss,
    OptionValueError,
    Product,
    ReducedLoss,
    TotalVariationLoss,
    Watch,
    WeightedSum,
    explain,
)
from lossary_losses.building import Elements


def normal(*shape, seed=0):
    """Draw float64 numbers."""
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@pytest.fixture
def labels():
    """Logits of three classes, and labels."""
    target = torch.randint(0, 3, (4, 5), generator=torch.Generator().manual_seed(1))
    return normal(4, 3, 5), target


def two_terms():
    """Give a sum whose terms have weights."""
    return WeightedSum({"region": DiceLoss(), "pixel": CrossEntropyLoss()}, weights={"pixel": 0.25})


def slope(loss, input, target):
    """Give a gradient by autograd."""
    input = input.clone().requires_grad_()
    (found,) = torch.autograd.grad(loss(input, target), input)
    return found


def test_pulls_are_projections_on_the_whole(labels):
    """A term's pull is the product of its gradient with that of the sum, as a share; they add up to 1."""
    report = explain(two_terms(), *labels)
    parts = {"region": slope(DiceLoss(), *labels), "pixel": 0.25 * slope(CrossEntropyLoss(), *labels)}
    whole = sum(parts.values())
    for name, part in parts.items():
        assert report.terms[name].pull == pytest.approx(float((part * whole).sum() / (whole**2).sum()))
        assert report.terms[name].norm == pytest.approx(float(part.norm()))
    assert sum(term.pull for term in report.terms.values()) == pytest.approx(1)
    assert sum(term.share for term in report.terms.values()) == pytest.approx(1)
    (conflict,) = report.conflicts
    cosine = functional.cosine_similarity(parts["region"].flatten(), parts["pixel"].flatten(), dim=0)
    assert conflict.cosine == pytest.approx(float(cosine))
    assert report.value == pytest.approx(float(two_terms()(*labels)))


@pytest.mark.parametrize(
    "loss",
    [
        two_terms(),
        DiceCELoss(),
        Product({"a": CrossEntropyLoss(), "b": DiceLoss()}),
        WeightedSum({"inner": two_terms(), "other": FocalLoss()}, weights={"inner": 0.5}),
    ],
    ids=["sum", "pair", "product", "nested"],
)
def test_terms_add_up_on_every_level(loss, labels):
    """The pulls of the terms of one level are the pull of what they are the terms of."""
    report = explain(loss, *labels)
    for above in {name.rpartition("/")[0] for name in report.terms}:
        own = sum(term.pull for name, term in report.terms.items() if name.rpartition("/")[0] == above)
        assert own == pytest.approx(report.terms[above].pull if above else 1)


def test_heads_and_resolutions_are_terms():
    """Where the input is a structure, the pulls are those on all its tensors."""
    heads = Heads({"depth": L1Loss(), "flow": MSELoss()})
    output = {"depth": normal(2, 3), "flow": normal(2, 3, seed=1)}
    truth = {"depth": normal(2, 3, seed=2), "flow": normal(2, 3, seed=3)}
    report = explain(heads, output, truth)
    assert sum(term.pull for term in report.terms.values()) == pytest.approx(1)
    assert report.conflicts[0].cosine == 0
    deep = explain(DeepSupervision(BCELoss()), [normal(1, 1, 4), normal(1, 1, 2)], torch.ones(1, 1, 4))
    assert list(deep.terms) == ["resolution_0", "resolution_1"]


def test_the_matrix_is_what_cross_entropy_pushes(labels):
    """For cross entropy it is probabilities minus truth, summed by true class: each row adds up to zero."""
    input, target = labels
    report = explain(CrossEntropyLoss(), input, target)
    gap = (input.softmax(1) - functional.one_hot(target, 3).movedim(-1, 1)) / target.numel()
    expected = torch.stack([(gap * (target == index).unsqueeze(1)).sum((0, 2)) for index in range(3)])
    assert_close(torch.tensor(report.matrix, dtype=torch.float64), expected)
    losses = functional.cross_entropy(input, target, reduction="none")
    for index in range(3):
        here = target == index
        found = report.classes[str(index)]
        assert found.counted == int(here.sum())
        assert found.value == pytest.approx(float(losses[here].mean()))
        assert found.pull == pytest.approx(float((gap.square().sum(1)[here]).sum() / gap.square().sum()))


@pytest.mark.parametrize(
    "loss", [CrossEntropyLoss(), DiceLoss(), DiceCELoss()], ids=lambda loss: type(loss).__name__
)
def test_shares_add_up_to_one(loss, labels):
    """Classes, samples and positions each share the whole of the squared gradient."""
    report = explain(loss, *labels)
    assert sum(each.pull for each in report.classes.values()) == pytest.approx(1)
    assert sum(report.samples) == pytest.approx(1)
    assert float(report.positions.sum()) == pytest.approx(1)
    assert report.positions.shape == (4, 5)


def test_what_is_excluded_pulls_nothing(labels):
    """Positions out of the mask, and ignored labels, have a pull of exactly zero and are counted as such."""
    input, target = labels
    target[1] = -100
    mask = torch.ones(4, 5, dtype=torch.bool)
    mask[0] = False
    report = explain(CrossEntropyLoss(ignore_index=-100), input, target, mask=mask)
    assert not report.positions[:2].any()
    assert report.samples[:2] == [0, 0]
    assert report.health.excluded == 2 * 3 * 5
    assert sum(each.counted for each in report.classes.values()) == 10


def test_other_order_other_report_of_the_same(labels):
    """A permutation of the batch permutes the samples and leaves the rest."""
    order = torch.tensor([2, 0, 3, 1])
    report, other = explain(two_terms(), *labels), explain(two_terms(), *(each[order] for each in labels))
    assert_close(torch.tensor(other.samples), torch.tensor(report.samples)[order])
    assert other.terms["region"].pull == pytest.approx(report.terms["region"].pull)


class Mean(nn.Module):
    """A loss that pulls everything one way."""

    def __init__(self, factor):
        super().__init__()
        self.factor = factor

    def forward(self, input, _target):
        """Give a multiple of the mean."""
        return self.factor * input.mean()


def said(loss, *data):
    """Give the sentences of a report."""
    return explain(loss, *data).sentences()


def test_culprits_are_named(labels):
    """A huge sample, an opposed term, a class without a gradient and NaN are said."""
    input, target = labels
    huge = input.clone()
    huge[2] *= 1000
    assert "sample 2 of 4 has 100% of the pull" in said(MSELoss(), huge, torch.zeros_like(huge))
    opposed = WeightedSum({"up": Mean(0.1), "down": Mean(-1.0)})
    assert said(opposed, *labels)[0] == "up works against the sum: its pull is -11%"
    truth = functional.one_hot(target, 3).movedim(-1, 1).bool()
    sure = torch.where(truth & (target == 1).unsqueeze(1), 1e4, input)
    assert "class 1 is in the target and pulls nothing" in said(CrossEntropyLoss(), sure, target)
    broken = input.clone()
    broken[0, 0, 0] = math.nan
    assert "NaN or infinite in the input: 1" in said(CrossEntropyLoss(), broken, target)


class Saturating(ReducedLoss):
    """A loss of probabilities that underflow, as many libraries have it."""

    def elements(self, input, target, **_):
        """Give surprises of a rounded probability."""
        clamped = input.clamp(-20, 20)
        return Elements(functional.binary_cross_entropy_with_logits(clamped, target, reduction="none"), None)


def test_saturated_elements_are_counted():
    """What is wrong and has no gradient is said to be saturated."""
    input, target = torch.tensor([[-30.0, 1.0, -1.0, 2.0]]), torch.tensor([[1.0, 1.0, 0.0, 1.0]])
    report = explain(Saturating(), input, target)
    assert report.health.saturated == 1
    assert any("saturated" in each for each in report.sentences())


def test_parameters_of_a_network(labels):
    """With ``wrt`` the pulls are those at the parameters, by the gradients that training would see."""
    input, target = labels
    layer = nn.Conv1d(3, 3, 1, dtype=torch.float64)
    report = explain(two_terms(), layer(input), target, wrt=layer.parameters())
    slopes = []
    for loss in (DiceLoss(), lambda *given: 0.25 * CrossEntropyLoss()(*given)):
        found = torch.autograd.grad(loss(layer(input), target), list(layer.parameters()))
        slopes.append(torch.cat([each.flatten() for each in found]))
    whole = sum(slopes)
    assert report.terms["region"].pull == pytest.approx(float(slopes[0] @ whole / (whole @ whole)))
    assert all(each.grad is None for each in layer.parameters())


def test_other_kinds_of_data():
    """Losses of boxes, and those without a target, are told what can be told of them."""
    boxes = torch.tensor([[0.0, 0.0, 2.0, 2.0], [0.0, 0.0, 1.0, 1.0]])
    report = explain(GIoULoss(), boxes, boxes.flip(0))
    assert sum(report.samples) == pytest.approx(1)
    assert not report.classes
    assert explain(TotalVariationLoss(), normal(2, 3, 8, 8)).positions.shape == (2, 8, 8)


def test_nothing_to_tell(labels):
    """Where nothing counts, the report says so and has no NaN."""
    input, _ = labels
    report = explain(CrossEntropyLoss(ignore_index=-100), input, torch.full((4, 5), -100))
    assert report.sentences()[0] == "nothing counts: every element is excluded"
    assert json.loads(report.to_json())["norm"] == 0


def test_json_and_text_and_figure(labels, tmp_path):
    """A report can be read by programs and by people, and drawn."""
    report = explain(two_terms(), *labels)
    read = json.loads(report.to_json())
    assert read["terms"]["region"]["pull"] == report.terms["region"].pull
    assert "region" in str(report)
    pytest.importorskip("matplotlib", reason="a figure needs matplotlib")
    report.figure(tmp_path / "report.png")
    assert (tmp_path / "report.png").stat().st_size


def test_watching_changes_nothing(labels):
    """A loss that is watched has bitwise the value and the gradient that it has alone, and logs on time."""
    input, target = labels
    seen = []
    loss = two_terms()
    handle = Watch(loss, every=3).hook(lambda scalars, step: seen.append((step, scalars)))
    for _ in range(5):
        assert torch.equal(slope(loss, input, target), slope(two_terms(), input, target))
    loss.eval()(input, target)
    handle.remove()
    loss.train()(input.requires_grad_(), target)
    assert [step for step, _ in seen] == [0, 3]
    assert seen[0][1]["region/pull"] == pytest.approx(explain(loss, input, target).terms["region"].pull)
    with pytest.raises(OptionValueError):
        Watch(loss, every=0)
