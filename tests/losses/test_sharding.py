"""Tensors that torch spreads over processes: what the suite's rule does not see, and what is sent."""

from contextlib import nullcontext

import pytest
import torch
from torch import distributed
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.tensor import DTensor, Replicate, Shard
from torch.testing import assert_close
from torch.utils._python_dispatch import TorchDispatchMode

from lossary_losses import (
    AdaptiveRobustLoss,
    BoundaryLoss,
    CrossEntropyLoss,
    DiceCELoss,
    DiceLoss,
    FocalLoss,
    MSELoss,
    Product,
    WeightedSum,
)
from lossary_losses.errors import InputValueError
from lossary_losses.exact import Exact
from lossary_losses.testing.ranks import on_two_ranks_of_a_mesh

WEIGHTS = [1.0, 2.0, 0.5, 0.25]


def data():
    """Draw logits and labels of five samples, and a weight for each position."""
    generator = torch.Generator().manual_seed(0)
    input = torch.randn(5, 4, 6, generator=generator, dtype=torch.float64)
    target = torch.randint(0, 4, (5, 6), generator=generator)
    weight = torch.rand(5, 6, generator=generator, dtype=torch.float64)
    weight[:3] *= 10
    return input, target, weight


def spread(tensor, rank, mesh, dimension=0):
    """Spread a tensor over two ranks, of which the first has more."""
    own = tensor.tensor_split(2, dimension)[rank].clone()
    return DTensor.from_local(
        own, mesh, [Shard(dimension)], run_check=False, shape=tensor.shape, stride=tensor.stride()
    )


@pytest.mark.parametrize(
    "loss",
    [
        CrossEntropyLoss(weight=WEIGHTS, label_smoothing=0.1),
        CrossEntropyLoss(reduction="sum"),
        CrossEntropyLoss(reduction="none"),
        DiceLoss(empty="skip", weight=WEIGHTS),
        DiceLoss(batch=True),
        DiceCELoss(weight=WEIGHTS),
        DiceCELoss(batch=True),
        WeightedSum(
            {"region": DiceLoss(), "inner": WeightedSum({"pixel": FocalLoss()}, weights={"pixel": 3.0})}
        ),
        Product({"region": DiceLoss(), "pixel": CrossEntropyLoss()}),
    ],
)
def test_samples_are_spread_unevenly(loss):
    """With weights of positions and of classes, value and gradient are those of the whole, in each form."""
    input, target, weight = data()

    def on_rank(rank, mesh):
        own = spread(input, rank, mesh).requires_grad_()
        value = loss(own, spread(target, rank, mesh), weight=spread(weight, rank, mesh))
        (slope,) = torch.autograd.grad(value.square().sum(), own)
        return value.detach(), slope.placements, slope.full_tensor()

    logits = input.requires_grad_()
    expected = loss(logits, target, weight=weight)
    (expected_slope,) = torch.autograd.grad(expected.square().sum(), logits)
    for value, placements, slope in on_two_ranks_of_a_mesh(on_rank):
        assert type(value) is torch.Tensor
        assert placements == (Shard(0),)
        assert_close(value, expected.detach())
        assert_close(slope, expected_slope)


class Messages(TorchDispatchMode):
    """Counts messages in one thread, where torch's CommDebugMode watches modules in all of them."""

    def __init__(self):
        super().__init__()
        self.sent = {}

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        if DTensor in types:
            return NotImplemented  # to be seen again, as what becomes of it
        kind = "_".join(function._schema.name.partition("::")[2].split("_")[:2])
        if function.namespace == "_c10d_functional" and kind.startswith(("all", "reduce", "broadcast")):
            self.sent[kind] = self.sent.get(kind, 0) + 1
        return function(*args, **(kwargs or {}))


@pytest.mark.parametrize(
    ("loss", "dimension", "messages"),
    [
        # One message of two numbers, or of four; else one for each tensor that is spread.
        (CrossEntropyLoss(), 0, {"all_reduce": 1}),
        (DiceLoss(), 0, {"all_reduce": 1}),
        (DiceCELoss(), 0, {"all_reduce": 1}),
        (DiceLoss(batch=True), 0, {"all_gather": 2}),
        (CrossEntropyLoss(), 1, {"all_gather": 1}),
        (DiceLoss(), 1, {"all_gather": 1}),
        (BoundaryLoss(), 2, {"all_gather": 2}),
    ],
)
def test_what_is_sent(loss, dimension, messages):
    """Where samples are spread, one message adds sums up; else each tensor that is spread is sent once.

    Nothing is sent backwards.
    """
    input, target, _ = data()

    def on_rank(rank, mesh):
        own = spread(input, rank, mesh, dimension).requires_grad_()
        truth = DTensor.from_local(target, mesh, [Replicate()], run_check=False)
        if dimension != 1:
            truth = spread(target, rank, mesh, max(dimension - 1, 0))
        # In one of both: that a mode is on is written down once for the process, and two would not undo it.
        with Messages() if rank == 0 else nullcontext() as forwards:
            value = loss(own, truth)
        with Messages() if rank == 0 else nullcontext() as backwards:
            value.backward()
        return (forwards.sent, backwards.sent) if rank == 0 else None

    (forwards, backwards), _ = on_two_ranks_of_a_mesh(on_rank)
    assert forwards == messages
    assert not backwards


