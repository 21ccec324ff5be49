"""Losses of rotated boxes that are taken as Gaussians, by several distances between these."""

from typing import ClassVar, Literal, NamedTuple

import torch
from torch import Tensor

from lossary_losses._core.base import define_loss
from lossary_losses._core.claims import Claims
from lossary_losses._core.dense import Ready
from lossary_losses._core.options import choice
from lossary_losses._core.reduction import Elements, weigh
from lossary_losses._core.stable import log_cosh, times
from lossary_losses._core.vectors import VectorLoss
from lossary_losses.loss_registry_setup import loss_registry

__all__ = ["GaussianBoxLoss"]

_LEAST = 1e-9
"""How short a side may be beside the longest length of a pair: up to there float32 holds all ratios."""


@loss_registry.register(
    name="gaussian_box_loss",
    aliases=["GaussianBoxLoss"],
    tags=["detection", "boxes", "probabilistic"],
)
@define_loss
class GaussianBoxLoss(VectorLoss):
    r"""How far two rotated boxes are apart when they are taken as Gaussians, from zero to one.

    .. math:: \ell = \sqrt{1 - e^{-B}}, \quad B = \frac{1}{4} \delta^\top (\Sigma_1 + \Sigma_2)^{-1} \delta
        + \frac{1}{2} \ln \frac{\det (\Sigma_1 + \Sigma_2)}{4 \sqrt{\det \Sigma_1 \det \Sigma_2}}

    for the Hellinger distance; :math:`\delta` is that of the centres, and :math:`\Sigma` has the box's axes.
    With ``"wasserstein"`` and ``"kullback_leibler"`` it is :math:`1 - 1 / (1 + \ln (1 + D))`, and with
    ``"kalman"`` :math:`1 - 3\, V / (V_1 + V_2 - V)`, where :math:`V` is the area of the product of both.

    Convention:
        Angles are in radians, anticlockwise where y goes up. The variance along a side of length :math:`w` is
        :math:`w^2 / 12` for the Hellinger distance, which is ProbIoU's, and :math:`w^2 / 4` for the others.
        :math:`D` is the squared Wasserstein distance, of which the unit matters, or the divergence of the
        input's Gaussian from the target's, which is not the same the other way round; MMRotate takes its root
        unless ``sqrt=False``, and divides the Wasserstein distance by the size of the boxes. The Kalman
        distance knows nothing of centres: add a loss of these, as its authors do; KFIoU of equal boxes is a
        third, hence the factor. Equal boxes cost zero, as do all names of one box, half a turn further or
        with its sides exchanged, and a square at any angle; Ultralytics, with its epsilons, has 4.7e-4 there,
        and no gradient for boxes 200 pixels away. The Hellinger distance of boxes that far is one: in float32
        its gradient ends where :math:`B` is 100. A side has a size without a sign, and counts as no shorter
        than 1e-9 of the longest length of its pair; one of zero has no gradient.

    Shapes:
        ``input``: ``(*, 5)``, boxes: centre, width, height and angle.
        ``target``: the input's.
        ``mask`` and ``weight``: ``(*)``, one for each box.
        Result: a scalar, or ``(*)`` with ``reduction="none"``.

    Args:
        distance: ``"hellinger"`` (default), ``"wasserstein"``, ``"kalman"`` or ``"kullback_leibler"``.
        reduction: ``"mean"`` (default), ``"sum"`` or ``"none"``.
        process_group: The processes that share a batch: their gradients, once averaged, are then those of the
            whole batch in one process. Default: None, each process for itself.

    Raises:
        OptionTypeError: An option has the wrong type.
        OptionValueError: An option is out of its bounds.

    Example:
        >>> import torch
        >>> loss = GaussianBoxLoss()
        >>> loss(torch.tensor([[0.0, 0.0, 4.0, 2.0, 0.0]]), torch.tensor([[1.0, 0.0, 2.0, 4.0, 0.5]]))
        tensor(0.5240)

    Reference:
        Hellinger: Murrugarra-Llerena et al. 2021, "Gaussian Bounding Boxes and Probabilistic
        Intersection-over-Union for Object Detection", arXiv:2106.06072. Wasserstein: Yang et al. 2021,
        "Rethinking Rotated Object Detection with Gaussian Wasserstein Distance Loss", arXiv:2101.11952.
        Kalman: Yang et al. 2022, "The KFIoU Loss for Rotated Object Detection", arXiv:2201.12558.
        Kullback-Leibler: Yang et al. 2021, "Learning High-Precision Bounding Box for Rotated Object Detection
        via Kullback-Leibler Divergence", arXiv:2106.01883.
    """

    claims: ClassVar = Claims(
        targets={"rotated_boxes": {}}, input="rotated_boxes", high=1.0, layout="* 5", element="box"
    )
    vector: ClassVar = ("rotated boxes", 5)

    distance: Literal["hellinger", "wasserstein", "kalman", "kullback_leibler"] = choice(
        "hellinger", "wasserstein", "kalman", "kullback_leibler", default="hellinger"
    )

    def point(self, ready: Ready) -> Elements:
        """Give the distance of each pair."""
        return weigh(self._cost(ready.input, ready.target).unsqueeze(1), ready.share)

    def point_and_slope(self, ready: Ready) -> tuple[Elements, Tensor]:
        """Compute the distance once for both."""
        with torch.enable_grad():
            input = ready.input.detach().requires_grad_()
            cost = self._cost(input, ready.target)
            (slope,) = torch.autograd.grad(cost.sum(), input)
        return weigh(cost.detach().unsqueeze(1), ready.share), times(slope, ready.share)

    def _cost(self, input: Tensor, target: Tensor) -> Tensor:
        if self.distance == "wasserstein":
            return _saturated(_squared_wasserstein(_pairs(input, target)))
        # The other distances are the same in any unit.
        pairs = _in_their_own_unit(_pairs(input, target))
        if self.distance == "kullback_leibler":
            return _saturated(_divergence(pairs))
        return _hellinger(pairs) if self.distance == "hellinger" else _kalman(pairs)


