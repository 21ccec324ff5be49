"""Cross entropy of logits that are a projection of hidden states, and that are never held all at once."""

from typing import Any, ClassVar

import torch
from torch import Tensor

from lossary_losses._core.base import define_loss, full_precision
from lossary_losses._core.checks import check_labels, check_nonnegative
from lossary_losses._core.claims import Claims
from lossary_losses._core.dense import Dense, Ready, incompatible_shapes, ready, require_tensor
from lossary_losses._core.linear_sums import linear_sums, with_logits
from lossary_losses._core.options import number
from lossary_losses._core.projection import Head, prepare_head
from lossary_losses._core.reduced import Shape, stand_in
from lossary_losses._core.reduction import Elements, Fraction
from lossary_losses._core.rows import require_shape
from lossary_losses._core.softmax import LogProbabilities
from lossary_losses._core.spread import wherever_spread
from lossary_losses._core.stable import times
from lossary_losses.classification.cross_entropy import CrossEntropyLoss
from lossary_losses.errors import InputTypeError
from lossary_losses.loss_registry_setup import loss_registry

__all__ = ["LinearCrossEntropyLoss"]


@loss_registry.register(
    name="linear_cross_entropy_loss",
    aliases=["LinearCrossEntropyLoss", "fused_linear_cross_entropy_loss"],
    tags=["language", "multiclass", "cross_entropy"],
)
@define_loss
class LinearCrossEntropyLoss(CrossEntropyLoss):
    r"""Cross entropy between class indices and a projection of hidden states, whose logits are never held.

    .. math:: \ell = -\sum_c w_c\, t'_c \log p_c + w_y\, \zeta \left( \log \sum_c e^{z_c} \right)^2,
        \quad z = \kappa \tanh \frac{W x + b}{\kappa}, \quad p = \mathrm{softmax}(z),
        \quad t' = (1 - \varepsilon)\, t + \varepsilon / C

    Convention:
        Nothing is shifted: the labels are those that the hidden states predict. ``weight`` of ``forward`` is
        how much each position counts, ``linear_weight`` is the projection. The mean divides by the sum of the
        class weights of the labels that count, as torch's does, not by all positions, and over nothing it is
        zero. The z term is made of the capped logits, and of a position it has the class weight too: Liger
        divides its own by the number of positions instead, which without class weights is the same.
        Smoothing is torch's, over all classes. A temperature is no option: divide the hidden states by it.

    Shapes:
        ``input``: ``(*, H)``, hidden states. ``target``: ``(*)``, class indices of any integer dtype.
        ``linear_weight``: ``(V, H)``. ``linear_bias``: ``(V,)``.
        ``mask`` and ``weight``: ``(*)``. Result: a scalar, or ``(*)`` with ``reduction="none"``, for which
        the logits of all positions are held.

    Args:
        softcap: Bounds each logit, > 0. Default: None, no bound.
        z_loss: The weight of the squared log-partition, >= 0. Default: 0.
        weight: One factor per class, >= 0. Default: None, all one.
        label_smoothing: How much of each target is spread over all classes, 0 to 1. Default: 0.
        ignore_index: Positions where the target equals it do not count. Default: None, all count.
        reduction: ``"mean"`` (default), ``"sum"`` or ``"none"``.
        process_group: The processes that share a batch: their gradients, once averaged, are then those of the
            whole batch in one process. Default: None, each process for itself.

    Raises:
        OptionTypeError: An option has the wrong type.
        OptionValueError: An option is out of its bounds.

    Example:
        >>> import torch
        >>> loss = LinearCrossEntropyLoss(ignore_index=-100)
        >>> loss(torch.zeros(3, 2), torch.tensor([0, 1, -100]), linear_weight=torch.ones(4, 2))
        tensor(1.3863)

    Reference:
        Wijmans et al. 2024, "Cut Your Losses in Large-Vocabulary Language Models", arXiv:2411.09009. The z
        term: Chowdhery et al. 2022, "PaLM: Scaling Language Modeling with Pathways", arXiv:2204.02311. Capped
        logits: Gemma Team 2024, "Gemma 2: Improving Open Language Models at a Practical Size",
        arXiv:2408.00118.
    """

    claims: ClassVar = Claims(
        input="hidden_states",
        targets={"labels": {}},
        learns_at=1000.0,
        layout="* H",
        arguments={"linear_weight": "projection"},
    )

    softcap: float | None = number(default=None, above=0)
    z_loss: float = number(default=0.0, at_least=0)

    def forward(  # type: ignore[override] # without a projection there are no logits
        self,
        input: Tensor,
        target: Tensor,
        *,
        linear_weight: Tensor,
        linear_bias: Tensor | None = None,
        mask: Tensor | None = None,
        weight: Tensor | None = None,
    ) -> Tensor:
        """Compute the loss.

        Args:
            input: Hidden states; half precision is computed in float32.
            target: The class that each position should have.
            linear_weight: What projects hidden states onto classes, one row for each class.
            linear_bias: What is added to each class.
            mask: Bool, True where a position counts; elsewhere hidden states may hold anything.
            weight: How much each position counts.

        Returns:
            A scalar, or each position's loss with ``reduction="none"``.

        Raises:
            InputValueError: The shapes do not fit together, or a label is no class.
            InputTypeError: A dtype is unusable, such as class indices given as floats.
        """
        return self.result(
            input, target, linear_weight=linear_weight, linear_bias=linear_bias, mask=mask, weight=weight
        )

    def elements(  # type: ignore[override] # as above
        self,
        input: Tensor,
        target: Tensor,
        *,
        linear_weight: Tensor,
        linear_bias: Tensor | None = None,
        mask: Tensor | None = None,
        weight: Tensor | None = None,
    ) -> Elements:
        """Give the loss of each position, from logits that are held."""
        head, rows = self._ready(
            input, target, linear_weight=linear_weight, linear_bias=linear_bias, mask=mask, weight=weight
        )
        value, share = self.point(with_logits(head, rows))
        return Elements(value.reshape(target.shape), None if share is None else share.reshape(target.shape))

    @wherever_spread
    def fraction(  # type: ignore[override] # as above
        self,
        input: Tensor,
        target: Tensor,
        *,
        linear_weight: Tensor,
        linear_bias: Tensor | None = None,
        mask: Tensor | None = None,
        weight: Tensor | None = None,
    ) -> Fraction:
        """Give the mean as a numerator and a denominator, whatever ``reduction`` says."""
        with full_precision(input):
            head, rows = self._ready(
                input, target, linear_weight=linear_weight, linear_bias=linear_bias, mask=mask, weight=weight
            )
            return linear_sums(self, head, rows)

    def point(self, ready: Ready) -> Elements:
        """Give the cross entropy of each position, and what its log-partition costs."""
        value, share = super().point(ready)
        if self.z_loss:
            of_partition = ready.input.logsumexp(dim=1, keepdim=True).square()
            value = value + times(self.z_loss * of_partition, share)
        return Elements(value, share)

    def slope(self, ready: Ready) -> Tensor:
        """Give the slope of both."""
        return self.point_and_slope(ready)[1]

    def point_and_slope(self, ready: Ready) -> tuple[Elements, Tensor]:
        """Give both, of log-probabilities that become the slope in their place."""
        log_probability = ready.input.log_softmax(dim=1)
        value, share = self.cost_of(ready, LogProbabilities(log_probability, None))
        if not self.z_loss:
            return Elements(value, share), self._slope(ready, log_probability.exp_())
        # Any logit less its log-probability; of the likeliest class no digits are lost.
        log_sum = ready.input.amax(dim=1, keepdim=True) - log_probability.amax(dim=1, keepdim=True)
        probability = log_probability.exp_()
        value = value + times(self.z_loss * log_sum.square(), share)
        factor = times(2 * self.z_loss * log_sum, share)
        return Elements(value, share), self.slope_given(ready, probability).addcmul_(probability, factor)

    def counts(
        self,
        target: Tensor | None = None,
        *,
        like: Shape,
        mask: Tensor | None = None,
        weight: Tensor | None = None,
        **arguments: Any,  # noqa: ANN401 - as in the base
    ) -> Tensor:
        """Give the denominator that ``fraction`` would give, of which logits are no part."""
        if target is None:
            raise InputTypeError("target must be a tensor, got None")
        with torch.no_grad():
            input = stand_in(like, (target, mask, weight))
            _, rows = self._ready(input, target, mask=mask, weight=weight, **arguments)
            share = self._share_of_truth(rows)
            return rows.input.new_tensor(len(rows.input)) if share is None else share.sum()

    def _share_of_truth(self, ready: Ready) -> Tensor | None:
        """Give how much each position counts, its class included."""
        if not isinstance(self.weight, Tensor):
            return ready.share
        return times(self.weight.to(ready.input)[ready.target], ready.share)

    def _ready(
        self,
        input: Tensor,
        target: Tensor,
        *,
        linear_weight: Tensor,
        linear_bias: Tensor | None = None,
        mask: Tensor | None = None,
        weight: Tensor | None = None,
    ) -> tuple[Head, Ready]:
        """Check everything, and give the head and the positions one below another."""
        head = prepare_head(input, linear_weight, linear_bias, self.softcap)
        require_tensor(target, "target")
        if target.shape != input.shape[:-1]:
            raise incompatible_shapes(input, target, f"{tuple(input.shape[:-1])} (class indices)")
        for name, each in (("mask", mask), ("weight", weight)):
            if each is not None:
                require_tensor(each, name)
                require_shape(each, name, tuple(target.shape), input)
        hidden, classes = input.reshape(-1, input.shape[-1]), len(linear_weight)
        mask, weight = (None if each is None else each.flatten() for each in (mask, weight))
        # Of the logits, nothing but their shape is looked at.
        logits = hidden.new_zeros(()).expand(len(hidden), classes)
        dense = self.prepare(logits, target.flatten(), mask=mask, weight=weight)
        _, labels, mask, weight, kind, ignored, _ = dense
        # Written out, since torch 2.6 traces no method of named tuples.
        rows = ready(Dense(hidden, labels, mask, weight, kind, ignored), check=False)
        check_labels(rows.target, classes, self.ignore_index)
        if rows.share is not None:
            check_nonnegative(rows.share, "weight")
        return head, rows
