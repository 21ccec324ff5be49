"""What a kind of data is: how it is drawn, what is perfect, what a mask takes out, what must not matter."""

import math
from collections.abc import Callable, Mapping
from typing import ClassVar, NamedTuple

import torch
from torch import Tensor

from lossary_losses.testing.sample import Sample
from lossary_registry import Registry, nearest_names

__all__ = ["Change", "Kind", "Size", "find_kind", "kind_registry", "name_of_kind", "rotation", "targets_of"]

Change = Callable[[Sample], Sample]
"""What is done to a sample, and must leave the loss as it is."""


class Size(NamedTuple):
    """How much is drawn; each kind makes of it what it can."""

    batch: int
    space: tuple[int, ...]
    channels: int

    @property
    def positions(self) -> int:
        """How many positions a space has."""
        return math.prod(self.space)


class Kind:
    """One kind of input with one kind of target; a subclass says what is different from plain rows.

    Registered in :data:`kind_registry`, it is found by the words that a loss claims: one of its ``inputs``,
    and its ``target``. All tensors are drawn in double precision, from the generator alone.
    """

    inputs: ClassVar[tuple[str, ...]]
    """What a loss may claim as its input."""
    target: ClassVar[str]
    """What it claims as its target; ``"nothing"`` where there is none."""
    layout: ClassVar[str]
    """The input's dimensions; ``*`` stands for any number of them."""
    element: ClassVar[str]
    """What a mean divides by, and a mask takes out."""
    batch: ClassVar[int] = 2
    """How many samples say enough."""
    least: ClassVar[int] = 1
    """How few samples do."""
    space: ClassVar[tuple[int, ...]] = (3, 5)
    usual: ClassVar[tuple[str, ...]] = ()
    """Of the ``changes``, those that leave each loss of this kind as it is, unless it claims otherwise."""
    target_dtypes: ClassVar[tuple[torch.dtype, ...]] = (torch.float32, torch.float64)
    """The dtypes in which a target may come."""
    is_met: ClassVar[bool] = True
    """Whether a perfect prediction is a number to be met, not one as far out as can be."""
    can_cut: ClassVar[bool] = True
    """Whether an element can be cut out, so that the others are whole."""
    is_hard: ClassVar[bool] = True
    """Whether a target says what is right, and not only how likely."""
    has_size: ClassVar[bool] = True
    """Whether the numbers of an input may be as large as they like."""
    can_be_large: ClassVar[bool] = True
    """Whether hundreds of thousands of positions are nothing unusual."""
    small_space: ClassVar[tuple[int, ...]] = (3,)
    """A space that is small enough for derivatives by differences."""
    shown_space: ClassVar[tuple[int, ...] | None] = None
    """A space that a loss takes as it is built without options; None: the usual one."""
    is_differentiable: ClassVar[bool] = True
    """Whether a target has a gradient."""
    rows: ClassVar[int] = 1
    """How many dimensions say of what a position is one, such as a sample."""
    repeats: ClassVar[int | None] = None
    """The dimension in which elements may be repeated."""
    learning_rate: ClassVar[float | None] = None
    """At which a hundred steps of Adam lead to a good fit; None: that is not tried."""

    def shape(self, size: Size) -> tuple[int, ...]:
        """Give the shape of an input."""
        raise NotImplementedError(f"{type(self).__name__} must say what shape its input has")

    def draw_input(self, form: str, size: Size, generator: torch.Generator) -> Tensor:
        """Draw an input of one of the forms that ``inputs`` names."""
        del form
        return torch.randn(self.shape(size), generator=generator, dtype=torch.float64)

    def draw_target(self, input: Tensor, size: Size, generator: torch.Generator) -> Tensor | None:
        """Draw a target that goes with an input."""
        raise NotImplementedError(f"{type(self).__name__} must say what its target is")

    def perfect(self, sample: Sample, form: str) -> Tensor:
        """Give an input that predicts a sample's target perfectly."""
        del form
        return sample.truth.clone()

    def opposite(self, sample: Sample, form: str) -> Tensor:
        """Give an input that is as wrong as can be."""
        return -self.perfect(sample, form)

    def far(self, input: Tensor, size: float) -> Tensor:
        """Give an input whose numbers are as large as this."""
        return input.sign() * size

    def positions(self, sample: Sample) -> tuple[int, ...]:
        """Give the shape of a mask."""
        return tuple(sample.input.shape)

    def weights(self, sample: Sample) -> tuple[int, ...]:
        """Give the shape of weights."""
        return self.positions(sample)

    def over(self, mask: Tensor, tensor: Tensor) -> Tensor:
        """Bring a mask to the shape of a tensor; one of other positions is left as it is, altogether."""
        if tensor.shape[: mask.ndim] != mask.shape:
            return torch.ones_like(tensor, dtype=mask.dtype)
        return mask.reshape(*mask.shape, *[1] * (tensor.ndim - mask.ndim)).expand_as(tensor)

    def cut(self, sample: Sample, kept: Tensor) -> Sample:
        """Leave what is kept: of each row equally much, or whole samples."""

        def left(tensor: Tensor) -> Tensor:
            if tensor.shape[: kept.ndim] != kept.shape:
                return tensor
            rows = kept.shape[: self.rows] if kept.ndim > 1 else ()
            return tensor[kept].reshape(*rows, -1, *tensor.shape[kept.ndim :])

        return sample.every(left)

    def doubled(self, sample: Sample) -> tuple[Sample, Tensor]:
        """Give a sample in which every second element stands twice, and the weights that say the same."""
        dimension = self.repeats
        if dimension is None:
            raise TypeError(f"no {self.element} can be there twice")
        count = sample.input.shape[dimension]
        twice = torch.cat([torch.arange(count), torch.arange(1, count, 2)])
        weight = (1.0 + torch.arange(count) % 2).expand(self.weights(sample))
        return sample.every(lambda tensor: tensor.index_select(dimension, twice)), weight

    def edges(self, sample: Sample) -> list[Sample]:
        """Give samples in which something is missing, of which options may say what is made."""
        del sample
        return []

    def free(self, target: Tensor) -> Tensor:
        """Give numbers that may be moved one by one, of which a target is made by :meth:`bound`."""
        return target

    def bound(self, numbers: Tensor) -> Tensor:
        """Make a target of numbers that were moved."""
        return numbers

    def wrong_targets(self, sample: Sample) -> list[tuple[int, ...]]:
        """Give shapes of targets that do not fit, some of which would broadcast."""
        shape = tuple(sample.truth.shape)
        last = (*shape[:-1], 1)
        shapes = {(shape[0] + 1, *shape[1:]), shape[1:], last, (1, *shape[1:]), (*shape, 1), (1,)}
        return sorted(shapes - {shape, ()}, key=str)

    def changes(self) -> Mapping[str, Change]:
        """Give what may leave a loss as it is, by names that a loss may claim."""
        return {}


