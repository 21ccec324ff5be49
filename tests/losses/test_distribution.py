"""A batch spread over two processes has the value and the gradient of the whole batch in one."""

import os
import pickle
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from torch.testing import assert_close

from lossary_losses import DiceLoss, LovaszHingeLoss
from lossary_losses.testing.rules.distribution import _on_two_ranks

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


def test_a_group_is_a_group():
    """Anything else as process_group raises TypeError."""
    with pytest.raises(
        TypeError, match=r"process_group must be a torch\.distributed\.ProcessGroup or None, got 'x'"
    ):
        DiceLoss(process_group="x")
