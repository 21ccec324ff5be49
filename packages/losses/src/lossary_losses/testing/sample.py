"""What a loss is called with while it is examined."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

import torch
from torch import Tensor

__all__ = ["Sample"]


class Sample(NamedTuple):
    """What a loss is called with."""

    input: Tensor
    target: Tensor | None
    """None where the loss has no target."""
    arguments: Mapping[str, Tensor]
    """What else ``forward`` needs."""
    shared: frozenset[str] = frozenset()
    """The arguments that belong to no sample: one number, or a table."""
    positional: frozenset[str] = frozenset()
    """The arguments that have one entry for each position, whatever its channels: ``(B, *S)``."""

    @property
    def truth(self) -> Tensor:
        """The target, which is there."""
        if self.target is None:
            raise TypeError("this kind of data has no target")
        return self.target

    @property
    def given(self) -> tuple[Tensor, ...]:
        """What ``forward`` takes by place."""
        return (self.input,) if self.target is None else (self.input, self.target)

    def mapped(self, of_input: Callable[[Tensor], Tensor], of_target: Callable[[Tensor], Tensor]) -> "Sample":
        """Give a sample changed by functions of tensors of the input's and the target's shape."""
        target = None if self.target is None else of_target(self.target)
        arguments = {
            name: value
            if name in self.shared
            else of_input(value.unsqueeze(1).expand_as(self.input))[:, 0]
            if name in self.positional
            else of_target(value)
            if self._is_like_target(value)
            else of_input(value)
            for name, value in self.arguments.items()
        }
        return self._replace(input=of_input(self.input), target=target, arguments=arguments)

    def _is_like_target(self, value: Tensor) -> bool:
        return self.target is not None and value.shape == self.target.shape != self.input.shape

    def every(self, function: Callable[[Tensor], Tensor]) -> "Sample":
        """Give a sample with every tensor changed alike."""
        return self.mapped(function, function)

    def cast(self, dtype: torch.dtype) -> "Sample":
        """Give a sample whose numbers, but for whole ones, are of another dtype."""

        def cast(tensor: Tensor) -> Tensor:
            return tensor.to(dtype) if tensor.is_floating_point() else tensor

        arguments = {name: cast(value) for name, value in self.arguments.items()}
        return self.every(cast)._replace(arguments=arguments)

    def moved(self, device: str) -> "Sample":
        """Give a sample with every tensor on a device, those that belong to no sample too."""
        arguments = {name: value.to(device) for name, value in self.arguments.items()}
        return self.every(lambda tensor: tensor.to(device))._replace(arguments=arguments)

    def at(self, input: Tensor) -> "Sample":
        """Give the sample with another input."""
        return self._replace(input=input)

    def facing(self, target: Tensor) -> "Sample":
        """Give the sample with another target."""
        return self._replace(target=target)
