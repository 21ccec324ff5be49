"""A batch spread over two processes has the value and the gradient of the whole batch in one."""

import os
import pickle
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import torch
from torch import distributed
from torch.testing import assert_close

from lossary_losses import (
    CrossEntropyLoss,
    DiceCELoss,
    DiceLoss,
    GeneralizedDiceLoss,
    LovaszHingeLoss,
    MCCLoss,
    SoftClDiceLoss,
    UnifiedFocalLoss,
    WeightedSum,
)
from lossary_losses._core import streaming
from lossary_losses.exact import Exact
from lossary_losses.testing.rules.distribution import _make_group, _on_two_ranks

pytestmark = pytest.mark.xdist_group("processes")

WORKER = """
import pickle, sys
import torch
from torch import distributed

rank, folder = int(sys.argv[1]), sys.argv[2]
distributed.init_process_group("gloo", init_method=f"file://{folder}/meeting", rank=rank, world_size=2)
with open(f"{folder}/cases", "rb") as file:
    cases = pickle.load(file)
results = []
for loss, own, input, target, others in cases:
    loss.process_group = distributed.group.WORLD
    part = slice(0, own) if rank == 0 else slice(own, None)
    for step in range(2):
        logits = input[part].requires_grad_()
        value = loss(logits, target[part], **{name: each[part] for name, each in others.items()})
        value.backward()
    results.append((value.detach(), logits.grad))
with open(f"{folder}/results{rank}", "wb") as file:
    pickle.dump(results, file)
distributed.barrier()
distributed.destroy_process_group()
"""


REDUCTIONS = ("mean", "sum")
OWN = (1, 3)
"""How many of three samples the first process has; the second has the rest, or none."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder in which the processes meet."""
    return tmp_path_factory.mktemp("processes")


@pytest.fixture(scope="module")
def spread(folder, all_cases):
    """What two processes give in their second step, each with its part: value and gradient."""
    cases = [
        (each.bare(reduction=reduction), own, *data(each))
        for each in all_cases
        for reduction in REDUCTIONS
        for own in OWN
    ]
    (folder / "cases").write_bytes(pickle.dumps(cases))
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "GLOO_SOCKET_IFNAME": "lo"}
    workers = [
        subprocess.Popen([sys.executable, "-c", WORKER, str(rank), str(folder)], env=environment)  # noqa: S603
        for rank in (0, 1)
    ]
    assert [worker.wait(timeout=120) for worker in workers] == [0, 0]
    return [pickle.loads(Path(folder / f"results{rank}").read_bytes()) for rank in (0, 1)]


def data(case):
    """Draw three samples, of which the first hardly counts, and what the loss takes beside them."""
    input, target = case.data(batch=3)
    mask = torch.ones(3, 3, 5, dtype=torch.bool)
    mask[0, 1:] = False
    others = {} if case.arguments is None else case.arguments(target)
    return input.detach(), target, {"mask": mask, **others}


@pytest.mark.parametrize("own", OWN)
@pytest.mark.parametrize("reduction", REDUCTIONS)
def test_two_processes_are_one(case, reduction, own, spread, all_cases):
    """The mean over processes of value and gradient is what one process gives, step after step."""
    index = (all_cases.index(case) * len(REDUCTIONS) + REDUCTIONS.index(reduction)) * len(OWN) + OWN.index(
        own
    )
    (first, first_gradient), (second, second_gradient) = (results[index] for results in spread)
    input, target, others = data(case)
    value = case.bare(reduction=reduction)(input.requires_grad_(), target, **others)
    value.backward()
    assert_close((first + second) / 2, value.detach())
    assert_close(torch.cat([first_gradient, second_gradient]) / 2, input.grad)


