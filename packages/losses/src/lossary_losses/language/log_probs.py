"""Log-probabilities of tokens, from logits or straight from hidden states, and their sums over sequences.

All of it is float32, or float64, whatever comes in: a sum over a thousand tokens in bfloat16 is off by nats.
"""

from collections.abc import Iterable
from typing import Any, NamedTuple

import torch
from torch import Tensor

from lossary_losses._core.base import full_precision, require_floating_point
from lossary_losses._core.checks import check_labels, plain, values_readable
from lossary_losses._core.dense import can_hold, incompatible_shapes, require_mask
from lossary_losses._core.plain_numbers import is_finite, is_number
from lossary_losses._core.projection import Gradients, Head, are_many_logits, gradients_of, prepare_head
from lossary_losses._core.reduction import widened
from lossary_losses._core.rows import require_integers, require_shape, selected
from lossary_losses._core.stable import bounded
from lossary_losses._core.streaming import is_seen_as_a_whole_only
from lossary_losses.errors import InputValueError, OptionTypeError, OptionValueError

__all__ = ["linear_log_probs", "log_probs", "sequence_log_probs"]


def log_probs(
    logits: Tensor, labels: Tensor, *, mask: Tensor | None = None, ignore_index: int | None = None
) -> Tensor:
    """Give the log-probability of each label under the softmax of its logits.

    Nothing is shifted: the labels are those that the logits predict. The vocabulary is the last dimension.

    Args:
        logits: ``(*, V)``, of any floating-point dtype.
        labels: ``(*)``, of any integer dtype.
        mask: Bool, ``(*)``, True where a token counts; elsewhere logits may hold anything.
        ignore_index: Tokens whose label equals it do not count. Default: None, all count.

    Returns:
        ``(*)``, float32 or float64; zero, with a gradient of zero, where a token does not count.

    Raises:
        InputValueError: The shapes do not fit together, or a label is outside the vocabulary.
        InputTypeError: A dtype is unusable.

    Example:
        >>> log_probs(torch.zeros(1, 2, 4), torch.tensor([[0, -100]]), ignore_index=-100)
        tensor([[-1.3863,  0.0000]])
    """
    with full_precision(logits):
        tokens = _prepare(logits, "logits", labels, mask, ignore_index)
        _require_vocabulary(tokens, _vocabulary(logits), ignore_index)
        log_probability = widened(tokens.rows).log_softmax(dim=-1)
        return tokens.shaped(log_probability.gather(1, tokens.labels).squeeze(1))


def linear_log_probs(
    hidden: Tensor,
    linear_weight: Tensor,
    labels: Tensor,
    *,
    linear_bias: Tensor | None = None,
    softcap: float | None = None,
    entropy: bool = False,
    mask: Tensor | None = None,
    ignore_index: int | None = None,
) -> tuple[Tensor, ...]:
    """Give the log-probability of each label and the log-partition, without ever holding all logits.

    Logits are computed for a few tokens at a time, and again for the gradient. Where neither weight nor bias
    has a gradient, as under adapters, the forward pass leaves what the gradient is made of instead. A
    temperature is no option: divide the hidden states by it.

    Args:
        hidden: ``(*, H)``, of any floating-point dtype.
        linear_weight: ``(V, H)``.
        labels: ``(*)``, of any integer dtype.
        linear_bias: ``(V,)``. Default: None, there is none.
        softcap: Bounds each logit, ``softcap * tanh(logit / softcap)``, > 0. Default: None, no bound.
        entropy: Whether the entropy of each token's distribution is wanted as well. Default: False.
        mask: Bool, ``(*)``, True where a token counts; elsewhere hidden states may hold anything.
        ignore_index: Tokens whose label equals it do not count. Default: None, all count.

    Returns:
        The log-probabilities ``(*)``, the logarithms of the sums of exponentials ``(*)``, and the entropies
        ``(*)`` if they are wanted; float32 or float64; zero, with a gradient of zero, where a token does not
        count. All of them are differentiable.

    Raises:
        InputValueError: The shapes do not fit together, or a label is outside the vocabulary.
        InputTypeError: A dtype is unusable.
        OptionValueError: ``softcap`` is not above zero.

    Example:
        >>> log_prob, log_sum = linear_log_probs(torch.zeros(3, 2), torch.ones(4, 2), torch.arange(3))
        >>> log_prob
        tensor([-1.3863, -1.3863, -1.3863])

    Reference:
        Capped logits: Gemma Team 2024, "Gemma 2: Improving Open Language Models at a Practical Size",
        arXiv:2408.00118.
    """
    with full_precision(hidden):
        head = prepare_head(hidden, linear_weight, linear_bias, _checked(softcap))
        tokens = _prepare(hidden, "hidden", labels, mask, ignore_index)
        _require_vocabulary(tokens, len(linear_weight), ignore_index)
        found = _log_probs(tokens.rows, head, tokens.labels, entropy=entropy)
        return tuple(map(tokens.shaped, found))