kind_registry = Registry[Kind](Kind, "kinds of data")
"""Every kind; register one of your own for a loss of your own."""


def find_kind(form: str, target: str) -> Kind:
    """Give the kind of data of a loss that claims this input and this target.

    Raises:
        ValueError: There is none; the message says which there are.
    """
    kinds = [kind_registry.get(name) for name in kind_registry]
    for kind in kinds:
        if form in kind.inputs and target == kind.target:
            return kind()
    targets = targets_of(form)
    raise ValueError(
        f"an input of {form} does not go with a target of {target!r}: {_suggestion(target, targets)}"
    )


def targets_of(form: str) -> list[str]:
    """Give the kinds of target that go with a kind of input.

    Raises:
        ValueError: There is no such input; the message says which there are.
    """
    kinds = [kind_registry.get(name) for name in kind_registry]
    forms = list(dict.fromkeys(each for kind in kinds for each in kind.inputs))
    if form not in forms:
        raise ValueError(f"there is no kind of input {form!r}: {_suggestion(form, forms)}")
    return [kind.target for kind in kinds if form in kind.inputs]


def name_of_kind(kind: Kind) -> str:
    """Give the name that a kind is registered under."""
    return next(name for name in kind_registry if kind_registry.get(name) is type(kind))


def _suggestion(name: str, names: list[str]) -> str:
    near = nearest_names(name, names)
    return f"did you mean {near[0]!r}?" if near else f"known are {', '.join(names)}"


def rotation(dimensions: int, dtype: torch.dtype = torch.float64) -> Tensor:
    """Give a rotation that turns every axis."""
    generator = torch.Generator().manual_seed(11)
    turned: Tensor = torch.linalg.qr(torch.randn(dimensions, dimensions, generator=generator).double())[0]
    turned[:, 0] *= torch.linalg.det(turned).sign()
    return turned.to(dtype)
