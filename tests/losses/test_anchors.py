"""Losses of labelled embeddings against formulas in NumPy, in parts, and where others are known to fail."""

import numpy as np
import pytest
import torch
from torch.testing import assert_close

from lossary_losses import (
    CircleLoss,
    ContrastiveLoss,
    InputTypeError,
    InputValueError,
    MultiSimilarityLoss,
    OptionValueError,
    TripletLoss,
)
from lossary_losses._core import similarity
from lossary_losses.testing.rules.distribution import _on_two_ranks

LABELS = torch.tensor([0, 1, 0, 2, 1, 0, 3, 1])
BATCH, SIZE = len(LABELS), 4


def cosines(rows):
    """Compare all rows with all."""
    unit = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    return unit @ unit.T


def distances(rows, kind):
    """Measure all rows from all."""
    if kind == "cosine":
        return 1 - cosines(rows)
    length = np.linalg.norm(rows[:, None] - rows[None], axis=2)
    return length**2 if kind == "squared" else length


def softplus(value):
    """Compute the logarithm of one and an exponential."""
    return np.logaddexp(0, value)


def triplet(rows, positives, negatives, *, margin, mining="hard", distance="euclidean", soft=False):
    """Give the mean of what the triplets of one anchor cost."""
    measured = distances(rows, distance)[0]
    near, far = measured[positives], measured[negatives]
    if mining == "hard":
        excess = [near.max() - far.min()]
    elif mining == "all":
        excess = [one - other for one in near for other in far]
    else:
        excess = [one - (far[far > one].min() if (far > one).any() else far.max()) for one in near]
    return np.mean([softplus(each) if soft else max(each + margin, 0) for each in excess])


def multi_similarity(rows, positives, negatives, *, alpha=2.0, beta=50.0, base=0.5, epsilon=0.1):
    """Give both soft hinges of one anchor, over what is mined."""
    similar = cosines(rows)[0]
    near, far = similar[negatives], similar[positives]
    chosen_far, chosen_near = far[far - epsilon < near.max()], near[near + epsilon > far.min()]
    return (
        np.log1p(np.exp(-alpha * (chosen_far - base)).sum()) / alpha
        + np.log1p(np.exp(beta * (chosen_near - base)).sum()) / beta
    )


def circle(rows, positives, negatives, margin=0.25, gamma=256.0):
    """Give the soft comparison of one anchor, from sums of exponentials."""
    similar = cosines(rows)[0]
    near, far = similar[negatives], similar[positives]
    of_near = np.logaddexp.reduce(gamma * np.maximum(near + margin, 0) * (near - margin))
    of_far = np.logaddexp.reduce(gamma * np.maximum(1 + margin - far, 0) * (1 - margin - far))
    return softplus(of_near + of_far)


def contrastive(rows, positives, negatives, margin=1.0):
    """Give the mean over all pairs of one row."""
    measured = distances(rows, "euclidean")[0]
    lacking = np.maximum(margin - measured[negatives], 0)
    return np.concatenate([measured[positives] ** 2, lacking**2]).mean() / 2


CASES = [
    *(
        (TripletLoss, triplet, {"margin": 0.7, "mining": mining, "distance": distance})
        for mining, distance in [
            ("hard", "euclidean"),
            ("semi_hard", "euclidean"),
            ("all", "cosine"),
            ("all", "squared"),
        ]
    ),
    (TripletLoss, triplet, {"margin": 0.7, "soft": True}),
    (MultiSimilarityLoss, multi_similarity, {}),
    (MultiSimilarityLoss, multi_similarity, {"epsilon": 3.0, "alpha": 1.0, "beta": 4.0, "base": 0.1}),
    (CircleLoss, circle, {}),
    (CircleLoss, circle, {"gamma": 4.0, "margin": 0.1}),
    (ContrastiveLoss, contrastive, {"margin": 2.0}),
]
every_case = pytest.mark.parametrize(
    ("build", "formula", "options"), CASES, ids=[f"{each[1].__name__}-{each[2]}" for each in CASES]
)
every_loss = pytest.mark.parametrize(
    "loss",
    [
        TripletLoss(),
        TripletLoss(mining="semi_hard"),
        TripletLoss(mining="all", distance="cosine"),
        MultiSimilarityLoss(),
        CircleLoss(),
        ContrastiveLoss(),
    ],
    ids=str,
)


