"""The losses under test, each with the data that it takes: rules that hold for all are run over these."""

import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import torch
from torch import Tensor

from lossary_losses import (
    AdaptiveRobustLoss,
    AsymmetricLoss,
    BCELoss,
    BoundaryLoss,
    CharbonnierLoss,
    ClassBalancedLoss,
    CrossEntropyLoss,
    DiceLoss,
    FocalLoss,
    FocalTverskyLoss,
    Fraction,
    GaussianNLLLoss,
    GeneralizedCrossEntropyLoss,
    GeneralizedDiceLoss,
    HausdorffDTLoss,
    HuberLoss,
    JaccardLoss,
    L1Loss,
    LDAMLoss,
    LogCoshDiceLoss,
    LogCoshLoss,
    LogitAdjustedLoss,
    LovaszHingeLoss,
    LovaszSoftmaxLoss,
    MCCLoss,
    MSELoss,
    PolyLoss,
    QuantileLoss,
    ReducedLoss,
    SmoothL1Loss,
    SoftClDiceLoss,
    SymmetricCrossEntropyLoss,
    TopKCrossEntropyLoss,
    TverskyLoss,
    WeightedMSELoss,
    WingLoss,
    loss_registry,
)
from lossary_losses.testing.plugin import loss_trial, pytest_generate_tests

__all__ = ["loss_trial", "pytest_generate_tests"]

# Tests are collected by path; what they share is imported by name.
sys.path.insert(0, str(Path(__file__).parent))

CLASSES = 4
SPACE = (3, 5)
COUNTS = [1000.0, 200.0, 50.0, 5.0]


class WithArguments(torch.nn.Module):
    """A loss that takes more than input and target, with the rest made of the target."""

    def __init__(self, loss: ReducedLoss, arguments: Callable[[Tensor], dict[str, Tensor]]) -> None:
        super().__init__()
        self.loss = loss
        self.arguments = arguments

    def forward(self, input: Tensor, target: Tensor, **given: Tensor) -> Tensor:
        """Compute the loss."""
        return self.loss(input, target, **self.arguments(target), **given)

    def fraction(self, input: Tensor, target: Tensor, **given: Tensor) -> Fraction:
        """Give the mean as numerator and denominator."""
        return self.loss.fraction(input, target, **self.arguments(target), **given)


def variance_of(target: Tensor) -> dict[str, Tensor]:
    """Give a variance for each element, the same in every precision."""
    return {"var": target.abs()}


def logarithm_of_variance_of(target: Tensor) -> dict[str, Tensor]:
    """Give the logarithm of a variance for each element, the same in every precision."""
    return {"log_var": -target}


@dataclass
class Case:
    """A loss with some options, and the kind of target that it is given."""

    build: type[ReducedLoss]
    kind: str
    options: dict[str, object] = field(default_factory=dict)
    pooled: bool = False
    """Whether elements depend on the whole sample, so that cutting positions out changes their number."""
    arguments: Callable[[Tensor], dict[str, Tensor]] | None = None
    """What the loss takes beyond input and target, made of the target."""
    neighbourhood: bool = False
    """Whether it matters which positions lie side by side, so that none can be cut out or moved."""

    @property
    def name(self) -> str:
        """A label for pytest's report."""
        options = ",".join(f"{key}={value}" for key, value in self.options.items())
        arguments = "" if self.arguments is None else f"-{self.arguments.__name__}"
        return f"{self.build.__name__}-{self.kind}" + (f"-{options}" if options else "") + arguments

    def loss(self, **options: object) -> ReducedLoss | WithArguments:
        """Build the loss with its own options and some more, to be called with input and target alone."""
        loss = self.bare(**options)
        return loss if self.arguments is None else WithArguments(loss, self.arguments)

    def bare(self, **options: object) -> ReducedLoss:
        """Build the loss itself."""
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
    Case(TopKCrossEntropyLoss, "labels", {"hardest": 0.3, "batch": True}),
    Case(
        TopKCrossEntropyLoss,
        "labels",
        {"hardest": 0.6, "batch": False, "weight": [1.0, 2.0, 0.5, 0.25], "label_smoothing": 0.1},
    ),
    Case(TopKCrossEntropyLoss, "classes", {"hardest": 0.3, "batch": True}),
    Case(AsymmetricLoss, "hard"),
    Case(AsymmetricLoss, "soft", {"gamma_positive": 0.5, "gamma_negative": 1.0, "margin": 0.0}),
    Case(AsymmetricLoss, "hard", {"margin": 0.6, "weight": [1.0, 2.0, 0.5, 0.25]}),
    Case(ClassBalancedLoss, "labels", {"class_counts": COUNTS}),
    Case(ClassBalancedLoss, "labels", {"class_counts": COUNTS, "activation": "sigmoid", "gamma": 0.5}),
    Case(ClassBalancedLoss, "labels", {"class_counts": COUNTS, "gamma": 2.0, "beta": 0.0}),
    Case(LDAMLoss, "labels", {"class_counts": COUNTS, "scale": 2.0}),
    Case(LDAMLoss, "labels", {"class_counts": COUNTS, "weight": [1.0, 2.0, 0.5, 0.25]}),
    Case(LogitAdjustedLoss, "labels", {"class_counts": COUNTS}),
    Case(LogitAdjustedLoss, "classes", {"class_counts": COUNTS, "tau": 0.5, "label_smoothing": 0.1}),
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
    Case(QuantileLoss, "values"),
    Case(QuantileLoss, "values", {"quantile": [0.1, 0.25, 0.5, 0.9]}),
    Case(GaussianNLLLoss, "values", arguments=variance_of),
    Case(GaussianNLLLoss, "values", {"full": True}, arguments=logarithm_of_variance_of),
    Case(AdaptiveRobustLoss, "values"),
    Case(AdaptiveRobustLoss, "values", {"alpha": 0.0, "scale": 0.5}),
    Case(AdaptiveRobustLoss, "values", {"alpha": 2}),
    Case(AdaptiveRobustLoss, "values", {"alpha": -float("inf")}),
    Case(AdaptiveRobustLoss, "values", {"learned": True}),
    Case(AdaptiveRobustLoss, "values", {"learned": True, "channels": CLASSES, "alpha": 0.5, "scale": 2.0}),
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
