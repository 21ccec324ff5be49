"""What becomes of a loss that is copied, saved, moved or built without memory."""

import copy
import io
import pickle

import numpy as np
import pytest
import torch
from torch import distributed, nn
from torch.testing import assert_close

from lossary_losses import (
    AsymmetricLoss,
    BCEDiceLoss,
    ClassBalancedLoss,
    CrossEntropyLoss,
    DiceCELoss,
    DiceLoss,
    FocalLoss,
    OptionTypeError,
    OptionValueError,
    WeightedSum,
)

WEIGHT = [0.1, 0.2, 0.3, 0.4]


@pytest.fixture
def group():
    """A group of this process alone."""
    return distributed.ProcessGroup(distributed.HashStore(), 0, 1)


@pytest.fixture
def data():
    """Logits and labels of four classes."""
    generator = torch.Generator().manual_seed(0)
    return torch.randn(2, 4, 6, generator=generator), torch.randint(0, 4, (2, 6), generator=generator)


class Float64Missing(torch.overrides.TorchFunctionMode):
    """Refuses to move float64, as Metal does."""

    def __torch_function__(self, func, types, args=(), kwargs=None):
        if func is torch.Tensor.to and args[0].dtype == torch.float64 and torch.float32 not in args:
            raise TypeError("Cannot convert a MPS Tensor to float64 dtype")
        return func(*args, **(kwargs or {}))


@pytest.mark.parametrize(
    "build", [DiceLoss, DiceCELoss, lambda **group: WeightedSum({"a": DiceLoss(**group), "b": BCEDiceLoss()})]
)
@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy])
def test_copies_share_the_group(build, copied, group):
    """A copy of a loss, alone or within others, belongs to the same processes."""
    twin = copied(build(process_group=group))
    groups = [each.process_group for each in twin.modules() if isinstance(each, (DiceLoss, DiceCELoss))]
    assert groups
    assert groups[0] is group


def test_a_saved_loss_has_no_group(group, data):
    """What is pickled or saved comes back without its group, and says so when it is saved."""
    loss = CrossEntropyLoss(weight=WEIGHT, process_group=group)
    with pytest.warns(UserWarning, match="CrossEntropyLoss is saved without its process_group"):
        twin = pickle.loads(pickle.dumps(loss))
    saved = io.BytesIO()
    with pytest.warns(UserWarning, match="saved without its process_group"):
        torch.save(nn.ModuleDict({"loss": loss}), saved)
    saved.seek(0)
    for each in (twin, torch.load(saved, weights_only=False)["loss"]):
        assert each.process_group is None
        assert_close(each(*data), nn.functional.cross_entropy(*data, weight=torch.tensor(WEIGHT)))
    assert loss.process_group is group


@pytest.mark.parametrize("given", [WEIGHT, torch.tensor(WEIGHT, device="cpu")], ids=["list", "tensor"])
@pytest.mark.parametrize("detour", [False, True], ids=["built on meta", "moved to meta"])
def test_numbers_come_back_from_the_meta_device(given, detour, data):
    """A loss that is built without memory, or moved there, has its numbers where it gets memory."""
    if detour:
        loss = DiceCELoss(weight=given).to("meta")
    else:
        with torch.device("meta"):
            loss = DiceCELoss(weight=given)
    for name, buffer in loss.named_buffers():
        assert buffer.is_meta, name
    loss = loss.to_empty(device="cpu")
    loss.load_state_dict({}, strict=True)
    assert_close(loss(*data), DiceCELoss(weight=WEIGHT)(*data))


def test_unknown_numbers_are_nan(data):
    """Numbers that were given without values are NaN where the loss gets memory, whatever stands there."""
    loss = CrossEntropyLoss(weight=torch.ones(4, device="meta")).to_empty(device="cpu")
    assert loss(*data).isnan()


def test_weights_of_terms_come_back(data):
    """So have the weights of a sum, until others are loaded."""
    terms = {"a": CrossEntropyLoss(), "b": DiceLoss()}
    with torch.device("meta"):
        loss = WeightedSum(terms, weights={"b": 0.1})
    assert loss.to_empty(device="cpu").weights == {"a": 1.0, "b": 0.1}


def test_a_device_without_float64(data):
    """Where a device has no float64, numbers go there in float32."""
    loss = WeightedSum({"a": CrossEntropyLoss(weight=WEIGHT)}, weights={"a": 0.5})
    with Float64Missing():
        loss.to("cpu")
    assert {buffer.dtype for buffer in loss.buffers()} == {torch.float32}
    assert_close(loss(*data), 0.5 * nn.functional.cross_entropy(*data, weight=torch.tensor(WEIGHT)))


def test_arrays_are_copied():
    """Changing an array of the caller's afterwards does not change the loss."""
    weight = np.ones(3)
    loss = CrossEntropyLoss(weight=weight)
    weight[:] = 0
    assert loss.weight.tolist() == [1.0, 1.0, 1.0]


@pytest.mark.parametrize("kind", [np.float32, np.float64, np.int64, np.uint8], ids=repr)
def test_numbers_of_numpy_are_numbers(kind):
    """A number of NumPy is taken for what it is, and held as one of Python."""
    loss = FocalLoss(gamma=kind(2), ignore_index=np.int32(3))
    assert (loss.gamma, loss.ignore_index) == (2, 3)
    assert type(loss.gamma) in (int, float)
    assert type(loss.ignore_index) is int
    assert WeightedSum({"a": FocalLoss()}, weights={"a": kind(2)}).weights == {"a": 2.0}


@pytest.mark.parametrize("wrong", [np.bool_(1), np.ones(1), 1j], ids=repr)
def test_what_is_no_number(wrong):
    """What only looks like a number is refused."""
    with pytest.raises(OptionTypeError, match="gamma must be a finite number"):
        FocalLoss(gamma=wrong)


@pytest.mark.parametrize(
    "build",
    [
        lambda number: FocalLoss(gamma=number),
        lambda number: AsymmetricLoss(margin=number),
        lambda number: WeightedSum({"a": FocalLoss()}, weights={"a": number}),
    ],
)
def test_numbers_that_no_float_holds(build):
    """An integer that is larger than any float is not finite."""
    with pytest.raises(OptionValueError, match="finite number"):
        build(10**400)


@pytest.mark.parametrize(
    "weight",
    [[1j, 1, 1, 1], torch.tensor([1, 1, 1, 1j]), np.array([1, 1, 1, 1j])],
    ids=["list", "tensor", "array"],
)
@pytest.mark.parametrize(
    "build", [lambda w: CrossEntropyLoss(weight=w), lambda w: ClassBalancedLoss(class_counts=w)]
)
def test_complex_numbers_are_refused(build, weight):
    """Complex numbers are no weights: half of them would be lost."""
    with pytest.raises(OptionTypeError, match="finite numbers"):
        build(weight)
