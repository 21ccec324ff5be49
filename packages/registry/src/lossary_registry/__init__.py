"""A generic, typed, thread-safe registry of classes and functions by name."""

from lossary_registry._entry import Deprecated, Entry
from lossary_registry._errors import (
    DuplicateNameError,
    FrozenRegistryError,
    InvalidNameError,
    NotAcceptedError,
    RegistrationWarning,
    RegistryError,
    UnavailableError,
    UnknownNameError,
    UnknownTagError,
)
from lossary_registry._names import nearest_names
from lossary_registry._registry import FunctionRegistry, Registry

__version__ = "0.1.0"

__all__ = [
    "Deprecated",
    "DuplicateNameError",
    "Entry",
    "FrozenRegistryError",
    "FunctionRegistry",
    "InvalidNameError",
    "NotAcceptedError",
    "RegistrationWarning",
    "Registry",
    "RegistryError",
    "UnavailableError",
    "UnknownNameError",
    "UnknownTagError",
    "nearest_names",
]
