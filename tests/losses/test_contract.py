"""Promises that every loss of the collection keeps."""

import copy
import pickle

import pytest
import torch
import torch._dynamo.testing
from torch.testing import assert_close

from lossary_losses import ReducedLoss, loss_registry
from lossary_losses._core.dense import class_membership
from lossary_losses._core.docstring import read_docstring
from lossary_losses.card import card_of

IGNORED = 77


def with_ignored(target, positions):
    """Write the ignored value at positions ``(B, *S)`` of a target, in all its channels."""
    target = target.clone()
    where = positions if target.ndim == positions.ndim else positions.unsqueeze(1).expand_as(target)
    target[where] = IGNORED
    return target


@pytest.fixture
def kept():
    """Positions (B, *S) that count: in each sample the same number, so that the others can be cut out."""
    generator = torch.Generator().manual_seed(1)
    order = torch.rand(2, 15, generator=generator).argsort(dim=1)
    return (order < 9).reshape(2, 3, 5)


def cut(tensor, kept):
    """Cut the positions that do not count out of a tensor (B, C, *S) or (B, *S)."""
    if tensor.ndim == kept.ndim:
        return torch.stack([each[where] for each, where in zip(tensor, kept, strict=True)])
    return torch.stack([each[:, where] for each, where in zip(tensor, kept, strict=True)])


def test_every_loss_of_the_collection_is_under_test(registered, tested):
    """No loss that reduces is registered without a case that the rules here run over."""
    assert registered in tested or not issubclass(registered, ReducedLoss)


@pytest.mark.parametrize("reduction", ["mean", "sum"])
def test_masked_is_cut_out(scattered_case, kept, reduction):
    """The loss under a mask is the loss of the data with the masked positions cut out."""
    case = scattered_case
    input, target = case.data()
    loss = case.loss(reduction=reduction)
    assert_close(loss(input, target, mask=kept), loss(cut(input, kept), cut(target, kept)))


@pytest.mark.parametrize("reduction", ["mean", "sum"])
def test_ignored_is_masked(case, kept, reduction):
    """A position whose target is ignore_index counts as little as a masked one."""
    input, target = case.data()
    ignoring = case.loss(reduction=reduction, ignore_index=IGNORED)
    expected = case.loss(reduction=reduction)(input, target, mask=kept)
    assert_close(ignoring(input, with_ignored(target, ~kept)), expected)


def test_excluded_positions_may_hold_anything(case, kept, gradient):
    """NaN and infinity at excluded positions change nothing, and get a gradient of exactly zero."""
    input, target = case.data()
    excluded = ~kept.unsqueeze(1).expand_as(input)
    poisoned = input.detach().clone()
    poisoned[excluded] = (
        torch.tensor([float("nan"), float("inf"), -float("inf")]).double().repeat(99)[: excluded.sum()]
    )
    if target.is_floating_point():
        target = target.masked_fill(excluded, float("nan"))
    result = gradient(case.loss(), poisoned, target, mask=kept)
    clean = gradient(case.loss(), input, target.nan_to_num(), mask=kept)
    assert (result[excluded] == 0).all()
    assert_close(result, clean)
    expected = case.loss()(input, target.nan_to_num(), mask=kept)
    assert_close(case.loss()(poisoned, target, mask=kept), expected)


@pytest.mark.parametrize("reduction", ["none", "mean", "sum"])
def test_nothing_counts(case, reduction, gradient):
    """With everything excluded the loss is exactly zero, and so is its gradient."""
    input, target = case.data()
    nothing = torch.zeros(2, 3, 5, dtype=torch.bool)
    loss = case.loss(reduction=reduction)
    assert (loss(input, target, mask=nothing) == 0).all()
    assert (gradient(loss, input, target, mask=nothing) == 0).all()


@pytest.mark.parametrize("reduction", ["mean", "sum"])
def test_empty_batch_is_zero(case, reduction):
    """A batch of no samples has a loss of zero, with a gradient."""
    input, target = case.data(batch=0)
    loss = case.loss(reduction=reduction)(input, target)
    assert loss == 0
    loss.backward()
    assert input.grad.shape == input.shape


def test_sum_is_the_sum_of_none(case):
    """What reduction="sum" gives is the sum of what "none" gives."""
    input, target = case.data()
    assert_close(case.loss(reduction="none")(input, target).sum(), case.loss(reduction="sum")(input, target))


def test_fraction_is_the_mean(case, kept):
    """The numerator over the denominator is the mean, whatever the reduction."""
    input, target = case.data()
    numerator, denominator = case.loss(reduction="sum").fraction(input, target, mask=kept)
    assert_close(numerator / denominator, case.loss()(input, target, mask=kept))


