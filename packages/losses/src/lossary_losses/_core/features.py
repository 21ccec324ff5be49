"""Features: what a network that is not trained makes of images, and losses that compare it layer by layer."""

import copy
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, cast

import attrs
import torch
from torch import Tensor, nn

from lossary_losses._core.base import define_loss, require_floating_point
from lossary_losses._core.checks import plain
from lossary_losses._core.dense import incompatible_shapes, require_tensor
from lossary_losses._core.plain_numbers import is_finite, is_number
from lossary_losses._core.reduced import ElementLoss, Shape, stand_in
from lossary_losses._core.reduction import Elements, to_fraction, weigh, widened
from lossary_losses._core.rows import prepare_rows, selected
from lossary_losses.errors import InputTypeError, InputValueError, OptionTypeError, OptionValueError

__all__ = ["Extractor", "Features", "FeaturesLoss", "Weight", "features_of"]

Features = Tensor | Sequence[Tensor] | Mapping[str, Tensor]
"""What one layer gives, or several, by place or by name; each ``(B, C, *S)``."""

Weight = float | Sequence[float]
"""How much a layer counts, or each of its channels."""


class Extractor:
    """A network that gives features, and that no training changes.

    A module is copied, and the copy is in evaluation mode, computes out of place and has no gradients. It is
    no module itself, so that it is no part of what holds it: neither of its parameters nor of its state.
    """

    def __init__(self, network: Callable[[Tensor], Features], names: Sequence[str] = ()) -> None:
        self.network = _frozen(network) if isinstance(network, nn.Module) else network
        self.names = tuple(names)
        self._caught: dict[str, Tensor] = {}
        if self.names and isinstance(self.network, nn.Module):
            modules = dict(self.network.named_modules())
            for name in self.names:
                if name not in modules:
                    raise OptionValueError(f"there is no submodule {name!r}; there are {', '.join(modules)}")
                modules[name].register_forward_hook(_Catch(name, self._caught))

    def __call__(self, images: Tensor) -> Features:
        """Give the features, computed in the dtype of the network."""
        output = self.network(images.to(self._dtype(images)))
        if not self.names:
            return output
        missing = [name for name in self.names if name not in self._caught]
        if missing:
            raise InputValueError(f"the network does not call its submodule {missing[0]!r}")
        return {name: self._caught.pop(name) for name in self.names}

    def _dtype(self, images: Tensor) -> torch.dtype:
        own = self.network.parameters() if isinstance(self.network, nn.Module) else ()
        for each in own:  # torch 2.6 cannot trace next with another value for none
            return each.dtype
        return torch.promote_types(images.dtype, torch.float32)


@attrs.frozen
class _Catch:
    """A hook that keeps what a submodule gives until the network is through."""

    name: str
    caught: dict[str, Tensor]

    def __call__(self, _module: nn.Module, _inputs: object, output: Tensor) -> None:
        self.caught[self.name] = output


def _frozen(network: nn.Module) -> nn.Module:
    network = copy.deepcopy(network).eval().requires_grad_(requires_grad=False)
    for each in network.modules():
        # What is computed in place would overwrite the features of the layer before, or the images.
        if getattr(each, "inplace", False) is True:
            each.inplace = False  # type: ignore[assignment]
    return network