@pytest.mark.parametrize("build", [DiceLoss, LovaszHingeLoss])
def test_a_process_without_gradients_takes_part(build):
    """Where the input of one process needs no gradient, the others still have theirs, and none waits."""
    input = torch.randn(2, 1, 6, generator=torch.Generator().manual_seed(0))
    target = torch.tensor([[[1, 0, 1, 1, 0, 0]], [[0, 0, 1, 0, 1, 1]]])

    def on_rank(rank, group):
        own = input[rank : rank + 1].clone().requires_grad_(rank == 0)
        value = build(batch=True, process_group=group)(own, target[rank : rank + 1])
        value.backward()
        return value.detach(), own.grad

    (first, slope), (second, _) = _on_two_ranks(on_rank)
    logits = input.clone().requires_grad_()
    value = build(batch=True)(logits, target)
    value.backward()
    assert_close((first, second), (value.detach(), value.detach()))
    assert_close(slope / 2, logits.grad[:1])


SAMPLES, POSITIONS = (slice(0, 1), slice(1, 3)), (slice(0, 2), slice(2, 7))
"""What is in each row and in each column of two by two processes."""


@pytest.fixture(scope="module")
def two_by_two():
    """Run work on four ranks, of which those of a column share a batch, and those of a row its positions."""
    rows, columns = ([distributed.HashStore() for _ in range(2)] for _ in range(2))

    def meet(rank):
        row, column = divmod(rank, 2)
        return {
            "process_group": _make_group(columns[column], row),
            "position_group": _make_group(rows[row], column),
        }

    with ThreadPoolExecutor(4) as threads:
        groups = list(threads.map(meet, range(4)))
        yield lambda work: list(threads.map(lambda rank: work(*divmod(rank, 2), groups[rank]), range(4)))


def cut(tensor, row, column):
    """Give what one of two by two processes has."""
    return tensor[SAMPLES[row], ..., POSITIONS[column]].clone()


def spread_data():
    """Draw three samples of seven positions, of which one of the processes is to know a mask."""
    generator = torch.Generator().manual_seed(0)
    input = torch.randn(3, 4, 7, generator=generator, dtype=torch.float64)
    target = torch.randint(0, 3, (3, 7), generator=generator)  # one class is nowhere
    mask = torch.ones(3, 7, dtype=torch.bool)
    mask[0, 0] = mask[0, 3:5] = False
    return input, target, mask


@pytest.mark.parametrize("reduction", ["mean", "sum"])
@pytest.mark.parametrize(
    ("build", "options"),
    [
        (DiceLoss, {}),
        (DiceLoss, {"batch": True, "weight": [1.0, 2.0, 0.5, 3.0]}),
        (DiceLoss, {"empty": "skip"}),
        (GeneralizedDiceLoss, {}),
        (MCCLoss, {"smooth": 0.0}),
        (DiceCELoss, {"empty": "skip"}),
        (UnifiedFocalLoss, {"asymmetric": False}),
    ],
)
def test_batch_and_positions_are_spread(build, options, reduction, two_by_two):
    """With a group for samples and one for positions, the mean over all processes is the whole batch's."""
    input, target, mask = spread_data()

    def work(row, column, groups):
        own = cut(input, row, column).requires_grad_()
        given = {"mask": cut(mask, row, column)} if row == 0 else {}
        value = build(reduction=reduction, **options, **groups)(own, cut(target, row, column), **given)
        value.backward()
        return value.detach(), own.grad

    results = two_by_two(work)
    logits = input.requires_grad_()
    value = build(reduction=reduction, **options)(logits, target, mask=mask)
    value.backward()
    assert_close(torch.stack([each for each, _ in results]).mean(), value.detach())
    slopes = [slope for _, slope in results]
    whole = torch.cat([torch.cat(slopes[:2], dim=-1), torch.cat(slopes[2:], dim=-1)])
    assert_close(whole / 4, logits.grad)


