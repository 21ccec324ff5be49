"""Steps of a training, in a module that processes which are spawned can import."""

import torch
from torch import distributed, nn
from torch.nn.parallel import DistributedDataParallel

from lossary_losses import CrossEntropyLoss, DiceLoss, WeightedSum
from lossary_losses.exact import Exact

WEIGHTS = [1.0, 2.0, 5.0]


def tokens(**options):
    return CrossEntropyLoss(ignore_index=-100, **options)


def model():
    """Give a small model, always the same."""
    torch.manual_seed(3)
    return nn.Conv1d(4, 3, 1)


def gradients(module):
    return {name.removeprefix("module."): each.grad for name, each in module.named_parameters()}


def exact_step(parts):
    """Train with a sum of two losses, by shares, under DistributedDataParallel."""
    wrapped = DistributedDataParallel(model())
    loss = WeightedSum(
        {"region": DiceLoss(ignore_index=-100), "pixel": tokens(weight=WEIGHTS)}, weights={"region": 0.5}
    )
    exact = Exact(loss, group=distributed.group.WORLD)
    total = exact.total([target for _, target in parts], like=(1, 3, 5))
    for input, target in parts:
        exact(wrapped(input), target, total).backward()
    return gradients(wrapped)


def summed_step(parts):
    """Train with gradients that are added up over processes by hand."""
    module = model()
    exact = Exact(tokens(), group=distributed.group.WORLD, averaged=False, divided_by=len(parts))
    total = exact.total([target for _, target in parts])
    for input, target in parts:
        (exact(module(input), target, total) / len(parts)).backward()
    for each in module.parameters():
        distributed.all_reduce(each.grad)
    return gradients(module)


def naive_step(parts):
    """Train with a mean of means."""
    wrapped = DistributedDataParallel(model())
    for input, target in parts:
        (tokens()(wrapped(input), target) / len(parts)).backward()
    return gradients(wrapped)


def no_labels(part):
    """Ignore a whole part."""
    input, target = part
    return input, torch.full_like(target, -100)


def uneven():
    """Give a batch whose samples count differently."""
    generator = torch.Generator().manual_seed(2)
    input = torch.randn(24, 4, 5, generator=generator)
    target = torch.randint(0, 3, (24, 5), generator=generator)
    return input, target.masked_fill(torch.rand(24, 5, generator=generator) < 0.3, -100)