class _Box(NamedTuple):
    """A box by half its sides, and where the centre of the target lies from that of the input along them."""

    long: Tensor
    short: Tensor
    ahead: Tensor
    aside: Tensor


class _Pairs(NamedTuple):
    """Pairs of boxes, and the angle between their long sides."""

    input: _Box
    target: _Box
    cosine: Tensor
    sine: Tensor


def _pairs(input: Tensor, target: Tensor) -> _Pairs:
    """Name the longer side of each box first, so that no sum below has terms of both signs."""
    x, y = (target[:, :2] - input[:, :2]).unbind(1)
    boxes, directions = [], []
    for each in (input, target):
        width, height = (each[:, 2:4].abs() / 2).unbind(1)
        cosine, sine = each[:, 4].cos(), each[:, 4].sin()
        is_wide = width >= height
        long, short = torch.where(is_wide, width, height), torch.where(is_wide, height, width)
        cosine, sine = torch.where(is_wide, cosine, -sine), torch.where(is_wide, sine, cosine)
        boxes.append(_Box(long, short, cosine * x + sine * y, cosine * y - sine * x))
        directions.append((cosine, sine))
    (one_cosine, one_sine), (cosine, sine) = directions
    between = one_cosine * cosine + one_sine * sine, one_cosine * sine - one_sine * cosine
    return _Pairs(boxes[0], boxes[1], *between)


def _in_their_own_unit(pairs: _Pairs) -> _Pairs:
    """Measure in the longest length of a pair, so that ratios of areas are neither infinite nor 0 / 0."""
    lengths = torch.stack([*pairs.input, *pairs.target]).detach()
    unit = lengths.abs().amax(dim=0)
    unit = unit.masked_fill(unit == 0, 1)

    def measured(box: _Box) -> _Box:
        long, short, ahead, aside = (each / unit for each in box)
        return _Box(long.clamp(min=_LEAST), short.clamp(min=_LEAST), ahead, aside)

    return _Pairs(measured(pairs.input), measured(pairs.target), pairs.cosine, pairs.sine)