def test_fractions_of_parts_make_the_whole(case, kept):
    """Fractions of two micro-batches that count differently add up to the mean over both."""
    input, target = case.data()
    kept[0, 0] = False
    loss = case.loss(**{"batch": False} if "batch" in case.options else {})
    parts = [loss.fraction(input[i : i + 1], target[i : i + 1], mask=kept[i : i + 1]) for i in (0, 1)]
    mean = sum(part.numerator for part in parts) / sum(part.denominator for part in parts)
    assert_close(mean, loss(input, target, mask=kept))


def test_weight_zero_is_a_mask(case, kept):
    """A weight of one or zero does what a mask does."""
    input, target = case.data()
    assert_close(case.loss()(input, target, weight=kept.double()), case.loss()(input, target, mask=kept))


def test_weight_two_counts_twice(scattered_case, kept):
    """A position of weight two counts as if it were there twice."""
    case = scattered_case
    input, target = case.data()
    doubled = [
        torch.cat([tensor, cut(tensor, kept.flatten(1))], dim=-1) for tensor in flat(case, input, target)
    ]
    weight = 1.0 + kept.double()
    assert_close(case.loss()(input, target, weight=weight), case.loss()(*doubled))


def flat(case, input, target):
    """Bring space into one dimension."""
    return input.flatten(2), target.flatten(1) if case.kind == "labels" else target.flatten(2)


@pytest.mark.parametrize("space", [(), (7,), (2, 3), (2, 3, 2)], ids=str)
def test_any_number_of_spatial_dimensions(scattered_case, space):
    """Flattening space changes nothing: (B, C, *S) is (B, C, N) in any arrangement."""
    case = scattered_case
    input, target = case.data(space=space)
    flat_target = target.reshape(2, -1) if case.kind == "labels" else target.reshape(2, 4, -1)
    assert_close(case.loss()(input, target), case.loss()(input.reshape(2, 4, -1), flat_target))


def test_memory_layout_does_not_matter(case):
    """Strided, channels-last and expanded inputs give the result of contiguous ones."""
    input, target = case.data(space=(4, 6))
    expected = case.loss()(input, target)
    assert_close(case.loss()(input.detach().to(memory_format=torch.channels_last), target), expected)
    wide = torch.stack([input.detach(), input.detach()], dim=-1).flatten(-2)
    assert_close(case.loss()(wide[..., ::2], target), expected)
    one, its_target = input.detach()[:1].expand(3, 4, 4, 6), target[:1].expand(3, *target.shape[1:])
    assert_close(case.loss()(one, its_target), case.loss()(one.contiguous(), its_target.contiguous()))


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16], ids=str)
def test_half_precision_is_computed_in_float32(case, dtype):
    """Half-precision input gives the float32 result of the same numbers, also on a large image."""
    input, target = case.data(batch=1, space=(512, 512), dtype=dtype)
    result = case.loss()(input, target)
    expected = case.loss()(input.detach().float(), target.float() if target.is_floating_point() else target)
    assert result.dtype == torch.float32
    assert_close(result, expected, rtol=0, atol=0)
    result.backward()
    assert input.grad.dtype == dtype
    assert input.grad.isfinite().all()


def test_autocast_changes_nothing(case):
    """Under autocast the loss is what it is without."""
    input, target = case.data(dtype=torch.float32)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        inside = case.loss()(input, target)
    assert_close(inside, case.loss()(input, target), rtol=0, atol=0)


def test_double_stays_double(case):
    """A float64 input is computed in float64."""
    assert case.loss()(*case.data()).dtype == torch.float64


@pytest.mark.parametrize("size", [50.0, 1e4])
def test_extreme_logits_are_finite(logit_case, size, gradient):
    """Logits of ten thousand, right or wrong, give finite values and gradients."""
    input, target = logit_case.data(dtype=torch.float32)
    input = input.detach().sign() * size
    assert logit_case.loss()(input, target).isfinite()
    assert gradient(logit_case.loss(), input, target).isfinite().all()


def test_minus_infinity_off_the_target_is_finite(hard_case, gradient):
    """A logit of minus infinity on what is not the target costs nothing and stays finite."""
    input, target = hard_case.data(dtype=torch.float32)
    truth = class_membership(target.unsqueeze(1), 4) if hard_case.kind == "labels" else target > 0
    off = ~truth & (torch.rand(truth.shape, generator=torch.Generator().manual_seed(3)) < 0.5)
    input = input.detach().masked_fill(off, -float("inf"))
    assert hard_case.loss()(input, target).isfinite()
    assert gradient(hard_case.loss(), input, target).isfinite().all()


