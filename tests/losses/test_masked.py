"""A mask for losses that know none, against the loss of the data that was cut by hand."""

import copy
import pickle

import pytest
import torch
from torch import nn
from torch.nn import functional
from torch.testing import assert_close

from lossary_losses import BCELoss, CrossEntropyLoss, DiceLoss, L1Loss, Masked, MSELoss, WeightedSum

NAN = float("nan")


class MultipliedError(nn.Module):
    """A loss that multiplies with its mask, as many do."""

    def forward(self, input, target, mask=None):
        """Average the error where the mask is one."""
        mask = torch.ones_like(input) if mask is None else mask.expand_as(input)
        return ((input - target).abs() * mask).sum() / mask.sum()


@pytest.fixture
def maps():
    """Predicted and true depth (B, 1, H, W); some of the truth is missing."""
    generator = torch.Generator().manual_seed(0)
    input = torch.randn(2, 1, 4, 5, generator=generator, requires_grad=True)
    target = torch.randn(2, 1, 4, 5, generator=generator)
    target[0, 0, :2] = NAN
    return input, target


@pytest.fixture
def segmentation():
    """Logits (B, C, H, W) and labels (B, H, W), some of them 255."""
    generator = torch.Generator().manual_seed(1)
    logits = torch.randn(2, 3, 4, 5, generator=generator, requires_grad=True)
    labels = torch.randint(0, 3, (2, 4, 5), generator=generator)
    labels[0, 1] = 255
    return logits, labels


@pytest.fixture
def mask():
    """Positions (B, H, W) that count."""
    return torch.rand(2, 4, 5, generator=torch.Generator().manual_seed(2)) < 0.6


@pytest.mark.parametrize(
    "term", [L1Loss(), nn.L1Loss(), nn.MSELoss(), MSELoss(), nn.SmoothL1Loss()], ids=repr
)
def test_missing_truth_does_not_count(maps, term):
    """With ignore_nan the loss is that where the truth is a number; elsewhere there is no gradient."""
    input, target = maps
    kept = ~target.isnan()
    result = Masked(term, ignore_nan=True)(input, target)
    assert_close(result, term(input[kept], target[kept]))
    (gradient,) = torch.autograd.grad(result, input)
    assert (gradient[~kept] == 0).all()
    assert (gradient[kept] != 0).all()


@pytest.mark.parametrize("term", [nn.CrossEntropyLoss(), CrossEntropyLoss()], ids=repr)
def test_labels_with_an_ignored_one_and_a_mask(segmentation, mask, term):
    """Mask and ignore_index both exclude; classes stay together."""
    logits, labels = segmentation
    kept = mask & (labels != 255)
    expected = functional.cross_entropy(logits.movedim(1, -1)[kept], labels[kept])
    assert_close(Masked(term, ignore_index=255)(logits, labels, mask=mask), expected)


@pytest.mark.parametrize("term", [nn.BCEWithLogitsLoss(), BCELoss()], ids=repr)
def test_single_elements(term):
    """Where a position counts in some channels only, elements are excluded one by one."""
    generator = torch.Generator().manual_seed(3)
    logits = torch.randn(4, 3, generator=generator)
    target = torch.randint(0, 2, (4, 3), generator=generator).float()
    target[0, 1] = target[2, 2] = -1
    kept = target >= 0
    expected = functional.binary_cross_entropy_with_logits(logits[kept], target[kept])
    assert_close(Masked(term, ignore_index=-1)(logits, target), expected)
    assert_close(Masked(term)(logits, target, mask=kept), expected)


def test_class_probabilities_stay_together(mask):
    """Positions that are excluded in all channels are cut out whole: a softmax keeps its classes."""
    logits = torch.randn(2, 3, 4, 5, generator=torch.Generator().manual_seed(4))
    target = logits.flip(0).softmax(dim=1).masked_fill(~mask.unsqueeze(1), -1)
    expected = functional.cross_entropy(
        logits.movedim(1, -1)[mask], target.movedim(1, -1)[mask], label_smoothing=0.1
    )
    term = nn.CrossEntropyLoss(label_smoothing=0.1)
    assert_close(Masked(term, ignore_index=-1)(logits, target), expected)


