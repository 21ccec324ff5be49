"""The guide's examples, as a user types them: register, look up, list, filter."""

from collections.abc import Iterator

import pytest
import torch
import torch.nn.functional as F  # noqa: N812 - as the guide writes it
from torch import nn

from lossary_losses.loss_registry_setup import loss_registry as installed_registry
from lossary_registry import Registry


@pytest.fixture(params=["a registry of one's own", "the collection's"])
def loss_registry(request: pytest.FixtureRequest) -> Iterator[Registry[nn.Module]]:
    """Give a registry to follow the guide in: a new one, or that of the collection, emptied for the while."""
    if request.param == "the collection's":
        with installed_registry.isolated(empty=True):
            yield installed_registry
    else:
        yield Registry(base_class=nn.Module, name="LossFunctions")


@pytest.fixture
def guide(loss_registry):
    """Register the guide's two losses with the guide's own lines."""

    @loss_registry.register(name="weighted_mse_loss", tags=["regression"])
    class WeightedMSELoss(nn.Module):
        def __init__(self, weight: float = 1.0) -> None:
            super().__init__()
            self.weight = weight

        def forward(self, predictions: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
            return (F.mse_loss(predictions, targets, reduction="none") * self.weight).mean()

    @loss_registry.register(tags=["segmentation", "dice"])
    class DiceLoss(nn.Module):
        def __init__(self, smooth: float = 1.0) -> None:
            super().__init__()
            self.smooth = smooth

        def forward(self, predictions: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
            intersection = (predictions * targets).sum()
            sizes = predictions.sum() + targets.sum()
            return 1 - (2 * intersection + self.smooth) / (sizes + self.smooth)

    return WeightedMSELoss, DiceLoss


def test_registering_keeps_the_class(guide, loss_registry):
    """The decorated class is what get returns, under its name or its class name."""
    weighted_mse_loss, dice_loss = guide
    assert loss_registry.get("weighted_mse_loss") is weighted_mse_loss
    assert loss_registry.get("DiceLoss") is dice_loss


def test_instantiating(guide, loss_registry):
    """A name and keyword arguments give a working loss."""
    loss = loss_registry.instantiate("weighted_mse_loss", weight=2.0)
    assert isinstance(loss, guide[0])
    assert loss(torch.zeros(3), torch.ones(3)) == 2.0


@pytest.mark.usefixtures("guide")
def test_listing(loss_registry):
    """All names, all names with their tags, and the names under one tag, each safe to change."""
    assert loss_registry.list() == ["DiceLoss", "weighted_mse_loss"]
    assert loss_registry.list_with_tags() == {
        "weighted_mse_loss": ["regression"],
        "DiceLoss": ["segmentation", "dice"],
    }
    assert loss_registry.filter_by_tag("segmentation") == ["DiceLoss"]
    loss_registry.list().clear()
    assert len(loss_registry) == 2


@pytest.mark.usefixtures("guide")
def test_each_is_documented_by_its_name(loss_registry):
    """The guide's loop over a tag reaches each class."""
    found = {name: loss_registry.get(name).__name__ for name in loss_registry.filter_by_tag("segmentation")}
    assert found == {"DiceLoss": "DiceLoss"}


def test_what_is_no_module_is_refused(loss_registry):
    """A class that is no nn.Module raises TypeError, and registers nothing."""
    with pytest.raises(TypeError, match="Module"):

        @loss_registry.register()
        class NotALoss: ...

    assert len(loss_registry) == 0


@pytest.mark.usefixtures("guide")
def test_a_taken_name_is_refused(loss_registry):
    """Another class under a taken name raises ValueError, and force=True replaces."""

    class Other(nn.Module): ...

    with pytest.raises(ValueError, match="DiceLoss"):
        loss_registry.register(name="DiceLoss")(Other)
    assert loss_registry.get("DiceLoss") is not Other
    loss_registry.register(name="DiceLoss", force=True)(Other)
    assert loss_registry.get("DiceLoss") is Other


@pytest.mark.usefixtures("guide")
def test_an_unknown_name_is_refused(loss_registry):
    """An unknown name raises KeyError with the nearest name."""
    with pytest.raises(KeyError, match="weighted_mse_loss"):
        loss_registry.get("weigthed_mse_loss")


def test_the_collection_is_whole_afterwards():
    """Following the guide in the collection's registry left no trace."""
    assert "dice_loss" in installed_registry
    assert installed_registry.get("DiceLoss").__module__.startswith("lossary_losses.")
