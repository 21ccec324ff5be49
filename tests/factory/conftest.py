"""A registry of toy losses, and configs written to files. No torch anywhere."""
# ruff: noqa: TC003  # the factory evaluates annotations at run time

from __future__ import annotations

import enum
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import attrs
import pytest

import lossary_factory
from lossary_factory import _collections
from lossary_registry import Registry

if TYPE_CHECKING:
    from torch import Tensor


class Loss:
    """The base of the toys."""


class Mode(enum.Enum):
    SOFT = "soft"
    HARD = "hard"


@attrs.frozen
class AtLeast:
    """A mark such as annotated-types has them."""

    ge: float


@attrs.define(eq=False, slots=False, kw_only=True)
class FocalLoss(Loss):
    """Cross entropy that looks away from what is easy."""

    gamma: float = attrs.field(default=2.0, validator=attrs.validators.ge(0))
    alpha: float | None = attrs.field(
        default=None,
        validator=attrs.validators.optional(
            attrs.validators.and_(attrs.validators.ge(0), attrs.validators.le(1))
        ),
    )
    weight: Sequence[float] | Tensor | None = attrs.field(
        default=None, converter=lambda given: given if given is None else tuple(given)
    )
    reduction: Literal["none", "mean", "sum"] = "mean"


class DiceLoss(Loss):
    """Overlap of two masks."""

    def __init__(self, smooth: Annotated[float, AtLeast(0)] = 1.0, *, mode: Mode = Mode.SOFT) -> None:
        self.smooth = smooth
        self.mode = mode


class TverskyLoss(Loss):
    def __init__(self, alpha: float, beta: float, limit: float = math.inf) -> None:
        self.alpha = alpha
        self.beta = beta
        self.limit = limit


class MaskedLoss(Loss):
    """Takes another loss."""

    def __init__(
        self, inner: Loss, others: Sequence[Loss] = (), steps: int = 1, *, strict: bool = False
    ) -> None:
        self.inner = inner
        self.others = others
        self.steps = steps
        self.strict = strict


class OpenLoss(Loss):
    def __init__(self, scale: float = 1.0, **options: Any) -> None:
        self.scale = scale
        self.options = options


class BrokenLoss(Loss):
    def __init__(self, size: int = 1) -> None:
        raise RuntimeError(f"no room for {size}")


@attrs.frozen(kw_only=True)
class Schedule:
    """The base of what may stand for a weight."""

    unit: Literal["step", "epoch"] = "step"


@attrs.frozen(kw_only=True)
class LinearSchedule(Schedule):
    """A straight line."""

    final: float
    end: float = attrs.field(default=1.0, validator=attrs.validators.gt(0))

    def at(self, progress: float) -> float:
        return self.final * min(progress / self.end, 1.0)


@attrs.frozen(kw_only=True)
class PiecewiseSchedule(Schedule):
    points: Mapping[float, float]


schedules: Registry[Schedule] = Registry(Schedule, "ToySchedules")
schedules.register(LinearSchedule, name="linear", aliases=["LinearSchedule"])
schedules.register(PiecewiseSchedule, name="piecewise")


@attrs.frozen
class PartsEntry:
    """Stands for the entry point of a distribution that offers schedules."""

    name: str = "schedule"
    module: str = "lossary_registry"

    def load(self) -> Registry[Schedule]:
        return schedules


@pytest.fixture(scope="module", autouse=True)
def _parts():
    """Offer the toy schedules, and nothing that happens to be installed; tests of the real ones see those."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_collections, "_part_entries", lambda: (PartsEntry(),))
        yield


@attrs.define(eq=False, slots=False)
class WeightedSum(Loss):
    """The sum of its terms, each times its weight."""

    terms: Mapping[str, Loss]
    weights: Mapping[str, float | Schedule] | None = None


@attrs.define(eq=False, slots=False)
class Product(Loss):
    """The product of its terms."""

    terms: Mapping[str, Loss]


@attrs.define(eq=False, slots=False)
class Heads(Loss):
    """A loss for each head of a model."""

    terms: Mapping[str, Loss]
    weights: Mapping[str, float | Schedule] | None = None
    inputs: Mapping[str, Mapping[str, str]] | None = None


@attrs.define(eq=False, slots=False)
class DeepSupervision(Loss):
    """One loss at several resolutions."""

    loss: Loss
    weights: Sequence[float] | None = None
    target: Literal["resize", "same"] = "resize"


@attrs.define(eq=False, slots=False)
class CalledLoss(Loss):
    """A loss that says what it is called with."""

    scale: float = 1.0

    def forward(self, input, target, *, mask=None):
        """Do nothing: no test calls a loss."""


def make_registry() -> Registry[Loss]:
    registry: Registry[Loss] = Registry(Loss, "ToyLosses")
    registry.register(FocalLoss, name="focal_loss", tags=["classification", "binary"], aliases=["FocalLoss"])
    registry.register(DiceLoss, name="dice_loss", tags=["segmentation", "binary"], aliases=["DiceLoss"])
    registry.register(TverskyLoss, name="tversky_loss", tags=["segmentation"])
    registry.register(MaskedLoss, name="masked_loss")
    registry.register(OpenLoss, name="open_loss")
    registry.register(BrokenLoss, name="broken_loss")
    registry.register(WeightedSum, name="weighted_sum", tags=["composite"])
    return registry


@pytest.fixture
def losses():
    return make_registry()


@pytest.fixture
def composites(losses):
    """Return the toys with everything that the keys of the grammar stand for."""
    losses.register(Product, name="product")
    losses.register(Heads, name="heads")
    losses.register(DeepSupervision, name="deep_supervision")
    losses.register(CalledLoss, name="called_loss")
    return losses


@pytest.fixture
def empty():
    """Make a registry that has no losses yet, and none that sums."""
    return Registry(Loss, "ToyLosses")


@pytest.fixture
def write(tmp_path, monkeypatch):
    """Return a function that writes a file into the working folder, and gives its name."""
    monkeypatch.chdir(tmp_path)

    def write(name: str, content: str | bytes) -> str:
        raw = content.encode() if isinstance(content, str) else content
        Path(name).write_bytes(raw)
        return name

    return write


@pytest.fixture
def problem(losses, write):
    """Return a function that gives the one problem of a config, or of the text of a file."""

    def problem(
        config: Any, *, suffix: str = "", registry: Registry[Any] = losses
    ) -> lossary_factory.Problem:
        if suffix:
            config = write(f"config{suffix}", config)
        (only,) = lossary_factory.check(config, registry=registry)
        return only

    return problem
