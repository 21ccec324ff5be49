"""Every loss of the collection keeps every rule of the suite that it publishes."""

import pytest

from lossary_losses import loss_registry


def marked():
    """Give a marker for each class that claims something."""
    classes = [loss_registry.get(name) for name in loss_registry]
    return [pytest.mark.check_loss(loss=each) for each in classes if hasattr(each, "claims")]


pytestmark = marked()


def test_keeps_the_contract(loss_trial):
    """What a loss claims holds, and so does all that the suite promises for any loss."""
    loss_trial()
