"""Where a thing was registered, what it is called where it was defined, and where a registry lives.

Frames are read with ``sys._getframe``: ``inspect`` is slow to import, walks ``sys.modules``, and runs the
lazy modules that it meets there. Of a frame the code and the instruction are kept, and the line is looked up
when somebody asks, because reading it at once decodes the line table of a whole module per registration.
"""

from __future__ import annotations

import os
import sys
from types import CodeType

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType
    from typing import Any, TypeAlias

    # A code and an instruction in it, or, once that was looked up, a file and a line.
    Place: TypeAlias = tuple[CodeType | str, int]

_PACKAGE = os.path.dirname(__file__) + os.sep  # noqa: PTH120 - pathlib is ten modules


def calling_frame() -> FrameType:
    """Return the innermost frame outside of this package, and of contextlib, which enters its blocks."""
    frame = sys._getframe(1)
    while frame.f_back is not None and (
        frame.f_code.co_filename.startswith(_PACKAGE) or frame.f_globals.get("__name__") == "contextlib"
    ):
        frame = frame.f_back
    return frame


def calling_place() -> Place:
    """Return the place from which this package was called."""
    frame = calling_frame()
    return frame.f_code, frame.f_lasti


def file_and_line(place: Place) -> tuple[str, int]:
    """Return the file and the line of a place."""
    code, position = place
    if not isinstance(code, CodeType):
        return code, position
    for start, end, line in code.co_lines():
        if start <= position < end and line is not None:
            return code.co_filename, line
    return code.co_filename, code.co_firstlineno


def shown(where: tuple[str, int]) -> str:
    """Return a place as ``file:line``, relative to the working directory where it lies inside."""
    file, line = where
    here = os.getcwd() + os.sep  # noqa: PTH109 - pathlib is ten modules
    return f"{file.removeprefix(here)}:{line}"


def target_of(item: object) -> str:
    """Return ``"module:qualname"``, as the definition of a class or function says it.

    An object without a name of its own (a partial, an instance) is told by its type, in brackets that no
    import could follow.
    """
    qualname = getattr(item, "__qualname__", None)
    if isinstance(qualname, str):
        return f"{getattr(item, '__module__', None)}:{qualname}"
    kind = type(item)
    return f"{kind.__module__}:<{kind.__qualname__} object>"


def is_importable(target: str) -> bool:
    """Tell whether a target can name one thing: nothing in ``<locals>``, no ``<lambda>``."""
    return "<" not in target


def defined_alike(qualname: str, place: Place, other: Place) -> bool:
    """Tell whether two places are in one file, and in code that itself defines what is registered.

    A file that registers what it imports from elsewhere defines nothing, and ``<string>`` is no file.
    """
    name = qualname.rpartition(".")[2]
    file = file_and_line(place)[0]
    same_file = file == file_and_line(other)[0] and not file.startswith("<")
    return same_file and _defines(name, place) and _defines(name, other)


def is_interactive(place: tuple[str, int], target: str) -> bool:
    """Tell whether something was typed into a session, where definitions are run again at will."""
    file = place[0]
    return target.startswith("__main__:") or file.startswith("<") or "ipykernel" in file


def warn_caller(message: str, category: type[Warning]) -> None:
    """Warn with the line that called this package, however deep inside it the reason was found."""
    import warnings  # noqa: PLC0415 - a program that warns of nothing does without it

    frame = calling_frame()
    seen = frame.f_globals.setdefault("__warningregistry__", {})
    module = frame.f_globals.get("__name__", "<unknown>")
    warnings.warn_explicit(message, category, frame.f_code.co_filename, frame.f_lineno, module, seen)


def find_home(registry: object, module: str) -> tuple[str, str]:
    """Return the module and the attribute that hold a registry, looking first where it was made."""
    import pickle  # noqa: PLC0415 - only workers need it

    for name, namespace in _namespaces(module):
        for attribute, value in namespace.items():
            if value is registry:
                return name, attribute
    raise pickle.PicklingError(
        f"{registry!r} travels by reference, but no module holds it: assign it at the top level of one"
    )


def find_registry(module: str, attribute: str) -> Any:
    """Return the registry that another process told us about."""
    import importlib  # noqa: PLC0415 - only workers need it

    return getattr(importlib.import_module(module), attribute)


def _defines(name: str, place: Place) -> bool:
    parts = getattr(place[0], "co_consts", ())
    return any(isinstance(part, CodeType) and part.co_name == name for part in parts)


def _namespaces(first: str) -> Iterator[tuple[str, dict[str, Any]]]:
    names = [first, *list(sys.modules)]
    for name in names:
        try:
            # A lazy module imports itself when it is asked for its __dict__ in the usual way.
            namespace = object.__getattribute__(sys.modules[name], "__dict__")
        except (AttributeError, KeyError):
            continue
        yield name, dict(namespace)
