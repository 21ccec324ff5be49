"""Every loss of the collection keeps every rule of the suite that it publishes."""

import pytest
import torch

from lossary_losses import (
    AdversarialLoss,
    BradleyTerryLoss,
    ChamferLoss,
    CoxLoss,
    CRPSLoss,
    DeformationLoss,
    DenoisingLoss,
    EnsembleCRPSLoss,
    FeatureLoss,
    GaussianBoxLoss,
    GaussianKLLoss,
    GIoULoss,
    GradientDifferenceLoss,
    GradientPenaltyLoss,
    GRPOLoss,
    InfoNCELoss,
    IoULoss,
    KLDistillationLoss,
    LambdaLoss,
    LinearCrossEntropyLoss,
    ListMLELoss,
    ListSoftmaxLoss,
    LocalCrossCorrelationLoss,
    ReducedLoss,
    RelativeLpLoss,
    RelativisticLoss,
    SISDRLoss,
    SSIMLoss,
    STFTLoss,
    TotalVariationLoss,
    TripletLoss,
    card_of,
    loss_registry,
)
from lossary_losses._core.docstring import read_docstring

CLAIMING = [each for each in map(loss_registry.get, loss_registry) if hasattr(each, "claims")]
DENSE = [each for each in CLAIMING if each.claims.input in ("logits", "probabilities", "values")]
"""Losses of positions, which are computed part by part where they are large."""


NOT_HERE = {}
"""What a version of torch cannot do with a loss, and others can."""
if torch.__version__.startswith("2.6."):
    NOT_HERE[STFTLoss] = {
        "compiles_in_one_graph": "torch 2.6 transforms no batch of a size that is not fixed"
    }


def for_every_loss(test):
    """Mark a test with each class that claims something."""
    for each in CLAIMING:
        test = pytest.mark.check_loss(loss=each, exempt=NOT_HERE.get(each, {}))(test)
    return test


def in_forms(loss, options, **exempt):
    """Mark a test with a loss that computes otherwise with these options."""
    return pytest.mark.check_loss(loss=loss, options=options, exempt=exempt)


@for_every_loss
def test_keeps_the_contract(loss_trial):
    """What a loss claims holds, and so does all that the suite promises for any loss."""
    loss_trial()


