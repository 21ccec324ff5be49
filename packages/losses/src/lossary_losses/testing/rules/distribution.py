"""Distribution: a batch spread over two processes has the gradient of the whole batch in one."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import torch
from torch import Tensor, distributed

from lossary_losses.testing.data import SPACE, Data
from lossary_losses.testing.rule import close, rule
from lossary_losses.testing.subject import Subject

_PATIENCE = timedelta(seconds=60)


@rule("distribution", options=["process_group"], arguments=["mask"])
def two_processes_are_one(subject: Subject, data: Data) -> None:
    """With process_group, the mean over two ranks of value and gradient is that of the whole batch."""
    sample = data.draw(batch=3)
    mask = torch.ones(3, *SPACE, dtype=torch.bool)
    mask[0, 1:] = False
    parts = (slice(0, 1), slice(1, 3))

    def on_rank(rank: int, group: distributed.ProcessGroup) -> tuple[Tensor, Tensor]:
        part = sample.every(lambda tensor: tensor[parts[rank]].clone())
        input = part.input.requires_grad_()
        value = subject.value(part, loss=subject.loss(process_group=group), mask=mask[parts[rank]])
        (slope,) = torch.autograd.grad(value.sum(), input)
        return value.detach(), slope

    (first, first_slope), (second, second_slope) = _on_two_ranks(on_rank)
    input = sample.input.clone().requires_grad_()
    value = subject.value(sample.at(input), mask=mask)
    (slope,) = torch.autograd.grad(value.sum(), input)
    close((first + second) / 2, value, "the mean over ranks of the value")
    close(torch.cat([first_slope, second_slope]) / 2, slope, "the mean over ranks of the gradient")


def _on_two_ranks(
    work: Callable[[int, distributed.ProcessGroup], tuple[Tensor, Tensor]],
) -> list[tuple[Tensor, Tensor]]:
    """Run work on two ranks of one gloo group; two threads do, since a group is all that ranks share."""
    store = distributed.HashStore()  # type: ignore[attr-defined]

    def run(rank: int) -> tuple[Tensor, Tensor]:
        gloo = distributed.ProcessGroupGloo(store, rank, 2, _PATIENCE)
        group = distributed.ProcessGroup(store, rank, 2)
        group._register_backend(torch.device("cpu"), distributed.ProcessGroup.BackendType.GLOO, gloo)  # noqa: SLF001 - what init_process_group does
        return work(rank, group)

    with ThreadPoolExecutor(2) as pool:
        return list(pool.map(run, (0, 1)))
