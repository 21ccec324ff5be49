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

# As frames have it: in a frozen program, code keeps the path where it was compiled, and modules have another.
_PACKAGE = os.path.dirname(sys._getframe().f_code.co_filename) + os.sep  # noqa: PTH120 - pathlib is ten modules


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


def import_target(target: str) -> Any:
    """Import what a target names."""
    import importlib  # noqa: PLC0415 - in many programs nothing is lazy

    module, _, qualname = target.partition(":")
    found: Any = importlib.import_module(module)
    for attribute in qualname.split("."):
        found = getattr(found, attribute)
    return found


def is_importable(target: str) -> bool:
    """Tell whether a target can name one thing: nothing in ``<locals>``, no ``<lambda>``."""
    return "<" not in target


def file_of_module(name: str) -> Any:
    """Return the file that an imported module came from, or ``None``."""
    try:
        # A lazy module imports itself when it is asked for an attribute in the usual way.
        return object.__getattribute__(sys.modules[name], "__file__")
    except (AttributeError, KeyError):
        return None


def defining_file(target: str, place: Place | None) -> Any:
    """Return the file with the definition that a target names, or ``None``.

    Where the module is not among the imported ones, it is the file of the place that registered it, if that
    place's code holds the definition: a file that registers what it imports from elsewhere defines nothing.
    """
    module, _, qualname = target.partition(":")
    file = file_of_module(module)
    if file is None and place is not None and _defines(qualname.rpartition(".")[2], place[0]):
        file = file_and_line(place)[0]
        return None if file.startswith("<") else file  # two modules made of strings share no file
    return file


def ran_again(place: Place | None, other: Place | None) -> bool:
    """Tell whether two places are one piece of source that was compiled twice: by a reload, or as a cell.

    Code that merely runs twice, in a loop or a function, is one object.
    """
    code, earlier = (None if where is None else where[0] for where in (place, other))
    if not isinstance(code, CodeType) or not isinstance(earlier, CodeType) or code is earlier:
        return False
    if _qualname(code) != _qualname(earlier):
        return False
    file, earlier_file = code.co_filename, earlier.co_filename
    if _is_session(file):
        return _is_session(earlier_file)
    return file == earlier_file and not file.startswith("<")


def is_interactive(place: tuple[str, int], target: str) -> bool:
    """Tell whether something was typed into a session, where definitions are run again at will."""
    file = place[0]
    return target.startswith("__main__:") or file.startswith("<") or _is_session(file)


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

    for name, path, namespace in _namespaces(module):
        for attribute, value in namespace.items():
            if value is registry:
                return name, path + attribute
    raise pickle.PicklingError(
        f"{registry!r} travels by reference, but no module holds it: assign it at the top level of one"
    )


def find_registry(module: str, attribute: str, name: str) -> Any:
    """Return the registry that another process told us about."""
    try:
        return import_target(f"{module}:{attribute}")
    except AttributeError as error:
        import pickle  # noqa: PLC0415 - whoever unpickles has it

        raise pickle.UnpicklingError(
            f"the registry {name!r} travels by reference, and there is no {attribute} in {module} here:"
            " define it in a module that both processes import"
        ) from error


def _defines(name: str, code: CodeType | str) -> bool:
    """Tell whether code holds a definition; one with type parameters is a level deeper than others."""
    parts = [part for part in getattr(code, "co_consts", ()) if isinstance(part, CodeType)]
    return any(part.co_name == name or _defines(name, part) for part in parts)


def _qualname(code: CodeType) -> str:
    return getattr(code, "co_qualname", code.co_name)  # Python 3.10 knows only the name


def _is_session(file: str) -> bool:
    """Tell whether a file stands for what somebody typed, each time under a name of its own."""
    return (file.startswith("<") and file != "<string>") or "ipykernel" in file or "ipython-input" in file


def _namespaces(first: str) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Yield the namespaces of all modules, and then those of their classes, each with the way to it."""
    modules = {}
    for name in [first, *list(sys.modules)]:
        try:
            # A lazy module imports itself when it is asked for its __dict__ in the usual way.
            modules[name] = dict(object.__getattribute__(sys.modules[name], "__dict__"))
        except (AttributeError, KeyError):
            continue
        yield name, "", modules[name]
    for name, namespace in modules.items():
        for path, members in _classes(namespace):
            yield name, path, members


def _classes(namespace: dict[str, Any], path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the members of the classes in a namespace, and of the classes within, as ``type`` sees them."""
    for attribute, value in namespace.items():
        # A class that is found under another name than its own may lead in a circle.
        if issubclass(type(value), type) and type.__getattribute__(value, "__qualname__") == path + attribute:
            members = dict(type.__getattribute__(value, "__dict__"))
            yield f"{path}{attribute}.", members
            yield from _classes(members, f"{path}{attribute}.")
