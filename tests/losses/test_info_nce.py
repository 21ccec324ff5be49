"""InfoNCE against the formula in NumPy, against torch, and where other implementations are known to fail."""

from itertools import product

import numpy as np
import pytest
import torch
from torch.nn import functional
from torch.testing import assert_close

from lossary_losses import InfoNCELoss, InputTypeError, InputValueError, loss_registry
from lossary_losses._core import similarity

BATCH, SIZE = 7, 5


def normal(*shape, seed):
    """Draw float64 numbers."""
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@pytest.fixture
def views():
    """Two views of a batch, as leaves."""
    return normal(BATCH, SIZE, seed=0).requires_grad_(), normal(BATCH, SIZE, seed=1).requires_grad_()


def unit(vectors):
    """Bring each row to length one."""
    return vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)


def one_way(input, target, others, *, temperature, groups, within, decoupled, smoothing, negatives):
    """Write the paper's formula down, one row after the other."""
    values = []
    for i in range(len(input)):
        candidates = [target[j] for j in range(len(input)) if groups[j] != groups[i]]
        if within:
            candidates += [others[j] for j in range(len(input)) if groups[j] != groups[i]]
        candidates += list(negatives if negatives.ndim == 2 else negatives[i])
        scores = np.array([input[i] @ each / temperature for each in candidates])
        positive = input[i] @ target[i] / temperature
        everything = scores if decoupled else np.append(scores, positive)
        even = np.append(scores, positive).mean()
        total = np.log(np.exp(everything).sum())
        values.append(total - (1 - smoothing) * positive - smoothing * even)
    return np.array(values)


OPTIONS = [
    {"symmetric": symmetric, "within": within, "decoupled": decoupled, "label_smoothing": smoothing}
    for symmetric, within, decoupled, smoothing in product(
        (False, True), (False, True), (False, True), (0.0, 0.3)
    )
]


@pytest.mark.parametrize("negatives", [None, (3, SIZE), (BATCH, 2, SIZE)], ids=str)
@pytest.mark.parametrize("groups", [None, [0, 1, 0, 2, 1, 3, 4], [-1, -1, 10**9, 7, 7, 7, 5]], ids=str)
@pytest.mark.parametrize(
    "options", OPTIONS, ids=lambda options: "-".join(str(each) for each in options.values())
)
def test_it_is_the_formula(views, options, groups, negatives):
    """With any options, groups and negatives each element is what the formula says."""
    more = {
        **({} if negatives is None else {"negatives": normal(*negatives, seed=2)}),
        **({} if groups is None else {"groups": torch.tensor(groups)}),
    }
    value = InfoNCELoss(temperature=0.3, reduction="none", **options)(*views, **more)

    input, target = (unit(each.detach().numpy()) for each in views)
    nothing = np.zeros((0, SIZE))
    extra = unit(more["negatives"].numpy()) if negatives else nothing
    given = {
        "temperature": 0.3,
        "groups": list(range(BATCH)) if groups is None else groups,
        "within": options["within"],
        "decoupled": options["decoupled"],
        "smoothing": options["label_smoothing"],
    }
    expected = one_way(input, target, input, negatives=extra, **given)
    if options["symmetric"]:
        expected = (expected + one_way(target, input, target, negatives=nothing, **given)) / 2
    assert_close(value.detach(), torch.from_numpy(expected))


@pytest.mark.parametrize("smoothing", [0.0, 0.2])
def test_it_is_two_cross_entropies(views, smoothing):
    """Symmetric, it is the mean of torch's cross entropies over rows and over columns, as for CLIP."""
    input, target = (functional.normalize(each) for each in views)
    logits, labels = input @ target.T / 0.05, torch.arange(BATCH)
    rows, columns = (
        functional.cross_entropy(each, labels, label_smoothing=smoothing) for each in (logits, logits.T)
    )
    loss = InfoNCELoss(temperature=0.05, symmetric=True, label_smoothing=smoothing)
    assert_close(loss(*views), (rows + columns) / 2)
    assert_close(torch.autograd.grad(loss(*views), views), torch.autograd.grad((rows + columns) / 2, views))


def test_it_is_nt_xent(views):
    """Symmetric and within, it is the cross entropy of SimCLR over both views stacked, without themselves."""
    both = functional.normalize(torch.cat(views))
    logits = (both @ both.T / 0.5).masked_fill(torch.eye(2 * BATCH, dtype=torch.bool), -torch.inf)
    labels = (torch.arange(2 * BATCH) + BATCH) % (2 * BATCH)
    expected = functional.cross_entropy(logits, labels)
    assert_close(InfoNCELoss(temperature=0.5, symmetric=True, within=True)(*views), expected)


