"""One optimizer step in several processes and parts, with the gradients of one batch in one process.

    python docs/examples/exact/engines.py

Each function is a step for ``check_training``: it is called in each process with the parts of that process.
"""

from __future__ import annotations

import torch
from torch import Tensor, distributed, nn
from torch.nn.parallel import DistributedDataParallel

from lossary_losses import CrossEntropyLoss
from lossary_losses.exact import Exact, check_training

Parts = list[tuple[Tensor, ...]]

LOSS = CrossEntropyLoss(weight=[1.0, 2.0, 5.0], ignore_index=-100)


def make_model() -> nn.Module:
    """Return a model, always the same."""
    torch.manual_seed(0)
    return nn.Linear(4, 3)


def gradients(model: nn.Module) -> dict[str, Tensor]:
    """Return what the optimizer would see; a wrapper's name stands before each."""
    return {name.removeprefix("module."): each.grad for name, each in model.named_parameters()}


def plain_loop(parts: Parts) -> dict[str, Tensor]:
    """Add gradients up over processes by hand."""
    model = make_model()
    exact = Exact(LOSS, group=distributed.group.WORLD, averaged=False)
    total = exact.total([target for _, target in parts])
    for input, target in parts:
        exact(model(input), target, total).backward()
    for each in model.parameters():
        distributed.all_reduce(each.grad)
    return gradients(model)


def distributed_data_parallel(parts: Parts) -> dict[str, Tensor]:
    """Let DistributedDataParallel average gradients."""
    model = DistributedDataParallel(make_model())
    exact = Exact(LOSS, group=distributed.group.WORLD)
    total = exact.total([target for _, target in parts])
    for input, target in parts:
        exact(model(input), target, total).backward()
    return gradients(model)


def fully_sharded(parts: Parts) -> dict[str, Tensor]:
    """Let FSDP2 average gradients, of which each process keeps a part."""
    from torch.distributed.device_mesh import init_device_mesh  # noqa: PLC0415
    from torch.distributed.fsdp import fully_shard  # noqa: PLC0415

    mesh = init_device_mesh("cpu", (distributed.get_world_size(),))
    model = fully_shard(make_model(), mesh=mesh)
    exact = Exact(LOSS, group=mesh.get_group())
    total = exact.total([target for _, target in parts])
    for input, target in parts:
        exact(model(input), target, total).backward()
    return {name: each.grad.full_tensor() for name, each in model.named_parameters()}


def mean_of_means(parts: Parts) -> dict[str, Tensor]:
    """Divide by the number of parts, as many trainers do: ``check_training`` says by how much that is off."""
    model = DistributedDataParallel(make_model())
    for input, target in parts:
        (LOSS(model(input), target) / len(parts)).backward()
    return gradients(model)


def make_batch() -> tuple[Tensor, Tensor]:
    """Return a batch in which samples count differently."""
    generator = torch.Generator().manual_seed(1)
    return torch.randn(24, 4, generator=generator), torch.randint(0, 3, (24,), generator=generator)


def without_labels(part: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
    """Return a part in which nothing counts."""
    input, target = part
    return input, torch.full_like(target, -100)


STEPS = (plain_loop, distributed_data_parallel, fully_sharded)

if __name__ == "__main__":
    for step in STEPS:
        check_training(step, make_batch(), ignore=without_labels)
        print(f"{step.__name__}: two processes of three parts each have the gradients of one")
