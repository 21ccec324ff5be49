"""Checks that read values: what they catch, and when they stay out of the way."""

from concurrent.futures import ThreadPoolExecutor

import pytest
import torch
from torch import nn
from torch.testing import assert_close

from lossary_losses import (
    BCELoss,
    CrossEntropyLoss,
    DiceCELoss,
    DiceLoss,
    FocalLoss,
    GaussianNLLLoss,
    LovaszSoftmaxLoss,
    Masked,
    MSELoss,
    signed_distance_map,
    value_checks,
)


@pytest.mark.parametrize("loss", [CrossEntropyLoss(), FocalLoss(), DiceLoss()], ids=repr)
@pytest.mark.parametrize("label", [-1, 4, 255])
def test_labels_outside_the_classes(loss, label):
    """A label outside the classes raises ValueError naming it, and points to ignore_index."""
    labels = torch.tensor([[0, label, 3]])
    with pytest.raises(
        ValueError, match=rf"label {label}, outside the classes 0 to 3 .* pass it as ignore_index"
    ):
        loss(torch.zeros(1, 4, 3), labels)


def test_another_label_than_the_ignored_one():
    """With ignore_index given, only that value may lie outside."""
    with pytest.raises(ValueError, match=r"label 254, .* only ignore_index \(255\) may lie outside"):
        CrossEntropyLoss(ignore_index=255)(torch.zeros(1, 4, 2), torch.tensor([[255, 254]]))


def test_a_label_under_the_mask_may_be_anything():
    """A masked position is not looked at."""
    mask = torch.tensor([[True, False]])
    assert CrossEntropyLoss()(torch.zeros(1, 4, 2), torch.tensor([[0, 99]]), mask=mask).isfinite()


@pytest.mark.parametrize("loss", [BCELoss(), FocalLoss(), DiceLoss()], ids=repr)
@pytest.mark.parametrize("value", [-0.5, 1.5, 255.0, float("nan")])
def test_targets_outside_zero_to_one(loss, value):
    """A target that is no probability raises ValueError."""
    with pytest.raises(ValueError, match="target must hold probabilities, 0 to 1"):
        loss(torch.zeros(1, 1, 2), torch.tensor([[[0.0, value]]]))


def test_an_image_of_255_says_what_to_do():
    """The commonest mistake, a mask of 0 and 255, is told how to become one of 0 and 1."""
    with pytest.raises(ValueError, match="divide a mask of 0 and 255 by 255"):
        BCELoss()(torch.zeros(1, 1, 2), torch.tensor([[[0, 255]]], dtype=torch.uint8))


def test_regression_targets_are_free():
    """A regression target may have any value."""
    assert MSELoss()(torch.zeros(2), torch.tensor([-5.0, 255.0])).isfinite()


