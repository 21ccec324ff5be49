"""What is wrong with a config, where, and in which words."""

from __future__ import annotations

from .limits import DEEPEST, LARGEST_INTEGER, MOST_CHARACTERS, MOST_PROBLEMS, MOST_VALUES
from .paths import ConfigPath, LostPathError, label, parse_path, show_path, with_value
from .problem import (
    CollectionError,
    ConfigError,
    ConfigWarning,
    FactoryError,
    Problem,
    Role,
    Severity,
    UnwritableError,
    make_problem,
    too_many_problems,
)
from .source import Location, Origin, Place, Places, Source, Span
from .suggest import did_you_mean, nearest
from .words import (
    INTERPOLATED,
    counted,
    either,
    is_interpolated,
    listing,
    plural,
    printable,
    printable_lines,
    show,
    show_key,
)

__all__ = [
    "DEEPEST",
    "INTERPOLATED",
    "LARGEST_INTEGER",
    "MOST_CHARACTERS",
    "MOST_PROBLEMS",
    "MOST_VALUES",
    "CollectionError",
    "ConfigError",
    "ConfigPath",
    "ConfigWarning",
    "FactoryError",
    "Location",
    "LostPathError",
    "Origin",
    "Place",
    "Places",
    "Problem",
    "Role",
    "Severity",
    "Source",
    "Span",
    "UnwritableError",
    "counted",
    "did_you_mean",
    "either",
    "is_interpolated",
    "label",
    "listing",
    "make_problem",
    "nearest",
    "parse_path",
    "plural",
    "printable",
    "printable_lines",
    "show",
    "show_key",
    "show_path",
    "too_many_problems",
    "with_value",
]
