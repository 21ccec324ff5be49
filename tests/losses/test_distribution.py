"""A batch spread over two processes has the value and the gradient of the whole batch in one."""

import os
import pickle
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from torch.testing import assert_close

from lossary_losses import DiceLoss

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
for loss, input, target, others in cases:
    loss.process_group = distributed.group.WORLD
    part = slice(0, 1) if rank == 0 else slice(1, None)
    logits = input[part].requires_grad_()
    value = loss(logits, target[part], **{name: each[part] for name, each in others.items()})
    value.backward()
    results.append((value.detach(), logits.grad))
with open(f"{folder}/results{rank}", "wb") as file:
    pickle.dump(results, file)
distributed.barrier()
distributed.destroy_process_group()
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder in which the processes meet."""
    return tmp_path_factory.mktemp("processes")


@pytest.fixture(scope="module")
def spread(folder, all_cases):
    """What two processes give, the first with one sample, the second with two: value and gradient."""
    cases = [
        (each.bare(reduction=reduction), *data(each)) for each in all_cases for reduction in ("mean", "sum")
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


@pytest.mark.parametrize("reduction", ["mean", "sum"])
def test_two_processes_are_one(case, reduction, spread, all_cases):
    """The mean over processes of value and gradient is what one process gives."""
    index = 2 * all_cases.index(case) + ("mean", "sum").index(reduction)
    (first, first_gradient), (second, second_gradient) = (results[index] for results in spread)
    input, target, others = data(case)
    value = case.bare(reduction=reduction)(input.requires_grad_(), target, **others)
    value.backward()
    assert_close((first + second) / 2, value.detach())
    assert_close(torch.cat([first_gradient, second_gradient]) / 2, input.grad)


def test_a_group_is_a_group():
    """Anything else as process_group raises TypeError."""
    with pytest.raises(
        TypeError, match=r"process_group must be a torch\.distributed\.ProcessGroup or None, got 'x'"
    ):
        DiceLoss(process_group="x")