def test_a_learned_number_has_the_gradient_of_all():
    """A parameter of a loss that each process has for itself gets the same gradient in all, the whole one."""
    input, _, _ = data()
    target = input.roll(1, 0)

    def slope_of(loss, *tensors):
        loss(*tensors).backward()
        return [each.grad for each in loss.parameters()]

    def on_rank(rank, mesh):
        return slope_of(loss_with_parameters(), spread(input, rank, mesh), spread(target, rank, mesh))

    def loss_with_parameters():
        return AdaptiveRobustLoss(learned=True).double()

    expected = slope_of(loss_with_parameters(), input, target)
    assert expected
    for slopes in on_two_ranks_of_a_mesh(on_rank):
        assert_close(slopes, expected)


def test_shares_of_a_step():
    """Counts and shares are those of the whole, where targets are spread or are not."""
    input, target, weight = data()
    loss = WeightedSum({"region": DiceLoss(empty="skip"), "pixel": CrossEntropyLoss(weight=WEIGHTS)})

    def on_rank(rank, mesh):
        exact = Exact(loss)
        given = {"target": spread(target, rank, mesh), "weight": spread(weight, rank, mesh)}
        own = spread(input, rank, mesh).requires_grad_()
        share = exact(own, total=exact.total([given], like=own.shape), **given)
        (slope,) = torch.autograd.grad(share, own)
        return share.detach(), slope.full_tensor()

    logits = input.requires_grad_()
    expected = loss(logits, target, weight=weight)
    (expected_slope,) = torch.autograd.grad(expected, logits)
    for share, slope in on_two_ranks_of_a_mesh(on_rank):
        assert_close(share, expected.detach())
        assert_close(slope, expected_slope)


def test_what_is_whole_goes_with_what_is_spread():
    """A target that every process has as a whole goes with an input that is spread."""
    input, target, _ = data()

    def on_rank(rank, mesh):
        return CrossEntropyLoss()(spread(input, rank, mesh), target)

    for value in on_two_ranks_of_a_mesh(on_rank):
        assert_close(value, CrossEntropyLoss()(input, target))


def test_a_part_does_not_go_with_the_whole():
    """A plain target of a process's own part raises in every process, with the shape of the whole input."""
    input, target, _ = data()

    def on_rank(rank, mesh):
        with pytest.raises(InputValueError, match=r"input \(5, 4, 6\), target \(\d, 6\)"):
            CrossEntropyLoss()(spread(input, rank, mesh), spread(target, rank, mesh).to_local())

    on_two_ranks_of_a_mesh(on_rank)


def test_numbers_of_one_sample_are_no_samples():
    """What would be a batch of numbers to one loss, and a single sample to another, is not taken apart."""
    input = torch.randn(6, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    loss = MSELoss()

    def on_rank(rank, mesh):
        return loss(spread(input, rank, mesh), spread(input.flip(0), rank, mesh))

    for value in on_two_ranks_of_a_mesh(on_rank):
        assert_close(value, loss(input, input.flip(0)))


@pytest.fixture
def mesh_of_one():
    """Give a mesh of one process, in which messages go nowhere, and compilers see what they would in more."""
    distributed.init_process_group("gloo", store=distributed.HashStore(), rank=0, world_size=1)
    yield init_device_mesh("cpu", (1,))
    distributed.destroy_process_group()


@pytest.mark.compilers
@pytest.mark.parametrize("dimension", [0, 1])
@pytest.mark.parametrize("loss", [CrossEntropyLoss(), DiceCELoss(), BoundaryLoss()])
def test_compiled_in_one_graph(loss, dimension, mesh_of_one):
    """What is spread is compiled as a whole, and gives the same value and gradient."""
    torch.compiler.reset()
    input, target, _ = data()
    own = DTensor.from_local(input.clone(), mesh_of_one, [Shard(dimension)], run_check=False).requires_grad_()
    truth = DTensor.from_local(target, mesh_of_one, [Replicate() if dimension else Shard(0)], run_check=False)
    value = torch.compile(loss, backend="aot_eager", fullgraph=True)(own, truth)
    value.backward()
    logits = input.requires_grad_()
    expected = loss(logits, target)
    expected.backward()
    assert_close(value, expected)
    assert_close(own.grad.full_tensor(), logits.grad)