@pytest.mark.parametrize(
    "term", [nn.MSELoss(), MSELoss(), MultipliedError()], ids=lambda term: str(type(term))
)
def test_excluded_positions_may_hold_anything(maps, mask, term):
    """NaN and infinity at excluded positions of the input change nothing."""
    input, target = maps
    target = target.nan_to_num()
    poisoned = input.detach().clone()
    poisoned[~mask.unsqueeze(1)] = NAN
    poisoned.requires_grad_()
    result = Masked(term)(poisoned, target, mask=mask)
    assert_close(result, term(input[mask.unsqueeze(1)], target[mask.unsqueeze(1)]))
    (gradient,) = torch.autograd.grad(result, poisoned)
    assert (gradient[~mask.unsqueeze(1)] == 0).all()
    assert gradient.isfinite().all()


@pytest.mark.parametrize("term", [nn.L1Loss(), L1Loss(), MultipliedError()], ids=lambda term: str(type(term)))
def test_nothing_counts(term):
    """Where nothing counts the loss is exactly zero, connected, with a gradient of zero."""
    input = torch.randn(2, 3, requires_grad=True)
    result = Masked(term, ignore_nan=True)(input, torch.full((2, 3), NAN))
    result.backward()
    assert result == 0
    assert (input.grad == 0).all()


def test_nothing_to_exclude(maps):
    """Without a mask and without options the data go to the loss as they are."""

    class Shape(nn.Module):
        def forward(self, input, target):
            return torch.tensor(input.shape), torch.tensor(target.shape)

    shapes = Masked(Shape())(maps[0], maps[1])
    assert [shape.tolist() for shape in shapes] == [[2, 1, 4, 5]] * 2


def test_samples_stay_samples(segmentation, mask):
    """A loss that takes a mask keeps its samples apart."""
    logits, labels = segmentation
    expected = DiceLoss(ignore_index=255)(logits, labels, mask=mask)
    assert_close(Masked(DiceLoss(), ignore_index=255)(logits, labels, mask=mask), expected)
    total = Masked(WeightedSum({"a": DiceLoss(), "b": CrossEntropyLoss()}), ignore_index=255)
    both = expected + CrossEntropyLoss(ignore_index=255)(logits, labels, mask=mask)
    assert_close(total(logits, labels, mask=mask), both)


def test_weights_go_where_they_are_taken(segmentation, mask):
    """A weight is cut along with the rest, or raises TypeError where the loss takes none."""

    class Weighted(nn.Module):
        def forward(self, input, target, weight):
            return (functional.cross_entropy(input, target, reduction="none") * weight).sum()

    logits, labels = segmentation
    weight = torch.rand(2, 4, 5, generator=torch.Generator().manual_seed(5))
    kept = mask & (labels != 255)
    each = functional.cross_entropy(logits, labels, ignore_index=255, reduction="none")
    loss = Masked(Weighted(), ignore_index=255)
    assert_close(loss(logits, labels, mask=mask, weight=weight), (each * weight)[kept].sum())
    ours = Masked(CrossEntropyLoss(reduction="sum"), ignore_index=255)
    assert_close(ours(logits, labels, mask=mask, weight=weight), (each * weight)[kept].sum())
    with pytest.raises(TypeError, match="CrossEntropyLoss takes no weight"):
        Masked(nn.CrossEntropyLoss(), ignore_index=255)(logits, labels, weight=weight)
    with pytest.raises(ValueError, match=r"weight \(2, 1, 1, 5\); accepted for the weight: \(2, 4, 5\)"):
        loss(logits, labels, weight=torch.ones(2, 1, 1, 5))


def test_each_element(segmentation):
    """Without reduction the loss of each position that counts comes back, in order."""
    logits, labels = segmentation
    each = functional.cross_entropy(logits, labels, ignore_index=255, reduction="none")
    result = Masked(nn.CrossEntropyLoss(reduction="none"), ignore_index=255)(logits, labels)
    assert_close(result, each[labels != 255])


