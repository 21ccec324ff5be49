"""The configurations of the demo build losses that a network learns from."""

from pathlib import Path

import pytest
import torch

from lossary_factory import build

EXAMPLES = Path(__file__).parents[2] / "docs" / "examples"
DEVICES = [
    "cpu",
    pytest.param(
        "cuda",
        marks=[
            pytest.mark.cuda,
            pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device"),
        ],
    ),
]


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("config", ["bce.yaml", "dice.yaml", "focal_dice.yaml"])
def test_a_step_against_the_gradient_lowers_the_loss(config, device):
    """On thin structures, one small step along the negative gradient gives a smaller loss."""
    loss = build(EXAMPLES / config).to(device)
    target = torch.zeros(2, 1, 16, 16, device=device)
    target[..., 5, :] = 1
    logits = torch.zeros_like(target, requires_grad=True)
    before = loss(logits, target)
    (gradient,) = torch.autograd.grad(before, logits)
    assert loss(logits.detach() - gradient, target) < before