def sequence_log_probs(log_prob: Tensor, mask: Tensor | None = None, *, average: bool = False) -> Tensor:
    """Add the log-probabilities of each sequence's tokens up, or average them.

    Args:
        log_prob: ``(B, *T)``, the log-probabilities of tokens.
        mask: Bool, ``(B, *T)``, True where a token counts, such as those of an answer; elsewhere
            log-probabilities may hold anything. Default: None, all count.
        average: Whether to divide by the number of tokens that count. Default: False.

    Returns:
        ``(B,)``, float32 or float64; zero, with a gradient of zero, for a sequence of which nothing counts.

    Raises:
        InputValueError: The shapes do not fit together.
        InputTypeError: A dtype is unusable.

    Example:
        >>> sequence_log_probs(torch.tensor([[-1.0, -2.0], [-3.0, 0.0]]), average=True)
        tensor([-1.5000, -1.5000])
    """
    require_floating_point(log_prob, "log_prob")
    if log_prob.ndim == 0:
        raise InputValueError("log_prob must be of shape (B, *T), got ()")
    log_prob = widened(plain(log_prob))
    counted = torch.ones_like(log_prob, dtype=torch.bool)
    if mask is not None:
        require_mask(mask)
        require_shape(mask, "mask", tuple(log_prob.shape), log_prob)
        counted = plain(mask)
    log_prob, counted = (each.reshape(len(each), -1) for each in (log_prob, counted))
    total = torch.where(counted, log_prob, 0).sum(dim=1)
    return total / counted.sum(dim=1).clamp(min=1) if average else total


class _Tokens(NamedTuple):
    """Tokens in one row after another."""

    rows: Tensor
    """``(N, F)``; zero where a token does not count."""
    labels: Tensor
    """``(N, 1)``, int64; zero where a token does not count."""
    counted: Tensor | None
    """Bool, ``(N,)``; None: all count."""
    shape: torch.Size
    """That of the labels, as they were given."""

    def shaped(self, values: Tensor) -> Tensor:
        """Give a value of each token, zero where it does not count, in the shape of the labels."""
        return selected(values, self.counted).reshape(self.shape)


def _prepare(
    features: Tensor, name: str, labels: Tensor, mask: Tensor | None, ignore_index: int | None
) -> _Tokens:
    """Check the shapes and dtypes, and select away what does not count."""
    require_floating_point(features, name)
    require_integers(labels, "labels")
    if features.ndim == 0 or labels.shape != features.shape[:-1]:
        raise incompatible_shapes(features, labels, f"{tuple(features.shape[:-1])}")
    require_shape(labels, "labels", tuple(labels.shape), features)
    features, labels = plain(features), plain(labels)
    counted = None
    if mask is not None:
        require_mask(mask)
        require_shape(mask, "mask", tuple(labels.shape), features)
        counted = plain(mask).flatten()
    flat = labels.flatten()
    if ignore_index is not None and can_hold(labels.dtype, ignore_index):
        kept = flat != ignore_index
        counted = kept if counted is None else counted & kept
    rows = features.reshape(-1, features.shape[-1])
    return _Tokens(
        selected(rows, counted), selected(flat.long(), counted).unsqueeze(1), counted, labels.shape
    )


