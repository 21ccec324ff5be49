"""Shares of a step that is split over parts and processes add up to the mean over all of it."""

import pytest
import torch
from exact_steps import WEIGHTS, exact_step, naive_step, no_labels, summed_step, tokens, uneven
from torch import nn
from torch.nn import functional

from lossary_losses import (
    BCELoss,
    CrossEntropyLoss,
    DeepSupervision,
    DiceCELoss,
    DiceLoss,
    FocalLoss,
    Heads,
    Masked,
    MSELoss,
    Product,
    TopKCrossEntropyLoss,
    WeightedSum,
)
from lossary_losses.errors import InputValueError, NotAdditiveError, OptionTypeError, OptionValueError
from lossary_losses.exact import Exact, Total, check_training, for_megatron, for_trainer, with_group

SIZES = (1, 4, 2)


def tensors(seed=0):
    """Give logits and labels, most of which are ignored in one part, and all in another."""
    generator = torch.Generator().manual_seed(seed)
    input = torch.randn(7, 3, 5, generator=generator, dtype=torch.float64, requires_grad=True)
    target = torch.randint(0, 3, (7, 5), generator=generator)
    target[0, 1:] = -100
    target[5:] = -100
    return input, target


@pytest.mark.parametrize(
    "loss",
    [
        tokens(),
        tokens(weight=WEIGHTS, label_smoothing=0.1),
        DiceLoss(ignore_index=-100, empty="skip"),
        DiceCELoss(ignore_index=-100, weight=WEIGHTS),
        WeightedSum(
            {"region": DiceLoss(ignore_index=-100), "pixel": tokens(weight=WEIGHTS)}, weights={"region": 0.3}
        ),
        WeightedSum({"inner": WeightedSum({"a": tokens(), "b": Masked(FocalLoss(), ignore_index=-100)})}),
    ],
    ids=["labels", "weights", "regions", "pair", "sum", "nested"],
)
def test_shares_of_parts_add_up(loss):
    """Value and gradient of the parts of a step, one of them wholly ignored, are those of the whole."""
    input, target = tensors()
    exact = Exact(loss)
    targets, inputs = target.split(SIZES), input.split(SIZES)
    total = exact.total(targets, like=(1, 3, 5))
    shares = [exact(one, truth, total) for one, truth in zip(inputs, targets, strict=True)]
    (slope,) = torch.autograd.grad(sum(shares), input)
    expected = loss(input, target)
    (expected_slope,) = torch.autograd.grad(expected, input)
    torch.testing.assert_close(sum(shares), expected, rtol=1e-12, atol=1e-12)
    torch.testing.assert_close(slope, expected_slope, rtol=1e-12, atol=1e-14)
    report = exact.report(shares)
    torch.testing.assert_close(report.total, expected.detach())


def test_the_total_is_that_of_torch():
    """What a weighted cross entropy counts is what torch divides by: the weights of the labels."""
    input, target = tensors()
    loss = tokens(weight=WEIGHTS)
    total = Exact(loss).total(target.split(SIZES))
    weight = torch.tensor(WEIGHTS, dtype=torch.float64)
    kept = target != -100
    assert total.counts[""].dtype == torch.float64
    torch.testing.assert_close(total.counts[""], weight[target[kept]].sum())
    numerator = functional.cross_entropy(input, target, weight, ignore_index=-100, reduction="sum")
    torch.testing.assert_close(Exact(loss)(input, target, total), numerator / total.counts[""])


def test_heads_and_resolutions_are_counted_by_path():
    """Each loss within a composite has its own count, under the path that leads to it."""
    input, target = tensors()
    loss = Heads({"classes": tokens(), "depth": DeepSupervision(MSELoss())})
    outputs = {"classes": input, "depth": [torch.zeros(7, 1, 4), torch.zeros(7, 1, 2)]}
    truth = {"classes": target, "depth": torch.ones(7, 1, 4)}
    shapes = {"classes": (7, 3, 5), "depth": [(7, 1, 4), (7, 1, 2)]}
    exact = Exact(loss)
    total = exact.total([{"target": truth}], like=shapes)
    assert set(total.counts) == {"classes", "depth/resolution_0", "depth/resolution_1"}
    assert total.counts["depth/resolution_0"] == 28
    torch.testing.assert_close(exact(outputs, truth, total), loss(outputs, truth))
    shares = exact.shares(outputs, truth, total)
    assert set(exact.report([shares]).terms) == set(total.counts)


