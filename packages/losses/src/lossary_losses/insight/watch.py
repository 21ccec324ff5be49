"""Explain a loss again and again while a network trains."""

from collections.abc import Callable
from typing import Any

import attrs
import torch
from torch import nn
from torch.utils.hooks import RemovableHandle

from lossary_losses._core.options import integer
from lossary_losses.insight.explain import explain

__all__ = ["Watch"]

Logger = Callable[[dict[str, float], int], object]
"""What takes flat names with their numbers, and the step."""


@attrs.define(eq=False, kw_only=True)
class Watch:
    """Log what pulls in a loss, every so many calls in training.

    The training goes on as it would without: its value, its gradients and its random numbers are the same.

    Args:
        loss: The loss that the training calls.
        every: How many calls lie between two reports, an integer >= 1.

    Raises:
        OptionTypeError: ``every`` is no integer.
        OptionValueError: ``every`` is less than 1.

    Example:
        >>> import torch
        >>> from lossary_losses import BCELoss, DiceLoss, WeightedSum
        >>> loss = WeightedSum({"region": DiceLoss(), "pixel": BCELoss()})
        >>> handle = Watch(loss, every=2).hook(lambda scalars, step: print(step, sorted(scalars)[:2]))
        >>> for _ in range(3):
        ...     value = loss(torch.zeros(1, 1, 4, requires_grad=True), torch.ones(1, 1, 4))
        0 ['class_0/pull', 'class_1/pull']
        2 ['class_0/pull', 'class_1/pull']
        >>> handle.remove()
    """

    loss: nn.Module = attrs.field(kw_only=False)
    every: int = integer(default=100, at_least=1)
    _calls: int = attrs.field(default=0, init=False)
    _is_explaining: bool = attrs.field(default=False, init=False)

    def hook(self, logger: Logger) -> RemovableHandle:
        """Begin to log; ``remove()`` of what is returned ends it."""

        def look(module: nn.Module, tensors: tuple[Any, ...], given: dict[str, Any], _: object) -> None:
            if self._is_explaining or not self._is_due(module):
                return
            self._is_explaining = True
            try:
                report = explain(module, *tensors, **given)
            finally:
                self._is_explaining = False
            logger(report.scalars(), self._calls - 1)

        return self.loss.register_forward_hook(look, with_kwargs=True)

    def _is_due(self, module: nn.Module) -> bool:
        """Count a call of the training; evaluation and graphs that are compiled are left alone."""
        if torch.compiler.is_compiling() or not (module.training and torch.is_grad_enabled()):
            return False
        self._calls += 1
        return (self._calls - 1) % self.every == 0