def _vocabulary(logits: Tensor) -> int:
    return logits.shape[-1] if logits.ndim else 0


def _require_vocabulary(tokens: _Tokens, size: int, ignore_index: int | None) -> None:
    """Refuse a vocabulary of one, over which a softmax is always 1, and labels outside of it."""
    if size < 2:  # noqa: PLR2004 - as said
        raise InputValueError(f"a softmax needs a vocabulary of two or more, got one of {size}")
    check_labels(tokens.labels, size, ignore_index)


def _checked(softcap: float | None) -> float | None:
    if softcap is not None and not is_number(softcap):
        raise OptionTypeError(f"softcap must be a finite number > 0 or None, got {softcap!r}")
    if softcap is not None and not (is_finite(softcap) and softcap > 0):
        raise OptionValueError(f"softcap must be a finite number > 0 or None, got {softcap!r}")
    return softcap


def _log_probs(hidden: Tensor, head: Head, labels: Tensor, *, entropy: bool) -> tuple[Tensor, ...]:
    """Compute part by part where that pays and nothing else needs the graph."""
    if are_many_logits(hidden, head) and not is_seen_as_a_whole_only(labels):
        notes = _Notes(hidden, head, entropy=entropy)
        found: tuple[Tensor, ...] = _LogProbs.apply(notes, labels, hidden, *head.tensors)  # type: ignore[no-untyped-call]
        return found
    return _plain(hidden, head, labels, entropy=entropy)


def _plain(hidden: Tensor, head: Head, labels: Tensor, *, entropy: bool) -> tuple[Tensor, ...]:
    logits = head.logits(hidden)
    every = logits.log_softmax(dim=1)
    found = every.gather(1, labels).squeeze(1), logits.logsumexp(dim=1)
    return (*found, -(every.exp() * bounded(every)).sum(dim=1)) if entropy else found


class _Notes:
    """What is asked for, and what the forward pass leaves to the backward pass under a frozen head."""

    def __init__(self, hidden: Tensor, head: Head, *, entropy: bool) -> None:
        self.entropy, self.softcap = entropy, head.softcap
        self.wanted = head.wanted(hidden)
        self.of_log_sum: Tensor | None = None
        """The gradient of each token's log-partition; an entropy's would take another product."""
        if self.wanted == (True, False, False) and not entropy:
            self.of_log_sum = torch.empty_like(hidden, dtype=head.dtype(hidden))


class _LogProbs(torch.autograd.Function):
    """Numbers of each token, whose gradient is computed part by part again."""

    @staticmethod
    def forward(
        notes: _Notes,
        labels: Tensor,
        hidden: Tensor,
        weight: Tensor,
        bias: Tensor | None,
    ) -> tuple[Tensor, ...]:
        """Compute the numbers of one part after another."""
        head, found = Head(weight, bias, notes.softcap), []
        gradients = Gradients(hidden, head, (notes.of_log_sum is not None, False, False))
        for rows, logits in head.parts(hidden):
            part = _of_logits(logits, labels[rows], entropy=notes.entropy)
            found.append(part)
            if notes.of_log_sum is not None:
                gradients.add(rows, logits, (logits - part[1].unsqueeze(1)).exp_())
        notes.of_log_sum = gradients.of_hidden
        return tuple(map(torch.cat, zip(*found, strict=True)))

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: tuple[Tensor, ...]) -> None:  # noqa: ANN401 - torch's own signature
        """Keep what logits are made of, and the numbers: what is between them is computed again."""
        ctx.notes, *tensors = inputs
        ctx.save_for_backward(*tensors, *output)

    @staticmethod
    def backward(ctx: Any, *upstream: Tensor) -> tuple[Tensor | None, ...]:  # noqa: ANN401 - torch's own signature
        """Compute each part again, and its slope; differentiate the plain formula for more."""
        labels, hidden, weight, bias, *found = ctx.saved_tensors
        notes = ctx.notes
        head = Head(weight, bias, notes.softcap)
        with full_precision(hidden):
            if torch.is_grad_enabled() or not all(values_readable(each) for each in upstream):
                with torch.enable_grad():
                    results = _plain(hidden, head, labels, entropy=notes.entropy)
                slopes = gradients_of(results, (hidden, weight, bias), notes.wanted, upstream)
            elif notes.of_log_sum is not None:
                slopes = _slope_of_hidden(hidden, head, labels, notes.of_log_sum, upstream), None, None
            else:
                gradients = Gradients(hidden, head, notes.wanted)
                parts = head.parts(hidden)
                slopes = _slopes(gradients, parts, labels, found, upstream)
        return None, None, *slopes


