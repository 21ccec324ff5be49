"""Other factories that build the same losses, each imported only when it is asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

_FOCAL = {"_target_": "lossary_losses.FocalLoss", "gamma": 1.0, "alpha": 0.25}
_SUM = {
    "_target_": "lossary_losses.WeightedSum",
    "terms": {
        "region": {"_target_": "lossary_losses.DiceLoss"},
        "pixel": {"_target_": "lossary_losses.FocalLoss", "gamma": 1.0},
        "rest": {"_target_": "lossary_losses.MSELoss"},
    },
    "weights": {"region": 0.5, "pixel": 0.3, "rest": 0.2},
}


class Peer(NamedTuple):
    """What builds one loss, and a sum of three."""

    one: Callable[[], object]
    three: Callable[[], object]


def hydra() -> Peer:
    """Make hydra's ``instantiate``."""
    from hydra.utils import instantiate  # noqa: PLC0415 - a peer may be missing

    return Peer(lambda: instantiate(_FOCAL), lambda: instantiate(_SUM, _convert_="all"))


def mmengine() -> Peer:
    """Make a registry of mmengine, whose nested losses are built by the caller."""
    from mmengine import Registry  # noqa: PLC0415 - a peer may be missing

    from lossary_losses import DiceLoss, FocalLoss, MSELoss, WeightedSum  # noqa: PLC0415 - same

    registry = Registry("losses")
    for loss in (DiceLoss, FocalLoss, MSELoss, WeightedSum):
        registry.register_module(module=loss)

    def three() -> object:
        terms = {
            "region": registry.build({"type": "DiceLoss"}),
            "pixel": registry.build({"type": "FocalLoss", "gamma": 1.0}),
            "rest": registry.build({"type": "MSELoss"}),
        }
        return registry.build({"type": "WeightedSum", "terms": terms, "weights": _SUM["weights"]})

    return Peer(lambda: registry.build({"type": "FocalLoss", "gamma": 1.0, "alpha": 0.25}), three)


PEERS = {"hydra": hydra, "mmengine": mmengine}