def test_it_is_moco(views):
    """Where all rows are one group, each is told from a queue alone."""
    queue = normal(9, SIZE, seed=3)
    input, target = (functional.normalize(each) for each in views)
    logits = torch.cat([(input * target).sum(1, keepdim=True), input @ functional.normalize(queue).T], dim=1)
    expected = functional.cross_entropy(logits / 0.07, torch.zeros(BATCH, dtype=torch.long))
    loss = InfoNCELoss()(*views, negatives=queue, groups=torch.zeros(BATCH, dtype=torch.long))
    assert_close(loss, expected)


@pytest.mark.parametrize("part", [1, 7, 14, 42, 48], ids="parts of {}".format)
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"symmetric": True},
        {"symmetric": True, "within": True, "label_smoothing": 0.2},
        {"decoupled": True},
    ],
    ids=str,
)
@pytest.mark.parametrize("more", ["", "groups", "mask"])
def test_parts_make_no_difference(views, options, part, more, monkeypatch):
    """However many rows are computed at once, value and gradients are those of the whole."""
    given = {
        "": {},
        "groups": {"groups": torch.tensor([0, 1, 0, 2, 1, 3, 4])},
        "mask": {"mask": torch.arange(BATCH) != 3, "weight": normal(BATCH, seed=5).square()},
    }[more]
    negatives = normal(10, SIZE, seed=2).requires_grad_()
    loss, leaves = InfoNCELoss(**options), (*views, negatives)
    expected = loss(*views, negatives=negatives, **given)
    wanted = torch.autograd.grad(expected, leaves)
    monkeypatch.setattr(similarity, "_PART", {"cpu": part})
    value = loss(*views, negatives=negatives, **given)
    assert_close(value, expected)
    assert_close(torch.autograd.grad(value, leaves, retain_graph=True), wanted)
    assert_close(torch.autograd.grad(2 * value, leaves), tuple(2 * each for each in wanted))


@pytest.mark.parametrize("options", [{}, {"symmetric": True}], ids=str)
def test_parts_may_be_differentiated_twice(views, options, monkeypatch):
    """In parts too, first and second derivatives agree with finite differences, of temperature as well."""
    monkeypatch.setattr(similarity, "_PART", {"cpu": 10})
    above, loss = (
        torch.linspace(0.5, 1.5, BATCH, dtype=torch.float64),
        InfoNCELoss(reduction="none", **options),
    )
    temperature = torch.tensor(0.4, dtype=torch.float64, requires_grad=True)

    def weighted(input, target, temperature):
        return (loss(input, target, temperature=temperature) * above).sum()

    assert torch.autograd.gradcheck(weighted, (*views, temperature))
    assert torch.autograd.gradgradcheck(weighted, (*views, temperature), fast_mode=True)


@pytest.mark.parametrize("options", [{}, {"symmetric": True, "within": True}], ids=str)
def test_no_matrix_of_similarities_is_kept(options):
    """Nothing larger than the embeddings waits for the backward pass, however many pairs there are."""
    input, target = (normal(1100, SIZE, seed=seed).requires_grad_() for seed in (0, 1))
    sizes = []
    with torch.autograd.graph.saved_tensors_hooks(
        lambda kept: sizes.append(kept.numel()) or kept, lambda kept: kept
    ):
        InfoNCELoss(**options)(input, target).backward()
    assert max(sizes) <= input.numel()


def test_several_gradients_at_once(views, monkeypatch):
    """In parts, is_grads_batched gives the gradient of each of several gradients from above."""
    monkeypatch.setattr(similarity, "_PART", {"cpu": 10})
    value = InfoNCELoss(symmetric=True)(*views)
    once = torch.autograd.grad(value, views, retain_graph=True)
    batched = torch.autograd.grad(value, views, torch.tensor([1.0, -2.0]).double(), is_grads_batched=True)
    assert_close(batched, tuple(torch.stack([each, -2 * each]) for each in once))