def test_gradients_are_right(case):
    """First and second derivatives agree with finite differences under a non-uniform upstream gradient."""
    input, target = case.data(batch=2, space=(3,))
    upstream = torch.linspace(0.5, 1.5, steps=case.loss(reduction="none")(input, target).numel()).double()

    def weighted(values):
        return (case.loss(reduction="none")(values, target).flatten() * upstream).sum()

    assert torch.autograd.gradcheck(weighted, input)
    assert torch.autograd.gradgradcheck(weighted, input)


def test_compiles_without_a_break(case):
    """The loss compiles in one graph, and once the batch is dynamic another size compiles nothing anew."""
    torch._dynamo.reset()
    loss = case.loss()
    counter = torch._dynamo.testing.CompileCounterWithBackend("aot_eager")
    compiled = torch.compile(loss, fullgraph=True, backend=counter)
    for batch in (3, 4, 5):
        input, target = case.data(batch=batch)
        torch._dynamo.mark_dynamic(input, 0)
        torch._dynamo.mark_dynamic(target, 0)
        assert_close(compiled(input, target), loss(input, target))
    assert counter.frame_count == 1


def test_compiles_with_a_mask_and_weights(case, kept):
    """With a mask and weights the loss compiles in one graph as well."""
    torch._dynamo.reset()
    input, target = case.data()
    given = {"mask": kept, "weight": torch.linspace(0.5, 1.5, kept.numel()).reshape(kept.shape)}
    loss = case.loss()
    compiled = torch.compile(loss, fullgraph=True, backend="eager")
    assert_close(compiled(input, target, **given), loss(input, target, **given))


def test_exports(case):
    """The loss exports, and the exported program computes the same."""
    input, target = (tensor.detach() for tensor in case.data())
    program = torch.export.export(case.loss(), (input, target))
    assert_close(program.module()(input, target), case.loss()(input, target))


def test_gradients_per_sample(case):
    """Mapping grad over samples gives each sample the gradient that it has alone."""
    input, target = (tensor.detach() for tensor in case.data())
    loss = case.loss()

    def single(x, t):
        return loss(x.unsqueeze(0), t.unsqueeze(0))

    together = torch.func.vmap(torch.func.grad(single))(input, target)
    alone = [torch.func.grad(single)(x, t) for x, t in zip(input, target, strict=True)]
    assert_close(together, torch.stack(alone))


def test_the_same_call_gives_the_same_bits(case, gradient):
    """Twice the same call gives bitwise the same value and gradient."""
    input, target = case.data(space=(64, 64), dtype=torch.float32)
    assert torch.equal(case.loss()(input, target), case.loss()(input, target))
    assert torch.equal(gradient(case.loss(), input, target), gradient(case.loss(), input, target))


def test_order_of_samples_does_not_matter(case):
    """Permuting the batch changes nothing but the order of the elements."""
    input, target = case.data(batch=4)
    assert_close(case.loss()(input.flip(0), target.flip(0)), case.loss()(input, target))


def test_descent_reaches_a_good_fit(hard_case):
    """A short optimisation on the loss gets most of the way to a perfect prediction."""
    input, target = hard_case.data(dtype=torch.float32)
    input = input.detach().requires_grad_()
    loss = hard_case.loss(**{"label_smoothing": 0.0} if "label_smoothing" in hard_case.options else {})
    before = loss(input, target).item()
    optimizer = torch.optim.Adam([input], lr=0.5)
    for _ in range(100):
        optimizer.zero_grad()
        loss(input, target).backward()
        optimizer.step()
    assert loss(input, target).item() < 0.05 * before


def test_forward_writes_no_attribute(case):
    """Calling a loss leaves it as it was."""
    loss = case.loss()
    before = {name: copy.copy(value) for name, value in vars(loss).items()}
    buffers = [(name, buffer, buffer.clone()) for name, buffer in loss.named_buffers()]
    loss(*case.data())
    assert {name: value for name, value in vars(loss).items() if name != "_buffers"} == {
        name: value for name, value in before.items() if name != "_buffers"
    }
    for (name, buffer), (old_name, old, value) in zip(loss.named_buffers(), buffers, strict=True):
        assert name == old_name
        assert buffer is old
        assert torch.equal(buffer, value)


def test_copies_and_pickles(case):
    """A deep copy and a pickled loss compute the same, with the same repr."""
    loss = case.loss()
    data = case.data()
    for twin in (copy.deepcopy(loss), pickle.loads(pickle.dumps(loss))):
        assert_close(twin(*data), loss(*data))
        assert repr(twin) == repr(loss)