def _spread(pairs: _Pairs) -> tuple[Tensor, Tensor]:
    """Give ``det(S1 + S2) / (4 sqrt(det S1 det S2))``, at least one, and its logarithm."""
    one, other = pairs.input, pairs.target
    long, short = one.long / other.long, one.short / other.short
    straight = (long + 1 / long) * (short + 1 / short) / 4
    twist = pairs.sine.square() * _elongation(one) * _elongation(other)
    logarithm = log_cosh(long.log()) + log_cosh(short.log()) + (twist / straight).log1p()
    return straight + twist, logarithm


def _elongation(box: _Box) -> Tensor:
    """Give the hyperbolic sine of the logarithm of a box's proportion."""
    return (box.long / box.short - box.short / box.long) / 2


def _hellinger(pairs: _Pairs) -> Tensor:
    one, other = pairs.input, pairs.target
    spread, logarithm = _spread(pairs)
    # Three times as much as with the variances of the other distances.
    apart = 3 * (_reach(one, other) + _reach(other, one)) / (16 * spread)
    bhattacharyya = apart + logarithm / 2
    # The first form is exact near zero, and the second has a slope far away.
    squared = torch.where(bhattacharyya < 1, -torch.expm1(-bhattacharyya), 1 - (-bhattacharyya).exp())
    return _root(squared)


def _reach(of: _Box, beside: _Box) -> Tensor:
    """Give the distance of the centres by one box's inverse variances, over the area of the other."""
    ahead = (of.ahead / beside.long) * (of.ahead / beside.short) * (of.short / of.long)
    aside = (of.aside / beside.long) * (of.aside / beside.short) * (of.long / of.short)
    return ahead + aside


def _kalman(pairs: _Pairs) -> Tensor:
    one, other = pairs.input, pairs.target
    areas = (one.long / other.long).log() + (one.short / other.short).log()
    excess = 4 * torch.expm1(log_cosh(areas / 2) + _spread(pairs)[1] / 2)
    return excess / (excess + 3)


def _divergence(pairs: _Pairs) -> Tensor:
    """Give the Kullback-Leibler divergence of the input's Gaussian from the target's."""
    one, other = pairs.input, pairs.target
    straight = _excess(one.long / other.long) + _excess(one.short / other.short)
    flat = (one.long - one.short) / other.short * ((one.long + one.short) / other.short)
    twist = pairs.sine.square() * flat * (1 - (other.short / other.long).square())
    apart = (other.ahead / other.long).square() + (other.aside / other.short).square()
    return (straight + twist + apart) / 2


def _excess(ratio: Tensor) -> Tensor:
    """Give how far a ratio's square is above one and its logarithm together."""
    logarithm = 2 * ratio.log()
    return torch.expm1(logarithm) - logarithm


def _squared_wasserstein(pairs: _Pairs) -> Tensor:
    one, other = pairs.input, pairs.target
    apart = other.ahead.square() + other.aside.square()
    straight = (one.long - other.long).square() + (one.short - other.short).square()
    product = one.long * other.long + one.short * other.short
    crossed = one.long * other.short + one.short * other.long
    root = _root((product * pairs.cosine).square() + (crossed * pairs.sine).square())
    gain = (one.long - one.short) * (one.long + one.short) * (other.long - other.short)
    twist = 2 * gain * (other.long + other.short) * pairs.sine.square()
    total = product + root
    return apart + straight + twist / torch.where(total == 0, torch.inf, total)


def _root(values: Tensor) -> Tensor:
    """Give the square root, with a gradient of zero at zero."""
    nothing = values == 0
    return torch.where(nothing, 0, torch.where(nothing, 1, values).sqrt())


def _saturated(distance: Tensor) -> Tensor:
    """Bring what has no upper end to between zero and one."""
    logarithm = distance.log1p()
    return logarithm / (1 + logarithm)
