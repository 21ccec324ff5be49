"""The exceptions of the package: one hierarchy, each also the built-in that users would catch."""

__all__ = [
    "InputTypeError",
    "InputValueError",
    "LossError",
    "MissingPackageError",
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


class MissingPackageError(LossError, ImportError):
    """A package that is no dependency is needed for what was asked for, and is not installed."""

    def __init__(self, package: str, purpose: str, *, extra: str) -> None:
        self.package = package
        super().__init__(
            f"{package} is needed {purpose}, and is not installed: pip install 'lossary-losses[{extra}]'"
        )
