"""Constructor options check themselves, and say what would be right."""

import pytest
import torch

from lossary_losses import (
    BCELoss,
    CrossEntropyLoss,
    DiceLoss,
    FocalLoss,
    LossError,
    MSELoss,
    OptionTypeError,
    OptionValueError,
    WeightedMSELoss,
)

NUMBERS = "weight must be a sequence of finite numbers >= 0, one per class, or None, got "


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: FocalLoss(gamma=-1.0), "gamma must be a finite number >= 0, got -1.0"),
        (lambda: FocalLoss(gamma=float("nan")), "gamma must be a finite number >= 0, got nan"),
        (lambda: FocalLoss(gamma=float("inf")), "gamma must be a finite number >= 0, got inf"),
        (lambda: FocalLoss(alpha=1.5), "alpha must be a finite number >= 0 and <= 1 or None, got 1.5"),
        (lambda: DiceLoss(smooth=-1e-9), "smooth must be a finite number >= 0, got -1e-09"),
        (lambda: DiceLoss(empty="nan"), "empty must be one of 'score', 'zero', 'skip', got 'nan' (str)"),
        (lambda: MSELoss(reduction="avg"), "reduction must be one of 'none', 'mean', 'sum', got 'avg' (str)"),
        (lambda: DiceLoss(weight=[1.0, -1.0]), NUMBERS + "[1.0, -1.0]"),
        (lambda: DiceLoss(weight=[float("nan")]), NUMBERS + "[nan]"),
        (lambda: DiceLoss(weight=[]), NUMBERS + "a tensor of shape (0,)"),
        (lambda: DiceLoss(weight=[[1.0]]), NUMBERS + "a tensor of shape (1, 1)"),
        (lambda: DiceLoss(weight=1.0), NUMBERS + "a tensor of shape ()"),
    ],
)
def test_values_out_of_bounds(build, message):
    """A value out of its bounds raises ValueError naming the option, the bounds and the value."""
    with pytest.raises(OptionValueError) as raised:
        build()
    assert str(raised.value) == message
    assert isinstance(raised.value, ValueError)
    assert isinstance(raised.value, LossError)


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: FocalLoss(gamma="2"), "gamma must be a finite number >= 0, got '2' (str)"),
        (lambda: FocalLoss(gamma=True), "gamma must be a finite number >= 0, got True (bool)"),
        (lambda: FocalLoss(gamma=None), "gamma must be a finite number >= 0, got None (NoneType)"),
        (lambda: DiceLoss(batch=1), "batch must be True or False, got 1 (int)"),
        (lambda: DiceLoss(ignore_index=1.5), "ignore_index must be an integer or None, got 1.5 (float)"),
        (
            lambda: DiceLoss(activation=3),
            "activation must be one of 'sigmoid', 'softmax', 'none', None, got 3 (int)",
        ),
        (lambda: BCELoss(weight="heavy"), NUMBERS + "'heavy' (str)"),
        (lambda: BCELoss(weight=["a"]), NUMBERS + "['a'] (list)"),
        (lambda: BCELoss(weight={1: 2}), NUMBERS + "{1: 2} (dict)"),
        (
            lambda: WeightedMSELoss(weight=None),
            NUMBERS.replace("be a", "be a finite number >= 0 or a").replace(", or None, got", ", got")
            + "None (NoneType)",
        ),
    ],
)
def test_values_of_wrong_type(build, message):
    """A value of the wrong type raises TypeError naming the option, the type and the value."""
    with pytest.raises(OptionTypeError) as raised:
        build()
    assert str(raised.value) == message
    assert isinstance(raised.value, TypeError)


def test_options_are_keyword_only():
    """Options cannot be confused by their order."""
    with pytest.raises(TypeError, match="positional"):
        FocalLoss(2.0)


def test_class_weights_are_copied():
    """Changing the caller's tensor afterwards does not change the loss."""
    weight = torch.ones(3)
    loss = DiceLoss(weight=weight)
    weight.zero_()
    assert loss.weight.tolist() == [1.0, 1.0, 1.0]


def test_class_weights_follow_the_module():
    """Class weights are buffers outside the state: they move with the module and are not saved."""
    loss = CrossEntropyLoss(weight=[1, 2])
    assert loss.weight.dtype == torch.float32
    assert loss.double().weight.dtype == torch.float64
    assert loss.to("meta").weight.device.type == "meta"
    assert loss.state_dict() == {}


def test_class_weights_meet_the_dtype_of_the_input():
    """Weights in float64 with half-precision logits are no error."""
    loss = CrossEntropyLoss(weight=torch.tensor([1.0, 2.0], dtype=torch.float64))
    result = loss(torch.zeros(3, 2, dtype=torch.bfloat16), torch.tensor([0, 1, 1]))
    assert result.dtype == torch.float32


def test_weights_on_the_meta_device():
    """A loss with class weights can be built where no values exist."""
    with torch.device("meta"):
        assert DiceLoss(weight=[1.0, 2.0]).weight.is_meta


def test_repr_shows_what_differs_from_the_default():
    """The repr names the options that were changed, and no others."""
    assert repr(DiceLoss()) == "DiceLoss()"
    assert repr(DiceLoss(smooth=0.5, weight=[1, 2])) == "DiceLoss(smooth=0.5, weight=[1.0, 2.0])"
    assert repr(FocalLoss(alpha=0.25, reduction="sum")) == "FocalLoss(alpha=0.25, reduction='sum')"


@pytest.mark.parametrize("wrong", ["avg", None])
def test_a_reduction_that_is_set_afterwards(wrong):
    """A reduction that does not exist is no mean, even where it was set as an attribute."""
    loss = MSELoss()
    loss.reduction = wrong
    with pytest.raises(OptionValueError, match="reduction must be 'none', 'mean' or 'sum', got"):
        loss(torch.zeros(2), torch.zeros(2))