def normal(*shape, seed=0):
    """Draw float64 numbers, as a leaf."""
    drawn = torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    return drawn.requires_grad_()


@every_case
def test_it_is_the_formula(build, formula, options):
    """Each anchor costs what the paper says; who has no positive is no part of the mean."""
    input = normal(BATCH, SIZE)
    rows, labels = input.detach().numpy(), LABELS.numpy()
    expected = np.zeros(BATCH)
    for i in range(BATCH):
        order = np.roll(np.arange(BATCH), -i)  # with the anchor first
        others = np.arange(BATCH) != 0
        positives = others & (labels[order] == labels[i])
        if positives.any() or build is ContrastiveLoss:
            expected[i] = formula(rows[order], positives, others & ~positives, **options)
    value = build(reduction="none", **options)(input, LABELS)
    assert_close(value.detach(), torch.from_numpy(expected))
    if build is not ContrastiveLoss:
        expected = expected[np.bincount(labels)[labels] > 1]
    assert_close(build(**options)(input, LABELS).item(), float(expected.mean()))


@every_case
@pytest.mark.parametrize("part", [1, 7, BATCH * (BATCH - 1), BATCH * (BATCH + 1)])
def test_parts_make_no_difference(build, formula, options, part, monkeypatch):
    """However many rows are computed at once, value and gradient are those of the whole."""
    del formula
    input, mask = normal(BATCH, SIZE), torch.arange(BATCH) != 2
    loss = build(**options)
    expected = loss(input, LABELS, mask=mask)
    wanted = torch.autograd.grad(expected, input)
    monkeypatch.setattr(similarity, "_PART", {"cpu": part})
    value = loss(input, LABELS, mask=mask)
    assert_close(value, expected)
    assert_close(torch.autograd.grad(value, input), wanted)


@pytest.mark.parametrize("loss", [ContrastiveLoss(margin=2.0), TripletLoss(mining="all")], ids=str)
def test_parts_may_be_differentiated_twice(loss, monkeypatch):
    """In parts too, first and second derivatives agree with finite differences."""
    monkeypatch.setattr(similarity, "_PART", {"cpu": 20})
    input = normal(BATCH, SIZE)
    assert torch.autograd.gradcheck(loss, (input, LABELS))
    assert torch.autograd.gradgradcheck(loss, (input, LABELS), fast_mode=True)


@every_loss
def test_labels_are_any_integers(loss):
    """Labels of any dtype, negative or of a thousand millions, only say who belongs together."""
    input, expected = normal(BATCH, SIZE), loss(normal(BATCH, SIZE), LABELS)
    for dtype in (torch.uint8, torch.int32):
        assert_close(loss(input, LABELS.to(dtype)), expected)
    assert_close(loss(input, torch.tensor([-5, 10**9, -1, 10**9 + 1])[LABELS]), expected)
    with pytest.raises(InputTypeError, match="target must hold integers"):
        loss(input, LABELS.double())
    with pytest.raises(
        InputValueError, match=rf"target \({BATCH}, 1\); accepted for the target: \({BATCH},\)"
    ):
        loss(input, LABELS.unsqueeze(1))


@every_loss
def test_nothing_to_compare(loss):
    """Where no anchor has what it needs the loss is zero, with a gradient of zero, not NaN."""
    kinds = [torch.arange(4), torch.zeros(4, dtype=torch.long), torch.zeros(1, dtype=torch.long)]
    if isinstance(loss, ContrastiveLoss):  # which needs one other row, of any label
        kinds = kinds[2:]
    for labels in (*kinds, torch.zeros(0, dtype=torch.long)):
        input = normal(len(labels), SIZE)
        value = loss(input, labels)
        assert value == 0
        assert (torch.autograd.grad(value, input)[0] == 0).all()
        assert loss.fraction(input, labels).denominator == 0


