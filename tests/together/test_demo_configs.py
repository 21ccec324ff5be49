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


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("config", ["l1.yaml", "ssim_l1_tv.yaml"])
def test_a_step_towards_a_sharp_image_lowers_the_loss(config, device):
    """From a flat image, one small step along the negative gradient gives a smaller loss."""
    loss = build(EXAMPLES / config).to(device)
    sharp = torch.rand(2, 3, 16, 16, generator=torch.Generator().manual_seed(0)).to(device)
    flat = torch.full_like(sharp, 0.5, requires_grad=True)
    before = loss(flat, sharp)
    (gradient,) = torch.autograd.grad(before, flat)
    assert loss(flat.detach() - 0.1 * gradient, sharp) < before


@pytest.mark.parametrize("device", DEVICES)
def test_a_step_towards_matched_boxes_lowers_the_loss(device):
    """With one object, a padded one and two queries, a small step along the negative gradient helps."""
    loss = build(EXAMPLES / "matched_boxes.yaml").to(device)
    boxes = torch.tensor([[[0.3, 0.3, 0.4, 0.4], [0.8, 0.7, 0.3, 0.2]]], device=device, requires_grad=True)
    logits = torch.zeros(1, 2, 2, device=device, requires_grad=True)
    coins = torch.tensor([[[0.4, 0.35, 0.3, 0.3], [0.0, 0.0, 0.0, 0.0]]], device=device)
    target = {"boxes": coins, "labels": torch.zeros(1, 2, dtype=torch.long, device=device)}
    mask = torch.tensor([[True, False]], device=device)
    before = loss({"boxes": boxes, "labels": logits}, target, mask=mask)
    slopes = torch.autograd.grad(before, [boxes, logits])
    moved = [each.detach() - 1e-3 * slope for each, slope in zip((boxes, logits), slopes, strict=True)]
    assert loss(dict(zip(("boxes", "labels"), moved, strict=True)), target, mask=mask) < before
