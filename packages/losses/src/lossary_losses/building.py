"""What the losses of the collection are made of, for losses of your own that keep the same promises.

A :class:`PointwiseLoss` says what the target means (``prepare``) and what a position costs (``point``);
masks, ``ignore_index``, weights, reduction, half precision, fractions and process groups come with it. Any
other loss of elements is a :class:`ReducedLoss`, or without a target a :class:`TargetlessLoss`, that says
what its elements are; one whose ``forward`` takes other tensors is an :class:`ElementLoss`. The options are
declared with :func:`number`, :func:`integer`, :func:`choice`, :func:`flag` and :func:`per_class`: each is
default, type check, bounds and schema at once.
"""

from lossary_losses._core.base import Loss, define_loss
from lossary_losses._core.claims import Claims
from lossary_losses._core.dense import Dense, Kind, Ready, Selection, kind_of, per_channel, prepare, ready
from lossary_losses._core.options import choice, flag, integer, number, per_class
from lossary_losses._core.pointwise import PointwiseLoss
from lossary_losses._core.reduced import ElementLoss, ReducedLoss, TargetlessLoss
from lossary_losses._core.reduction import Elements, Fraction, weigh

__all__ = [
    "Claims",
    "Dense",
    "ElementLoss",
    "Elements",
    "Fraction",
    "Kind",
    "Loss",
    "PointwiseLoss",
    "Ready",
    "ReducedLoss",
    "Selection",
    "TargetlessLoss",
    "choice",
    "define_loss",
    "flag",
    "integer",
    "kind_of",
    "number",
    "per_channel",
    "per_class",
    "prepare",
    "ready",
    "weigh",
]
