"""Overrides: ``loss.sum.region.weight=0.5`` puts a value in the place of another."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from lossary_factory._problems import (
    ConfigError,
    ConfigPath,
    LostPathError,
    Place,
    Places,
    Problem,
    Source,
    Span,
    make_problem,
    parse_path,
    show,
    with_value,
)

from .complaints import Complaints

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


_FILE = "override"


class Overridden(NamedTuple):
    """A config with its overrides applied, and the text of each by its path."""

    data: object
    sources: Mapping[ConfigPath, Source]


def overridden(data: object, overrides: Sequence[str]) -> Overridden:
    """Apply overrides in their order.

    Raises:
        ConfigError: Some cannot be read, or lead nowhere.
    """
    if isinstance(overrides, str):
        raise TypeError("overrides are a list of texts, not one text")
    sources: dict[ConfigPath, Source] = {}
    problems: list[Problem] = []
    for text in overrides:
        if not isinstance(text, str):
            raise TypeError(f"an override is a text such as 'loss.name=dice_loss', not {show(text)}")
        source = Source(_FILE, text, _find_places)
        try:
            path, value = _read(source)
            data = with_value(data, path, value)
        except ConfigError as error:
            problems.extend(error.problems)
        except LostPathError as error:
            problems.append(_problem(source, str(error), hint=error.hint))
        else:
            sources = {path: source, **{other: known for other, known in sources.items() if other != path}}
    if problems:
        raise ConfigError(problems)
    return Overridden(data, sources)


def _read(source: Source) -> tuple[ConfigPath, object]:
    written, sign, value = source.text.partition("=")
    if not sign:
        raise ConfigError([_problem(source, "an override is written PATH=VALUE")])
    try:
        path = parse_path(written.strip())
    except ValueError as error:
        raise ConfigError([_problem(source, str(error))]) from None
    return path, _read_value(value, path, source)


def _read_value(text: str, path: ConfigPath, source: Source) -> object:
    """Read the right side as YAML, so that numbers, lists and mappings are written as in a file."""
    from .from_yaml import parse  # noqa: PLC0415  # the parser is imported when it is needed

    complaints = Complaints(source, path=path, offset=len(source.text) - len(text))
    data = parse(text, complaints)
    if complaints.problems:
        raise ConfigError(complaints.problems)
    return data


def _find_places(text: str) -> Places:
    """Find the values in an override by their paths in the config."""
    from .from_yaml import find_places  # noqa: PLC0415  # the parser is imported when it is needed

    written, _, value = text.partition("=")
    path = parse_path(written.strip())
    offset = len(written) + 1
    places = {(*path, *inner): _moved(place, offset) for inner, place in find_places(value).items()}
    whole = places.get(path, Place(Span(offset, offset)))  # what has no value has no place
    places[path] = Place(whole.value, Span(0, len(written)))
    return places


def _moved(place: Place, offset: int) -> Place:
    value, key, inside = (span and Span(span.start + offset, span.end + offset) for span in place)
    return Place(value or Span(offset, offset), key, inside)


def _problem(source: Source, message: str, *, hint: str = "") -> Problem:
    location = source.at(Span(0, len(source.text)))
    return make_problem("bad-override", message, hint=hint, file=source.file, location=location)
