"""InfoNCE: tell the other view of a sample from those of all other samples."""

from typing import ClassVar, Literal

import torch
from torch import Tensor

from lossary_losses._core.base import define_loss, require_floating_point
from lossary_losses._core.checks import plain
from lossary_losses._core.claims import Claims
from lossary_losses._core.distribution import gather_rows
from lossary_losses._core.options import choice, flag, number
from lossary_losses._core.reduced import ReducedLoss
from lossary_losses._core.reduction import Elements, weigh
from lossary_losses._core.rows import (
    NOTHING,
    Rows,
    prepare_rows,
    reciprocal_length,
    require_dimensions,
    selected,
)
from lossary_losses._core.similarity import Vectors, log_sums, log_sums_both_ways, sums_and_counts
from lossary_losses._core.stable import softplus
from lossary_losses.errors import InputValueError
from lossary_losses.loss_registry_setup import loss_registry
from lossary_losses.representation.learned import positive_number
from lossary_losses.representation.pairs import Side, find_pairs

__all__ = ["InfoNCELoss"]


@loss_registry.register(
    name="info_nce_loss",
    aliases=["InfoNCELoss", "multiple_negatives_ranking_loss"],
    tags=["representation", "contrastive", "cross_entropy"],
)
@define_loss
class InfoNCELoss(ReducedLoss):
    r"""Cross entropy of telling each row's target from the targets of all other rows, by similarity.

    .. math:: \ell_i = \log \Big( \sum_{j} e^{s(x_i, t_j) / \tau} \Big) - s(x_i, t_i) / \tau

    Convention:
        The mean is over pairs. With ``symmetric`` each pair has the mean of both directions, as in CLIP:
        open_clip's formula on embeddings of length one. With ``within`` the other rows of the input are
        negatives as well: NT-Xent is ``symmetric=True, within=True``, and elsewhere has a temperature of 0.5
        or 0.07. A scale of 20, as in sentence-transformers, is a temperature of 0.05. With ``decoupled`` the
        sum leaves the positive out, and the loss has no lower bound.
        Negatives ``(K, D)`` are those of every row, ``(B, K, D)`` those of each row alone; with ``symmetric``
        they stand beside the targets, and only the inputs are told from them. They come on top of those of
        the batch; where these are not meant, as in MoCo and in info-nce-pytorch with negatives, put all rows
        into one group: rows of the same group are no negatives of each other, so that a sample that is
        twice in a batch is not its own negative. Smoothing spreads over all that a row is compared with. A
        row without any negative costs zero; decoupled it has no part in the mean.
        Over processes, a batch has the rows of all of them, and negatives ``(K, D)`` are the same on all.

    Shapes:
        ``input`` and ``target``: ``(B, D)``, embeddings of two views, or of questions and answers.
        ``negatives``: ``(K, D)`` or ``(B, K, D)``. ``groups``: ``(B,)``, integers. ``temperature``: ``()``.
        Result: a scalar, or ``(B,)`` with ``reduction="none"``.

    Args:
        temperature: What similarities are divided by, > 0, unless a tensor is given. Default: 0.07.
        symmetric: Whether each target is told its input as well. Default: False.
        within: Whether a row is told from the other inputs too, a target from the other targets. Default:
            False.
        decoupled: Whether the positive is left out of the sum. Default: False.
        similarity: ``"cosine"`` (default), or ``"dot"``, the scalar product as it is.
        label_smoothing: How much of each positive is spread over all candidates, 0 to 1. Default: 0.
        reduction: ``"mean"`` (default), ``"sum"`` or ``"none"``.
        process_group: The processes that share a batch: their gradients, once averaged, are then those of the
            whole batch in one process. Default: None, each process for itself.

    Raises:
        OptionTypeError: An option has the wrong type.
        OptionValueError: An option is out of its bounds.

    Example:
        >>> import torch
        >>> InfoNCELoss(temperature=1.0)(torch.eye(2), torch.eye(2))
        tensor(0.3133)

    Reference:
        van den Oord et al. 2018, "Representation Learning with Contrastive Predictive Coding",
        arXiv:1807.03748. With the answers of a batch: Henderson et al. 2017, "Efficient Natural Language
        Response Suggestion for Smart Reply", arXiv:1705.00652. Decoupled: Yeh et al. 2021, "Decoupled
        Contrastive Learning", arXiv:2110.06848.
    """

    claims: ClassVar = Claims(
        input="embeddings",
        targets={"embeddings": {}},
        element="pair",
        couples="batch",
        perfect=None,
        layout="B D",
    )

    temperature: float = number(default=0.07, above=0)
    symmetric: bool = flag(default=False)
    within: bool = flag(default=False)
    decoupled: bool = flag(default=False)
    similarity: Literal["cosine", "dot"] = choice("cosine", "dot", default="cosine")
    label_smoothing: float = number(default=0.0, at_least=0, at_most=1)

    def forward(
        self,
        input: Tensor,
        target: Tensor,
        *,
        negatives: Tensor | None = None,
        groups: Tensor | None = None,
        temperature: Tensor | None = None,
        mask: Tensor | None = None,
        weight: Tensor | None = None,
    ) -> Tensor:
        """Compute the loss.

        Args:
            input: Embeddings; half precision is computed in float32.
            target: The embedding that belongs to each of them.
            negatives: Further embeddings that belong to none of them, or to none but their own row.
            groups: What each row belongs to: within a group there are no negatives.
            temperature: What similarities are divided by, where it is learned.
            mask: Bool, True where a row counts, as anchor, positive and negative alike; of shape ``(B,)``.
            weight: How much each pair counts in the mean; of shape ``(B,)``.

        Returns:
            A scalar, or each pair's loss with ``reduction="none"``.

        Raises:
            InputValueError: The shapes do not fit together, or a temperature or a weight is impossible.
            InputTypeError: A dtype is unusable, such as groups given as floats.
        """
        return self.result(
            input,
            target,
            negatives=negatives,
            groups=groups,
            temperature=temperature,
            mask=mask,
            weight=weight,
        )

    def elements(
        self,
        input: Tensor,
        target: Tensor,
        *,
        negatives: Tensor | None = None,
        groups: Tensor | None = None,
        temperature: Tensor | None = None,
        mask: Tensor | None = None,
        weight: Tensor | None = None,
    ) -> Elements:
        """Give the loss of each pair."""
        require_dimensions(input, "input", "B D")
        rows = prepare_rows(input, mask, weight)
        target = rows.like_input(target, "target")
        # The root, on both sides, divides every similarity by the temperature.
        root = positive_number(temperature, "temperature", self.temperature, rows.input) ** -0.5
        shared, alone = self._negatives(negatives, rows, input, root)
        ours, theirs = self._measured(rows.input, root), self._measured(target, root)
        inputs, targets = find_pairs(
            ours, theirs, rows.counted, groups, self.process_group, all_inputs=self._needs_all_inputs
        )

        pair = (ours * theirs).sum(dim=1)
        sums = self._log_sums(inputs.own, targets)
        within = [inputs.all] if self.within else []
        costs = [self._cost(pair, sums[0], inputs.own, [targets.all, *within, *shared], alone)]
        if self.symmetric:
            within = [targets.all] if self.within else []
            costs.append(self._cost(pair, sums[1], targets.own, [inputs.all, *within], None))
        value = torch.stack([each.value for each in costs]).mean(dim=0)
        shares = [each.share for each in costs if each.share is not None]
        return weigh(value, rows.share, torch.stack(shares).mean(dim=0) if shares else None)

    def _measured(self, vectors: Tensor, root: Tensor) -> Tensor:
        """Bring vectors to where their scalar product is the similarity over the temperature."""
        return vectors * (root * reciprocal_length(vectors) if self.similarity == "cosine" else root)

    @property
    def _counts_candidates(self) -> bool:
        return self.decoupled or self.label_smoothing > 0

    @property
    def _needs_all_inputs(self) -> bool:
        """Whether inputs of other processes are compared with beyond what has a sum of its own."""
        return self.within or (self.symmetric and self._counts_candidates)

    def _log_sums(self, inputs: Vectors, targets: Side) -> tuple[Tensor, ...]:
        """Compare inputs with all targets but their own; if asked for, targets with all inputs as well."""
        if not self.symmetric:
            return (log_sums(inputs, targets.all),)
        of_inputs, of_targets = log_sums_both_ways(inputs, targets.all)
        if self.process_group is not None:
            # The other processes compared the targets of this one with inputs of their own.
            of_all, _ = gather_rows(of_targets.unsqueeze(0), self.process_group)
            of_targets = of_all[:, targets.place].logsumexp(dim=0)
        return of_inputs, of_targets

    def _cost(
        self, pair: Tensor, log_sum: Tensor, rows: Vectors, others: list[Vectors], alone: Tensor | None
    ) -> Elements:
        """Compute what it costs to tell each pair from the others, of which the first are summed up."""
        sums = [log_sum, *(log_sums(rows, each) for each in others[1:])]
        apart = None if alone is None else (alone @ rows.values.unsqueeze(2)).squeeze(2)
        if apart is not None:
            sums.append(apart.logsumexp(dim=1).clamp(min=NOTHING))
        margin = torch.stack(sums).logsumexp(dim=0) - pair
        if not self._counts_candidates:
            return Elements(softplus(margin), None)
        each = [sums_and_counts(rows, other) for other in others]
        total = torch.stack([sum for sum, _ in each]).sum(dim=0)
        count = torch.stack([count for _, count in each]).sum(dim=0)
        if apart is not None:
            total, count = total + apart.sum(dim=1), count + apart.shape[1]
        there = count > 0
        value = torch.where(there, margin, 0) if self.decoupled else softplus(margin)
        # That of all candidates alike, less that of the positive: what smoothing adds.
        even = torch.where(there, (count * pair - total) / (count + 1), 0)
        return Elements(value + self.label_smoothing * even, there.to(pair.dtype) if self.decoupled else None)

    def _negatives(
        self, negatives: Tensor | None, rows: Rows, input: Tensor, root: Tensor
    ) -> tuple[list[Vectors], Tensor | None]:
        """Tell negatives of all rows from those of each row alone; there may be neither."""
        if negatives is None:
            return [], None
        require_floating_point(negatives, "negatives")
        (batch, size), number = input.shape, negatives.shape[-2] if negatives.ndim > 1 else 0
        if negatives.shape not in ((number, size), (batch, number, size)):
            raise InputValueError(
                f"Incompatible shapes: input {tuple(input.shape)}, negatives {tuple(negatives.shape)}; "
                f"accepted for the negatives: (K, {size}) or ({batch}, K, {size})"
            )
        values = plain(negatives).to(rows.input.dtype)
        if values.ndim == 2:  # noqa: PLR2004 - those of all rows
            return [Vectors(self._measured(values, root), None, None)], None
        values = selected(values, rows.counted)
        return [], self._measured(values, root)
