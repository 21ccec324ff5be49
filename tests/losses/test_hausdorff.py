"""The Hausdorff loss against its paper, and whether networks can be trained on it."""

import gc
import weakref

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional
from torch.testing import assert_close

from lossary_losses import DiceLoss, HausdorffDTLoss


@pytest.fixture
def logits():
    """Logits (B, C, H, W)."""
    return torch.randn(2, 3, 5, 6, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


@pytest.fixture
def labels():
    """Class indices (B, H, W)."""
    return torch.randint(0, 3, (2, 5, 6), generator=torch.Generator().manual_seed(1))


def distances(region):
    """Compute the way of each position to the other side of the boundary; zero without one."""
    inside, outside = np.argwhere(region), np.argwhere(~region)
    result = np.zeros(region.shape)
    if len(inside) and len(outside):
        for position in np.argwhere(np.ones_like(region)):
            others = outside if region[tuple(position)] else inside
            result[tuple(position)] = np.sqrt(((others - position) ** 2).sum(1).min())
    return result


def by_the_paper(p, t, alpha):
    """Compute the squared error times both distances, to the power of alpha, class by class."""
    result = np.zeros_like(p)
    for index in np.ndindex(p.shape[:2]):
        factor = distances(p[index] > 0.5) ** alpha + distances(t[index] > 0.5) ** alpha
        result[index] = (p[index] - t[index]) ** 2 * factor
    return torch.tensor(result)


@pytest.mark.parametrize("alpha", [0.5, 1.0, 2.0, 3.0])
def test_channels(logits, labels, alpha):
    """Under a sigmoid each channel has its own regions; the mean is over all elements."""
    t = functional.one_hot(labels, 3).movedim(-1, 1).double()
    expected = by_the_paper(logits.sigmoid().numpy(), t.numpy(), alpha)
    assert_close(HausdorffDTLoss(alpha=alpha, reduction="none")(logits, t), expected)
    assert_close(HausdorffDTLoss(alpha=alpha)(logits, t), expected.mean())


def test_classes(logits, labels):
    """Under a softmax each class is a region of its own."""
    p, t = (2 * logits).softmax(1), functional.one_hot(labels, 3).movedim(-1, 1).double()
    expected = by_the_paper(p.numpy(), t.numpy(), 2.0)
    assert_close(HausdorffDTLoss(reduction="none")(2 * logits, labels), expected)
    expected_without = expected[:, 1:].mean()
    assert_close(HausdorffDTLoss(weight=[0.0, 1.0, 1.0])(2 * logits, labels), expected_without)


@pytest.mark.parametrize("space", [(), (9,), (4, 3, 5)], ids=str)
def test_any_number_of_spatial_dimensions(space):
    """Distances are those of the space; without any, the squared error is left."""
    generator = torch.Generator().manual_seed(0)
    p = torch.rand(2, 3, *space, generator=generator, dtype=torch.float64)
    t = (torch.rand(2, 3, *space, generator=generator) < 0.4).double()
    expected = by_the_paper(p.numpy(), t.numpy(), 2.0) if space else (p - t) ** 2
    assert_close(HausdorffDTLoss(activation="none", reduction="none")(p, t), expected)


def test_the_minimum_is_at_the_target():
    """It is zero at p = t, soft targets included."""
    t = torch.rand(2, 3, 6, 6, generator=torch.Generator().manual_seed(0))
    assert HausdorffDTLoss(activation="none")(t, t) == 0


class TestWithoutABoundary:
    """What a class gives that is nowhere or everywhere."""

    nothing, everything = torch.zeros(1, 1, 3, 4), torch.ones(1, 1, 3, 4)

    def test_the_other_boundary_counts(self):
        """With a boundary on one side only, its distances are the factor."""
        p = torch.zeros(1, 1, 1, 4)
        p[..., 0] = 1
        loss = HausdorffDTLoss(activation="none", reduction="none")
        assert loss(p, torch.zeros(1, 1, 1, 4)).tolist() == [[[[1, 0, 0, 0]]]]
        assert loss(p, torch.ones(1, 1, 1, 4)).tolist() == [[[[0, 1, 4, 9]]]]

    def test_without_any_the_squared_error_is_left(self, gradient):
        """All predicted and nothing true costs one, with a gradient: it is as wrong as can be."""
        loss = HausdorffDTLoss(activation="none")
        assert loss(self.everything, self.nothing) == 1
        assert loss(self.nothing, self.nothing) == 0
        assert (gradient(loss, self.everything, self.nothing) > 0).all()


def test_distances_have_no_gradient(logits, labels):
    """The gradient is that of the squared error, the factor being a constant."""
    t = functional.one_hot(labels, 3).movedim(-1, 1).double()
    p = logits.sigmoid().requires_grad_()
    factor = by_the_paper(p.detach().numpy(), t.numpy(), 2.0) / (p.detach() - t) ** 2
    HausdorffDTLoss(activation="none", reduction="sum")(p, t).backward()
    assert_close(p.grad, 2 * (p.detach() - t) * factor)


def test_excluded_positions_are_on_no_side():
    """Distances go past what is masked, whatever stands there."""
    p = torch.tensor([[[0.9, 0.2, 0.8, 0.8, 0.1, 0.3]]])
    t = torch.tensor([[[1.0, 1.0, 0.0, 0.0, 0.0, 0.0]]])
    mask = torch.tensor([[True, True, False, False, True, True]])
    # To the other side of p > 1/2: 1, 1, -, -, 4, 5; of t: 4, 3, -, -, 3, 4.
    error = torch.tensor([0.01 * (1 + 16), 0.64 * (1 + 9), 0.01 * (16 + 9), 0.09 * (25 + 16)])
    loss = HausdorffDTLoss(activation="none")
    assert_close(loss(p, t, mask=mask), error.mean())
    assert_close(loss(p, 1 - t * ~mask - (1 - t) * mask, mask=mask), error.mean())


def test_nothing_is_kept_alive(labels):
    """After the backward pass no graph holds the input: what it was made of goes when it is let go."""
    loss = HausdorffDTLoss()
    parameter = torch.zeros(1, requires_grad=True)
    gc.disable()
    try:
        input = parameter + torch.randn(2, 3, 5, 6)
        gone = weakref.ref(input)
        value = loss(input, labels)
        value.backward()
        del input, value
        assert gone() is None
    finally:
        gc.enable()


def alone(network, image, truth):
    """Compute the loss by itself, with distances as they are."""
    return HausdorffDTLoss(alpha=1.0)(network(image), truth)


def with_dice(network, image, truth):
    """Add the Dice loss, as the paper does, with a weight that makes both alike."""
    logits = network(image)
    region, distance = DiceLoss()(logits, truth), HausdorffDTLoss()(logits, truth)
    return region + distance * (region / distance).detach()


@pytest.mark.parametrize("loss", [alone, with_dice])
def test_a_network_learns(loss):
    """A small network trained on it finds discs in noise, in images that it never saw."""
    torch.manual_seed(2)
    y, x = torch.meshgrid(torch.arange(24.0), torch.arange(24.0), indexing="ij")

    def draw(count):
        centre = torch.rand(count, 2, 1, 1) * 12 + 6
        truth = ((y - centre[:, :1]) ** 2 + (x - centre[:, 1:]) ** 2 < 25).float()
        return truth + 0.5 * torch.randn(count, 1, 24, 24), truth

    network = nn.Sequential(
        nn.Conv2d(1, 8, 5, padding=2), nn.ReLU(), nn.Conv2d(8, 8, 5, padding=2), nn.ReLU(), nn.Conv2d(8, 1, 1)
    )
    optimizer = torch.optim.Adam(network.parameters(), lr=0.01)
    for _ in range(160):
        optimizer.zero_grad()
        loss(network, *draw(8)).backward()
        optimizer.step()
    image, truth = draw(16)
    predicted, true = network(image) > 0, truth > 0.5
    assert (predicted & true).sum() / (predicted | true).sum() > 0.8