def test_masks_and_weights_are_counted():
    """A part may be a mapping of what forward takes, an input among it for its shape."""
    input, _ = tensors()
    target, mask = torch.rand(7, 3, 5), torch.rand(7, 5) < 0.5
    weight = torch.rand(7, 5)
    exact = Exact(BCELoss())
    parts = [
        {"input": input[rows], "target": target[rows], "mask": mask[rows], "weight": weight[rows]}
        for rows in (slice(0, 1), slice(1, 7))
    ]
    total = exact.total(parts)
    shares = [
        exact(part["input"], part["target"], total, mask=part["mask"], weight=part["weight"])
        for part in parts
    ]
    expected = BCELoss()(input, target, mask=mask, weight=weight)
    torch.testing.assert_close(sum(shares), expected, rtol=1e-6, atol=1e-8)


def test_what_counts_nothing_has_a_share_of_zero():
    """Where nothing in a whole step counts, shares are zero, with a gradient of zero."""
    input, target = tensors()
    nothing = torch.full_like(target, -100)
    exact = Exact(tokens())
    share = exact(input, nothing, exact.total([nothing]))
    (slope,) = torch.autograd.grad(share, input)
    assert share == 0
    assert (slope == 0).all()


@pytest.mark.parametrize(
    ("loss", "message"),
    [
        (Product({"a": DiceLoss()}), "Product tells no denominator"),
        (WeightedSum({"a": WeightedSum({"b": nn.MSELoss()})}), "a/b: MSELoss tells no denominator"),
        (WeightedSum({"a": DiceLoss(batch=True)}), "a: DiceLoss looks at the batch as a whole"),
        (TopKCrossEntropyLoss(), "TopKCrossEntropyLoss looks at the batch as a whole"),
        (DiceCELoss(reduction="sum"), "region: DiceLoss has reduction='sum'"),
    ],
    ids=["product", "plain", "batch", "top k", "sum"],
)
def test_what_does_not_add_up_is_refused_by_name(loss, message):
    """A loss that cannot be put together from parts is refused when it is given, with the path to it."""
    with pytest.raises(NotAdditiveError, match=message):
        Exact(loss)


def test_a_product_refuses_to_be_counted():
    """A product has neither a fraction nor a count, and says so by its name."""
    loss = Product({"a": DiceLoss()})
    for ask in (loss.fraction, loss.counts):
        with pytest.raises(NotAdditiveError, match="Product tells no denominator"):
            ask(*tensors())


def test_wrong_calls_say_what_is_wrong():
    """What is no list of parts, no part, an unknown shape and an unknown term are named."""
    _, target = tensors()
    with pytest.raises(TypeError, match="parts must be a list, got one Tensor"):
        Exact(tokens()).total(target)
    with pytest.raises(ValueError, match="a step has one part or more"):
        Exact(tokens()).total([])
    with pytest.raises(ValueError, match="DiceLoss the shape of its input: say like="):
        Exact(DiceLoss()).total([target])
    with pytest.raises(ValueError, match="the step was counted without '', only with 'other'"):
        Exact(tokens())(tensors()[0], target, Total({"other": torch.tensor(1.0)}))
    with pytest.raises(OptionTypeError, match="divided_by must be a number > 0, got 'two'"):
        Exact(tokens(), divided_by="two")
    with pytest.raises(OptionValueError, match="divided_by must be a number > 0, got 0"):
        Exact(tokens(), divided_by=0)