def features_of(module: nn.Module, names: Sequence[str]) -> Extractor:
    """Make an extractor that gives what submodules of a network give, by name.

    The network is copied once, in evaluation mode and without gradients: losses that are given the same
    extractor share it. It runs to its end: cut off what comes after the last of the names.

    Args:
        module: A network that takes images.
        names: Those of submodules, as ``named_modules`` has them, each of which gives a tensor.

    Returns:
        What :class:`FeatureLoss` and :class:`StyleLoss` take as their ``extractor``.

    Raises:
        OptionTypeError: The network is no module, or a name is no string.
        OptionValueError: There is no submodule of that name, or there are no names.

    Example:
        >>> import torch
        >>> extractor = features_of(torch.nn.Sequential(torch.nn.Flatten(), torch.nn.ReLU()), ["1"])
        >>> extractor(torch.tensor([[-1.0, 2.0]]))
        {'1': tensor([[0., 2.]])}
    """
    if not isinstance(module, nn.Module):
        raise OptionTypeError(f"module must be an nn.Module, got {type(module).__name__}")
    if isinstance(names, str) or not all(isinstance(name, str) for name in names):
        raise OptionTypeError(f"names must be a sequence of strings, got {names!r}")
    if not names:
        raise OptionValueError("names must hold one name or more")
    return Extractor(module, names)


def _to_extractor(value: Any) -> Any:  # noqa: ANN401 - the validator names the option, which a converter cannot
    if not callable(value) or isinstance(value, Extractor):
        return value
    return Extractor(cast("Callable[[Tensor], Features]", value))


def _check_extractor(_instance: object, attribute: "attrs.Attribute[Any]", value: object) -> None:
    if value is not None and not isinstance(value, Extractor):
        raise OptionTypeError(f"{attribute.name} must be a module, a function or None, got {value!r}")


def _check_weights(instance: "FeaturesLoss", attribute: "attrs.Attribute[Any]", value: Any) -> None:  # noqa: ANN401 - any option
    if value is None:
        return
    if isinstance(value, str) or not isinstance(value, (Sequence, Mapping)):
        raise OptionTypeError(f"{attribute.name} must be a sequence, a mapping or None, got {value!r}")
    for layer in value.values() if isinstance(value, Mapping) else value:
        is_of_channels = isinstance(layer, Sequence) and not isinstance(layer, str)
        if is_of_channels and not instance.weighs_channels:
            raise OptionTypeError(f"{attribute.name} must hold a number for each layer, got {layer!r}")
        for number in layer if is_of_channels else [layer]:
            if not is_number(number):
                raise OptionTypeError(f"{attribute.name} must hold numbers, got {number!r}")
            if not is_finite(number) or number < 0:
                raise OptionValueError(f"{attribute.name} must hold finite numbers >= 0, got {number!r}")


