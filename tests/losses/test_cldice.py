"""The clDice loss against its paper, and what a mask means to a skeleton."""

import numpy as np
import pytest
import torch
from torch.testing import assert_close

from lossary_losses import SoftClDiceLoss
from lossary_losses.segmentation import cldice


@pytest.fixture
def logits():
    """Logits (B, C, H, W)."""
    return torch.randn(2, 3, 7, 8, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


@pytest.fixture
def truth():
    """Values of 0 and 1 (B, C, H, W)."""
    return (torch.rand(2, 3, 7, 8, generator=torch.Generator().manual_seed(1)) < 0.6).double()


def around(position, shape, *, diagonal):
    """List a position and its neighbours inside of a grid."""
    for step in np.array(list(np.ndindex(*(3 for _ in shape)))) - 1:
        neighbour = np.array(position) + step
        if (diagonal or abs(step).sum() <= 1) and (neighbour >= 0).all() and (neighbour < shape).all():
            yield tuple(neighbour)


def each_position(region, choose, *, diagonal):
    """Take the least or the largest around each position."""
    result = np.empty_like(region)
    for position in np.ndindex(region.shape):
        result[position] = choose(region[n] for n in around(position, region.shape, diagonal=diagonal))
    return result


def skeleton_by_the_paper(region, iterations):
    """Follow the paper's algorithm: erode by the cross, open, and collect what opening takes away."""

    def opened(values):
        eroded = each_position(values, min, diagonal=False)
        return each_position(eroded, max, diagonal=True)

    skeleton = np.maximum(region - opened(region), 0)
    for _ in range(iterations):
        region = each_position(region, min, diagonal=False)
        ridge = np.maximum(region - opened(region), 0)
        skeleton = skeleton + (1 - skeleton) * ridge
    return skeleton


def by_the_paper(p, t, iterations, smooth):
    """Compute one minus clDice of one region."""
    of_p, of_t = (skeleton_by_the_paper(each, iterations) for each in (p, t))
    precision = ((of_p * t).sum() + smooth) / (of_p.sum() + smooth)
    sensitivity = ((of_t * p).sum() + smooth) / (of_t.sum() + smooth)
    return 1 - 2 * precision * sensitivity / (precision + sensitivity)


@pytest.mark.parametrize("iterations", [0, 1, 3])
@pytest.mark.parametrize("smooth", [0.0, 1.0])
def test_channels(logits, truth, iterations, smooth):
    """Each sample and channel has the paper's value; the mean is over both."""
    expected = torch.tensor(
        [
            [by_the_paper(p, t, iterations, smooth) for p, t in zip(*sample, strict=True)]
            for sample in zip(logits.sigmoid().numpy(), truth.numpy(), strict=True)
        ],
        dtype=torch.float64,
    )
    loss = SoftClDiceLoss(iterations=iterations, smooth=smooth, reduction="none")
    assert_close(loss(logits, truth), expected)
    assert_close(SoftClDiceLoss(iterations=iterations, smooth=smooth)(logits, truth), expected.mean())


def test_classes(logits):
    """Under a softmax each class is a region; a weight of zero leaves the background out."""
    labels = torch.randint(0, 3, (2, 7, 8), generator=torch.Generator().manual_seed(1))
    hard = torch.nn.functional.one_hot(labels, 3).movedim(-1, 1).double()
    each = SoftClDiceLoss(activation="none", reduction="none")(logits.softmax(1), hard)
    assert_close(SoftClDiceLoss(reduction="none")(logits, labels), each)
    assert_close(SoftClDiceLoss(weight=[0.0, 1.0, 1.0])(logits, labels), each[:, 1:].mean())


@pytest.mark.parametrize("space", [(11,), (4, 5, 6)], ids=str)
def test_lines_and_volumes(space):
    """One and three dimensions work as two do."""
    generator = torch.Generator().manual_seed(0)
    p = torch.rand(1, 1, *space, generator=generator, dtype=torch.float64)
    t = (torch.rand(1, 1, *space, generator=generator) < 0.6).double()
    expected = by_the_paper(p[0, 0].numpy(), t[0, 0].numpy(), 2, 1.0)
    assert_close(SoftClDiceLoss(iterations=2, activation="none")(p, t), torch.tensor(expected))


def test_pooled_over_the_batch(logits, truth):
    """With batch=True sums are those of all samples."""
    sums = []
    for channel in range(3):
        inside = length = covered = true_length = 1.0
        for p, t in zip(logits.sigmoid()[:, channel].numpy(), truth[:, channel].numpy(), strict=True):
            of_p, of_t = skeleton_by_the_paper(p, 3), skeleton_by_the_paper(t, 3)
            inside, length = inside + (of_p * t).sum(), length + of_p.sum()
            covered, true_length = covered + (of_t * p).sum(), true_length + of_t.sum()
        precision, sensitivity = inside / length, covered / true_length
        sums.append(1 - 2 * precision * sensitivity / (precision + sensitivity))
    loss = SoftClDiceLoss(batch=True, reduction="none")
    assert_close(loss(logits, truth), torch.tensor(sums, dtype=torch.float64))


def test_a_thick_line_has_its_middle_as_skeleton():
    """Of a line five wide, eroded often enough, the middle is left, away from its ends."""
    line = torch.zeros(1, 1, 11, 20)
    line[:, :, 3:8] = 1
    skeleton = cldice.soft_skeleton(line, iterations=3)[0, 0]
    expected = torch.zeros(11, 20)
    expected[5] = 1
    assert_close(skeleton[:, 4:-4], expected[:, 4:-4])


def test_thickness_is_free_and_gaps_are_not():
    """A line that is thinner than the truth costs next to nothing, one with a gap does."""
    truth = torch.zeros(1, 1, 11, 40)
    truth[:, :, 4:7] = 1
    thin, gap = torch.zeros_like(truth), truth.clone()
    thin[:, :, 5] = 1
    gap[..., 15:25] = 0
    loss = SoftClDiceLoss(activation="none")
    assert loss(truth, truth) == 0
    assert loss(thin, truth) < 0.01
    assert loss(gap, truth) > 0.1


def test_nothing_against_nothing_is_perfect():
    """Without smoothing, an empty prediction of an empty truth has a loss of zero, with a finite gradient."""
    empty = torch.zeros(1, 1, 5, 5, requires_grad=True)
    loss = SoftClDiceLoss(smooth=0.0, activation="none")(empty, torch.zeros(1, 1, 5, 5))
    loss.backward()
    assert loss == 0
    assert empty.grad.isfinite().all()


@pytest.mark.parametrize("smooth", [0.0, 1.0])
def test_nothing_against_something_is_finite(smooth, gradient):
    """A prediction that misses all, and one of what is not there, have finite values and gradients."""
    line = torch.zeros(1, 1, 5, 5)
    line[:, :, 2] = 1
    loss = SoftClDiceLoss(smooth=smooth, activation="none")
    for p, t in ((torch.zeros_like(line), line), (line, torch.zeros_like(line)), (1 - line, line)):
        assert 0.6 < loss(p, t) <= 1
        assert gradient(loss, p, t).isfinite().all()


def test_masked_positions_are_a_hole(logits, truth):
    """What is masked is zero in both regions before skeletons are taken, and does not count."""
    kept = torch.rand(2, 7, 8, generator=torch.Generator().manual_seed(2)) < 0.8
    hole = kept.unsqueeze(1)
    expected = SoftClDiceLoss(activation="none")(logits.sigmoid() * hole, truth * hole)
    assert_close(SoftClDiceLoss()(logits, truth, mask=kept), expected)
    assert_close(SoftClDiceLoss()(logits.masked_fill(~hole, torch.inf), truth, mask=kept), expected)


@pytest.mark.parametrize("shape", [(2, 3), (1, 1, 2, 2, 2, 2)], ids=str)
def test_other_dimensions_are_refused(shape):
    """Without space, and beyond three dimensions, there is no skeleton."""
    with pytest.raises(ValueError, match=r"a skeleton needs an input of .* 1 to 3 dimensions in S"):
        SoftClDiceLoss()(torch.zeros(shape), torch.zeros(shape))


def test_bad_iterations():
    """A negative number raises ValueError, a fraction TypeError."""
    with pytest.raises(ValueError, match="iterations must be an integer >= 0, got -1"):
        SoftClDiceLoss(iterations=-1)
    with pytest.raises(TypeError, match=r"iterations must be an integer >= 0, got 1.5 \(float\)"):
        SoftClDiceLoss(iterations=1.5)


@pytest.mark.parametrize("shape", [(2, 3, 9), (2, 3, 5, 6), (1, 2, 4, 3, 5)], ids=str)
@pytest.mark.parametrize("levels", [2, 3, 1000])
def test_neighbours_elsewhere_are_those_of_pooling(shape, levels):
    """What is computed on other devices is what pooling gives, gradients of ties included."""
    values = torch.randint(0, levels, shape, generator=torch.Generator().manual_seed(0)).double()
    axes = range(2, len(shape))
    upstream = torch.randn(shape, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    one, other = values.clone().requires_grad_(), values.clone().requires_grad_()
    pooled, by_slices = cldice._largest(one, axes), other
    for axis in reversed(axes):
        by_slices = cldice._largest_along(by_slices, axis)
    assert torch.equal(pooled, by_slices)
    (pooled * upstream).sum().backward()
    (by_slices * upstream).sum().backward()
    assert_close(one.grad, other.grad)


def test_descent_closes_a_gap():
    """A short optimisation on this loss alone joins two ends of a line."""
    line = torch.zeros(1, 1, 9, 16)
    line[:, :, 3:6] = 1
    start = line.clone()
    start[..., 6:10] = 0
    logits = ((start - 0.5) * 4).requires_grad_()
    optimizer = torch.optim.Adam([logits], lr=0.3)
    for _ in range(60):
        optimizer.zero_grad()
        SoftClDiceLoss()(logits, line).backward()
        optimizer.step()
    assert (logits[0, 0, 4] > 0).all()
    assert SoftClDiceLoss()(logits, line) < 0.1


@pytest.mark.parametrize("classes", [1, 3])
@pytest.mark.parametrize("masked", [False, True])
def test_what_is_made_again_is_the_same(classes, masked, monkeypatch):
    """Value and gradient are the same where tensors are made again for the backward pass instead of kept."""
    generator = torch.Generator().manual_seed(0)
    input = torch.randn(2, classes, 6, 7, generator=generator, dtype=torch.float64, requires_grad=True)
    target = (torch.rand(input.shape, generator=generator) < 0.4).double()
    mask = torch.rand(target.shape, generator=generator) < 0.8 if masked else None
    kept = SoftClDiceLoss()(input, target, mask=mask)
    (expected,) = torch.autograd.grad(kept, input)
    monkeypatch.setattr(cldice, "_KEPT", 4)
    made_again = SoftClDiceLoss()(input, target, mask=mask)
    assert_close(made_again, kept)
    assert_close(torch.autograd.grad(made_again, input)[0], expected)
