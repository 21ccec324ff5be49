"""What a step counts, and the share of each of its parts."""

from collections.abc import Iterable, Mapping
from typing import Any

import attrs
import torch
from torch import Tensor, distributed, nn
from torch.distributed import ProcessGroup

from lossary_losses._core.counting import counts_of, fractions_of, only_one, require_additive
from lossary_losses._core.plain_numbers import is_finite, is_number
from lossary_losses._core.reduction import Fraction, mean
from lossary_losses.composite.terms import Evaluation
from lossary_losses.errors import InputTypeError, InputValueError, OptionTypeError, OptionValueError
from lossary_losses.exact.shapes import shape_for

__all__ = ["Exact", "Total"]

Part = Tensor | Mapping[str, Any]
"""A target, or what ``forward`` is to be called with, by name; of an input only the shape is used."""


@attrs.frozen
class Total:
    """What one optimizer step counts, in all parts of all processes."""

    counts: Mapping[str, Tensor]
    """The denominator of each loss within, by its path, in float64; ``""`` where there is one loss alone."""


class Exact:
    """A loss whose shares, over the parts and processes of a step, add up to the mean over all of them.

    It holds the loss and what the engine does to gradients, and nothing that changes.

    Args:
        loss: A loss of elements, or a composite of such. One that looks at the batch as a whole is refused.
        group: The processes whose parts are disjoint. Default: None, there is one process.
        averaged: Whether the engine averages gradients over these processes, as DistributedDataParallel and
            FSDP do; False where it adds them up.
        divided_by: What else the engine divides the loss by: the number of accumulated parts with Accelerate
            and Lightning.

    Raises:
        NotAdditiveError: The loss cannot be put together from parts; the message says which one within.
        OptionTypeError: ``divided_by`` is no number.
        OptionValueError: ``divided_by`` is not above zero.

    Example:
        >>> import torch
        >>> from lossary_losses import CrossEntropyLoss
        >>> input, target = torch.randn(4, 3), torch.tensor([0, 2, -100, -100])
        >>> loss = CrossEntropyLoss(ignore_index=-100)
        >>> exact = Exact(loss)
        >>> total = exact.total(target.split(3))
        >>> parts = zip(input.split(3), target.split(3), strict=True)
        >>> shares = [exact(one, truth, total) for one, truth in parts]
        >>> torch.allclose(sum(shares), loss(input, target))
        True
    """

    def __init__(
        self,
        loss: nn.Module,
        *,
        group: ProcessGroup | None = None,
        averaged: bool = True,
        divided_by: float = 1,
    ) -> None:
        require_additive(loss)
        if not is_number(divided_by):
            raise OptionTypeError(f"divided_by must be a number > 0, got {divided_by!r}")
        if not (is_finite(divided_by) and divided_by > 0):
            raise OptionValueError(f"divided_by must be a number > 0, got {divided_by!r}")
        self.loss = loss
        self.group = group
        self.averaged = averaged
        self.divided_by = divided_by

    @property
    def factor(self) -> float:
        """What undoes the divisions of the engine."""
        processes = self.group.size() if self.group is not None and self.averaged else 1
        return processes * self.divided_by

    def total(self, parts: Iterable[Part], *, like: object = None) -> Total:
        """Count a step: what this process has of it, added up over the processes in one message.

        Args:
            parts: For each part its target, or a mapping of what ``forward`` is to be called with: target,
                mask, weight; and an input, of which only the shape is used.
            like: The shape of an input, of whatever batch, where neither a part has an input nor the target
                tells it; shapes in containers where inputs are.

        Raises:
            InputTypeError: A single tensor is given, which would be taken apart sample by sample.
            InputValueError: There is no part, or the shape of an input is not known.
        """
        if isinstance(parts, (Tensor, Mapping)):
            raise InputTypeError(f"parts must be a list, got one {type(parts).__name__}")
        counts: dict[str, Tensor] = {}
        for part in parts:
            for path, count in self._counts(part, like).items():
                wide = count.to(torch.promote_types(count.dtype, torch.float32))
                counts[path] = counts[path] + wide if path in counts else wide
        if not counts:
            raise InputValueError("a step has one part or more: where data have run out, one that is masked")
        if self.group is None:
            return Total(counts)
        paths = sorted(counts)
        message = torch.stack([counts[path] for path in paths])
        distributed.all_reduce(message, group=self.group)
        return Total(dict(zip(paths, message.unbind(), strict=True)))

    def _counts(self, part: Part, like: object) -> dict[str, Tensor]:
        given: dict[str, Any] = dict(part) if isinstance(part, Mapping) else {"target": part}
        input = given.pop("input", None)
        target = given.get("target")
        shape = shape_for(self.loss, target, like) if input is None else input
        return counts_of(self.loss, like=shape, **given)

    def __call__(self, input: Any, target: Any, total: Total, **given: Any) -> Tensor:  # noqa: ANN401 - what the loss takes
        """Give this part's share of the mean over the step, to call ``backward`` on.

        Args:
            input: What the network gives for this part.
            target: What it should have given; None where the loss takes none.
            total: What the step counts.
            given: What else ``forward`` takes, such as ``mask`` and ``weight``.

        Raises:
            InputValueError: A loss within was not counted, since its weight was zero then.
        """
        return self._sum(self.shares(input, target, total, **given))

    def shares(self, input: Any, target: Any, total: Total, **given: Any) -> dict[str, Tensor]:  # noqa: ANN401 - what the loss takes
        """Give this part's share by the path of each loss within; their sum is what a call gives."""
        tensors = (input,) if target is None else (input, target)
        fractions = fractions_of(self.loss, *tensors, **given)
        return {path: self._share(path, each, total) for path, each in fractions.items()}

    def _share(self, path: str, fraction: Fraction, total: Total) -> Tensor:
        if path not in total.counts:
            known = ", ".join(map(repr, total.counts))
            raise InputValueError(f"the step was counted without {path!r}, only with {known}: count it again")
        count = total.counts[path].to(fraction.numerator)
        return mean(Fraction(self.factor * fraction.numerator, count))

    @staticmethod
    def _sum(shares: Mapping[str, Tensor]) -> Tensor:
        first, *others = shares.values()
        return sum(others, start=first)

    def report(self, shares: Iterable[Tensor | Mapping[str, Tensor]]) -> Evaluation:
        """Give the mean over the step, detached, for logs: the same number in every process.

        Args:
            shares: What each part of this process gave, by call or, for the terms as well, by ``shares``.
        """
        total: dict[str, Tensor] = {}
        for share in shares:
            for path, value in (share if isinstance(share, Mapping) else {"": share}).items():
                total[path] = total[path] + value.detach() if path in total else value.detach()
        if not total:
            raise InputValueError("a step has one part or more, got none")
        paths = sorted(total)
        values = torch.stack([total[path] for path in paths]) / self.factor
        if self.group is not None:
            distributed.all_reduce(values, group=self.group)
        return Evaluation(values.sum(), dict(zip(paths, values.unbind(), strict=True)))

    def summed(self, input: Any, target: Any = None, **given: Any) -> Tensor:  # noqa: ANN401 - what the loss takes
        """Give the numerator alone, for an engine that counts and divides by itself.

        Raises:
            NotAdditiveError: There are several losses within, each with a count of its own.
        """
        tensors = (input,) if target is None else (input, target)
        return only_one(fractions_of(self.loss, *tensors, **given), self.loss).numerator
