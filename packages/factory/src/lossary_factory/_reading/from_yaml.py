"""YAML as configs need it: 1.2 scalars, no tags, no duplicate keys, no cycles, bounded in every direction.

PyYAML only splits the text into events; the values are made here.
Its own constructors read ``1e-3`` as text and ``no`` as false, drop duplicate keys, and can run code;
its C composer overflows the stack on deep nesting, which a limit on events prevents.
"""
# ruff: noqa: ANN401  # the stubs of PyYAML leave its events untyped

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import attrs
import yaml

from lossary_factory._problems import (
    DEEPEST,
    MOST_VALUES,
    ConfigError,
    ConfigPath,
    Place,
    Places,
    Source,
    Span,
    show,
    show_key,
)

from .complaints import Complaints

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


# The C parser comes with the wheels; the pure one gives the same events, more slowly.
_Parser: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

_WORDS: dict[str, object] = {
    **dict.fromkeys(["", "~", "null", "Null", "NULL"]),
    **dict.fromkeys(["true", "True", "TRUE"], True),
    **dict.fromkeys(["false", "False", "FALSE"], False),
}
_NUMBER_START = frozenset("+-.0123456789")
_INTEGER = re.compile(r"[-+]?[0-9]+")
_PREFIXED = re.compile(r"0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_SPECIAL = re.compile(r"([-+]?)\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)")
_MERGE = object()


def parse(text: str, complaints: Complaints) -> object:
    """Return the data that a YAML text holds."""
    return _Builder(text, complaints, places=None).document()


def find_places(text: str) -> Places:
    """Find every key and value of a YAML text that ``parse`` could read."""
    places: dict[ConfigPath, Place] = {}
    _Builder(text, Complaints(Source("", text, find_places)), places=places).document()
    return places


def scalar(text: str) -> object:  # noqa: PLR0911  # a table of cases
    """Read a plain scalar by the core schema of YAML 1.2.

    Raises:
        ValueError: An integer has more digits than Python agrees to read.
    """
    if text in _WORDS:
        return _WORDS[text]
    if text[0] not in _NUMBER_START:
        return text
    if _INTEGER.fullmatch(text):
        return int(text)
    if _FLOAT.fullmatch(text):
        return float(text)
    if _PREFIXED.fullmatch(text):
        return int(text, 0)
    special = _SPECIAL.fullmatch(text)
    if special is None:
        return text
    return float("nan") if special[1] is None else float(special[1] + "inf")


