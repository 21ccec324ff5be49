"""Loss functions for PyTorch that hold in half precision, under masks, on empty batches and when compiled.

Every loss is an ``nn.Module`` class, registered in :data:`loss_registry` under a snake_case name and under
its class name.
"""

from lossary_losses._core.base import Loss, define_loss
from lossary_losses._core.checks import value_checks
from lossary_losses._core.claims import Claims
from lossary_losses._core.docstring import Paper
from lossary_losses._core.features import features_of
from lossary_losses._core.reduced import ElementLoss, ReducedLoss, TargetlessLoss
from lossary_losses._core.reduction import Elements, Fraction
from lossary_losses.audio.si_sdr import SISDRLoss
from lossary_losses.audio.snr import SNRLoss
from lossary_losses.audio.stft import STFTLoss
from lossary_losses.card import Card, card_of, cards
from lossary_losses.classification.arcface import ArcFaceLoss
from lossary_losses.classification.asymmetric import AsymmetricLoss
from lossary_losses.classification.binary_cross_entropy import BCELoss
from lossary_losses.classification.class_balanced import ClassBalancedLoss
from lossary_losses.classification.coral import CoralLoss
from lossary_losses.classification.cosface import CosFaceLoss
from lossary_losses.classification.cross_entropy import CrossEntropyLoss
from lossary_losses.classification.focal import FocalLoss
from lossary_losses.classification.generalized_cross_entropy import GeneralizedCrossEntropyLoss
from lossary_losses.classification.ldam import LDAMLoss
from lossary_losses.classification.logit_adjusted import LogitAdjustedLoss
from lossary_losses.classification.poly import PolyLoss
from lossary_losses.classification.squared_emd import SquaredEMDLoss
from lossary_losses.classification.symmetric_cross_entropy import SymmetricCrossEntropyLoss
from lossary_losses.classification.top_k_cross_entropy import TopKCrossEntropyLoss
from lossary_losses.classification.zlpr import ZLPRLoss
from lossary_losses.composite.deep_supervision import DeepSupervision
from lossary_losses.composite.heads import Heads
from lossary_losses.composite.masked import Masked
from lossary_losses.composite.matched import Matched
from lossary_losses.composite.permutation_invariant import PermutationInvariant
from lossary_losses.composite.product import Product
from lossary_losses.composite.schedules import (
    ConstantSchedule,
    CosineSchedule,
    LinearSchedule,
    PiecewiseSchedule,
    Schedule,
    WarmUpSchedule,
    schedule_registry,
)
from lossary_losses.composite.terms import Evaluation, set_progress
from lossary_losses.composite.weighted_sum import WeightedSum
from lossary_losses.detection.ciou import CIoULoss
from lossary_losses.detection.diou import DIoULoss
from lossary_losses.detection.distribution_focal import DistributionFocalLoss
from lossary_losses.detection.eiou import EIoULoss
from lossary_losses.detection.gaussian_box import GaussianBoxLoss
from lossary_losses.detection.giou import GIoULoss
from lossary_losses.detection.heatmap_focal import HeatmapFocalLoss
from lossary_losses.detection.iou import IoULoss
from lossary_losses.detection.keypoint_similarity import KeypointSimilarityLoss
from lossary_losses.detection.quality_focal import QualityFocalLoss
from lossary_losses.detection.varifocal import VarifocalLoss
from lossary_losses.distillation.attention_transfer import AttentionTransferLoss
from lossary_losses.distillation.channel_wise import ChannelWiseDistillationLoss
from lossary_losses.distillation.dist import DISTLoss
from lossary_losses.distillation.dkd import DKDLoss
from lossary_losses.distillation.js import JSDistillationLoss
from lossary_losses.distillation.kl import KLDistillationLoss
from lossary_losses.distillation.top_k import TopKDistillationLoss
from lossary_losses.errors import (
    InputTypeError,
    InputValueError,
    LossError,
    OptionTypeError,
    OptionValueError,
)
from lossary_losses.forecasting.crps import CRPSLoss
from lossary_losses.forecasting.ensemble_crps import EnsembleCRPSLoss
from lossary_losses.forecasting.negative_binomial_nll import NegativeBinomialNLLLoss
from lossary_losses.forecasting.poisson_nll import PoissonNLLLoss
from lossary_losses.forecasting.student_t_nll import StudentTNLLLoss
from lossary_losses.generation.adversarial import AdversarialLoss
from lossary_losses.generation.denoising import DenoisingLoss
from lossary_losses.generation.gaussian_kl import GaussianKLLoss
from lossary_losses.generation.gradient_penalty import GradientPenaltyLoss, input_gradient
from lossary_losses.generation.relativistic import RelativisticLoss
from lossary_losses.generation.vector_quantization import VectorQuantizationLoss
from lossary_losses.geometry.chamfer import ChamferLoss
from lossary_losses.geometry.geodesic_rotation import GeodesicRotationLoss
from lossary_losses.geometry.silog import SILogLoss
from lossary_losses.image.deformation import DeformationLoss
from lossary_losses.image.feature import FeatureLoss
from lossary_losses.image.gradient_difference import GradientDifferenceLoss
from lossary_losses.image.local_cross_correlation import LocalCrossCorrelationLoss
from lossary_losses.image.ms_ssim import MSSSIMLoss
from lossary_losses.image.ssim import SSIMLoss
from lossary_losses.image.style import StyleLoss
from lossary_losses.image.total_variation import TotalVariationLoss
from lossary_losses.insight import Watch, explain
from lossary_losses.language.linear_cross_entropy import LinearCrossEntropyLoss
from lossary_losses.language.load_balancing import LoadBalancingLoss
from lossary_losses.language.log_probs import linear_log_probs, log_probs, sequence_log_probs
from lossary_losses.language.z import ZLoss
from lossary_losses.loss_registry_setup import loss_registry
from lossary_losses.policy.cispo import CISPOLoss
from lossary_losses.policy.clipped_value import ClippedValueLoss
from lossary_losses.policy.dapo import DAPOLoss
from lossary_losses.policy.dr_grpo import DrGRPOLoss
from lossary_losses.policy.grpo import GRPOLoss
from lossary_losses.policy.gspo import GSPOLoss
from lossary_losses.policy.ppo import PPOLoss
from lossary_losses.preference.bradley_terry import BradleyTerryLoss
from lossary_losses.preference.dpo import DPOLoss
from lossary_losses.preference.ipo import IPOLoss
from lossary_losses.preference.kto import KTOLoss
from lossary_losses.preference.orpo import ORPOLoss
from lossary_losses.preference.robust_dpo import RobustDPOLoss
from lossary_losses.preference.simpo import SimPOLoss
from lossary_losses.ranking.lambda_rank import LambdaLoss
from lossary_losses.ranking.list_mle import ListMLELoss
from lossary_losses.ranking.list_softmax import ListSoftmaxLoss
from lossary_losses.ranking.pairwise_logistic import PairwiseLogisticLoss
from lossary_losses.regression.absolute_error import HuberLoss, L1Loss, SmoothL1Loss
from lossary_losses.regression.adaptive_robust import AdaptiveRobustLoss
from lossary_losses.regression.gaussian_nll import GaussianNLLLoss
from lossary_losses.regression.quantile import QuantileLoss
from lossary_losses.regression.relative_lp import RelativeLpLoss
from lossary_losses.regression.rounded_error import CharbonnierLoss, LogCoshLoss
from lossary_losses.regression.squared_error import MSELoss, WeightedMSELoss
from lossary_losses.regression.wing import WingLoss
from lossary_losses.representation.barlow_twins import BarlowTwinsLoss
from lossary_losses.representation.circle import CircleLoss
from lossary_losses.representation.clip import CLIPLoss
from lossary_losses.representation.contrastive import ContrastiveLoss
from lossary_losses.representation.cosine_similarity import CosineSimilarityLoss
from lossary_losses.representation.dino import DINOLoss
from lossary_losses.representation.info_nce import InfoNCELoss
from lossary_losses.representation.multi_similarity import MultiSimilarityLoss
from lossary_losses.representation.nt_xent import NTXentLoss
from lossary_losses.representation.proxy_anchor import ProxyAnchorLoss
from lossary_losses.representation.siglip import SigLIPLoss
from lossary_losses.representation.supcon import SupConLoss
from lossary_losses.representation.triplet import TripletLoss
from lossary_losses.representation.vicreg import VICRegLoss
from lossary_losses.segmentation.boundary import BoundaryLoss
from lossary_losses.segmentation.cldice import SoftClDiceLoss
from lossary_losses.segmentation.dice import DiceLoss, LogCoshDiceLoss
from lossary_losses.segmentation.distance_map import signed_distance_map
from lossary_losses.segmentation.generalized_dice import GeneralizedDiceLoss
from lossary_losses.segmentation.hausdorff import HausdorffDTLoss
from lossary_losses.segmentation.jaccard import JaccardLoss
from lossary_losses.segmentation.lovasz import LovaszHingeLoss, LovaszSoftmaxLoss
from lossary_losses.segmentation.mcc import MCCLoss
from lossary_losses.segmentation.region_and_pixel import BCEDiceLoss, DiceCELoss, FocalDiceLoss
from lossary_losses.segmentation.skeleton_recall import SkeletonRecallLoss
from lossary_losses.segmentation.tversky import FocalTverskyLoss, TverskyLoss
from lossary_losses.segmentation.unified_focal import UnifiedFocalLoss
from lossary_losses.survival.cox import CoxLoss
from lossary_losses.survival.logistic_hazard import LogisticHazardLoss

