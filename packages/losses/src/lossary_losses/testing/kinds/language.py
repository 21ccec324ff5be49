"""Tokens ``(B, T)`` by their log-probabilities, and hidden states that are to become them."""

from collections.abc import Mapping

import torch
from torch import Tensor
from torch.nn import functional

from lossary_losses.testing.kinds.kind import Change, Kind, Size, kind_registry
from lossary_losses.testing.sample import Sample

__all__ = ["Advantages", "HiddenStates", "Returns", "Routes"]

_OUT = 1e3
_HIDDEN = 6
_ROUTES = 2


class _Tokens(Kind):
    layout = "B T"
    element = "token"

    def shape(self, size: Size) -> tuple[int, ...]:
        """Give as many tokens as there are positions."""
        return (size.batch, size.positions)

    def draw_target(self, input: Tensor, size: Size, generator: torch.Generator) -> Tensor:
        """Draw how much better or worse each token was than expected."""
        del size
        return torch.randn(input.shape, generator=generator, dtype=torch.float64)

    def changes(self) -> Mapping[str, Change]:
        """Turn the tokens around."""
        return {"order_of_tokens": lambda sample: sample.every(lambda tensor: tensor.flip(1))}


@kind_registry.register(name="advantages")
class Advantages(_Tokens):
    """Log-probabilities of tokens, and the advantage of each."""

    inputs = ("log_probabilities",)
    target = "advantages"
    is_differentiable = False
    is_met = False

    def draw_input(self, form: str, size: Size, generator: torch.Generator) -> Tensor:
        """Draw logarithms of probabilities."""
        return functional.logsigmoid(super().draw_input(form, size, generator))

    def perfect(self, sample: Sample, form: str) -> Tensor:
        """Make likely what was better, and unlikely what was worse."""
        del form
        return torch.where(sample.truth > 0, 0.0, -_OUT).to(sample.input.dtype)

    def opposite(self, sample: Sample, form: str) -> Tensor:
        """Make likely what was worse."""
        return -_OUT - self.perfect(sample, form)

    def far(self, input: Tensor, size: float) -> Tensor:
        """Give what is as unlikely."""
        return torch.full_like(input, -size)


@kind_registry.register(name="returns")
class Returns(_Tokens):
    """What is expected of each token, and what came back."""

    inputs = ("expected_returns",)
    target = "returns"


@kind_registry.register(name="hidden_states")
class HiddenStates(Kind):
    """Hidden states ``(*, H)``, to be projected onto a vocabulary, and the labels that they should give."""

    inputs = ("hidden_states",)
    target = "labels"
    is_differentiable = False
    layout = "* H"
    element = "position"
    repeats = 1
    is_met = False
    target_dtypes = (torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64)

    def shape(self, size: Size) -> tuple[int, ...]:
        """Give as many states as there are positions."""
        return (size.batch, size.positions, _HIDDEN)

    def draw_target(self, input: Tensor, size: Size, generator: torch.Generator) -> Tensor:
        """Draw a label for each state."""
        return torch.randint(0, size.channels, input.shape[:-1], generator=generator)

    def positions(self, sample: Sample) -> tuple[int, ...]:
        """Give one for each state."""
        return tuple(sample.input.shape[:-1])

    def perfect(self, sample: Sample, form: str) -> Tensor:
        """Give states whose projection is certain; the vocabulary is no larger than a state."""
        del form
        projection = sample.arguments["linear_weight"]
        labels = functional.one_hot(sample.truth, len(projection)).to(sample.input.dtype)
        back: Tensor = torch.linalg.pinv(projection)
        return _OUT * (2 * labels - 1) @ back.T


@kind_registry.register(name="routes")
class Routes(Kind):
    """Logits ``(N, E)`` of a router, and to which experts each token went: 0 and 1."""

    inputs = ("router_logits",)
    target = "routes"
    is_differentiable = False
    is_hard = False
    layout = "N E"
    element = "token"
    batch = 6
    repeats = 0
    target_dtypes = (torch.uint8, torch.int64, torch.bool, torch.float16, torch.float32, torch.float64)

    def shape(self, size: Size) -> tuple[int, ...]:
        """Give a logit for each expert."""
        return (size.batch, size.channels)

    def draw_target(self, input: Tensor, size: Size, generator: torch.Generator) -> Tensor:
        """Send each token to two experts."""
        del size
        order = torch.rand(input.shape, generator=generator).argsort(dim=1)
        return (order < _ROUTES).double()

    def positions(self, sample: Sample) -> tuple[int, ...]:
        """Give one for each token."""
        return (len(sample.input),)
