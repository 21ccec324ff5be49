"""The boundary loss against its paper, with maps that are given and maps that are computed."""

import numpy as np
import pytest
import torch
import torch._dynamo.testing
from torch.nn import functional
from torch.testing import assert_close

from lossary_losses import BoundaryLoss, signed_distance_map


@pytest.fixture
def logits():
    """Logits (B, C, H, W)."""
    return torch.randn(2, 3, 5, 6, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


@pytest.fixture
def labels():
    """Class indices (B, H, W)."""
    return torch.randint(0, 3, (2, 5, 6), generator=torch.Generator().manual_seed(1))


def distances(truth):
    """Compute the signed distance of each position by looking at all others."""
    positions = np.argwhere(np.ones_like(truth))
    inside, outside = np.argwhere(truth), np.argwhere(~truth)
    result = np.zeros(truth.shape)
    if len(inside) and len(outside):
        for position in positions:
            others = outside if truth[tuple(position)] else inside
            nearest = np.sqrt(((others - position) ** 2).sum(1).min())
            result[tuple(position)] = 1 - nearest if truth[tuple(position)] else nearest
    return result


def by_the_paper(p, t):
    """Compute probability times signed distance for each class at each position."""
    return torch.tensor(
        np.array(
            [[x * distances(y > 0) for x, y in zip(*each, strict=True)] for each in zip(p, t, strict=True)]
        )
    )


def test_classes(logits, labels):
    """Under a softmax it is the mean over samples, classes and positions."""
    hard = functional.one_hot(labels, 3).movedim(-1, 1)
    expected = by_the_paper(logits.softmax(1).numpy(), hard.numpy())
    assert_close(BoundaryLoss(reduction="none")(logits, labels), expected)
    assert_close(BoundaryLoss()(logits, labels), expected.mean())
    assert_close(BoundaryLoss(activation="softmax")(logits, hard), expected.mean())


def test_channels(logits, labels):
    """Under a sigmoid each channel has its own region."""
    hard = functional.one_hot(labels, 3).movedim(-1, 1)
    expected = by_the_paper(logits.sigmoid().numpy(), hard.numpy())
    assert_close(BoundaryLoss(reduction="none")(logits, hard), expected)


def test_a_weight_of_zero_leaves_the_background_out(logits, labels):
    """The mean is then over the other classes."""
    expected = BoundaryLoss(reduction="none")(logits, labels)[:, 1:].mean()
    assert_close(BoundaryLoss(weight=[0.0, 1.0, 1.0])(logits, labels), expected)


@pytest.mark.parametrize("space", [(), (9,), (5, 6), (4, 3, 5)], ids=str)
def test_any_number_of_spatial_dimensions(space):
    """The map that is computed is the one that may be given; without space there is no boundary."""
    labels = torch.randint(0, 3, (2, *space), generator=torch.Generator().manual_seed(1))
    logits = torch.randn(2, 3, *space, generator=torch.Generator().manual_seed(0))
    given = signed_distance_map(labels, 3)
    result = BoundaryLoss()(logits, labels)
    assert_close(result, BoundaryLoss()(logits, labels, distance_map=given))
    assert_close(result, (logits.softmax(1) * given).mean())
    assert space or result == 0


def test_the_minimum_is_at_the_truth(labels):
    """It is negative, and no other probabilities have less."""
    hard = functional.one_hot(labels, 3).movedim(-1, 1).float()
    distance = signed_distance_map(hard)
    loss = BoundaryLoss(activation="none")
    least = loss(hard, hard)
    assert_close(least, distance.clamp(max=0).mean())
    random = torch.rand(50, *hard.shape, generator=torch.Generator().manual_seed(2))
    assert all(loss(p, hard) >= least for p in random)


def test_an_absent_class_has_no_part(logits, gradient):
    """Where a class is nowhere, its loss and gradient are zero."""
    target = torch.zeros(2, 3, 5, 6)
    target[:, 0, 1:3, 1:4] = 1
    result = BoundaryLoss(reduction="none")(logits, target)
    assert (result[:, 1:] == 0).all()
    assert (gradient(BoundaryLoss(), logits, target)[:, 1:] == 0).all()


class TestGivenMaps:
    """A map that is given makes it a loss of positions that know nothing of each other."""

    def test_masked_is_cut_out(self, logits, labels):
        """The loss under a mask is that of the positions cut out, with their part of the map."""
        given = signed_distance_map(labels, 3)
        kept = torch.zeros(2, 5, 6, dtype=torch.bool)
        kept[:, 1:3] = True
        part = [each[..., 1:3, :] for each in (logits, labels, given)]
        expected = BoundaryLoss()(part[0], part[1], distance_map=part[2])
        assert_close(BoundaryLoss()(logits, labels, mask=kept, distance_map=given), expected)

    def test_excluded_positions_may_hold_anything(self, logits, labels):
        """NaN under the mask, in the map as well, changes nothing."""
        given = signed_distance_map(labels, 3)
        kept = torch.rand(2, 5, 6, generator=torch.Generator().manual_seed(3)) < 0.5
        expected = BoundaryLoss()(logits, labels, mask=kept, distance_map=given)
        excluded = ~kept.unsqueeze(1).expand_as(logits)
        poisoned = logits.masked_fill(excluded, float("nan")).requires_grad_()
        result = BoundaryLoss()(
            poisoned, labels, mask=kept, distance_map=given.masked_fill(excluded, float("nan"))
        )
        assert_close(result, expected)
        result.backward()
        assert (poisoned.grad[excluded] == 0).all()

    @pytest.mark.parametrize("reduction", ["none", "mean", "sum"])
    def test_reductions(self, logits, labels, reduction):
        """Each reduction is that of the elements."""
        given = signed_distance_map(labels, 3)
        each = logits.softmax(1) * given
        expected = {"none": each, "mean": each.mean(), "sum": each.sum()}[reduction]
        assert_close(BoundaryLoss(reduction=reduction)(logits, labels, distance_map=given), expected)

    @pytest.mark.compilers
    def test_it_compiles_without_a_break(self, logits, labels):
        """With a map the loss compiles in one graph."""
        torch._dynamo.reset()
        given = signed_distance_map(labels, 3)
        counter = torch._dynamo.testing.CompileCounterWithBackend("aot_eager")
        compiled = torch.compile(BoundaryLoss(), fullgraph=True, backend=counter)
        expected = BoundaryLoss()(logits, labels, distance_map=given)
        assert_close(compiled(logits, labels, distance_map=given), expected)
        assert counter.frame_count == 1

    def test_half_precision_maps(self, logits, labels):
        """A map of half precision is computed with in float32."""
        given = signed_distance_map(labels, 3)
        result = BoundaryLoss()(logits.half(), labels, distance_map=given.half())
        assert_close(result, BoundaryLoss()(logits.half().float(), labels, distance_map=given.half().float()))

    def test_wrong_shapes_are_refused(self, logits, labels):
        """A map of another shape raises ValueError naming both, instead of broadcasting."""
        for shape in ((2, 1, 5, 6), (2, 5, 6), (3, 5, 6)):
            with pytest.raises(
                ValueError, match=r"input \(2, 3, 5, 6\), distance_map \(.*accepted for the dis"
            ):
                BoundaryLoss()(logits, labels, distance_map=torch.zeros(shape))
        with pytest.raises(TypeError, match="distance_map must be a tensor, got list"):
            BoundaryLoss()(logits, labels, distance_map=[0.0])
        with pytest.raises(TypeError, match=r"distance_map must hold real numbers, got torch\.complex64"):
            BoundaryLoss()(logits, labels, distance_map=torch.zeros(2, 3, 5, 6, dtype=torch.complex64))


def test_soft_targets_are_refused():
    """A target between 0 and 1 has no boundary."""
    with pytest.raises(ValueError, match="target must hold 0 and 1 and nothing between"):
        BoundaryLoss()(torch.zeros(1, 1, 3), torch.full((1, 1, 3), 0.5))


def test_excluded_positions_are_on_no_side(logits):
    """The distance of the others goes past them, whatever they hold."""
    labels = torch.tensor([[1, 1, 255, 255, 0, 0]])
    logits = logits[:1, :2, 0, :6]
    mapped = signed_distance_map(labels, 2, ignore_index=255)
    mask = labels < 255
    expected = (logits.softmax(1) * mapped)[:, :, [0, 1, 4, 5]].mean()
    assert_close(BoundaryLoss(ignore_index=255)(logits, labels), expected)
    for other in (0, 1):
        target = torch.where(mask, labels, other)
        assert_close(BoundaryLoss()(logits, target, mask=mask), expected)


def test_descent_reaches_the_truth(labels):
    """A short optimisation of logits that know nothing yet finds the inside and the outside."""
    target = torch.zeros(1, 1, 16, 16)
    target[:, :, 4:11, 5:13] = 1
    logits = torch.zeros(1, 1, 16, 16, requires_grad=True)
    optimizer = torch.optim.Adam([logits], lr=0.5)
    for _ in range(50):
        optimizer.zero_grad()
        BoundaryLoss()(logits, target).backward()
        optimizer.step()
    beyond = signed_distance_map(target) != 0
    assert ((logits > 0) == (target > 0))[beyond].all()