def test_only_what_needs_a_gradient_has_one(views, monkeypatch):
    """In parts, a target without gradient, as of a momentum encoder, leaves that of the input as it is."""
    monkeypatch.setattr(similarity, "_PART", {"cpu": 10})
    input, target = views
    wanted, _ = torch.autograd.grad(InfoNCELoss()(input, target), views)
    (gradient,) = torch.autograd.grad(InfoNCELoss()(input, target.detach()), input)
    assert_close(gradient, wanted)


@pytest.mark.parametrize("temperature", [0.005, 0.01])
def test_small_temperatures(temperature):
    """Where a positive is as far as can be, the value is 2/T and the gradient is not zero, in float32.

    With a tiny number inside of the logarithm the value stops at 87, and nothing is learned.
    """
    input = torch.eye(2, requires_grad=True)
    target = torch.tensor([[-1.0, 0.1], [1.0, 0.1]])
    value = InfoNCELoss(temperature=temperature)(input, target)
    exact = InfoNCELoss(temperature=temperature)(input.double(), target.double())
    assert_close(value.double(), exact, rtol=1e-5, atol=0)
    assert torch.autograd.grad(value, input)[0].abs().max() > 1


def test_a_row_far_below_the_best(views):
    """A row whose best similarity is far below 1 is not lost: no fixed shift stands for the maximum."""
    input, target = (functional.normalize(each.detach()).float() for each in views)
    opposite = torch.cat([input[:1], -input[:1].expand(BATCH - 1, -1)])
    value = InfoNCELoss(temperature=0.005, reduction="none")(-opposite, target)
    exact = InfoNCELoss(temperature=0.005, reduction="none")(-opposite.double(), target.double())
    assert_close(value.double(), exact, rtol=1e-4, atol=1e-4)


def test_a_small_loss_keeps_its_digits():
    """Where all is told apart, value and gradient are small, not zero: no difference of large numbers."""
    input = torch.eye(3, requires_grad=True)
    loss = InfoNCELoss(similarity="dot", temperature=0.02)
    value = loss(input, torch.eye(3))
    assert_close(value.item(), 2 * np.exp(-50.0), rtol=1e-5, atol=0)
    assert (torch.autograd.grad(value, input)[0] != 0).any()


def test_duplicates_of_a_group():
    """A sample that is twice in a batch, in one group, is no negative of itself; its copies cost the same."""
    input, target = normal(4, SIZE, seed=0), normal(4, SIZE, seed=1)
    twice = torch.tensor([0, 1, 2, 3, 0])
    loss = InfoNCELoss(reduction="none")
    value = loss(input[twice], target[twice], groups=torch.tensor([7, 1, 2, 3, 7]))
    plain = loss(input, target)
    assert_close(value[0], plain[0])
    assert_close(value[4], plain[0])
    assert (value[1:4] > plain[1:4]).all()


def test_no_negatives_at_all(views):
    """A row without any negative costs zero, without a gradient; decoupled it is no part of the mean."""
    groups = torch.zeros(BATCH, dtype=torch.int32)
    for options in ({}, {"label_smoothing": 0.2, "symmetric": True}, {"decoupled": True}):
        loss = InfoNCELoss(**options)
        value = loss(*views, groups=groups)
        assert value == 0
        assert all((each == 0).all() for each in torch.autograd.grad(value, views))
    assert InfoNCELoss(decoupled=True).fraction(*views, groups=groups).denominator == 0
    alone = InfoNCELoss(decoupled=True, symmetric=True)
    assert alone(views[0][:1], views[1][:1]) == 0
    extra = alone(views[0][:1], views[1][:1], negatives=normal(2, SIZE, seed=4))
    assert_close(
        extra, InfoNCELoss(decoupled=True)(views[0][:1], views[1][:1], negatives=normal(2, SIZE, seed=4))
    )


@pytest.mark.parametrize("shape", [(0, SIZE), (BATCH, 0, SIZE)], ids=str)
def test_an_empty_queue(views, shape):
    """No further negatives are as good as none given."""
    nothing = torch.zeros(shape, dtype=torch.float64, requires_grad=True)
    value = InfoNCELoss()(*views, negatives=nothing)
    assert_close(value, InfoNCELoss()(*views))
    value.backward()


