"""The z loss against torch's log-partition, and as a part of other losses."""

import pytest
import torch
from torch.testing import assert_close

from lossary_losses import InputTypeError, InputValueError, LinearCrossEntropyLoss, ZLoss


def drawn(shape):
    """Draw float64 numbers, as a leaf."""
    generator = torch.Generator().manual_seed(0)
    return torch.randn(shape, generator=generator, dtype=torch.float64).requires_grad_()


@pytest.mark.parametrize("shape", [(5, 3), (2, 7, 4, 3), (3, 700, 300)], ids=str)
def test_it_is_the_squared_log_partition(shape):
    """Value, mean and gradient are those of the squared log-sum-exp, in parts as well."""
    logits = drawn(shape)
    expected = logits.logsumexp(1).square()
    assert_close(ZLoss(reduction="none")(logits), expected)
    ours = ZLoss()(logits)
    assert_close(ours, expected.mean())
    assert_close(*(torch.autograd.grad(each, logits) for each in (ours, expected.mean())))


def test_it_is_what_linear_cross_entropy_adds():
    """A z term of linear cross entropy is this loss of its logits, times the coefficient."""
    hidden, weight = drawn((6, 3)), drawn((5, 3))
    labels = torch.tensor([0, 1, 2, 3, 4, 0])
    with_z, without = (
        LinearCrossEntropyLoss(z_loss=each)(hidden, labels, linear_weight=weight) for each in (0.5, 0.0)
    )
    assert_close(with_z - without, 0.5 * ZLoss()(hidden @ weight.T))


def test_large_and_impossible_logits():
    """Logits of 1e4 have the right gradient, and one of minus infinity has none."""
    logits = torch.tensor([[1e4, 0.0, -torch.inf]], requires_grad=True)
    value = ZLoss()(logits)
    assert_close(value.item(), 1e8)
    assert_close(torch.autograd.grad(value, logits)[0], torch.tensor([[2e4, 0.0, 0.0]]))


def test_what_is_no_softmax_is_refused():
    """One class, a mask of another shape, and integers raise."""
    with pytest.raises(InputValueError, match="two classes or more"):
        ZLoss()(torch.zeros(3, 1))
    with pytest.raises(InputValueError, match=r"mask \(3, 4\)"):
        ZLoss()(torch.zeros(3, 4), mask=torch.ones(3, 4, dtype=torch.bool))
    with pytest.raises(InputTypeError, match="floating-point"):
        ZLoss()(torch.zeros(3, 4, dtype=torch.long))