def test_the_switch():
    """Within value_checks(enabled=False) nothing is read; afterwards everything is, whatever happened."""
    wrong = torch.zeros(1, 1, 2), torch.tensor([[[0.0, 2.0]]])
    with pytest.raises(ZeroDivisionError), value_checks(enabled=False):
        BCELoss()(*wrong) / (1 // 0)
    with pytest.raises(ValueError, match="probabilities"):
        BCELoss()(*wrong)


@pytest.mark.parametrize("build", [CrossEntropyLoss, DiceLoss, lambda **ignore: Masked(DiceLoss(), **ignore)])
@pytest.mark.parametrize(
    ("dtype", "label", "ignore_index"),
    [(torch.uint8, 156, -100), (torch.int8, -1, 255), (torch.int32, -1, 2**40 - 1), (torch.int64, 9, 2**70)],
    ids=str,
)
def test_what_the_target_cannot_hold_is_nowhere_in_it(build, dtype, label, ignore_index):
    """An ignore_index outside of the target's dtype does not wrap around to a label that it can hold."""
    with pytest.raises(ValueError, match=f"label {label}, outside the classes"):
        build(ignore_index=ignore_index)(torch.zeros(1, 4, 2), torch.tensor([[label, 0]], dtype=dtype))


def test_a_distance_map_ignores_no_other_label():
    """A label that -100 would wrap around to is refused, like any other outside the classes."""
    with pytest.raises(ValueError, match="label 156"):
        signed_distance_map(torch.tensor([[156, 0]], dtype=torch.uint8), 2, ignore_index=-100)


def test_rounding_is_no_mistake():
    """What rounding adds to one, as in a mixed or resized target, is let through; a little more is named."""
    one = torch.ones(1, 1, 2)
    assert BCELoss()(one, torch.nextafter(one, 2 * one)).isfinite()
    with pytest.raises(ValueError, match=r"it holds 1 to 1\.00001"):
        BCELoss()(one, torch.tensor([[[1.0, 1.00001]]]))


class Marked(torch.Tensor):
    """A tensor that carries metadata along, as libraries derive them."""


def marked(tensor):
    """Give the same values as another class."""
    return tensor.as_subclass(Marked)


@pytest.mark.parametrize(
    ("loss", "arguments", "message"),
    [
        (DiceCELoss(), {"target": torch.full((1, 3), 9)}, "label 9"),
        (LovaszSoftmaxLoss(), {"target": torch.full((1, 3), 9)}, "label 9"),
        (BCELoss(), {"target": torch.full((1, 4, 3), 255)}, "probabilities"),
        (DiceLoss(activation="none"), {"target": torch.zeros(1, 3, dtype=torch.long)}, "probabilities"),
        (MSELoss(), {"target": torch.zeros(1, 4, 3), "weight": -torch.ones(1, 3)}, "weight must not be neg"),
        (
            GaussianNLLLoss(),
            {"target": torch.zeros(1, 4, 3), "var": -torch.ones(1, 3)},
            "var must not be neg",
        ),
    ],
    ids=lambda each: type(each).__name__,
)
def test_subclasses_are_looked_at(loss, arguments, message):
    """The values of a subclass of Tensor are checked as those of any other tensor."""
    with pytest.raises(ValueError, match=message):
        loss(marked(torch.full((1, 4, 3), 2.0)), **{name: marked(each) for name, each in arguments.items()})


def test_a_mask_of_a_subclass_may_exclude_everything():
    """Where a mask of a subclass leaves nothing, the loss of nothing is zero."""
    nothing = marked(torch.zeros(1, 3, dtype=torch.bool))
    loss = Masked(nn.CrossEntropyLoss())
    assert loss(torch.zeros(1, 4, 3), torch.zeros(1, 3, dtype=torch.long), mask=nothing) == 0


@pytest.mark.filterwarnings("ignore::torch.jit.TracerWarning")
@pytest.mark.filterwarnings("ignore:.*torch.jit:DeprecationWarning")
@pytest.mark.filterwarnings("ignore:.*torch.jit:FutureWarning")
@pytest.mark.parametrize("positions", [10, 2**18], ids="{} positions".format)
def test_tracing_reads_no_values(positions):
    """What torch.jit.trace records of an input of any size is the loss of others of that size as well."""
    generator = torch.Generator().manual_seed(0)
    input = torch.randn(2, 4, positions, generator=generator)
    first, second = torch.randint(0, 4, (2, 2, positions), generator=generator)
    traced = torch.jit.trace(CrossEntropyLoss(), (input, first))
    assert_close(traced(input, second), nn.functional.cross_entropy(input, second))


def test_the_switch_reaches_threads():
    """A thread that is started within a block goes by it, as those of DataParallel, unless it has its own."""
    wrong = torch.zeros(1, 1, 2), torch.tensor([[[0.0, 2.0]]])

    def own():
        with value_checks(enabled=True):
            return BCELoss()(*wrong)

    with ThreadPoolExecutor(1) as pool:
        with value_checks(enabled=False):
            assert pool.submit(BCELoss(), *wrong).result().isfinite()
            with pytest.raises(ValueError, match="probabilities"):
                pool.submit(own).result()
        with pytest.raises(ValueError, match="probabilities"):
            pool.submit(BCELoss(), *wrong).result()


def test_blocks_may_end_in_any_order():
    """Blocks of two threads that overlap leave the checks on in the end."""
    first, second = value_checks(enabled=False), value_checks(enabled=False)
    with ThreadPoolExecutor(1) as one, ThreadPoolExecutor(1) as other:
        one.submit(first.__enter__).result()
        other.submit(second.__enter__).result()
        one.submit(first.__exit__, None, None, None).result()
        assert BCELoss()(torch.zeros(1, 1, 2), torch.full((1, 1, 2), 2.0)).isfinite()
        other.submit(second.__exit__, None, None, None).result()
    with pytest.raises(ValueError, match="probabilities"):
        BCELoss()(torch.zeros(1, 1, 2), torch.full((1, 1, 2), 2.0))


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16], ids=str)
def test_rounding_of_halves(dtype):
    """The number next to one in half precision is what rounding made of one; a tenth more is not."""
    one = torch.ones(1, 1, 2)
    assert BCELoss()(one, (one + torch.finfo(dtype).eps).to(dtype)).isfinite()
    with pytest.raises(ValueError, match=r"it holds 1\.\d+ to 1\.\d+"):
        BCELoss()(one, (one + 0.1).to(dtype))


@pytest.mark.parametrize("name", ["target", "mask", "weight"])
def test_another_device_is_named(name):
    """What is on another device than the input, meta say, is refused instead of read."""
    given = {
        "target": torch.zeros(1, 3, dtype=torch.long),
        "mask": torch.ones(1, 3, dtype=torch.bool),
        "weight": torch.ones(1, 3),
    }
    given[name] = given[name].to("meta")
    with pytest.raises(ValueError, match=f"input is on cpu and {name} on meta"):
        CrossEntropyLoss()(torch.zeros(1, 4, 3), **given)
