"""Images ``(B, C, *S)`` of values, with neighbours: to be like others, or to be smooth."""

from collections.abc import Mapping

import torch
from torch import Tensor

from lossary_losses.testing.kinds.kind import Change, Kind, Size, kind_registry
from lossary_losses.testing.sample import Sample

__all__ = ["Images", "ImagesAlone", "WholeImages"]


@kind_registry.register(name="images")
class Images(Kind):
    """Images of values from 0 to 1, and the images that they should be."""

    inputs = ("images",)
    target = "images"
    layout = "B C *S"
    element = "window"
    space = (12, 13)
    small_space = (5, 4)
    can_cut = False
    learning_rate = 0.05

    def shape(self, size: Size) -> tuple[int, ...]:
        """Give batch, channels and space."""
        return (size.batch, size.channels, *size.space)

    def draw_input(self, form: str, size: Size, generator: torch.Generator) -> Tensor:
        """Draw values from 0 to 1."""
        del form
        return torch.rand(self.shape(size), generator=generator, dtype=torch.float64)

    def draw_target(self, input: Tensor, size: Size, generator: torch.Generator) -> Tensor | None:
        """Draw an image of its own."""
        del size
        return torch.rand(input.shape, generator=generator, dtype=torch.float64)

    def opposite(self, sample: Sample, form: str) -> Tensor:
        """Give the negative."""
        return 1 - self.perfect(sample, form)

    def positions(self, sample: Sample) -> tuple[int, ...]:
        """Give batch and space."""
        return (sample.input.shape[0], *sample.input.shape[2:])

    def over(self, mask: Tensor, tensor: Tensor) -> Tensor:
        """Repeat a mask of positions over the channels."""
        return mask if tensor.ndim == mask.ndim else mask.unsqueeze(1).expand_as(tensor)

    def changes(self) -> Mapping[str, Change]:
        """Turn the images around, or exchange input and target."""
        return {
            "mirror": lambda sample: sample.every(lambda image: image.flip(-1)),
            "exchange": lambda sample: sample._replace(input=sample.truth, target=sample.input),
            "gain": lambda sample: sample.at(3 * sample.input),
            "offset": lambda sample: sample.at(sample.input + 1),
        }


@kind_registry.register(name="whole_images")
class WholeImages(Images):
    """Images of which each channel is judged as a whole."""

    inputs = ("whole_images",)
    element = "sample and channel"
    small_space = (6, 5)
    shown_space = (176, 176)  # five scales of windows of eleven

    def positions(self, sample: Sample) -> tuple[int, ...]:
        """Give all that an image has."""
        return tuple(sample.input.shape)

    def weights(self, sample: Sample) -> tuple[int, ...]:
        """Give one for each channel."""
        return tuple(sample.input.shape[:2])

    def over(self, mask: Tensor, tensor: Tensor) -> Tensor:
        """Bring a mask of channels to the positions in them."""
        return Kind.over(self, mask, tensor)


@kind_registry.register(name="images_alone")
class ImagesAlone(Images):
    """Images of values, and nothing beside."""

    target = "nothing"
    is_differentiable = False
    learning_rate = 0.01
    element = "sample and channel"

    def draw_target(self, input: Tensor, size: Size, generator: torch.Generator) -> None:
        """Draw nothing."""
        del input, size, generator

    def perfect(self, sample: Sample, form: str) -> Tensor:
        """Give images that are the same everywhere."""
        del form
        return torch.full_like(sample.input, 0.5)

    def opposite(self, sample: Sample, form: str) -> Tensor:
        """Give images that change with each position."""
        del form
        places = torch.arange(sample.input.numel(), dtype=sample.input.dtype)
        return (places % 2).reshape(sample.input.shape)

    def changes(self) -> Mapping[str, Change]:
        """Turn the images around."""
        return {"mirror": super().changes()["mirror"]}