def _of_logits(logits: Tensor, labels: Tensor, *, entropy: bool) -> tuple[Tensor, ...]:
    """Compute what is asked for of a part, from exponentials that none is infinite of."""
    largest = logits.amax(dim=1, keepdim=True)
    shifted = logits - largest
    of_label = shifted.gather(1, labels)
    if not entropy:
        log_sum = shifted.exp_().sum(dim=1, keepdim=True).log_()
        return (of_label - log_sum).squeeze(1), (largest + log_sum).squeeze(1)
    exponentials = shifted.exp()
    total = exponentials.sum(dim=1, keepdim=True)
    expected = exponentials.mul_(bounded(shifted)).sum(dim=1, keepdim=True) / total
    log_sum = total.log()
    numbers = of_label - log_sum, largest + log_sum, log_sum - expected
    return tuple(each.squeeze(1) for each in numbers)


def _slopes(
    gradients: Gradients,
    parts: Iterable[tuple[slice, Tensor]],
    labels: Tensor,
    found: list[Tensor],
    upstream: tuple[Tensor, ...],
) -> tuple[Tensor | None, ...]:
    """Compute the gradients that are wanted, of hidden states, weight and bias."""
    _, log_sum, *entropy = (each.unsqueeze(1) for each in found)
    above, above_sum, *above_entropy = (each.unsqueeze(1) for each in upstream)
    for rows, logits in parts:
        if not entropy and not gradients.needs_logits:
            log_probability = logits.sub_(log_sum[rows])
        else:
            log_probability = logits - log_sum[rows]
        if entropy:
            # The derivative of an entropy is -p (log p + entropy): nothing where p is.
            surprise = bounded(log_probability).add_(entropy[0][rows])
            slope = log_probability.exp_()
            slope.mul_(surprise.mul_(-above_entropy[0][rows]).add_(above_sum[rows] - above[rows]))
        else:
            slope = log_probability.exp_().mul_(above_sum[rows] - above[rows])
        gradients.add(rows, logits, slope.scatter_add_(1, labels[rows], above[rows]))
    return gradients.given()


def _slope_of_hidden(
    hidden: Tensor, head: Head, labels: Tensor, of_log_sum: Tensor, upstream: tuple[Tensor, ...]
) -> Tensor:
    """Put the gradient together of that of each token's log-partition and of its label's logit."""
    above, above_sum = (each.unsqueeze(1) for each in upstream)
    of_label = head.weight[labels.squeeze(1)].to(of_log_sum.dtype)
    if head.softcap is not None:
        logit = (hidden.to(of_label.dtype) * of_label).sum(dim=1, keepdim=True)
        if head.bias is not None:
            logit = logit + head.bias[labels]
        above_label = above * (1 - (logit / head.softcap).tanh().square())
    else:
        above_label = above
    return torch.addcmul(of_log_sum * (above_sum - above), of_label, above_label).to(hidden.dtype)
