"""The losses under test, each with the data that it takes: rules that hold for all are run over these."""

from collections.abc import Callable
from dataclasses import dataclass, field

import pytest
import torch
from torch import Tensor

from lossary_losses import (
    BCELoss,
    BoundaryLoss,
    CharbonnierLoss,
    CrossEntropyLoss,
    DiceLoss,
    FocalLoss,
    FocalTverskyLoss,
    GeneralizedCrossEntropyLoss,
    GeneralizedDiceLoss,
    HausdorffDTLoss,
    HuberLoss,
    JaccardLoss,
    L1Loss,
    LogCoshDiceLoss,
    LogCoshLoss,
    LovaszHingeLoss,
    LovaszSoftmaxLoss,
    MCCLoss,
    MSELoss,
    PolyLoss,
    ReducedLoss,
    SmoothL1Loss,
    SoftClDiceLoss,
    SymmetricCrossEntropyLoss,
    TverskyLoss,
    WeightedMSELoss,
    WingLoss,
    loss_registry,
)

CLASSES = 4
SPACE = (3, 5)


@dataclass
class Case:
    """A loss with some options, and the kind of target that it is given."""

    build: type[ReducedLoss]
    kind: str
    options: dict[str, object] = field(default_factory=dict)
    pooled: bool = False
    """Whether elements depend on the whole sample, so that cutting positions out changes their number."""
    neighbourhood: bool = False
    """Whether it matters which positions lie side by side, so that none can be cut out or moved."""

    @property
    def name(self) -> str:
        """A label for pytest's report."""
        options = ",".join(f"{key}={value}" for key, value in self.options.items())
        return f"{self.build.__name__}-{self.kind}" + (f"-{options}" if options else "")

    def loss(self, **options: object) -> ReducedLoss:
        """Build the loss with its own options and some more."""
        return self.build(**{**self.options, **options})

    def data(
        self,
        batch: int = 2,
        space: tuple[int, ...] = SPACE,
        dtype: torch.dtype = torch.float64,
        seed: int = 0,
    ) -> tuple[Tensor, Tensor]:
        """Draw an input and a target."""
        generator = torch.Generator().manual_seed(seed)
        shape = (batch, CLASSES, *space)
        input = torch.randn(shape, generator=generator, dtype=torch.float64)
        if self.options.get("activation") == "none":
            input = input.sigmoid()
        if self.kind == "labels":
            target = torch.randint(0, CLASSES, (batch, *space), generator=generator)
        elif self.kind == "hard":
            target = torch.randint(0, 2, shape, generator=generator).to(dtype)
        elif self.kind == "soft":
            target = torch.rand(shape, generator=generator, dtype=torch.float64).to(dtype)
        elif self.kind == "classes":
            target = torch.randn(shape, generator=generator, dtype=torch.float64).softmax(1).to(dtype)
        else:
            target = torch.randn(shape, generator=generator, dtype=torch.float64).to(dtype)
        return input.to(dtype).requires_grad_(), target


