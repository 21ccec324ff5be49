"""ZLPR against the paper's formula, and where exponentials overflow."""

import numpy as np
import pytest
import torch
from torch.nn import functional
from torch.testing import assert_close

from lossary_losses import InputValueError, ZLPRLoss


def draw(rows=6, labels=5):
    """Draw logits, as a leaf, and any number of labels: none, all and some."""
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(rows, labels, generator=generator, dtype=torch.float64).requires_grad_()
    target = torch.randint(0, 2, (rows, labels), generator=generator)
    target[0], target[1] = 0, 1
    return logits, target


def test_it_is_the_formula():
    """Each row costs what the paper says, also without any label, and with all of them."""
    logits, target = draw()
    scores, there = logits.detach().numpy(), target.numpy() == 1
    expected = [
        np.log(1 + np.exp(row[~mine]).sum()) + np.log(1 + np.exp(-row[mine]).sum())
        for row, mine in zip(scores, there, strict=True)
    ]
    assert_close(ZLPRLoss(reduction="none")(logits, target).detach(), torch.tensor(np.array(expected)))


def test_one_label_on_each_side_is_binary():
    """With one label that is there and one that is not it is binary cross entropy, added up."""
    logits, target = draw(6, 2)
    target[:, 0], target[:, 1] = 1, 0
    expected = functional.binary_cross_entropy_with_logits(logits, target.double(), reduction="none").sum(1)
    assert_close(ZLPRLoss(reduction="none")(logits, target), expected)


@pytest.mark.parametrize("size", [100.0, 1e4])
def test_missed_by_far(size):
    """In float32 a label that is missed by far costs that much on each side, with a gradient of one."""
    logits = torch.tensor([[-size, size, 0.0]], requires_grad=True)
    value = ZLPRLoss()(logits, torch.tensor([[1, 0, 0]]))
    assert_close(value.item(), 2 * size)
    assert_close(torch.autograd.grad(value, logits)[0], torch.tensor([[-1.0, 1.0, 0.0]]))


def test_nothing_between():
    """A target between 0 and 1 raises: there is no label that is half there."""
    logits, target = draw()
    with pytest.raises(InputValueError, match="target must hold 0 and 1"):
        ZLPRLoss()(logits, target * 0.5)


def test_positions_are_ignored_as_a_whole():
    """A position whose values all equal the ignored one is left out."""
    logits, target = draw()
    target[2] = -1
    kept = torch.arange(6) != 2
    value = ZLPRLoss(ignore_index=-1)(logits, target)
    assert_close(value, ZLPRLoss()(logits[kept], target[kept]))
    assert (torch.autograd.grad(value, logits)[0][2] == 0).all()