def test_options_are_no_state(case):
    """The state_dict holds what is learned and nothing else, and loads strictly."""
    loss = case.loss()
    assert list(loss.state_dict()) == [name for name, _ in loss.named_parameters()]
    assert [*loss.parameters()] == [] or case.options.get("learned")
    case.loss().load_state_dict(loss.state_dict())


def test_lives_on_the_meta_device(case):
    """A loss can be built and called without memory, on the meta device."""
    input, target = (tensor.detach().to("meta") for tensor in case.data())
    with torch.device("meta"):
        result = case.loss()(input, target)
    assert result.shape == ()


@pytest.mark.parametrize("shape", [(3, 4, 3, 5), (2, 4, 3), (2, 3, 3, 5), (2, 1, 3, 5), (1,)], ids=str)
def test_wrong_shapes_are_refused(case, shape):
    """A target that does not fit raises ValueError naming both shapes, instead of broadcasting."""
    input, _ = case.data()
    dtype = torch.int64 if case.kind == "labels" else torch.float64
    with pytest.raises(ValueError, match=r"Incompatible shapes: input \(2, 4, 3, 5\), target ") as raised:
        case.loss()(input, torch.zeros(shape, dtype=dtype))
    assert str(shape) in str(raised.value)


@pytest.mark.parametrize("name", ["mask", "weight"])
def test_wrong_shapes_of_masks_and_weights_are_refused(case, name):
    """A mask or weight that would only broadcast raises ValueError."""
    given = torch.ones(2, 1, 1, 5, dtype=torch.bool if name == "mask" else torch.float64)
    with pytest.raises(ValueError, match=rf"{name} \(2, 1, 1, 5\); accepted for the {name}: \(2, 3, 5\)"):
        case.loss()(*case.data(), **{name: given})


def test_masks_are_bool(case):
    """A mask of numbers raises TypeError: it could be a weight, or the other way round."""
    with pytest.raises(TypeError, match="mask must be bool, True where a position counts"):
        case.loss()(*case.data(), mask=torch.ones(2, 3, 5))


def test_integer_input_is_refused(case):
    """An input of integers raises TypeError: predicted labels are no logits."""
    input, target = case.data()
    with pytest.raises(TypeError, match=r"input must be a floating-point tensor, got torch\.int64"):
        case.loss()(input.long(), target)


def test_unknown_options_are_refused(case):
    """An option that does not exist raises TypeError."""
    with pytest.raises(TypeError, match="smoooth"):
        case.loss(smoooth=1.0)


def test_names_lead_to_classes(registered):
    """Each loss is registered under a snake_case name, and its class name is an alias."""
    entry = loss_registry.entry(registered.__name__)
    assert loss_registry.get(registered.__name__) is registered
    assert entry.name == entry.name.lower() != registered.__name__


VOCABULARY = {
    *("segmentation", "classification", "regression", "composite"),
    *("binary", "multilabel", "multiclass"),
    *("cross_entropy", "overlap", "boundary", "topology", "pointwise", "imbalance", "noise_robust"),
    *("probabilistic", "robust"),
}


def test_tags_come_from_the_vocabulary(registered):
    """Tags are words of a closed vocabulary, so that a filter finds what it means."""
    assert set(loss_registry.entry(registered.__name__).tags) <= VOCABULARY


@pytest.mark.parametrize("name", ["target", "weight"])
def test_complex_numbers_are_refused(case, name):
    """Complex numbers raise TypeError, naming the argument: half of each would be lost without a word."""
    input, target = case.data()
    given = {"target": target, "weight": torch.ones(2, 3, 5)}
    given[name] = given[name].to(torch.complex64)
    with pytest.raises(TypeError, match=f"{name} .*complex64"):
        case.loss()(input, **given)


def test_negative_weights_are_refused(case):
    """A weight below zero raises ValueError, naming it; at an excluded position it may stand."""
    input, target = case.data()
    weight = torch.ones(2, 3, 5)
    weight[0, 1, 2] = -0.5
    with pytest.raises(ValueError, match=r"weight must not be negative; it holds -0\.5"):
        case.loss()(input, target, weight=weight)
    positive = case.loss()(input, target, weight=weight.relu())
    assert_close(case.loss()(input, target, weight=weight, mask=weight > 0), positive)


def test_papers_are_cited_with_an_id(registered):
    """A card has the papers of its loss, and where to find each; plain arithmetic has none."""
    reference = read_docstring(registered).sections["Reference"]
    papers = card_of(registered).papers
    assert papers or reference.startswith("None: ")
    assert all(paper.id.partition(":")[2] for paper in papers)
