"""Steps that are split over parts and processes, and have the gradients of one batch in one process.

A mean of means is not the mean: parts count differently. :class:`Exact` counts what a whole step counts,
before its first forward pass, and gives each part its share::

    exact = Exact(loss, group=group)  # the processes that hold other parts; None: there is one process
    total = exact.total(targets)  # of this process, one for each part
    for input, target in zip(inputs, targets):
        exact(model(input), target, total).backward()
    optimizer.step()
"""

from lossary_losses.exact.check import check_training
from lossary_losses.exact.engines import for_megatron, for_trainer
from lossary_losses.exact.groups import with_group
from lossary_losses.exact.step import Exact, Total

__all__ = ["Exact", "Total", "check_training", "for_megatron", "for_trainer", "with_group"]