def test_cosines_know_no_scale_and_no_rotation(views):
    """Scaling rows, by whatever power of ten, and rotating all of them changes no cosine."""
    input, target = (each.detach() for each in views)
    expected = InfoNCELoss()(input, target)
    rotation, _ = torch.linalg.qr(normal(SIZE, SIZE, seed=6))
    assert_close(InfoNCELoss()(input @ rotation, target @ rotation), expected)
    sizes = 10.0 ** torch.arange(-3, BATCH - 3).double().unsqueeze(1)
    assert_close(InfoNCELoss()(input * sizes, target / sizes), expected)
    for size in (1e-30, 1e30):
        value = InfoNCELoss()(input.float() * size, target.float())
        assert_close(value, expected.float())


def test_scalar_products_know_rotations(views):
    """Rotating all embeddings changes no scalar product either."""
    input, target = (each.detach() for each in views)
    rotation, _ = torch.linalg.qr(normal(SIZE, SIZE, seed=6))
    loss = InfoNCELoss(similarity="dot", temperature=1.0)
    assert_close(loss(input @ rotation, target @ rotation), loss(input, target))


def test_embeddings_of_zeros():
    """A row of zeros has a cosine of zero with everything, and a gradient of zero; others are finite."""
    input = torch.tensor([[0.0, 0.0], [1.0, 0.0]], requires_grad=True)
    value = InfoNCELoss(temperature=1.0, reduction="none")(input, torch.eye(2))
    assert_close(value[0].item(), np.log(2))
    (gradient,) = torch.autograd.grad(value.sum(), input)
    assert (gradient[0] == 0).all()
    assert gradient.isfinite().all()


def test_large_half_precision(views):
    """Embeddings in half precision that are hundreds long have the cosines of short ones."""
    input, target = (functional.normalize(each.detach()).half() for each in views)
    assert_close(InfoNCELoss()(input * 300, target), InfoNCELoss()(input, target), rtol=1e-2, atol=1e-2)


def test_a_learned_temperature(views):
    """A temperature that is a tensor stands for the option, and has a gradient."""
    temperature = torch.tensor(0.2, requires_grad=True)
    value = InfoNCELoss(temperature=5.0)(*views, temperature=temperature)
    assert_close(value, InfoNCELoss(temperature=0.2)(*views), rtol=1e-6, atol=1e-6)
    assert torch.autograd.grad(value, temperature)[0] != 0
    with pytest.raises(InputValueError, match="temperature must be above zero; it holds 0"):
        InfoNCELoss()(*views, temperature=torch.tensor(0.0))
    with pytest.raises(InputValueError, match=r"temperature \(1,\); accepted for the temperature: \(\)"):
        InfoNCELoss()(*views, temperature=torch.ones(1))


@pytest.mark.parametrize("dtype", [torch.uint8, torch.int32, torch.int64, torch.bool], ids=str)
def test_groups_are_integers(views, dtype):
    """Any dtype of integers names groups; floats raise TypeError."""
    groups = torch.tensor([0, 1, 0, 1, 1, 0, 0])
    for loss in (InfoNCELoss(), InfoNCELoss(decoupled=True, label_smoothing=0.1)):
        assert_close(loss(*views, groups=groups.to(dtype)), loss(*views, groups=groups))
    with pytest.raises(InputTypeError, match=r"groups must hold integers, got torch\.float32"):
        InfoNCELoss()(*views, groups=groups.float())


@pytest.mark.parametrize("shape", [(3, 1), (SIZE,), (BATCH - 1, 2, SIZE), (1, BATCH, 2, SIZE)], ids=str)
def test_negatives_that_do_not_fit(views, shape):
    """Negatives of another size, or for another batch, raise ValueError with both shapes."""
    with pytest.raises(
        ValueError, match=rf"input \({BATCH}, {SIZE}\), negatives .*; accepted for the negatives"
    ):
        InfoNCELoss()(*views, negatives=torch.ones(shape))


def test_two_names():
    """It is found under the name that sentence-transformers has for it as well."""
    assert loss_registry.get("multiple_negatives_ranking_loss") is InfoNCELoss


def test_descent_brings_pairs_together():
    """Minimised, each embedding ends next to its own target, and away from the others."""
    input = normal(8, 8, seed=0).float().requires_grad_()
    target = torch.eye(8)
    optimizer = torch.optim.Adam([input], lr=0.1)
    for _ in range(100):
        optimizer.zero_grad()
        InfoNCELoss(temperature=0.2, symmetric=True)(input, target).backward()
        optimizer.step()
    cosines = functional.normalize(input) @ target.T
    assert (cosines.argmax(dim=1) == torch.arange(8)).all()
    assert InfoNCELoss(temperature=0.2)(input, target) < 0.1