CASES = [
    Case(BCELoss, "hard"),
    Case(BCELoss, "soft", {"weight": [1.0, 2.0, 0.5, 0.0], "pos_weight": [1.0, 2.0, 3.0, 0.5]}),
    Case(CrossEntropyLoss, "labels"),
    Case(CrossEntropyLoss, "labels", {"weight": [1.0, 2.0, 0.5, 0.25], "label_smoothing": 0.1}),
    Case(CrossEntropyLoss, "classes", {"weight": [1.0, 2.0, 0.5, 0.25]}),
    Case(FocalLoss, "hard"),
    Case(FocalLoss, "soft", {"gamma": 0.5, "alpha": 0.25}),
    Case(FocalLoss, "labels"),
    Case(FocalLoss, "labels", {"gamma": 0.5, "weight": [1.0, 2.0, 0.5, 0.25]}),
    Case(FocalLoss, "labels", {"activation": "sigmoid", "alpha": 0.25}),
    Case(FocalLoss, "classes", {"activation": "softmax"}),
    Case(PolyLoss, "labels", {"epsilon": 2.0}),
    Case(PolyLoss, "soft", {"epsilon": -0.5}),
    Case(GeneralizedCrossEntropyLoss, "labels"),
    Case(GeneralizedCrossEntropyLoss, "hard", {"q": 0.3}),
    Case(SymmetricCrossEntropyLoss, "labels"),
    Case(SymmetricCrossEntropyLoss, "hard", {"alpha": 1.0, "beta": 0.5}),
    Case(DiceLoss, "hard", pooled=True),
    Case(DiceLoss, "soft", {"smooth": 0.0}, pooled=True),
    Case(DiceLoss, "labels", {"weight": [1.0, 2.0, 0.5, 0.25]}, pooled=True),
    Case(DiceLoss, "labels", {"batch": True, "empty": "skip"}, pooled=True),
    Case(DiceLoss, "classes", {"activation": "softmax"}, pooled=True),
    Case(DiceLoss, "hard", {"activation": "none"}, pooled=True),
    Case(LogCoshDiceLoss, "labels", pooled=True),
    Case(TverskyLoss, "labels", {"alpha": 0.3, "beta": 0.7}, pooled=True),
    Case(TverskyLoss, "soft", {"smooth": 0.0}, pooled=True),
    Case(FocalTverskyLoss, "hard", pooled=True),
    Case(JaccardLoss, "labels", pooled=True),
    Case(JaccardLoss, "soft", {"batch": True}, pooled=True),
    Case(GeneralizedDiceLoss, "labels", pooled=True),
    Case(GeneralizedDiceLoss, "soft", {"class_weighting": "inverse", "smooth": 0.0}, pooled=True),
    Case(GeneralizedDiceLoss, "labels", {"batch": True, "weight": [0.0, 1.0, 2.0, 0.5]}, pooled=True),
    Case(MCCLoss, "labels", {"weight": [1.0, 2.0, 0.5, 0.25]}, pooled=True),
    Case(MCCLoss, "hard", {"smooth": 0.0}, pooled=True),
    Case(MCCLoss, "soft", {"batch": True}, pooled=True),
    Case(MCCLoss, "classes", {"activation": "softmax"}, pooled=True),
    Case(LovaszHingeLoss, "hard", pooled=True),
    Case(LovaszHingeLoss, "hard", {"weight": [1.0, 2.0, 0.5, 0.25]}, pooled=True),
    Case(LovaszSoftmaxLoss, "labels", pooled=True),
    Case(LovaszSoftmaxLoss, "labels", {"batch": True, "empty": "score"}, pooled=True),
    Case(BoundaryLoss, "labels", neighbourhood=True),
    Case(BoundaryLoss, "hard", {"weight": [0.0, 1.0, 2.0, 0.5]}, neighbourhood=True),
    Case(HausdorffDTLoss, "labels", {"weight": [0.0, 1.0, 2.0, 0.5]}, neighbourhood=True),
    Case(HausdorffDTLoss, "soft", {"alpha": 1.0}, neighbourhood=True),
    Case(HausdorffDTLoss, "classes", {"activation": "softmax"}, neighbourhood=True),
    Case(SoftClDiceLoss, "labels", pooled=True, neighbourhood=True),
    Case(SoftClDiceLoss, "hard", {"batch": True, "iterations": 1}, pooled=True, neighbourhood=True),
    Case(SoftClDiceLoss, "hard", {"activation": "none", "empty": "skip"}, pooled=True, neighbourhood=True),
    Case(MSELoss, "values"),
    Case(WeightedMSELoss, "values", {"weight": [1.0, 2.0, 0.5, 0.25]}),
    Case(L1Loss, "values"),
    Case(SmoothL1Loss, "values", {"beta": 0.5}),
    Case(HuberLoss, "values", {"delta": 0.5}),
    Case(LogCoshLoss, "values"),
    Case(CharbonnierLoss, "values", {"epsilon": 0.5}),
    Case(WingLoss, "values", {"width": 1.0, "epsilon": 0.5}),
]


SCATTERED_CASES = [each for each in CASES if not each.neighbourhood]
LOGIT_CASES = [each for each in CASES if each.options.get("activation") != "none"]
HARD_CASES = [each for each in LOGIT_CASES if each.kind in ("hard", "labels")]


@pytest.fixture(params=CASES, ids=lambda case: case.name)
def case(request: pytest.FixtureRequest) -> Case:
    """Each loss of the collection in turn, in each form that computes differently."""
    return request.param


@pytest.fixture(params=SCATTERED_CASES, ids=lambda case: case.name)
def scattered_case(request: pytest.FixtureRequest) -> Case:
    """Each loss of the collection in turn, to which it does not matter where a position lies."""
    return request.param


@pytest.fixture(scope="session")
def all_cases() -> list[Case]:
    """All cases at once."""
    return CASES


@pytest.fixture(params=LOGIT_CASES, ids=lambda case: case.name)
def logit_case(request: pytest.FixtureRequest) -> Case:
    """Each loss of the collection in turn, where its input is not bound to a range."""
    return request.param


@pytest.fixture(params=HARD_CASES, ids=lambda case: case.name)
def hard_case(request: pytest.FixtureRequest) -> Case:
    """Each loss of the collection in turn, where a perfect prediction of the target is possible."""
    return request.param


@pytest.fixture
def gradient() -> Callable[..., Tensor]:
    """Give the gradient of a loss with respect to its input."""

    def gradient(loss: torch.nn.Module, input: Tensor, target: Tensor, **arguments: Tensor) -> Tensor:
        input = input.detach().requires_grad_()
        (result,) = torch.autograd.grad(loss(input, target, **arguments).sum(), input)
        return result

    return gradient


@pytest.fixture(params=loss_registry.list())
def registered(request: pytest.FixtureRequest) -> type[torch.nn.Module]:
    """Each class of the collection in turn."""
    return loss_registry.get(request.param)


@pytest.fixture
def tested() -> set[type[ReducedLoss]]:
    """The classes that have a case."""
    return {case.build for case in CASES}
