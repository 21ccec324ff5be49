"""A loss for the ``compute_loss_func`` of Hugging Face's Trainer, exact under gradient accumulation.

    python docs/examples/interop/hugging_face.py

The Trainer splits a step into parts, and says in ``num_items_in_batch`` how many labels all of them have.
Each part gives its numerator over that count, so that the parts add up to the mean over the whole step.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

from lossary_factory import build
from lossary_losses import ReducedLoss
from lossary_losses.exact import for_trainer

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor

NO_TOKEN = -100
TOKENS = {"name": "cross_entropy_loss", "params": {"ignore_index": NO_TOKEN}}


def make_compute_loss(config: str | dict[str, Any], *, causal: bool) -> Callable[..., Tensor]:
    """Return what the Trainer calls with the outputs, the labels, and their number in the whole step.

    ``causal`` says which models it is for: True for those that predict the next token, whose logits belong to
    the label that follows; False for classification, of tokens or sequences, and for masked language models.
    """
    return for_trainer(build(config, expect=ReducedLoss), causal=causal)


if __name__ == "__main__":
    torch.manual_seed(0)
    logits, labels = torch.randn(4, 6, 5), torch.randint(5, (4, 6))
    labels[0, 1:] = NO_TOKEN  # the first part has few labels that count
    for causal in (False, True):
        compute_loss = make_compute_loss(TOKENS, causal=causal)
        count = ((labels[:, 1:] if causal else labels) != NO_TOKEN).sum()  # as the Trainer counts
        whole = compute_loss({"logits": logits}, labels)
        parts = sum(compute_loss({"logits": logits[rows]}, labels[rows], count) for rows in ([0, 1], [2, 3]))
        print(f"the whole step: {whole:.6f}, its parts: {parts:.6f}")
