"""Proxy anchor against the formula in NumPy, and where other implementations fail."""

import numpy as np
import pytest
import torch
from torch.testing import assert_close

from lossary_losses import InputValueError, ProxyAnchorLoss
from lossary_losses.testing.rules.distribution import _on_two_ranks

CLASSES = 5


def draw(rows=7, seed=0):
    """Draw cosines, and labels of which one class has none."""
    generator = torch.Generator().manual_seed(seed)
    cosines = torch.rand(rows, CLASSES, generator=generator, dtype=torch.float64) * 2 - 1
    return cosines.requires_grad_(), torch.randint(0, CLASSES - 1, (rows,), generator=generator)


def formula(cosines, labels, *, alpha=32.0, delta=0.1, times=None):
    """Write the paper's sums down."""
    times = np.ones(len(labels)) if times is None else times
    positive, negative = [], []
    for proxy in range(cosines.shape[1]):
        own = labels == proxy
        if times[own].any():
            inner = (times * np.exp(-alpha * (cosines[:, proxy] - delta)))[own].sum()
            positive.append(np.log1p(inner))
        inner = (times * np.exp(alpha * (cosines[:, proxy] + delta)))[~own].sum()
        negative.append(np.log1p(inner))
    return np.mean(positive) + np.mean(negative)


@pytest.mark.parametrize("options", [{}, {"alpha": 2.0, "delta": 0.3}], ids=str)
def test_it_is_the_formula(options):
    """The mean over classes is the paper's sum of two means."""
    cosines, labels = draw()
    expected = formula(cosines.detach().numpy(), labels.numpy(), **options)
    assert_close(ProxyAnchorLoss(**options)(cosines, labels), torch.tensor(expected))


def test_what_is_masked_is_not_there():
    """A mask, a weight of zero and an ignored label leave a sample out; a weight of two counts it twice."""
    cosines, labels = draw()
    kept = torch.tensor([True, True, False, True, False, True, True])
    expected = ProxyAnchorLoss()(cosines[kept], labels[kept])
    poisoned = torch.where(kept.unsqueeze(1), cosines, torch.nan)
    assert_close(ProxyAnchorLoss()(poisoned, labels, mask=kept), expected)
    assert_close(ProxyAnchorLoss()(cosines, labels, weight=kept.double()), expected)
    assert_close(ProxyAnchorLoss(ignore_index=-1)(cosines, torch.where(kept, labels, -1)), expected)
    times = torch.tensor([1.0, 2, 1, 1, 1, 1, 0.5], dtype=torch.float64)
    expected = formula(cosines.detach().numpy(), labels.numpy(), times=times.numpy())
    assert_close(ProxyAnchorLoss()(cosines, labels, weight=times), torch.tensor(expected))


def test_no_exponential_overflows():
    """A sharp maximum over cosines that are wrong in single precision is finite, and pulls."""
    cosines = torch.tensor([[-1.0, 1.0], [1.0, -1.0]], requires_grad=True)
    value = ProxyAnchorLoss(alpha=500.0)(cosines, torch.tensor([0, 1]))
    value.backward()
    assert_close(value, torch.tensor(1100.0))
    assert (cosines.grad[0] * torch.tensor([-1, 1]) > 0).all()


def test_one_class_and_no_sample():
    """A batch of one class has no negatives of it, and an empty batch is zero."""
    cosines, _ = draw()
    labels = torch.zeros(7, dtype=torch.int64)
    expected = formula(cosines.detach().numpy(), labels.numpy())
    assert_close(ProxyAnchorLoss()(cosines, labels), torch.tensor(expected))
    empty = torch.zeros(0, CLASSES, requires_grad=True)
    value = ProxyAnchorLoss()(empty, labels[:0])
    value.backward()
    assert value == 0


@pytest.mark.parametrize("own", [3, 7], ids="{} rows in the first".format)
def test_two_processes_are_one(own):
    """With unequal parts, one of them empty, value and averaged gradient are those of one process."""
    cosines, labels = draw()

    def on_rank(rank, group):
        part = slice(0, own) if rank == 0 else slice(own, None)
        input = cosines.detach()[part].clone().requires_grad_()
        value = ProxyAnchorLoss(process_group=group)(input, labels[part])
        value.backward()
        return value.detach(), input.grad

    (first, slope), (second, other) = _on_two_ranks(on_rank)
    value = ProxyAnchorLoss()(cosines, labels)
    assert_close((first, second), (value.detach(), value.detach()))
    assert_close(torch.cat([slope, other]) / 2, torch.autograd.grad(value, cosines)[0])


def test_wrong_labels_are_named():
    """A label that is no class is no sample without a class."""
    cosines, labels = draw()
    with pytest.raises(InputValueError, match="9"):
        ProxyAnchorLoss()(cosines, torch.full_like(labels, 9))
