"""A loss for the ``compute_loss_func`` of Hugging Face's Trainer, exact under gradient accumulation.

    python docs/examples/interop/hugging_face.py

The Trainer splits a batch, and says in ``num_items_in_batch`` how many labels the whole of it has.
Each part returns the numerator of the mean over that count, so that the parts add up to the whole mean.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

from lossary_factory import build
from lossary_losses import ReducedLoss

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from torch import Tensor

NO_TOKEN = -100
TOKENS = {"name": "cross_entropy_loss", "params": {"ignore_index": NO_TOKEN}}


def make_compute_loss(config: str | dict[str, Any]) -> Callable[..., Tensor]:
    """Return what the Trainer calls with the outputs, the labels, and their number in the whole batch."""
    loss = build(config, expect=ReducedLoss)

    def compute_loss(
        outputs: Mapping[str, Tensor], labels: Tensor, num_items_in_batch: Tensor | int | None = None
    ) -> Tensor:
        # (batch, tokens, classes), and the classes belong into dimension 1
        numerator, denominator = loss.fraction(outputs["logits"].movedim(-1, 1), labels)
        return numerator / (denominator if num_items_in_batch is None else num_items_in_batch)

    return compute_loss


if __name__ == "__main__":
    compute_loss = make_compute_loss(TOKENS)
    torch.manual_seed(0)
    logits, labels = torch.randn(4, 6, 5), torch.randint(5, (4, 6))
    labels[0, 1:] = NO_TOKEN  # the first part has few labels that count
    count = (labels != NO_TOKEN).sum()
    whole = compute_loss({"logits": logits}, labels)
    parts = sum(compute_loss({"logits": logits[rows]}, labels[rows], count) for rows in ([0, 1], [2, 3]))
    print(f"the whole batch: {whole:.6f}, its parts: {parts:.6f}")