@attrs.define
class _Builder:
    """Makes values of events; its recursion is as deep as the limit on nesting."""

    text: str
    complaints: Complaints
    places: dict[ConfigPath, Place] | None
    make_parser: Any = attrs.field(factory=lambda: _Parser)
    parser: Any = attrs.field(init=False)
    anchors: dict[str, object] = attrs.field(init=False, factory=dict)
    anchored: dict[str, ConfigPath] = attrs.field(init=False, factory=dict)
    """Where the value of each anchor is written."""
    open_anchors: set[str] = attrs.field(init=False, factory=set)
    path: list[object] = attrs.field(init=False, factory=list)
    count: int = attrs.field(init=False, default=0)
    end: int = attrs.field(init=False, default=0)

    def document(self) -> object:
        try:
            self.parser = self.make_parser(self.text)
            self.parser.get_event()
            if isinstance(self.parser.get_event(), yaml.StreamEndEvent):
                return None
            data = self.value(self.parser.get_event(), key=None)
            self.parser.get_event()
            another = self.parser.get_event()
        except (yaml.YAMLError, UnicodeEncodeError) as error:
            if "nesting depth" in str(error):
                # libyaml reads a thousand brackets ahead, and gives up at them before it gives the first.
                return _Builder(self.text, self.complaints, self.places, yaml.SafeLoader).document()
            raise self.syntax(error) from None
        if not isinstance(another, yaml.StreamEndEvent):
            message = "a second document begins here: a config file holds one"
            hint = "remove the line '---', or put each document into a file of its own"
            raise self.complaints.fatal("several-documents", message, _span(another), hint=hint)
        return data

    def value(self, event: Any, key: Span | None) -> object:
        self.count_one(event)
        self.note(_span(event), key)
        if isinstance(event, yaml.AliasEvent):
            return self.alias(event, key)
        if event.tag is not None:
            self.refuse_tag(event)
        if event.anchor is None:
            return self.content(event, key)
        self.open_anchors.add(event.anchor)
        value = self.content(event, key)
        self.open_anchors.discard(event.anchor)
        self.anchors[event.anchor] = value
        self.anchored[event.anchor] = tuple(self.path)
        return value

    def content(self, event: Any, key: Span | None) -> object:
        if isinstance(event, yaml.ScalarEvent):
            return self.scalar(event)
        if len(self.path) >= DEEPEST:
            raise self.complaints.too_deep(_span(event), path=tuple(self.path))
        value = self.mapping() if isinstance(event, yaml.MappingStartEvent) else self.sequence()
        # Only now is it known where the collection ends.
        self.note(Span(_span(event).start, self.end), key)
        return value

    def events_until(self, end: type[yaml.Event]) -> Iterator[Any]:
        while not isinstance(event := self.parser.get_event(), end):
            yield event
        self.end = _span(event).end

    def scalar(self, event: Any) -> object:
        if not event.implicit[0] or event.tag is not None:
            return event.value
        try:
            return scalar(event.value)
        except ValueError:
            path = tuple(self.path)
            self.complaints.add("out-of-range", "this number has too many digits", _span(event), path=path)
            return 0

    def sequence(self) -> list[object]:
        items: list[object] = []
        for event in self.events_until(yaml.SequenceEndEvent):
            self.path.append(len(items))
            items.append(self.value(event, key=None))
            self.path.pop()
        return items

    def mapping(self) -> dict[object, object]:
        entries: dict[object, object] = {}
        first_spans: dict[object, Span] = {}
        merges: list[tuple[Span, object]] = []
        for event in self.events_until(yaml.MappingEndEvent):
            span = _span(event)
            key = self.key(event)
            self.path.append("<<" if key is _MERGE else key)
            if key in entries:
                self.complaints.duplicate(key, span, first_spans[key], path=tuple(self.path))
                self.skipped()
            elif key is _MERGE:
                merges.append((span, self.value(self.parser.get_event(), key=span)))
            else:
                first_spans[key] = span
                entries[key] = self.value(self.parser.get_event(), key=span)
            self.path.pop()
        for span, value in merges:
            self.merge(entries, value, span)
        return entries

    def skipped(self) -> None:
        """Read the value of a repeated key, and leave the places of the first one as they are."""
        places, self.places = self.places, None
        self.value(self.parser.get_event(), key=None)
        self.places = places

    def note(self, span: Span, key: Span | None) -> None:
        if self.places is not None:
            self.places[tuple(self.path)] = Place(span, key)

    def key(self, event: Any) -> object:
        self.count_one(event)
        if not isinstance(event, yaml.ScalarEvent):
            message = "a key must be a plain word or number"
            raise self.complaints.fatal("bad-key", message, _span(event), path=tuple(self.path))
        if event.tag is not None:
            self.refuse_tag(event)
        if event.value == "<<" and event.implicit[0]:
            return _MERGE
        key = self.scalar(event)
        if event.anchor is not None:
            self.anchors[event.anchor] = key
            self.anchored.pop(event.anchor, None)
        return key

    def merge(self, entries: dict[object, object], value: object, span: Span) -> None:
        """Take over what the mapping does not say itself."""
        path = tuple(self.path)
        for index, mapping in enumerate(value if isinstance(value, list) else [value]):
            if not isinstance(mapping, dict):
                message = f"'<<' takes a mapping, or a list of mappings, not {show(mapping)}"
                is_name = isinstance(mapping, str) and mapping in self.anchors
                hint = f"write <<: *{mapping if is_name else 'NAME, where a mapping above is named &NAME'}"
                self.complaints.add("bad-merge", message, span, path=(*self.path, "<<"), hint=hint)
                continue
            for key, inherited in mapping.items():
                if key not in entries:
                    entries[key] = inherited
                    written = (*path, "<<", *([index] if isinstance(value, list) else []), key)
                    self.repeat(inherited, written, (*path, key), key=None)

    def repeat(self, value: object, written: ConfigPath, used: ConfigPath, *, key: Span | None) -> None:
        """Note for what is used at one path, and is written at another, where it is written."""
        places = self.places
        if places is None or written not in places:
            return
        place = places[written]
        inside = place.inside or place.key or place.value
        places[used] = place if key is None else Place(place.value, key, inside)
        for inner, item in _items(value):
            self.repeat(item, (*written, inner), (*used, inner), key=None)

    def alias(self, event: Any, key: Span | None) -> object:
        """Copy what the anchor holds, so that nothing in the data is shared."""
        if event.anchor in self.open_anchors:
            message = f"*{event.anchor} stands inside the value that it stands for"
            raise self.complaints.fatal("alias-cycle", message, _span(event), path=tuple(self.path))
        if event.anchor not in self.anchors:
            message = f"nothing above is named &{event.anchor}"
            raise self.complaints.fatal("syntax", message, _span(event), path=tuple(self.path))
        value = self.copy(self.anchors[event.anchor], event, len(self.path))
        if event.anchor in self.anchored:
            written, used = self.anchored[event.anchor], tuple(self.path)
            merged = used.index("<<") if "<<" in used else len(used)  # what is merged is used beside it
            self.complaints.uses.append((used[:merged], written))
            self.repeat(value, written, used, key=key or _span(event))
        return value

    def copy(self, value: object, event: Any, depth: int) -> object:
        self.count_one(event)
        if not isinstance(value, (dict, list)):
            return value
        if depth >= DEEPEST:
            raise self.complaints.too_deep(_span(event), path=tuple(self.path))
        if isinstance(value, dict):
            return {key: self.copy(item, event, depth + 1) for key, item in value.items()}
        return [self.copy(item, event, depth + 1) for item in value]

    def count_one(self, event: Any) -> None:
        self.count += 1
        if self.count > MOST_VALUES:
            note = ", aliases counted in full"
            raise self.complaints.too_large(_span(event), path=tuple(self.path), note=note)

    def refuse_tag(self, event: Any) -> None:
        tag = event.tag.replace("tag:yaml.org,2002:", "!!")
        message = f"the tag {show_key(tag)} is not allowed: a config is plain data"
        span = Span(event.start_mark.index, event.start_mark.index + len(tag))
        self.complaints.add("tag-not-allowed", message, span, path=tuple(self.path), hint="remove the tag")

    def syntax(self, error: yaml.YAMLError | UnicodeEncodeError) -> ConfigError:
        mark: Any = getattr(error, "problem_mark", None)
        if isinstance(error, yaml.MarkedYAMLError) and mark is not None:
            span = Span(mark.index, mark.index + 1)
            message = ", ".join(part for part in (error.problem, error.context) if part)
            hint = _syntax_hint(message, self.text[span.start : span.end])
            return self.complaints.fatal("syntax", message, span, hint=hint)
        # The C parser asks for text that can be encoded, which half of a surrogate pair cannot be.
        position = getattr(error, "start" if isinstance(error, UnicodeEncodeError) else "position", None)
        span = Span(position, position + 1) if isinstance(position, int) else Span(0, 0)
        return self.complaints.fatal("syntax", "a character here is not allowed in YAML", span)


def _items(value: object) -> Iterable[tuple[object, object]]:
    if isinstance(value, dict):
        return value.items()
    return enumerate(value) if isinstance(value, list) else ()


def _span(event: Any) -> Span:
    return Span(event.start_mark.index, event.end_mark.index)


def _syntax_hint(message: str, character: str) -> str:
    if character == "\t":
        return "YAML is indented with spaces, never with tabs"
    if "mapping values are not allowed" in message:
        return "look for a wrong indentation, or for text with a colon that needs quotes"
    return ""
