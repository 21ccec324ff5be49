"""The default dtype is a matter of the model: a loss computes the same under any."""

from contextlib import contextmanager

import pytest
import torch
from torch import nn
from torch.nn import functional
from torch.testing import assert_close

from lossary_losses import (
    BCELoss,
    CrossEntropyLoss,
    DeepSupervision,
    Heads,
    LogitAdjustedLoss,
    QuantileLoss,
    WeightedMSELoss,
    WeightedSum,
)


@contextmanager
def default_dtype(dtype):
    """Set the default dtype for a while."""
    before = torch.get_default_dtype()
    torch.set_default_dtype(dtype)
    try:
        yield
    finally:
        torch.set_default_dtype(before)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16, torch.float64], ids=str)
def test_it_changes_nothing(case, dtype):
    """Built and called under another default dtype, a loss gives the same in value, gradient and dtype."""
    input, target = case.data(dtype=torch.float32)
    expected = case.loss()(input, target)
    (slope,) = torch.autograd.grad(expected, input)
    with default_dtype(dtype):
        value = case.loss()(input, target)
        assert_close((value, *torch.autograd.grad(value, input)), (expected, slope))


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float32, torch.float64], ids=str)
@pytest.mark.parametrize(("present", "wanted"), [(400, 200), (387, 129), (5, 7), (1000, 3), (2**16, 2)])
def test_targets_are_resized_to_the_nearest(present, wanted, dtype):
    """Every position of a resized target is that of torch's nearest one, whatever the default dtype."""
    target = torch.arange(present).remainder(2).view(1, -1)
    output = torch.randn(1, 2, wanted, generator=torch.Generator().manual_seed(0))
    nearest = functional.interpolate(target.view(1, 1, -1).double(), wanted, mode="nearest-exact").long()
    with default_dtype(dtype):
        value = DeepSupervision(CrossEntropyLoss(), weights=[1.0])([output], target)
    assert_close(value, functional.cross_entropy(output, nearest.view(1, -1)))


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float32], ids=str)
def test_numbers_are_those_that_were_given(dtype):
    """Numbers in a list keep all their digits, for an input that has as many."""
    generator = torch.Generator().manual_seed(0)
    input = torch.randn(2, 4, 9, generator=generator, dtype=torch.float64)
    labels = torch.randint(0, 4, (2, 9), generator=generator)
    values = torch.rand(2, 4, 9, generator=generator, dtype=torch.float64)
    numbers = [0.1, 0.2, 0.3, 0.7]
    exact = torch.tensor(numbers, dtype=torch.float64)
    column = exact.view(1, -1, 1)
    with default_dtype(dtype):
        given = [
            CrossEntropyLoss(weight=numbers)(input, labels),
            BCELoss(pos_weight=numbers)(input, values),
            BCELoss(pos_weight=0.7)(input, values),
            WeightedMSELoss(weight=numbers)(input, values),
            QuantileLoss(quantile=0.1)(input, values),
            LogitAdjustedLoss(class_counts=numbers)(input, labels),
            WeightedSum({"a": nn.MSELoss()}, weights={"a": 0.1})(input, values),
            Heads({"a": nn.MSELoss()}, weights={"a": 0.1})({"a": input}, {"a": values}),
        ]
    difference = values - input
    expected = [
        functional.cross_entropy(input, labels, weight=exact),
        functional.binary_cross_entropy_with_logits(input, values, pos_weight=column),
        functional.binary_cross_entropy_with_logits(input, values, pos_weight=exact[3]),
        (column * difference.square()).mean(),
        torch.maximum(0.1 * difference, -0.9 * difference).mean(),
        functional.cross_entropy(input + (column / exact.sum()).log(), labels),
        0.1 * difference.square().mean(),
        0.1 * difference.square().mean(),
    ]
    assert_close(given, expected, rtol=1e-13, atol=0)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float64], ids=str)
def test_a_sum_without_terms_has_the_dtype_of_the_input(dtype):
    """Where every term is switched off, the zero is no more and no less exact than the input."""
    loss, ones = Heads({"a": nn.MSELoss()}, weights={"a": 0.0}), torch.ones(2)
    with default_dtype(dtype):
        assert loss({"a": ones}, {"a": ones}).dtype == torch.float32
