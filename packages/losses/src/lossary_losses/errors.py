"""The exceptions of the package: one hierarchy, each also the built-in that users would catch."""

__all__ = [
    "InputTypeError",
    "InputValueError",
    "LossError",
    "NotAdditiveError",
    "OptionTypeError",
    "OptionValueError",
]


class LossError(Exception):
    """Base of everything that the losses raise on purpose."""


class OptionValueError(LossError, ValueError):
    """A constructor option has the right type and a value out of its bounds."""


class OptionTypeError(LossError, TypeError):
    """A constructor option has the wrong type."""


class InputValueError(LossError, ValueError):
    """Tensors given to a loss do not fit together, or hold values that the loss has no meaning for."""


class InputTypeError(LossError, TypeError):
    """A tensor given to a loss has a dtype that it cannot use, or is no tensor."""


class NotAdditiveError(LossError, TypeError):
    """The mean of a loss cannot be put together from parts of a batch."""