__version__ = "0.1.0"

__all__ = [
    "AdaptiveRobustLoss",
    "AdversarialLoss",
    "ArcFaceLoss",
    "AsymmetricLoss",
    "AttentionTransferLoss",
    "BCEDiceLoss",
    "BCELoss",
    "BarlowTwinsLoss",
    "BoundaryLoss",
    "BradleyTerryLoss",
    "CISPOLoss",
    "CIoULoss",
    "CLIPLoss",
    "CRPSLoss",
    "Card",
    "ChamferLoss",
    "ChannelWiseDistillationLoss",
    "CharbonnierLoss",
    "CircleLoss",
    "Claims",
    "ClassBalancedLoss",
    "ClippedValueLoss",
    "ConstantSchedule",
    "ContrastiveLoss",
    "CoralLoss",
    "CosFaceLoss",
    "CosineSchedule",
    "CosineSimilarityLoss",
    "CoxLoss",
    "CrossEntropyLoss",
    "DAPOLoss",
    "DINOLoss",
    "DISTLoss",
    "DIoULoss",
    "DKDLoss",
    "DPOLoss",
    "DeepSupervision",
    "DeformationLoss",
    "DenoisingLoss",
    "DiceCELoss",
    "DiceLoss",
    "DistributionFocalLoss",
    "DrGRPOLoss",
    "EIoULoss",
    "ElementLoss",
    "Elements",
    "EnsembleCRPSLoss",
    "Evaluation",
    "FeatureLoss",
    "FocalDiceLoss",
    "FocalLoss",
    "FocalTverskyLoss",
    "Fraction",
    "GIoULoss",
    "GRPOLoss",
    "GSPOLoss",
    "GaussianBoxLoss",
    "GaussianKLLoss",
    "GaussianNLLLoss",
    "GeneralizedCrossEntropyLoss",
    "GeneralizedDiceLoss",
    "GeodesicRotationLoss",
    "GradientDifferenceLoss",
    "GradientPenaltyLoss",
    "HausdorffDTLoss",
    "Heads",
    "HeatmapFocalLoss",
    "HuberLoss",
    "IPOLoss",
    "InfoNCELoss",
    "InputTypeError",
    "InputValueError",
    "IoULoss",
    "JSDistillationLoss",
    "JaccardLoss",
    "KLDistillationLoss",
    "KTOLoss",
    "KeypointSimilarityLoss",
    "L1Loss",
    "LDAMLoss",
    "LambdaLoss",
    "LinearCrossEntropyLoss",
    "LinearSchedule",
    "ListMLELoss",
    "ListSoftmaxLoss",
    "LoadBalancingLoss",
    "LocalCrossCorrelationLoss",
    "LogCoshDiceLoss",
    "LogCoshLoss",
    "LogisticHazardLoss",
    "LogitAdjustedLoss",
    "Loss",
    "LossError",
    "LovaszHingeLoss",
    "LovaszSoftmaxLoss",
    "MCCLoss",
    "MSELoss",
    "MSSSIMLoss",
    "Masked",
    "Matched",
    "MultiSimilarityLoss",
    "NTXentLoss",
    "NegativeBinomialNLLLoss",
    "ORPOLoss",
    "OptionTypeError",
    "OptionValueError",
    "PPOLoss",
    "PairwiseLogisticLoss",
    "Paper",
    "PermutationInvariant",
    "PiecewiseSchedule",
    "PoissonNLLLoss",
    "PolyLoss",
    "Product",
    "ProxyAnchorLoss",
    "QualityFocalLoss",
    "QuantileLoss",
    "ReducedLoss",
    "RelativeLpLoss",
    "RelativisticLoss",
    "RobustDPOLoss",
    "SILogLoss",
    "SISDRLoss",
    "SNRLoss",
    "SSIMLoss",
    "STFTLoss",
    "Schedule",
    "SigLIPLoss",
    "SimPOLoss",
    "SkeletonRecallLoss",
    "SmoothL1Loss",
    "SoftClDiceLoss",
    "SquaredEMDLoss",
    "StudentTNLLLoss",
    "StyleLoss",
    "SupConLoss",
    "SymmetricCrossEntropyLoss",
    "TargetlessLoss",
    "TopKCrossEntropyLoss",
    "TopKDistillationLoss",
    "TotalVariationLoss",
    "TripletLoss",
    "TverskyLoss",
    "UnifiedFocalLoss",
    "VICRegLoss",
    "VarifocalLoss",
    "VectorQuantizationLoss",
    "WarmUpSchedule",
    "Watch",
    "WeightedMSELoss",
    "WeightedSum",
    "WingLoss",
    "ZLPRLoss",
    "ZLoss",
    "card_of",
    "cards",
    "define_loss",
    "explain",
    "features_of",
    "input_gradient",
    "linear_log_probs",
    "log_probs",
    "loss_registry",
    "schedule_registry",
    "sequence_log_probs",
    "set_progress",
    "signed_distance_map",
    "value_checks",
]
