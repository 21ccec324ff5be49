"""Cost: what a loss allocates."""

from typing import Any

import torch
from torch.profiler import ProfilerActivity, profile

from lossary_losses.testing.data import Data
from lossary_losses.testing.rule import expect, rule
from lossary_losses.testing.subject import Subject

_SPACE = (256, 256)
_BATCH = 1024
"""Of kinds that have no space: so many rows."""


@rule("cost", claimed=["memory"])
def memory_is_as_claimed(subject: Subject, data: Data) -> None:
    """Forward and backward allocate no more at once than claimed, as a multiple of the input."""
    batch = 2 if data.draw(batch=1).input.numel() < data.draw(batch=1, space=_SPACE).input.numel() else _BATCH
    sample = data.draw(batch=batch, space=_SPACE, dtype=torch.float32)
    input, loss = sample.input.requires_grad_(), subject.loss()
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True, acc_events=True) as profiler:
        subject.value(sample.at(input), loss=loss).sum().backward()  # type: ignore[no-untyped-call]
    most, claimed = _most(profiler) / (input.numel() * input.element_size()), subject.claims.memory or 0
    expect(most <= claimed, f"forward and backward take {most:.3g} times the input, not {claimed:g}")


def _most(profiler: profile) -> int:
    """Give the largest number of bytes that were allocated at the same time."""
    results: Any = getattr(profiler.profiler, "kineto_results", None)  # torch names it nowhere in its types
    events = sorted(
        (event.start_ns(), event.nbytes()) for event in results.events() if event.name() == "[memory]"
    )
    most = held = 0
    for _, size in events:
        held += size
        most = max(most, held)
    return most
