"""SupCon against the formula in NumPy, in parts, with a memory, and where other implementations fail."""

import numpy as np
import pytest
import torch
from torch.testing import assert_close

from lossary_losses import InputTypeError, InputValueError, NTXentLoss, SupConLoss
from lossary_losses._core import similarity

LABELS = torch.tensor([0, 1, 0, 2, 1, 0, 3])
BATCH, SIZE = len(LABELS), 5


def normal(*shape, seed=0):
    """Draw float64 numbers, as a leaf."""
    drawn = torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    return drawn.requires_grad_()


def formula(input, labels, memory, memory_labels, temperature):
    """Give what each anchor costs, NaN where it has no positive, one after the other."""
    everything, names = np.concatenate([input, memory]), np.concatenate([labels, memory_labels])
    everything = everything / np.linalg.norm(everything, axis=1, keepdims=True)
    costs = []
    for i in range(len(input)):
        others = np.arange(len(everything)) != i
        scores = everything @ everything[i] / temperature
        positives = scores[others & (names == names[i])]
        total = np.log(np.exp(scores[others]).sum())
        costs.append(total - positives.mean() if len(positives) else np.nan)
    return np.array(costs)


@pytest.mark.parametrize("size", [0, 4])
def test_it_is_the_formula(size):
    """Each anchor costs what the paper says, with a memory and without; who has no positive costs nothing."""
    input, memory, names = normal(BATCH, SIZE), normal(size, SIZE, seed=1), torch.tensor([3, 0, 9, 3])[:size]
    given = {"memory": memory, "memory_labels": names} if size else {}
    value = SupConLoss(temperature=0.3, reduction="none")(input, LABELS, **given)
    arrays = (each.detach().numpy() for each in (input, LABELS, memory, names))
    expected = formula(*arrays, temperature=0.3)
    assert_close(value.detach(), torch.from_numpy(np.nan_to_num(expected)))
    mean = SupConLoss(temperature=0.3)(input, LABELS, **given)
    assert_close(mean.item(), float(np.nanmean(expected)))


def test_two_views_of_each_sample_are_nt_xent():
    """Where each label stands there twice, it is NT-Xent of the same temperature."""
    first, second = normal(5, SIZE), normal(5, SIZE, seed=1)
    value = SupConLoss(temperature=0.5)(torch.cat([first, second]), torch.arange(5).repeat(2))
    assert_close(value, NTXentLoss()(first, second))


@pytest.mark.parametrize("part", [1, 7, BATCH * (BATCH - 1), BATCH * (BATCH + 1)])
def test_parts_make_no_difference(part, monkeypatch):
    """However many rows are computed at once, value and all gradients are those of the whole."""
    temperature = torch.tensor(0.3, dtype=torch.float64, requires_grad=True)
    leaves = (normal(BATCH, SIZE), normal(4, SIZE, seed=1), temperature)

    def value():
        input, memory, temperature = leaves
        names = torch.tensor([3, 0, 9, 3])
        return SupConLoss()(input, LABELS, memory=memory, memory_labels=names, temperature=temperature)

    expected = torch.autograd.grad(value(), leaves)
    monkeypatch.setattr(similarity, "_PART", {"cpu": part})
    assert_close(torch.autograd.grad(value(), leaves), expected)


@pytest.mark.parametrize("dtype", [torch.uint8, torch.int32, torch.int64, torch.bool], ids=str)
def test_labels_are_any_integers(dtype):
    """Labels of any dtype, negative or of a thousand millions, only say who belongs together."""
    input, few = normal(BATCH, SIZE), LABELS % 2
    assert_close(SupConLoss()(input, few.to(dtype)), SupConLoss()(input, few))
    other = torch.tensor([-5, 10**9, -1, 10**9 + 1])[LABELS]
    assert_close(SupConLoss()(input, other), SupConLoss()(input, LABELS))
    with pytest.raises(InputTypeError, match="target must hold integers"):
        SupConLoss()(input, LABELS.float())


def test_nothing_to_find():
    """All labels distinct, one row, or none: zero, without a gradient, where elsewhere it is NaN."""
    for rows in (BATCH, 1, 0):
        input = normal(rows, SIZE)
        value = SupConLoss()(input, torch.arange(rows))
        assert value == 0
        assert (torch.autograd.grad(value, input)[0] == 0).all()
        assert SupConLoss().fraction(input, torch.arange(rows)).denominator == 0


def test_all_labels_equal():
    """Without any negative, positives are told from one another, of which none can win."""
    value = SupConLoss()(torch.ones(4, 3, dtype=torch.float64), torch.zeros(4, dtype=torch.long))
    assert_close(value.item(), float(np.log(3)))


def test_small_temperatures():
    """In float32, duplicates of different labels cost what they do in float64, with a finite gradient.

    A tiny number inside of the logarithm, or a maximum that includes the anchor itself, ends at -20 or 87.
    """
    input = torch.eye(4)[[0, 1, 2, 2]].requires_grad_()
    labels = torch.tensor([0, 0, 1, 2])
    value = SupConLoss(temperature=0.01)(input, labels)
    assert_close(value.double(), SupConLoss(temperature=0.01)(input.detach().double(), labels))
    labels = torch.tensor([0, 1, 0, 1])
    value = SupConLoss(temperature=0.005)(input, labels)
    exact = SupConLoss(temperature=0.005)(input.detach().double(), labels)
    assert_close(value.double(), exact, rtol=1e-5, atol=0)
    (gradient,) = torch.autograd.grad(value, input)
    assert gradient.isfinite().all()
    assert (gradient != 0).any()


def test_rows_of_zeros_and_long_halves():
    """Rows of zeros have cosines of zero and a finite gradient; halves may be 300 long."""
    input = torch.cat([torch.zeros(2, 3), torch.eye(3)]).requires_grad_()
    value = SupConLoss()(input, torch.tensor([0, 1, 0, 1, 1]))
    assert torch.autograd.grad(value, input)[0].isfinite().all()
    short = normal(BATCH, SIZE).detach().half()
    assert_close(SupConLoss()(short * 300, LABELS), SupConLoss()(short, LABELS), rtol=1e-3, atol=1e-3)


def test_a_memory_has_labels_and_the_same_size():
    """A memory without labels, or of another size, raises ValueError."""
    input, memory = normal(BATCH, SIZE), normal(4, SIZE)
    with pytest.raises(InputValueError, match="a memory goes with memory_labels"):
        SupConLoss()(input, LABELS, memory=memory)
    with pytest.raises(InputValueError, match=rf"memory \(4, 3\); accepted for the memory: \(K, {SIZE}\)"):
        SupConLoss()(input, LABELS, memory=memory[:, :3], memory_labels=torch.arange(4))
    with pytest.raises(InputValueError, match=r"memory_labels \(3,\)"):
        SupConLoss()(input, LABELS, memory=memory, memory_labels=torch.arange(3))
