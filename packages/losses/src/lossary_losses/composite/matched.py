"""Losses of sets: predictions without an order are matched with targets, and then compared."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, cast

import attrs
import torch
from torch import Tensor, nn

from lossary_losses._core.assignment import assign
from lossary_losses._core.base import define_loss
from lossary_losses._core.dense import require_mask, require_tensor
from lossary_losses._core.plain_numbers import is_number
from lossary_losses._core.reduced import ElementLoss, Shape, stand_in
from lossary_losses.composite.calling import Call, calls_of
from lossary_losses.composite.heads import Heads
from lossary_losses.composite.pairs import Pairs, both, common_shape, cost_of_all
from lossary_losses.composite.terms import check_weight, checked_terms, held, only_given, require_names
from lossary_losses.errors import InputTypeError, InputValueError, NotAdditiveError, OptionTypeError
from lossary_losses.loss_registry_setup import loss_registry

__all__ = ["Matched"]

_AT_ONCE = 2**22
"""How many numbers of pairs are compared at once: all queries with all targets of several samples."""


def _check_costs(_instance: object, attribute: "attrs.Attribute[Any]", costs: object) -> None:
    if costs is not None:
        _require_costs(checked_terms(costs, attribute.name), attribute.name)


def _require_costs(costs: Mapping[str, nn.Module], what: str, instead: str = "") -> None:
    for name, cost in costs.items():
        if not isinstance(cost, ElementLoss):
            raise OptionTypeError(
                f"{what}[{name!r}] must tell what each pair costs, as losses of this collection do, "
                f"and is a {type(cost).__name__}{instead}"
            )


@define_loss(kw_only=False)
class Matched(Heads):
    r"""The weighted sum of losses over pairs of a prediction and a target, matched at the least cost.

    .. math:: \ell = \sum_k w_k\, \ell_k(x_{\sigma(j)}, t_j), \quad
        \sigma = \arg\min_\sigma \sum_j \sum_c v_c\, c(x_{\sigma(j)}, t_j)

    A network that predicts a set, such as the objects of an image, gives it in any order: before they are
    compared, each target is given one query, no query twice. Queries that are left over are to say so.

    Convention:
        Targets come padded, ``mask`` says which are there, and every sample is matched on its own. Losses
        and costs see the pairs in a row: ``(N, 4)`` boxes, ``(N, C)`` logits with ``(N,)`` labels, so that a
        mean divides by the targets of the whole batch that have a query; with ``process_group`` in the
        losses, of all processes. A term that ``unmatched`` names sees all queries instead, those without a
        target with the one that stands there. A cost is the mean over what a pair has: for DETR's L1, which
        adds up four coordinates and divides by boxes, a weight of 5 is one of 20 here, as a term and as a
        cost. Its cost of a class, minus the probability, is ``generalized_cross_entropy_loss`` with a power
        of one but for a constant. Its logits have the class last, as here; its weight of 0.1 for "no object"
        is one of the class weights. A cost of NaN is matched last.

    Shapes:
        ``input``: a mapping of ``(B, Q, *)``; ``target``: a mapping of ``(B, M, *)``.
        ``mask`` and ``weight``: ``(B, M)``, one for each target.
        Result: that of the terms, which must agree; a scalar if each reduces.

    Args:
        terms: A loss (any ``nn.Module``) for each name.
        weights: A finite number >= 0, or a schedule, for each term that should not weigh one. Default: None,
            all one.
        inputs: For each term or cost that needs it, where each argument of its loss is found, as in
            :class:`Heads`. Default: None, under its own name.
        costs: What a pair costs that is matched: losses by name. Default: None, the terms themselves, with
            their weights.
        cost_weights: A finite number >= 0 for each cost that should not weigh one. Default: None, all one.
        unmatched: For each term that sees all queries, the target of a query without one: for labels the
            index of "no object". Default: None, every term sees the pairs alone.

    Raises:
        OptionTypeError: A term is no module, a cost does not tell what each pair costs, or an option has the
            wrong type.
        OptionValueError: There is no term, a name is unknown, or an option is out of its bounds.
        MissingPackageError: scipy is not installed; it comes with the extra ``matching``.

    Example:
        >>> import torch
        >>> from lossary_losses import CrossEntropyLoss, GIoULoss
        >>> loss = Matched(
        ...     terms={"boxes": GIoULoss(), "labels": CrossEntropyLoss()},
        ...     unmatched={"labels": 1},
        ... )
        >>> boxes = torch.tensor([[[0.0, 0.0, 1.0, 1.0], [2.0, 2.0, 4.0, 4.0]]])
        >>> logits = torch.tensor([[[0.0, 9.0], [9.0, 0.0]]])
        >>> target = {"boxes": boxes[:, 1:], "labels": torch.tensor([[0]])}
        >>> loss({"boxes": boxes, "labels": logits}, target)
        tensor(0.0001)

    Reference:
        Carion et al. 2020, "End-to-End Object Detection with Transformers", arXiv:2005.12872.
    """

    costs: Mapping[str, nn.Module] | None = attrs.field(
        default=None, validator=_check_costs, repr=False, kw_only=True
    )
    cost_weights: Mapping[str, float] | None = attrs.field(default=None, repr=False, kw_only=True)
    unmatched: Mapping[str, float] | None = attrs.field(default=None, repr=False, kw_only=True)

    def __attrs_post_init__(self) -> None:
        """Hold the costs as submodules, and check what is said of them and of queries that are left over."""
        costs = self.costs
        super().__attrs_post_init__()
        if costs is None:
            _require_costs(self.terms, "terms", "; say costs={...}")
        else:
            del self.costs
            self.costs = held(checked_terms(costs, "costs"))
        for name, weight in require_names(self.cost_weights, self._costs(), "cost_weights").items():
            check_weight(f"cost_weights[{name!r}]", weight)
        for name, value in require_names(self.unmatched, self.terms, "unmatched").items():
            if not is_number(value):
                raise OptionTypeError(f"unmatched[{name!r}] must be a number, got {value!r}")
        self._cost_calls = calls_of(self._costs())

    def selecting(self) -> Mapping[str, nn.Module]:
        """Give what ``inputs`` may name."""
        return {**self._costs(), **self.terms}

    def _costs(self) -> Mapping[str, nn.Module]:
        return self.terms if self.costs is None else self.costs

    def counts(
        self,
        target: Any = None,  # noqa: ANN401 - what a dataset gives
        *,
        like: Any,  # noqa: ANN401 - as an input
        batch: Any = None,  # noqa: ANN401 - as above
        mask: Tensor | None = None,
        weight: Tensor | None = None,
    ) -> dict[str, Tensor]:
        """Give the denominators that ``fraction`` would give, before there is an input.

        Raises:
            NotAdditiveError: The loss of a term tells no denominator, or looks at the batch as a whole; or a
                sample has more targets than queries, so that the input decides which of them count.
        """
        like = _stand_ins(like, [*_tensors(target)])
        found = self._found({"input": like, "target": target, "batch": batch})
        queries, (_, targets) = common_shape(found, "input")[1], common_shape(found, "target")
        most = targets if mask is None or not mask.numel() else int(mask.sum(1).max())
        if most > queries:
            raise NotAdditiveError(
                f"there are {most} targets and {queries} queries: which count is not known"
            )
        return super().counts(target, like=like, batch=batch, mask=mask, weight=weight)

    def _handed(
        self, roots: Mapping[str, object], mask: Tensor | None, weight: Tensor | None
    ) -> tuple[Mapping[str, object], Mapping[str, Tensor]]:
        """Match, and hand on the pairs, by which terms are cut out."""
        return {**roots, "pairs": self._match(roots, mask, weight)}, {}

    def _match(self, roots: Mapping[str, object], mask: Tensor | None, weight: Tensor | None) -> Pairs:
        """Find the query of each target."""
        found = self._found(roots)
        queries, targets = common_shape(found, "input")[1], common_shape(found, "target")
        if mask is not None:
            require_mask(mask)
        for name, tensor in only_given(mask=mask, weight=weight).items():
            require_tensor(tensor, name)
            if tensor.shape != targets:
                raise InputValueError(
                    f"Incompatible shapes: {name} {tuple(tensor.shape)}; accepted: {targets}, "
                    "one for each target"
                )
        device = next(iter(found.values()))["target"].device
        valid = torch.ones(targets, dtype=torch.bool, device=device) if mask is None else mask
        query = assign(self._cost(found, valid, queries), valid)
        return Pairs(query.clamp(min=0), query >= 0, queries, weight)

    def _found(self, roots: Mapping[str, object]) -> dict[str, dict[str, Any]]:
        """Find the arguments of all terms and costs, as they were given."""
        found = {}
        for name, call in {**self._cost_calls, **self._calls}.items():
            if not call.takes_target:
                raise InputTypeError(f"{call.what} takes no target, and so cannot be matched with one")
            found[name] = super()._selected(call, name, roots)
        return found

    @torch.no_grad()
    def _cost(self, found: Mapping[str, dict[str, Any]], valid: Tensor, queries: int) -> Tensor:
        """Add up what each query would cost with each target, ``(B, Q, M)``."""
        samples, targets = valid.shape
        total = torch.zeros(samples, queries, targets, device=valid.device)
        for name, weight in self._present_cost_weights().items():
            loss, arguments = cast("ElementLoss", self._costs()[name]), found[name]
            of_queries = self._of_queries(name)
            numbers = queries * targets * max(1, arguments["input"].shape[2:].numel())
            at_once = max(1, _AT_ONCE // max(1, numbers))
            parts = [
                cost_of_all(
                    loss,
                    {key: each[start : start + at_once] for key, each in arguments.items()},
                    of_queries,
                    valid[start : start + at_once],
                    queries,
                )
                for start in range(0, samples, at_once)
            ]
            total = total + weight * torch.cat(parts) if parts else total
        return total

    def _present_cost_weights(self) -> dict[str, Tensor | float]:
        """Give the weight of each cost that has one."""
        if self.costs is None and self.cost_weights is None:
            return {name: self._factor(name) for name in self.active_terms()}
        weights = self.cost_weights or {}
        return {name: float(weights.get(name, 1)) for name in self._costs() if weights.get(name, 1)}

    def _of_queries(self, name: str) -> set[str]:
        """Tell which arguments of a term or cost have one for each query; others have one for each target."""
        selectors = self._selectors.get(name, {})
        return {"input"} | {key for key, selector in selectors.items() if selector.root == "input"}

    def _selected(self, call: Call, name: str, roots: Mapping[str, object]) -> dict[str, Any]:
        """Bring the arguments of a term into rows: one for each target, or for each query."""
        pairs = cast("Pairs", roots["pairs"])
        arguments, of_queries = super()._selected(call, name, roots), self._of_queries(name)
        if name in (self.unmatched or {}):
            return self._of_all_queries(arguments, name, pairs, of_queries)
        rows = {
            key: pairs.of_queries(each) if key in of_queries else each.flatten(0, 1)
            for key, each in arguments.items()
        }
        rows["mask"] = both(pairs.matched.flatten(), rows.get("mask"))
        if pairs.weight is not None:
            rows.setdefault("weight", pairs.weight.flatten())
        return rows

    def _of_all_queries(
        self, arguments: dict[str, Any], name: str, pairs: Pairs, of_queries: set[str]
    ) -> dict[str, Any]:
        """Give every query a target; those that have none, the one that says so."""
        otherwise = (self.unmatched or {})[name]
        rows: dict[str, Any] = {}
        for key, each in arguments.items():
            if key in of_queries:
                rows[key] = each.flatten(0, 1)
            elif key == "target":
                if not each.is_floating_point() and otherwise != int(otherwise):
                    raise InputValueError(f"unmatched[{name!r}] is {otherwise}, and targets are {each.dtype}")
                rows[key] = pairs.for_queries(each, otherwise)
            else:
                raise InputValueError(
                    f"inputs[{name!r}][{key!r}]: queries without a target lack it: take it from the input"
                )
        if pairs.weight is not None:
            rows.setdefault("weight", pairs.for_queries(pairs.weight, 1))
        return rows


def _stand_ins(like: object, tensors: Sequence[Tensor]) -> Any:  # noqa: ANN401 - as nested as the input
    """Give tensors of the shapes that stand where the input has tensors."""
    if isinstance(like, Mapping):
        return {name: _stand_ins(each, tensors) for name, each in like.items()}
    if isinstance(like, Tensor) or all(isinstance(each, int) for each in cast("Sequence[object]", like)):
        return stand_in(cast("Shape", like), tensors)
    return [_stand_ins(each, tensors) for each in cast("Sequence[object]", like)]


def _tensors(value: object) -> Iterator[Tensor]:
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, (Mapping, list, tuple)):
        for each in value.values() if isinstance(value, Mapping) else value:
            yield from _tensors(each)


loss_registry.register_lazy(
    "matched",
    f"{Matched.__module__}:{Matched.__qualname__}",
    requires=["scipy"],
    install="pip install 'lossary-losses[matching]'",
    aliases=["Matched"],
    tags=["composite", "detection"],
)
