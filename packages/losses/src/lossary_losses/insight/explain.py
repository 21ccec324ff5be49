"""Explain a loss on one batch: what pulls at the network, and what does not."""

from collections.abc import Iterable
from itertools import combinations
from typing import Any

import torch
from torch import Tensor, nn

from lossary_losses.composite.calling import call_of
from lossary_losses.insight.coordinates import coordinates
from lossary_losses.insight.counted import Pass
from lossary_losses.insight.gradients import (
    Composed,
    Gradient,
    PulledTerm,
    as_leaves,
    gradient_of,
    inner,
    pulled_terms,
)
from lossary_losses.insight.parts import Conflict, TermPull
from lossary_losses.insight.report import Report

__all__ = ["explain"]


def explain(
    loss: nn.Module,
    input: Any,  # noqa: ANN401 - what a model gives
    target: Any = None,  # noqa: ANN401 - what a dataset gives
    *,
    wrt: Iterable[Tensor] | None = None,
    top: int = 5,
    **arguments: Any,  # noqa: ANN401 - what else the loss takes
) -> Report:
    r"""Tell which terms, classes, samples and positions of a batch pull at the network.

    With :math:`g_k` the gradient of a term at the input of the loss, its weight included, and :math:`G` the
    sum of them, a term's pull is :math:`\langle g_k, G\rangle / \langle G, G\rangle`. Pulls add up to 1, and
    a negative one works against the others. Classes, samples and positions are parts of :math:`G`: theirs
    is the share of the squared gradient. Nothing is changed, and no gradient is stored anywhere.

    Args:
        loss: Any loss; one that is made of named terms is told term by term, as deep as it is.
        input: What the loss is called with: a tensor, or a structure of tensors.
        target: As for the loss; None where it takes none.
        wrt: Parameters of the network, which gave the input: the pulls of the terms are then those at the
            parameters. Default: None, at the input of the loss.
        top: How many classes the text names.
        arguments: What else the loss takes, such as ``mask`` and ``weight``.

    Returns:
        A report of numbers, with its sentences, JSON and figure.

    Example:
        >>> import torch
        >>> from lossary_losses import BCELoss, DiceLoss, WeightedSum
        >>> loss = WeightedSum({"region": DiceLoss(), "pixel": BCELoss()})
        >>> target = torch.zeros(1, 1, 32, 32)
        >>> target[..., :2, :2] = 1
        >>> for sentence in explain(loss, torch.zeros(1, 1, 32, 32), target).sentences():
        ...     print(sentence)
        region has 59% of the value and 3% of the pull
        pixel has 41% of the value and 97% of the pull
        class 0 has 97% of the pull
    """
    with torch.enable_grad():
        leaf, leaves = (input, []) if wrt is not None else as_leaves(input)
        of = leaves if wrt is None else list(wrt)
        tensors = (leaf,) if target is None else (leaf, target)
        total, terms = _called(loss, tensors, arguments, of)
        gradient = gradient_of(total.sum(), of)
    return Report(
        loss=type(loss).__name__,
        value=float(total.detach().sum()),
        norm=inner(gradient, gradient) ** 0.5,
        terms=_term_pulls(terms, gradient),
        conflicts=_conflicts(terms),
        top=top,
        **coordinates(Pass(loss, tensors, arguments, leaves, total.detach(), gradient)),
    )


def _called(
    loss: nn.Module, tensors: tuple[Any, ...], arguments: dict[str, Any], of: list[Tensor]
) -> tuple[Tensor, list[PulledTerm]]:
    if isinstance(loss, Composed):
        return pulled_terms(loss, tensors, arguments, of)
    input, target = (*tensors, None)[:2]
    return call_of(loss, type(loss).__name__)(loss, input, target, arguments), []


def _term_pulls(terms: list[PulledTerm], gradient: Gradient) -> dict[str, TermPull]:
    length = inner(gradient, gradient)
    value = sum(term.value for term in terms if len(term.path) == 1)
    return {
        "/".join(term.path): TermPull(
            value=term.value,
            share=term.value / value if value else 0.0,
            pull=inner(term.gradient, gradient) / length if length else 0.0,
            norm=inner(term.gradient, term.gradient) ** 0.5,
        )
        for term in terms
    }


def _conflicts(terms: list[PulledTerm]) -> list[Conflict]:
    """Compare each pair of terms that pull at all."""
    lengths = {term.path: inner(term.gradient, term.gradient) ** 0.5 for term in terms}
    return [
        Conflict(
            first=a.path[0],
            second=b.path[0],
            cosine=inner(a.gradient, b.gradient) / lengths[a.path] / lengths[b.path],
        )
        for a, b in combinations([term for term in terms if len(term.path) == 1], 2)
        if lengths[a.path] and lengths[b.path]
    ]
