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
    ArcFaceLoss,
    AsymmetricLoss,
    BCELoss,
    BoundaryLoss,
    CharbonnierLoss,
    ClassBalancedLoss,
    CoralLoss,
    CosFaceLoss,
    CrossEntropyLoss,
    DiceLoss,
    FocalLoss,
    FocalTverskyLoss,
    Fraction,
    GaussianNLLLoss,
    GeneralizedCrossEntropyLoss,
    GeneralizedDiceLoss,
    HausdorffDTLoss,
    HeatmapFocalLoss,
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
    ProxyAnchorLoss,
    QualityFocalLoss,
    QuantileLoss,
    ReducedLoss,
    SkeletonRecallLoss,
    SmoothL1Loss,
    SoftClDiceLoss,
    SquaredEMDLoss,
    SymmetricCrossEntropyLoss,
    TopKCrossEntropyLoss,
    TverskyLoss,
    VarifocalLoss,
    WeightedMSELoss,
    WingLoss,
    ZLPRLoss,
    loss_registry,
)
from lossary_losses.testing import plugin
from lossary_losses.testing.examination import Trial
from lossary_losses.testing.plugin import loss_trial

__all__ = ["loss_trial", "pytest_addoption", "pytest_collection_modifyitems", "pytest_generate_tests"]

# Tests are collected by path; what they share is imported by name.
sys.path.insert(0, str(Path(__file__).parent))

from shares import falls_to, is_in_share, loss_under_test

KINDS = {
    "labels": "labels",
    "hard": "binary",
    "soft": "soft",
    "classes": "distributions",
    "ordinal": "ordinal",
    "one class": "one_hot",
    "values": "values",
}
"""What the suite calls the kinds of target."""

SLOW = {"half_holds_large_images"}
COMPILING = {"compiles_in_one_graph", "compiles_with_mask_and_weight", "exports"}
"""Rules that every version of torch sees without options, and one of them with."""

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


def everywhere(target: Tensor) -> dict[str, Tensor]:
    """Give a skeleton that is all there is."""
    return {"skeleton": torch.ones_like(target, dtype=torch.bool)}


@dataclass
class Case:
    """A loss with some options, and the kind of target that it is given."""

    build: type[ReducedLoss]
    kind: str
    options: dict[str, object] = field(default_factory=dict)
    arguments: Callable[[Tensor], dict[str, Tensor]] | None = None
    """What the loss takes beyond input and target, made of the target."""
    exempt: dict[str, str] = field(default_factory=dict)
    """The rules of the suite that these options take from what the class claims, each with the reason."""

    @property
    def marker(self) -> pytest.MarkDecorator:
        """Mark a test that holds the loss with these options to the rules of the suite."""
        input = "probabilities" if self.options.get("activation") == "none" else self.build.claims.input
        return pytest.mark.check_loss(
            loss=self.build,
            options=self.options,
            targets=[KINDS[self.kind]],
            input=input,
            exempt=self.exempt,
        )

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
        elif self.kind == "ordinal":
            target = torch.randint(0, CLASSES + 1, (batch, *space), generator=generator)
        elif self.kind == "one class":
            labels = torch.randint(0, CLASSES, (batch, *space), generator=generator)
            target = torch.zeros(shape, dtype=dtype).scatter_(1, labels.unsqueeze(1), 1)
        elif self.kind == "hard":
            target = torch.randint(0, 2, shape, generator=generator).to(dtype)
        elif self.kind == "soft":
            target = torch.rand(shape, generator=generator, dtype=torch.float64).to(dtype)
        elif self.kind == "classes":
            target = torch.randn(shape, generator=generator, dtype=torch.float64).softmax(1).to(dtype)
        else:
            target = torch.randn(shape, generator=generator, dtype=torch.float64).to(dtype)
        return input.to(dtype).requires_grad_(), target


LOWEST = "a_perfect_prediction_is_lowest"
SMOOTHED = dict.fromkeys([LOWEST, "descent_reaches_a_good_fit"], "a smoothed target is never met")
POOLED = dict.fromkeys(
    ["sums_of_parts_add_up", "fractions_of_parts_add_up", "large_inputs_are_their_parts"],
    "the batch is one region",
)
LEARNED = dict.fromkeys([LOWEST, "values_are_in_range"], "a likelihood may be above one")