@define_loss
class FeaturesLoss(ElementLoss):
    """A loss of features; subclasses say what a layer of each sample costs."""

    weighs_channels: ClassVar[bool] = False
    """Whether the weight of a layer may be one for each channel."""

    extractor: Extractor | None = attrs.field(
        default=None, converter=_to_extractor, validator=_check_extractor, repr=False
    )
    weights: Sequence[Weight] | Mapping[str, Weight] | None = attrs.field(
        default=None, validator=_check_weights
    )

    def compare(self, features: Tensor, truth: Tensor, weight: Weight) -> Tensor:
        """Compute what a layer of each sample costs, its weight included."""
        raise NotImplementedError(f"{type(self).__name__} must say what a layer costs")

    def forward(
        self,
        input: Features,
        target: Features,
        *,
        mask: Tensor | None = None,
        weight: Tensor | None = None,
    ) -> Tensor:
        """Compute the loss.

        Args:
            input: What the network gives, for the extractor, or features; half precision is computed in
                float32.
            target: What it should have given; it has no gradient.
            mask: Bool, True where a sample counts.
            weight: How much each sample counts.

        Returns:
            A scalar, or each sample's loss with ``reduction="none"``.

        Raises:
            InputValueError: The shapes, or the layers, do not fit together.
            InputTypeError: A dtype is unusable.
        """
        return self.result(input, target, mask=mask, weight=weight)  # type: ignore[arg-type]

    def leading(self, input: Features) -> Tensor:
        """Give the tensor, or that of the first layer."""
        return next(iter(_named(input, "input").values()))

    def elements(
        self,
        input: Features,
        target: Features,
        *,
        mask: Tensor | None = None,
        weight: Tensor | None = None,
    ) -> Elements:
        """Give the loss of each sample."""
        first = self.leading(input)
        _, counted, share = prepare_rows(first, mask, weight)
        if isinstance(input, Tensor) and isinstance(target, Tensor) and input.shape != target.shape:
            raise incompatible_shapes(input, target, f"{tuple(input.shape)}")
        layers = self._layers(input, "input", counted, len(first))
        with torch.no_grad():
            truths = self._layers(target, "target", counted, len(first))
        if list(layers) != list(truths):
            raise InputValueError(f"the layers differ: input {list(layers)}, target {list(truths)}")
        total = widened(first).flatten()[:0].sum().expand(len(first))
        for (name, features), weight_of in zip(layers.items(), self._weights(list(layers)), strict=True):
            truth = truths[name]
            if truth.shape != features.shape:
                raise incompatible_shapes(features, truth, f"{tuple(features.shape)}")
            total = total + self.compare(features, truth.detach().to(features.dtype), weight_of)
        return weigh(total, share)

    def counts(
        self,
        target: Any = None,  # noqa: ANN401 - features, of which none is looked at
        *,
        like: Shape,
        mask: Tensor | None = None,
        weight: Tensor | None = None,
        **arguments: Any,  # noqa: ANN401 - none, as for any loss
    ) -> Tensor:
        """Give the denominator that ``fraction`` would give, before there is an input."""
        del target, arguments
        given = [each for each in (mask, weight) if each is not None]
        rows = prepare_rows(stand_in(like, given), mask, weight)
        return to_fraction(weigh(rows.input.new_zeros(len(rows.input)), rows.share)).denominator.detach()

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> "FeaturesLoss":
        """Move the extractor as well, which is no part of the module."""
        if self.extractor is not None and isinstance(self.extractor.network, nn.Module):
            self.extractor.network._apply(fn)  # type: ignore[no-untyped-call]  # noqa: SLF001 - as torch does
        return super()._apply(fn, recurse)

    def _layers(self, given: Features, name: str, counted: Tensor | None, samples: int) -> dict[str, Tensor]:
        """Give the features of each layer, of zeros where a sample does not count."""
        if self.extractor is not None:
            require_tensor(given, name)
            given = self.extractor(selected(plain(given), counted))  # type: ignore[arg-type]
        layers = _named(given, name)
        for layer, each in layers.items():
            if len(each) != samples:
                raise InputValueError(
                    f"{name} must have the {samples} samples of the input in each layer: "
                    f"layer {layer!r} is {tuple(each.shape)}"
                )
        return {layer: selected(widened(plain(each)), counted) for layer, each in layers.items()}

    def _weights(self, names: list[str]) -> list[Weight]:
        if self.weights is None:
            return [1.0] * len(names)
        if isinstance(self.weights, Mapping):
            unknown = [name for name in self.weights if name not in names]
            if unknown:
                raise InputValueError(f"weights name the layer {unknown[0]!r}; there are {', '.join(names)}")
            return [self.weights.get(name, 1.0) for name in names]
        if len(self.weights) != len(names):
            raise InputValueError(f"there are {len(self.weights)} weights and {len(names)} layers")
        return list(self.weights)


def _named(features: object, name: str) -> dict[str, Tensor]:
    """Give layers by name; those of a sequence are named by their places."""
    layers: dict[str, Any]
    if isinstance(features, Mapping):
        layers = {str(key): each for key, each in features.items()}
    elif isinstance(features, Sequence):
        layers = {str(place): each for place, each in enumerate(features)}
    else:
        layers = {"0": features}
    if not layers:
        raise InputValueError(f"{name} has no layer")
    for each in layers.values():
        require_tensor(each, name)
        if not isinstance(each, Tensor) or not each.ndim:
            raise InputTypeError(f"{name} must hold tensors with a batch")
        if name == "input":
            require_floating_point(each, name)
    return layers
