"""Losses of features against NumPy, and extractors that no training changes."""

import copy

import numpy as np
import pytest
import torch
from torch import nn
from torch.testing import assert_close

from lossary_losses import FeatureLoss, StyleLoss, features_of

LOSSES = [FeatureLoss, StyleLoss]


def drawn(*shape, seed=0, dtype=torch.float64):
    """Draw numbers."""
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)


def network(dtype=torch.float32):
    """Give a small network with all that training may change."""
    torch.manual_seed(0)
    layers = [nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU(inplace=True), nn.Dropout(), nn.Conv2d(4, 2, 3)]
    return nn.Sequential(*layers).to(dtype)


@pytest.mark.parametrize(("norm", "power"), [("l1", 1), ("l2", 2)])
def test_layers_are_added_up(norm, power):
    """It is the weighed sum over layers of the mean difference, by place and by name."""
    first, second = drawn(2, 3, 4, 5), drawn(2, 6, seed=1)
    others = drawn(2, 3, 4, 5, seed=2), drawn(2, 6, seed=3)
    gaps = [np.abs((a - b).numpy()) ** power for a, b in zip((first, second), others, strict=True)]
    expected = 0.5 * gaps[0].mean() + 2 * gaps[1].mean()
    loss = FeatureLoss(norm=norm, weights=[0.5, 2.0])
    assert_close(loss([first, second], list(others)).item(), expected)
    named = FeatureLoss(norm=norm, weights={"a": 0.5, "b": 2.0})
    target = dict(zip("ab", others, strict=True))
    assert_close(named({"a": first, "b": second}, target).item(), expected)


def test_weights_of_channels_of_unit_features():
    """With units, squares and weights of channels it is the formula of LPIPS."""
    x, t, weight = drawn(2, 3, 4, 5).numpy(), drawn(2, 3, 4, 5, seed=1).numpy(), [0.5, 1.0, 2.0]
    gap = [each / np.linalg.norm(each, axis=1, keepdims=True) for each in (x, t)]
    expected = ((gap[0] - gap[1]) ** 2 * np.reshape(weight, (3, 1, 1))).sum(1).mean()
    loss = FeatureLoss(norm="l2", unit=True, weights=[weight])
    assert_close(loss(torch.tensor(x), torch.tensor(t)).item(), expected)


def test_style_is_that_of_gram_matrices():
    """It is the squared distance of the Gram matrices, each divided by channels and positions."""
    x, t = drawn(2, 3, 4, 5), drawn(2, 3, 4, 5, seed=1)
    rows = (each.flatten(2).numpy() for each in (x, t))
    first, second = (each @ each.transpose(0, 2, 1) / (3 * 20) for each in rows)
    assert_close(StyleLoss(weights=[2.0])(x, t).item(), 2 * ((first - second) ** 2).sum((1, 2)).mean())


@pytest.mark.parametrize("loss", LOSSES)
def test_training_does_not_change_the_extractor(loss):
    """Parameters, buffers, mode and state of the network stay, and are no part of the loss."""
    own = network()
    before = copy.deepcopy(own.state_dict())
    loss = loss(extractor=own).train()
    images = drawn(2, 3, 8, 8, dtype=torch.float32).requires_grad_()
    for _ in range(2):
        loss(images, drawn(2, 3, 8, 8, seed=1, dtype=torch.float32)).backward()
    assert own.training
    assert all(each.requires_grad and each.grad is None for each in own.parameters())
    assert all(torch.equal(each, before[name]) for name, each in own.state_dict().items())
    frozen = loss.extractor.network
    assert all(torch.equal(each, before[name]) for name, each in frozen.state_dict().items())
    assert not frozen.training
    assert all(each.grad is None for each in frozen.parameters())
    assert not list(loss.parameters())
    assert not loss.state_dict()
    assert images.grad.abs().sum() > 0