CASES = [
    Case(BCELoss, "hard"),
    Case(
        BCELoss,
        "soft",
        {"weight": [1.0, 2.0, 0.5, 0.0], "pos_weight": [1.0, 2.0, 3.0, 0.5]},
        exempt={"a_soft_target_can_be_met": "weights of positives move the minimum"},
    ),
    Case(CrossEntropyLoss, "labels"),
    Case(
        CrossEntropyLoss,
        "labels",
        {"weight": [1.0, 2.0, 0.5, 0.25], "label_smoothing": 0.1},
        exempt=SMOOTHED,
    ),
    Case(
        CrossEntropyLoss,
        "classes",
        {"weight": [1.0, 2.0, 0.5, 0.25]},
        exempt={"a_soft_target_can_be_met": "weights of classes move the minimum"},
    ),
    Case(FocalLoss, "hard"),
    Case(FocalLoss, "soft", {"gamma": 0.5, "alpha": 0.25}),
    Case(FocalLoss, "labels"),
    Case(FocalLoss, "labels", {"gamma": 0.5, "weight": [1.0, 2.0, 0.5, 0.25]}),
    Case(FocalLoss, "labels", {"activation": "sigmoid", "alpha": 0.25}),
    Case(FocalLoss, "classes", {"activation": "softmax"}),
    Case(QualityFocalLoss, "soft", {"beta": 1.5}),
    Case(VarifocalLoss, "hard", {"gamma": 1.5}),
    Case(HeatmapFocalLoss, "soft", {"peak": 0.8}),
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
        exempt=SMOOTHED,
    ),
    Case(TopKCrossEntropyLoss, "classes", {"hardest": 0.3, "batch": True}),
    Case(AsymmetricLoss, "hard"),
    Case(AsymmetricLoss, "soft", {"gamma_positive": 0.5, "gamma_negative": 1.0, "margin": 0.0}),
    Case(AsymmetricLoss, "hard", {"margin": 0.6, "weight": [1.0, 2.0, 0.5, 0.25]}),
    Case(ClassBalancedLoss, "labels", {"class_counts": COUNTS}),
    Case(ClassBalancedLoss, "labels", {"class_counts": COUNTS, "activation": "sigmoid", "gamma": 0.5}),
    Case(
        ClassBalancedLoss,
        "labels",
        {"class_counts": COUNTS, "gamma": 2.0, "beta": 0.0},
        exempt={"every_option_has_an_effect": "where beta is zero all classes weigh the same"},
    ),
    Case(LDAMLoss, "labels", {"class_counts": COUNTS, "scale": 2.0}),
    Case(LDAMLoss, "labels", {"class_counts": COUNTS, "weight": [1.0, 2.0, 0.5, 0.25]}),
    Case(ArcFaceLoss, "labels", {"scale": 4.0, "easy": True}),
    Case(CosFaceLoss, "labels", {"scale": 4.0, "label_smoothing": 0.1}, exempt=SMOOTHED),
    Case(SquaredEMDLoss, "labels"),
    Case(CoralLoss, "ordinal", {"importance": [1.0, 2.0, 0.5, 0.25]}),
    Case(ZLPRLoss, "one class"),
    Case(LogitAdjustedLoss, "labels", {"class_counts": COUNTS}),
    Case(LogitAdjustedLoss, "classes", {"class_counts": COUNTS, "tau": 0.5, "label_smoothing": 0.1}),
    Case(ProxyAnchorLoss, "labels", {"alpha": 2.0}),
    Case(DiceLoss, "hard"),
    Case(DiceLoss, "soft", {"smooth": 0.0}),
    Case(DiceLoss, "labels", {"weight": [1.0, 2.0, 0.5, 0.25]}),
    Case(DiceLoss, "labels", {"batch": True, "empty": "skip"}, exempt=POOLED),
    Case(DiceLoss, "classes", {"activation": "softmax"}),
    Case(DiceLoss, "hard", {"activation": "none"}),
    Case(LogCoshDiceLoss, "labels"),
    Case(TverskyLoss, "labels", {"alpha": 0.3, "beta": 0.7}),
    Case(TverskyLoss, "soft", {"smooth": 0.0}),
    Case(FocalTverskyLoss, "hard"),
    Case(JaccardLoss, "labels"),
    Case(SkeletonRecallLoss, "labels", arguments=everywhere),
    Case(JaccardLoss, "soft", {"batch": True}, exempt=POOLED),
    Case(GeneralizedDiceLoss, "labels"),
    Case(GeneralizedDiceLoss, "soft", {"class_weighting": "inverse", "smooth": 0.0}),
    Case(GeneralizedDiceLoss, "labels", {"batch": True, "weight": [0.0, 1.0, 2.0, 0.5]}, exempt=POOLED),
    Case(MCCLoss, "labels", {"weight": [1.0, 2.0, 0.5, 0.25]}),
    Case(MCCLoss, "hard", {"smooth": 0.0}),
    Case(MCCLoss, "soft", {"batch": True}, exempt=POOLED),
    Case(MCCLoss, "classes", {"activation": "softmax"}),
    Case(LovaszHingeLoss, "hard"),
    Case(LovaszHingeLoss, "hard", {"weight": [1.0, 2.0, 0.5, 0.25]}),
    Case(LovaszSoftmaxLoss, "labels"),
    Case(LovaszSoftmaxLoss, "labels", {"batch": True, "empty": "score"}, exempt=POOLED),
    Case(BoundaryLoss, "labels"),
    Case(BoundaryLoss, "hard", {"weight": [0.0, 1.0, 2.0, 0.5]}),
    Case(HausdorffDTLoss, "labels", {"weight": [0.0, 1.0, 2.0, 0.5]}),
    Case(HausdorffDTLoss, "soft", {"alpha": 1.0}),
    Case(HausdorffDTLoss, "classes", {"activation": "softmax"}),
    Case(SoftClDiceLoss, "labels"),
    Case(SoftClDiceLoss, "hard", {"batch": True, "iterations": 1}, exempt=POOLED),
    Case(SoftClDiceLoss, "hard", {"activation": "none", "empty": "skip"}),
    Case(MSELoss, "values"),
    Case(WeightedMSELoss, "values", {"weight": [1.0, 2.0, 0.5, 0.25]}),
    Case(L1Loss, "values"),
    Case(SmoothL1Loss, "values", {"beta": 0.5}),
    Case(HuberLoss, "values", {"delta": 0.5}),
    Case(LogCoshLoss, "values"),
    Case(CharbonnierLoss, "values", {"epsilon": 0.5}, exempt={LOWEST: "the lowest is epsilon"}),
    Case(WingLoss, "values", {"width": 1.0, "epsilon": 0.5}),
    Case(QuantileLoss, "values"),
    Case(QuantileLoss, "values", {"quantile": [0.1, 0.25, 0.5, 0.9]}),
    Case(GaussianNLLLoss, "values", arguments=variance_of),
    Case(GaussianNLLLoss, "values", {"full": True}, arguments=logarithm_of_variance_of),
    Case(AdaptiveRobustLoss, "values"),
    Case(AdaptiveRobustLoss, "values", {"alpha": 0.0, "scale": 0.5}),
    Case(AdaptiveRobustLoss, "values", {"alpha": 2}),
    Case(AdaptiveRobustLoss, "values", {"alpha": -float("inf")}),
    Case(AdaptiveRobustLoss, "values", {"learned": True}, exempt=LEARNED),
    Case(
        AdaptiveRobustLoss,
        "values",
        {"learned": True, "channels": CLASSES, "alpha": 0.5, "scale": 2.0},
        exempt=LEARNED,
    ),
]