def test_a_sum_has_no_single_numerator():
    """An engine that counts by itself is given the sum of a single loss, never of several."""
    input, target = tensors()
    torch.testing.assert_close(
        Exact(tokens()).summed(input, target),
        functional.cross_entropy(input, target, ignore_index=-100, reduction="sum"),
    )
    both = WeightedSum({"a": tokens(), "b": tokens()})
    with pytest.raises(NotAdditiveError, match="WeightedSum has a denominator for each of a, b"):
        Exact(both).summed(input, target)


@pytest.mark.parametrize("causal", [False, True])
def test_the_trainer_is_given_what_it_divides(causal):
    """For Hugging Face's Trainer parts add up to torch's mean over the labels that it counts."""
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(4, 6, 3, generator=generator)
    labels = torch.randint(0, 3, (4, 6), generator=generator)
    labels[0, 1:] = -100
    counted = labels[:, 1:] if causal else labels
    number = int((counted != -100).sum())
    compute = for_trainer(tokens(), causal=causal)
    parts = [compute({"logits": logits[rows]}, labels[rows], number) for rows in ([0], [1, 2, 3])]
    shown = logits[:, :-1] if causal else logits
    expected = functional.cross_entropy(shown.movedim(-1, 1), counted, ignore_index=-100)
    torch.testing.assert_close(sum(parts), expected)
    torch.testing.assert_close(compute({"logits": logits}, labels), expected)


@pytest.mark.parametrize(
    ("loss", "message"),
    [
        (tokens(weight=WEIGHTS), "CrossEntropyLoss counts the weights of their classes"),
        (CrossEntropyLoss(), "CrossEntropyLoss has ignore_index=None: give it -100"),
        (MSELoss(), "MSELoss is no loss of labels"),
    ],
)
def test_the_trainer_is_not_given_what_it_counts_otherwise(loss, message):
    """A loss that counts otherwise than the Trainer is refused when the function is made."""
    with pytest.raises(NotAdditiveError, match=message):
        for_trainer(loss, causal=False)


def test_megatron_is_given_whole_counts():
    """Numerator, whole count and mean; a count with a fraction is refused, since it would be cut off."""
    input, target = tensors()
    numerator, count, logged = for_megatron(tokens())(input, target)
    assert count == (target != -100).sum()
    assert not count.is_floating_point()
    torch.testing.assert_close(numerator / count, functional.cross_entropy(input, target, ignore_index=-100))
    assert not logged["loss"].requires_grad
    with pytest.raises(InputValueError, match="Megatron adds up whole numbers"):
        for_megatron(tokens(weight=[0.5, 0.25, 1.0]))(input, target)


def test_a_group_is_given_to_what_looks_at_the_batch():
    """Losses within that look at the whole batch take the group, the others are left alone."""
    pair, alone, top = DiceCELoss(batch=True), DiceLoss(), TopKCrossEntropyLoss()
    loss = WeightedSum({"pair": pair, "alone": alone, "top": top})
    group = object()
    assert with_group(loss, group) is loss
    assert pair.process_group is pair.region.process_group is top.process_group is group
    assert alone.process_group is None
    assert pair.pixel.process_group is None


@pytest.mark.xdist_group("processes")
@pytest.mark.parametrize("step", [exact_step, summed_step])
def test_processes_train_as_one(step):
    """With parts of different sizes, one of them ignored, two processes have the gradients of one."""
    check_training(step, uneven(), ignore=no_labels)


@pytest.mark.xdist_group("processes")
def test_a_mean_of_means_is_noticed():
    """The check of a training fails where parts and processes are averaged as if they counted alike."""
    with pytest.raises(
        AssertionError, match=r"the gradient of weight in process 0 is off by 0\.\d+ of the largest"
    ):
        check_training(naive_step, uneven(), ignore=no_labels)


def test_a_batch_must_be_large_enough():
    """Parts of different sizes need samples."""
    with pytest.raises(ValueError, match="6 parts of different sizes need 21 samples, got 3"):
        check_training(exact_step, tuple(each[:3] for each in uneven()))
