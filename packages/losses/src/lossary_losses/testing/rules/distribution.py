"""Distribution: a batch spread over two processes has the gradient of the whole batch in one."""

from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeoutError
from datetime import timedelta
from threading import Thread
from typing import Any

import torch
from torch import Tensor, distributed

from lossary_losses.testing.data import Data
from lossary_losses.testing.rule import close, rule
from lossary_losses.testing.subject import Subject

_PATIENCE = timedelta(seconds=30)


@rule("distribution", options=["process_group"], arguments=["mask"])
def two_processes_are_one(subject: Subject, data: Data) -> None:
    """With process_group, the mean over two ranks of value and gradient is that of the whole batch."""
    sample = data.draw(batch=3 * data.least)
    mask = data.everything(sample)
    mask[0].view(-1)[mask[0].numel() // 3 :] = False
    parts = (slice(0, data.least), slice(data.least, None))

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


@rule("distribution", if_option=["position_group"], arguments=["mask"])
def two_parts_of_space_are_one(subject: Subject, data: Data) -> None:
    """With position_group, the mean over two ranks, each with some positions of all samples, is the whole."""
    sample = data.draw()
    mask = data.most(sample)
    cut = sample.input.shape[-1] // 3
    parts = (slice(0, cut), slice(cut, None))
    mask[..., parts[1]] = True

    def on_rank(rank: int, group: distributed.ProcessGroup) -> tuple[Tensor, Tensor]:
        part = sample.every(lambda tensor: tensor[..., parts[rank]].clone())
        input = part.input.requires_grad_()
        given = {"mask": mask[..., parts[0]]} if rank == 0 else {}  # elsewhere all positions count
        value = subject.value(part, loss=subject.loss(position_group=group), **given)
        (slope,) = torch.autograd.grad(value.sum(), input)
        return value.detach(), slope

    (first, first_slope), (second, second_slope) = _on_two_ranks(on_rank)
    input = sample.input.clone().requires_grad_()
    value = subject.value(sample.at(input), mask=mask)
    (slope,) = torch.autograd.grad(value.sum(), input)
    close((first + second) / 2, value, "the mean over ranks of the value")
    close(torch.cat([first_slope, second_slope], dim=-1) / 2, slope, "the mean over ranks of the gradient")


_groups: dict[int, distributed.ProcessGroup] = {}
"""The group of each rank, made once: torch 2.6 waits for ever where a group ends with its last message."""
_spoiled: list[distributed.ProcessGroup] = []
"""Groups whose ranks no longer agree on what comes next."""


def _on_two_ranks(
    work: Callable[[int, distributed.ProcessGroup], tuple[Tensor, Tensor]],
) -> list[tuple[Tensor, Tensor]]:
    """Run work on two ranks of one gloo group; two threads do, since a group is all that ranks share."""
    store = distributed.HashStore()  # type: ignore[attr-defined]
    done: list[Future[tuple[Tensor, Tensor]]] = [Future(), Future()]

    def run(rank: int) -> None:
        try:
            if rank not in _groups:
                _groups[rank] = _make_group(store, rank)
            done[rank].set_result(work(rank, _groups[rank]))
        except BaseException as error:  # noqa: BLE001 - whatever a rank raises is raised where it is awaited
            done[rank].set_exception(error)

    for rank in (0, 1):
        # Not to be waited for at the end: a loss whose ranks wait for each other waits for ever.
        Thread(target=run, args=(rank,), daemon=True).start()
    try:
        return [each.result(_PATIENCE.total_seconds()) for each in done]
    except FutureTimeoutError:
        _give_up_groups()
        raise AssertionError("the two ranks wait for each other, and do not end") from None
    except BaseException:
        _give_up_groups()
        raise


def _give_up_groups() -> None:
    _spoiled.extend(_groups.values())
    _groups.clear()


def _make_group(store: Any, rank: int) -> distributed.ProcessGroup:  # noqa: ANN401 - torch names no type for it
    gloo = distributed.ProcessGroupGloo(store, rank, 2, _PATIENCE)
    group = distributed.ProcessGroup(store, rank, 2)
    group._register_backend(torch.device("cpu"), distributed.ProcessGroup.BackendType.GLOO, gloo)  # noqa: SLF001 - what init_process_group does
    return group