@pytest.mark.parametrize("build", [DiceCELoss, DiceLoss])
def test_what_is_spread_is_counted_as_a_whole(build, two_by_two):
    """A denominator counted before there is an input is that of whole samples, in each of their processes."""
    input, target, mask = spread_data()

    def work(row, column, groups):
        given = {"mask": cut(mask, row, column)} if row == 0 else {}
        loss = build(empty="skip", position_group=groups["position_group"])
        return loss.counts(cut(target, row, column), like=cut(input, row, column), **given)

    results = two_by_two(work)
    for row in range(2):
        given = {"mask": mask[SAMPLES[row]]}
        expected = build(empty="skip").counts(target[SAMPLES[row]], like=input[SAMPLES[row]], **given)
        for column in range(2):
            assert_close(results[2 * row + column], expected)


def test_a_mask_of_elements_in_one_process(two_by_two):
    """Where a mask says of each class whether it counts, the processes without one agree on the message."""
    input, _, _ = spread_data()
    target = (input > 0.3).double()
    mask = torch.ones_like(input, dtype=torch.bool)
    mask[:1, 1:3, :2] = False

    def work(row, column, groups):
        own = cut(input, row, column).requires_grad_()
        given = {"mask": cut(mask, row, column)} if row == column == 0 else {}
        value = DiceLoss(**groups)(own, cut(target, row, column), **given)
        value.backward()
        return value.detach()

    assert_close(torch.stack(two_by_two(work)).mean(), DiceLoss()(input, target, mask=mask))


def test_a_process_without_positions_takes_part():
    """Where the positions do not go round, a process without any has an empty gradient, and none waits."""
    input, target, _ = spread_data()

    def on_rank(rank, group):
        part = slice(0, 7) if rank == 0 else slice(7, 7)
        own = input[..., part].clone().requires_grad_()
        value = DiceLoss(position_group=group)(own, target[..., part])
        value.backward()
        return value.detach(), own.grad

    (first, slope), (second, nothing) = _on_two_ranks(on_rank)
    logits = input.requires_grad_()
    value = DiceLoss()(logits, target)
    value.backward()
    assert_close((first, second), (value.detach(), value.detach()))
    assert_close(slope / 2, logits.grad)
    assert nothing.shape == (3, 4, 0)


@pytest.mark.parametrize("empty", ["score", "skip"])
def test_shares_of_a_step_with_spread_positions(empty):
    """Counted over all processes, a sum of losses has the right shares, whichever of them sum positions."""
    input, target, mask = spread_data()

    def build(group=None):
        return WeightedSum(
            {
                "region": DiceLoss(empty=empty, position_group=group),
                "both": DiceCELoss(empty=empty, position_group=group),
                "pixel": CrossEntropyLoss(),
            }
        )

    def on_rank(rank, group):
        own = input[..., POSITIONS[rank]].clone().requires_grad_()
        exact = Exact(build(group), group=group)
        given = {"target": target[..., POSITIONS[rank]], "mask": mask[..., POSITIONS[rank]]}
        share = exact(own, total=exact.total([given], like=own.shape), **given)
        share.backward()
        return exact.report([share]).total, own.grad

    (first, first_slope), (second, second_slope) = _on_two_ranks(on_rank)
    logits = input.requires_grad_()
    value = build()(logits, target, mask=mask)
    value.backward()
    assert_close((first, second), (value.detach(), value.detach()))
    assert_close(torch.cat([first_slope, second_slope], dim=-1) / 2, logits.grad)


def test_spread_positions_in_parts(monkeypatch):
    """Where an input is computed part by part as well, value and gradient are the same."""
    monkeypatch.setattr(streaming, "_PART", {"cpu": 4})
    test_a_process_without_positions_takes_part()


def test_neighbours_cannot_be_in_other_processes():
    """A loss to which it matters where a position lies takes no position_group."""
    with pytest.raises(TypeError, match="position_group"):
        SoftClDiceLoss(position_group=None)


def test_a_group_is_a_group():
    """Anything else as process_group raises TypeError."""
    with pytest.raises(
        TypeError, match=r"process_group must be a torch\.distributed\.ProcessGroup or None, got 'x'"
    ):
        DiceLoss(process_group="x")