@pytest.mark.parametrize("loss", LOSSES)
def test_a_batch_is_its_images(loss):
    """A batch of two costs what both cost alone, and a masked image hides anything."""
    loss = loss(extractor=network(torch.float64), reduction="none")
    x, t = drawn(2, 3, 8, 8), drawn(2, 3, 8, 8, seed=1)
    both = loss(x, t)
    assert_close(both, torch.cat([loss(x[:1], t[:1]), loss(x[1:], t[1:])]))
    x[0] = torch.nan
    x.requires_grad_()
    value = loss(x, t, mask=torch.tensor([False, True]))
    assert_close(value, both * torch.tensor([0, 1]))
    assert (torch.autograd.grad(value.sum(), x)[0][0] == 0).all()


@pytest.mark.parametrize("loss", LOSSES)
def test_the_gradient_goes_to_the_input_alone(loss):
    """What a target was made of learns nothing."""
    x, t = drawn(2, 3, 4).requires_grad_(), drawn(2, 3, 4, seed=1).requires_grad_()
    loss()(x, t).backward()
    assert x.grad.abs().sum() > 0
    assert t.grad is None


@pytest.mark.parametrize("loss", [FeatureLoss(unit=True), FeatureLoss(unit=True, norm="l2"), StyleLoss()])
def test_features_of_zeros(loss):
    """A position, a channel and a sample of zeros have a finite value and gradient."""
    x, t = drawn(2, 3, 4), drawn(2, 3, 4, seed=1)
    x[:, :, 0] = x[:, 1] = x[1] = 0
    x.requires_grad_()
    for target in (t, torch.zeros_like(t), x.detach().clone()):
        value = loss(x, target)
        assert value.isfinite()
        assert torch.autograd.grad(value, x)[0].isfinite().all()


@pytest.mark.parametrize("loss", LOSSES)
def test_half_precision(loss):
    """Features whose products half precision cannot hold cost what they do in single precision."""
    x, t = (300 * drawn(2, 3, 16, 16, seed=seed).half() for seed in range(2))
    assert_close(loss()(x, t), loss()(x.float(), t.float()))
    extractor = network()
    images = drawn(2, 3, 8, 8).half()
    value = loss(extractor=extractor)(images, 2 * images)
    assert_close(value, loss(extractor=extractor)(images.float(), 2 * images.float()))


def test_features_of_submodules():
    """Hooks give what submodules gave, before anything is overwritten; losses share one extractor."""
    own = network(torch.float64)
    extractor = features_of(own, ["1", "4"])
    x, t = drawn(2, 3, 8, 8), drawn(2, 3, 8, 8, seed=1)
    plain = copy.deepcopy(own).eval()
    expected = [plain[1](plain[0](each)) for each in (x, t)]
    assert_close(extractor(x)["1"], expected[0])
    loss = FeatureLoss(extractor=extractor, weights={"4": 0.0})
    assert_close(loss(x, t), (expected[0] - expected[1]).abs().mean())
    assert StyleLoss(extractor=extractor).extractor is extractor
    twin = copy.deepcopy(loss)
    assert_close(twin(x, t), loss(x, t))
    compiled = torch.compile(loss, fullgraph=True, backend="aot_eager")
    x.requires_grad_()
    assert_close(torch.autograd.grad(compiled(x, t), x), torch.autograd.grad(loss(x, t), x))


def test_what_does_not_fit():
    """Unknown layers and submodules, other numbers of weights, and what extracts nothing are refused."""
    x = drawn(2, 3, 4)
    with pytest.raises(ValueError, match="there is no submodule 'x'"):
        features_of(network(), ["x"])
    with pytest.raises(ValueError, match="there are 2 weights and 1 layers"):
        FeatureLoss(weights=[1.0, 2.0])(x, x)
    with pytest.raises(ValueError, match="weights name the layer 'a'"):
        FeatureLoss(weights={"a": 1.0})(x, x)
    with pytest.raises(ValueError, match="the layers differ"):
        FeatureLoss()([x, x], [x])
    with pytest.raises(ValueError, match="must have the 2 samples of the input in each layer"):
        FeatureLoss()([x, x[:1]], [x, x[:1]])
    with pytest.raises(ValueError, match="there are 2 weights and 3 channels"):
        FeatureLoss(weights=[[1.0, 2.0]])(x, x)
    with pytest.raises(TypeError, match="weights must hold a number for each layer"):
        StyleLoss(weights=[[1.0, 2.0]])
    with pytest.raises(TypeError, match="extractor must be a module, a function or None"):
        FeatureLoss(extractor=3)