def test_a_single_number():
    """Tensors without dimensions are elements as well."""
    loss = Masked(nn.L1Loss(), ignore_nan=True)
    assert_close(loss(torch.tensor(1.0), torch.tensor(3.0)), torch.tensor(2.0))
    assert loss(torch.tensor(1.0), torch.tensor(NAN)) == 0


@pytest.mark.parametrize("shape", [(3, 4, 5), (2, 1, 5), (2, 1, 1, 5)], ids=str)
def test_wrong_shapes(segmentation, shape):
    """Targets and masks that would only broadcast raise ValueError with the shapes."""
    logits, labels = segmentation
    with pytest.raises(ValueError, match="Incompatible shapes"):
        Masked(nn.CrossEntropyLoss())(logits, torch.zeros(shape, dtype=torch.int64))
    with pytest.raises(ValueError, match="accepted for the mask"):
        Masked(nn.CrossEntropyLoss())(logits, labels, mask=torch.ones(shape, dtype=torch.bool))


def test_one_channel_does_not_broadcast(maps):
    """A target without the one channel of the input raises ValueError: rows of both would broadcast."""
    input, target = maps
    with pytest.raises(
        ValueError, match=r"accepted for the target: \(2, 1, 4, 5\) .* target\.unsqueeze\(1\)"
    ):
        Masked(nn.L1Loss(), ignore_nan=True)(input, target.squeeze(1))


def test_wrong_types(segmentation):
    """A mask of numbers, and a loss that is no module, raise TypeError."""
    with pytest.raises(TypeError, match="mask must be bool"):
        Masked(nn.CrossEntropyLoss())(*segmentation, mask=torch.ones(2, 4, 5))
    with pytest.raises(TypeError, match="input must be a tensor, got list"):
        Masked(nn.CrossEntropyLoss())([segmentation[0]], segmentation[1])
    with pytest.raises(TypeError, match=r"loss must be an nn\.Module, got str"):
        Masked("l1_loss")
    with pytest.raises(TypeError, match="ignore_nan must be True or False"):
        Masked(nn.L1Loss(), ignore_nan=1)
    with pytest.raises(ValueError, match="ignore_index must be a finite number or None, got nan"):
        Masked(nn.L1Loss(), ignore_index=NAN)


@pytest.mark.compilers
def test_it_compiles_where_a_mask_is_taken(segmentation, mask):
    """Handing the mask over breaks no graph."""
    torch._dynamo.reset()
    loss = Masked(CrossEntropyLoss(), ignore_index=255)
    compiled = torch.compile(loss, fullgraph=True, backend="aot_eager")
    assert_close(compiled(*segmentation, mask=mask), loss(*segmentation, mask=mask))


def test_copies_and_pickles(segmentation):
    """A copy computes the same, and the state is that of the loss within."""
    loss = Masked(nn.CrossEntropyLoss(weight=torch.ones(3)), ignore_index=255)
    for twin in (copy.deepcopy(loss), pickle.loads(pickle.dumps(loss))):
        assert_close(twin(*segmentation), loss(*segmentation))
    assert list(loss.state_dict()) == ["loss.weight"]
    assert repr(Masked(L1Loss(), ignore_index=255)) == "Masked(\n  ignore_index=255\n  (loss): L1Loss()\n)"


def test_a_fit_around_holes(maps):
    """A short optimisation fits what counts, and leaves the rest where it was."""
    start, target = maps[0].detach(), maps[1]
    input = start.clone().requires_grad_()
    optimizer = torch.optim.SGD([input], lr=5.0)
    for _ in range(100):
        optimizer.zero_grad()
        Masked(nn.MSELoss(), ignore_nan=True)(input, target).backward()
        optimizer.step()
    kept = ~target.isnan()
    assert_close(input.detach()[kept], target[kept], rtol=0, atol=1e-3)
    assert torch.equal(input.detach()[~kept], start[~kept])