LOGIT_CASES = [each for each in CASES if each.options.get("activation") != "none"]
HARD_CASES = [each for each in LOGIT_CASES if each.kind in ("hard", "labels")]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Make a test of each rule for each case, where a test asks for every case."""
    if metafunc.definition.get_closest_marker("every_case"):
        for case in CASES:
            if case.options and case.arguments is None:  # without options it is what the class claims
                metafunc.definition.add_marker(case.marker)
    plugin.pytest_generate_tests(metafunc)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let one of several runs take its share of the losses."""
    parser.addoption(
        "--share", metavar="K/N", help="test the representatives, and an Nth of the other losses"
    )
    parser.addoption("--others", metavar="K/N", help="test an Nth of what is about no single loss")
    parser.addoption(
        "--beside", metavar="K/N", help="test what a run of that share leaves that runs no compilers"
    )


@pytest.hookimpl(tryfirst=True)  # before pytest selects by markers
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark what compiles, and what is slow; leave out what is not in the share that was asked for."""
    for item in items:
        trial = getattr(getattr(item, "callspec", None), "params", {}).get("loss_trial")
        if trial is not None:
            mark_costs(item, trial)
    if share := config.getoption("--share"):
        keep(config, items, lambda item: belongs(item, share))
    if share := config.getoption("--others"):
        keep(config, items, lambda item: not is_about_losses(item) or falls_to(item.nodeid, share))
    if share := config.getoption("--beside"):
        keep(
            config, items, lambda item: bool(item.get_closest_marker("compilers")) or not belongs(item, share)
        )


def keep(config: pytest.Config, items: list[pytest.Item], wanted: Callable[[pytest.Item], bool]) -> None:
    """Leave out the tests that are not wanted."""
    out = {item for item in items if not wanted(item)}
    config.hook.pytest_deselected(items=list(out))
    items[:] = [item for item in items if item not in out]


def is_about_losses(item: pytest.Item) -> bool:
    """Tell whether a test is about what losses have in common, and not about a single one."""
    return item.path.parent.name in ("losses", "together") and loss_under_test(item) is None


def belongs(item: pytest.Item, share: str) -> bool:
    """Tell whether a test is in a share; one that is about no single loss is in all of them."""
    about = loss_under_test(item)
    return about is None or is_in_share(about, share)


def mark_costs(item: pytest.Item, trial: Trial) -> None:
    """Mark as slow the rules that take seconds for each loss, and those of compilers for each option."""
    if trial.rule in COMPILING:
        item.add_marker(pytest.mark.compilers)
    if trial.rule in SLOW or (trial.options and trial.rule in COMPILING):
        item.add_marker(pytest.mark.slow)


@pytest.fixture(params=CASES, ids=lambda case: case.name)
def case(request: pytest.FixtureRequest) -> Case:
    """Each loss of the collection in turn, in each form that computes differently."""
    return request.param


@pytest.fixture(params=LOGIT_CASES, ids=lambda case: case.name)
def logit_case(request: pytest.FixtureRequest) -> Case:
    """Each case whose input is not bound to a range."""
    return request.param


@pytest.fixture(params=HARD_CASES, ids=lambda case: case.name)
def hard_case(request: pytest.FixtureRequest) -> Case:
    """Each case where a perfect prediction of the target is possible."""
    return request.param


@pytest.fixture(scope="session")
def all_cases() -> list[Case]:
    """All cases at once."""
    return CASES


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