@every_loss
@pytest.mark.parametrize("rows", ["identical", "zero"])
def test_identical_rows(loss, rows):
    """Duplicates with equal and with different labels, and rows of zeros, have a finite gradient."""
    input = torch.ones(4, 3) if rows == "identical" else torch.zeros(4, 3)
    input[3, 0] += 1
    input.requires_grad_()
    value = loss(input, torch.tensor([0, 0, 1, 1]))
    assert value.isfinite()
    assert torch.autograd.grad(value, input)[0].isfinite().all()


@every_loss
def test_order_of_rows_does_not_matter(loss):
    """Rows may stand in any order, also where distances are equal."""
    input = torch.tensor([[0.0, 1], [1, 0], [0, 1], [1, 0], [1, 1], [0, 1], [-1, 0], [0, -1]])
    order = torch.tensor([3, 7, 0, 5, 2, 6, 1, 4])
    assert_close(loss(input[order], LABELS[order]), loss(input, LABELS))


@every_loss
def test_far_from_zero(loss):
    """Rows near each other and far from zero keep the digits of their distances, in float32 and in half."""
    if getattr(loss, "distance", None) == "euclidean" or isinstance(loss, ContrastiveLoss):
        input = normal(BATCH, SIZE).detach().mul(64).round() / 64
        moved = (input + 4096).float()
        assert_close(loss(moved, LABELS), loss(input, LABELS).float(), rtol=1e-5, atol=1e-6)
    else:
        short = normal(BATCH, SIZE).detach().half()
        assert_close(loss(short * 300, LABELS), loss(short, LABELS), rtol=1e-2, atol=1e-2)


def test_a_wrong_triplet_is_learned_from():
    """An anchor near its negative and far from its positive learns, however triplets are mined."""
    for mining in ("hard", "semi_hard", "all"):
        input = torch.tensor([[0.0, 0], [1, 0], [0.1, 0]], requires_grad=True)
        value = TripletLoss(mining=mining)(input, torch.tensor([0, 0, 1]))
        (gradient,) = torch.autograd.grad(value, input)
        assert gradient[1, 0] > 0
        assert gradient[2, 0] != 0


def test_no_soft_hinge_of_all():
    """A soft hinge of all triplets, which cannot be added up shortly, is refused."""
    with pytest.raises(OptionValueError, match="soft=True goes with mining='hard' or 'semi_hard'"):
        TripletLoss(mining="all", soft=True)


@pytest.mark.parametrize("own", [0, 3])
@pytest.mark.parametrize(
    "loss",
    [TripletLoss, TripletLoss(mining="all"), MultiSimilarityLoss, CircleLoss, ContrastiveLoss],
    ids=str,
)
def test_two_processes_are_one(loss, own):
    """The mean over two processes of value and gradient is that of one, with uneven and with empty parts."""
    build = loss if isinstance(loss, type) else type(loss)
    options = {} if isinstance(loss, type) else {"mining": loss.mining}

    def on_rank(rank, group):
        part = slice(0, own) if rank == 0 else slice(own, None)
        mine = normal(BATCH, SIZE).detach()[part].requires_grad_()
        value = build(process_group=group, **options)(mine, LABELS[part])
        return value.detach(), torch.autograd.grad(value, mine)[0]

    (first, first_slope), (second, second_slope) = _on_two_ranks(on_rank)
    whole = normal(BATCH, SIZE)
    value = build(**options)(whole, LABELS)
    assert_close((first + second) / 2, value.detach())
    assert_close(torch.cat([first_slope, second_slope]) / 2, torch.autograd.grad(value, whole)[0])
