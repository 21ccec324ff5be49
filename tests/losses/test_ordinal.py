"""Losses of classes in an order, CORAL and the squared earth mover's distance, against their formulas."""

import numpy as np
import pytest
import torch
from torch.nn import functional
from torch.testing import assert_close

from lossary_losses import CoralLoss, InputTypeError, InputValueError, SquaredEMDLoss, loss_registry


def draw(rows=7, channels=4, classes=5):
    """Draw logits, as a leaf, and labels, among which all classes are."""
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(rows, channels, generator=generator, dtype=torch.float64).requires_grad_()
    return logits, torch.arange(rows) % classes


def levels(labels, channels=4):
    """Tell which thresholds each class is beyond."""
    return (labels.unsqueeze(1) > torch.arange(channels)).double()


@pytest.mark.parametrize("importance", [None, [1.0, 0.0, 2.5, 0.5]], ids=str)
def test_coral_is_the_formula(importance):
    """Value and gradient are those of torch's binary cross entropies, added up over thresholds."""
    logits, labels = draw()
    weight = None if importance is None else torch.tensor(importance, dtype=torch.float64)
    each = functional.binary_cross_entropy_with_logits(logits, levels(labels), weight, reduction="none")
    value = CoralLoss(importance=importance)(logits, labels)
    assert_close(value, each.sum(1).mean())
    assert_close(torch.autograd.grad(value, logits), torch.autograd.grad(each.sum(1).mean(), logits))


def test_corals_slope_is_that_of_the_formula():
    """The gradient of large inputs, written down by hand, is that of autograd through the formula."""
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(2, 4, 40_000, generator=generator, dtype=torch.float64).requires_grad_()
    labels = torch.randint(0, 5, (2, 40_000), generator=generator)
    labels[0, :9] = 255
    options = {"importance": [1.0, 0.0, 2.5, 0.5], "ignore_index": 255}
    (streamed,) = torch.autograd.grad(CoralLoss(reduction="sum", **options)(logits, labels), logits)
    (plain,) = torch.autograd.grad(CoralLoss(reduction="none", **options)(logits, labels).sum(), logits)
    assert_close(streamed, plain)


def test_coral_of_two_classes_is_binary():
    """Two classes have one threshold, and binary cross entropy."""
    logits, labels = draw(5, 1, 2)
    expected = functional.binary_cross_entropy_with_logits(logits.squeeze(1), labels.double())
    assert_close(CoralLoss()(logits, labels), expected)


@pytest.mark.parametrize("wrong", [5, -1, 9])
def test_labels_beyond_the_last_class_are_named(wrong):
    """CORAL has one class more than channels; a label beyond raises, with the labels that there can be."""
    logits, labels = draw()
    labels[3] = wrong
    with pytest.raises(InputValueError, match=rf"target holds the label {wrong}, outside the classes 0 to 4"):
        CoralLoss()(logits, labels)
    with pytest.raises(InputValueError, match=rf"target holds the label {wrong}, outside the classes 0 to 4"):
        SquaredEMDLoss()(torch.cat([logits, logits[:, :1]], dim=1), labels)
    with pytest.raises(InputTypeError, match="class indices as integers"):
        CoralLoss()(logits, labels.float())


def moved(probability, label, power):
    """Write the difference of cumulative probabilities of one row down."""
    reached = (np.arange(len(probability)) >= label).astype(float)
    return (np.abs(probability.cumsum() - reached) ** power).sum()


@pytest.mark.parametrize("power", [1.0, 1.5, 2.0, 3.0])
def test_squared_emd_is_the_formula(power):
    """Each row costs what the formula says, given a class or all of its probability in that class."""
    logits, labels = draw(channels=5)
    loss = SquaredEMDLoss(power=power, reduction="none")
    probability = logits.detach().softmax(1).numpy()
    expected = [moved(*each, power) for each in zip(probability, labels.numpy(), strict=True)]
    value = loss(logits, labels)
    assert_close(value.detach(), torch.tensor(np.array(expected)))
    assert_close(loss(logits, functional.one_hot(labels, 5)), value)


def test_squared_emd_of_distributions():
    """Two distributions cost the squared difference of their cumulative sums, and nothing where equal."""
    logits, _ = draw(channels=5)
    target = torch.randn(7, 5, generator=torch.Generator().manual_seed(1), dtype=torch.float64).softmax(1)
    expected = (logits.softmax(1).cumsum(1) - target.cumsum(1)).square().sum(1).mean()
    assert_close(SquaredEMDLoss()(logits, target), expected)
    assert SquaredEMDLoss()(target.log(), target) < 1e-30


def test_farther_is_worse():
    """A certain guess costs the number of classes that it is off."""
    logits = 1e4 * torch.eye(5).repeat_interleave(5, dim=0)
    value = SquaredEMDLoss(reduction="none")(logits, torch.arange(25) % 5)
    assert_close(value, (torch.arange(25) // 5 - torch.arange(25) % 5).abs().float())


def test_the_name_of_forecasters():
    """The ranked probability score is the same number, and a name of it."""
    assert loss_registry.get("ranked_probability_score_loss") is SquaredEMDLoss