@pytest.mark.every_case
@in_forms(InfoNCELoss, {"symmetric": True, "similarity": "dot", "temperature": 1.0})
@in_forms(InfoNCELoss, {"within": True, "decoupled": True}, values_are_in_range="one positive may outdo all")
@in_forms(
    LinearCrossEntropyLoss,
    {"softcap": 5.0, "z_loss": 0.1, "label_smoothing": 0.1},
    a_perfect_prediction_is_lowest="a cap and smoothing leave something to pay",
    better_costs_less="certainty costs a large partition",
)
@in_forms(TripletLoss, {"mining": "all", "distance": "cosine"})
@in_forms(CoxLoss, {"ties": "breslow"})
@in_forms(CRPSLoss, {"distribution": "logistic"})
@in_forms(EnsembleCRPSLoss, {"fair": 0.5})
@in_forms(
    BradleyTerryLoss, {"centering": 0.1}, what_must_not_matter_does_not="rewards are held where they are"
)
@in_forms(
    GRPOLoss,
    {"beta": 0.1, "dual_clip": 2.0},
    memory_is_as_claimed="a divergence comes on top",
)
@in_forms(ListSoftmaxLoss, {"distribution": "softmax", "temperature": 0.5})
@in_forms(ListMLELoss, {"discount": "p_list_mle"})
@in_forms(
    LambdaLoss, {"weighting": "lambdarank", "k": 2}, every_option_has_an_effect="mu is of ndcg2pp alone"
)
@in_forms(
    GIoULoss,
    {"box_format": "cxcywh"},
    what_must_not_matter_does_not="a shift is one of centres alone",
    descent_reaches_a_good_fit="what is drawn are corners",
)
@in_forms(
    GIoULoss,
    {"power": 2.0, "inner_ratio": 1.2},
    memory_is_as_claimed="boxes are measured twice",
    descent_reaches_a_good_fit="boxes that are far off hardly move",
)
@in_forms(IoULoss, {"form": "log"}, values_are_in_range="a logarithm has no upper end")
@in_forms(
    GaussianBoxLoss, {"distance": "wasserstein"}, what_must_not_matter_does_not="the unit of lengths matters"
)
@in_forms(GaussianBoxLoss, {"distance": "kalman"})
@in_forms(GaussianBoxLoss, {"distance": "kullback_leibler"})
@in_forms(SISDRLoss, {"zero_mean": True, "max_decibels": 30.0})
@in_forms(
    STFTLoss,
    {
        "resolutions": [(8, 4, 8)],
        "terms": {"convergence": 0.5, "log": 2.0},
        "mel": 3,
        "weighting": "A",
        "sample_rate": 8000.0,
    },
    every_option_has_an_effect="one resolution has no other order",
    compiles_in_one_graph="that takes long, and all but bands is compiled in the other form",
)
@in_forms(
    SSIMLoss,
    {"window": "uniform", "padding": "reflect"},
    every_option_has_an_effect="a uniform window has no width",
    memory_is_as_claimed="what is reflected is a copy",
)
@in_forms(LocalCrossCorrelationLoss, {"squared": False})
@in_forms(DeformationLoss, {"order": 1})
@in_forms(
    GradientDifferenceLoss,
    {"stencil": "sobel", "scales": 2},
    far_elements_do_not_change="a block is seen from the next one",
    what_must_not_matter_does_not="a last block may be of one position, whose mirror is first",
)
@in_forms(TotalVariationLoss, {"norm": "l2"}, memory_is_as_claimed="a norm needs both differences at once")
@in_forms(AdversarialLoss, {"objective": "hinge"})
@in_forms(
    AdversarialLoss,
    {"objective": "least_squares"},
    a_perfect_prediction_is_lowest="certainty is a score of one, not of any size",
    better_costs_less="the same",
)
@in_forms(
    GradientPenaltyLoss,
    {"centre": 8.0},
    a_perfect_prediction_is_lowest="the lowest is at gradients of that length",
    descent_reaches_a_good_fit="the same",
    memory_is_as_claimed="a norm is a root of squares",
)
@in_forms(GaussianKLLoss, {"free_nats": 0.5})
@in_forms(DenoisingLoss, {"prediction": "noise", "weighting": "p2"})
@in_forms(RelativeLpLoss, {"power": 1.0})
@in_forms(RelativisticLoss, {"objective": "hinge"})
@in_forms(ChamferLoss, {"squared": False})
@in_forms(KLDistillationLoss, {"direction": "reverse", "skew": 0.1, "temperature": 2.0})
@in_forms(FeatureLoss, {"norm": "l2"})
def test_keeps_the_contract_in_every_form(loss_trial):
    """With options that compute differently a loss keeps the contract as well."""
    loss_trial()


def test_every_loss_is_under_test(registered, tested):
    """No loss that reduces is registered without claims, and a case that streams and distributes it."""
    assert registered in tested or registered not in DENSE or not issubclass(registered, ReducedLoss)
    assert registered in CLAIMING or "composite" in loss_registry.entry(registered.__name__).tags


def test_papers_are_cited_with_an_id(registered):
    """A card has the papers of its loss, and where to find each; plain arithmetic has none."""
    papers = card_of(registered).papers
    assert papers or read_docstring(registered).sections["Reference"].startswith("None: ")
    assert all(paper.id.partition(":")[2] for paper in papers)


def test_names_lead_to_classes(registered):
    """Each loss is registered under a snake_case name, and its class name is an alias."""
    entry = loss_registry.entry(registered.__name__)
    assert loss_registry.get(registered.__name__) is registered
    assert entry.name == entry.name.lower() != registered.__name__


VOCABULARY = {
    *("segmentation", "classification", "regression", "composite", "detection", "boxes", "keypoints"),
    *("image", "features", "windows", "regularization", "audio", "signals", "decibels", "spectrum"),
    *("geometry", "points", "rotations", "depth", "generation", "adversarial", "diffusion", "variational"),
    "physics",
    *(
        "representation",
        "contrastive",
        "ranking",
        "survival",
        "forecasting",
        "language",
        "preference",
        "policy",
        "distillation",
    ),
    *("binary", "multilabel", "multiclass", "ordinal"),
    *("cross_entropy", "overlap", "boundary", "topology", "pointwise", "imbalance", "noise_robust"),
    *("probabilistic", "robust"),
}


def test_tags_come_from_the_vocabulary(registered):
    """Tags are words of a closed vocabulary, so that a filter finds what it means."""
    assert set(loss_registry.entry(registered.__name__).tags) <= VOCABULARY
