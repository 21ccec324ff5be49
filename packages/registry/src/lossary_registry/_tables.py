"""Tables and descriptions for people. Imported when one is asked for; it imports no lazy entry."""

from __future__ import annotations

import html as markup
import inspect

from lossary_registry import _provenance

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

    from lossary_registry._entry import Entry

_COLUMNS = ("name", "tags", "aliases", "what it is")


def description(entry: Entry[Any]) -> str:
    """Return what is known of one entry, a line each."""
    lines = [
        ("", f"{entry.name}{_signature(entry)}"),
        ("", _summary(entry)),
        ("from", entry.target),
        ("registered at", "" if entry.where is None else _provenance.shown(entry.where)),
        ("plugin of", entry.distribution),
        ("aliases", ", ".join(_aliases(entry))),
        ("tags", ", ".join(entry.tags)),
        ("metadata", ", ".join(f"{key}={value!r}" for key, value in entry.metadata.items())),
        ("needs", ", ".join(entry.requires)),
        ("to have it", entry.install),
        ("unavailable", entry.failure),
    ]
    shown = [(label, text) for label, text in lines if text]
    return "\n".join(f"    {label}: {text}" if label else text for label, text in shown)


def table(entries: Iterable[Entry[Any]]) -> str:
    """Return a table for a terminal."""
    rows = [_COLUMNS, *map(_row, entries)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_COLUMNS))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in rows]
    return "\n".join(line.rstrip() for line in lines)


def markdown(entries: Iterable[Entry[Any]]) -> str:
    """Return a table in Markdown."""
    rows = [_COLUMNS, tuple("---" for _ in _COLUMNS), *map(_row, entries)]
    return "\n".join(f"| {' | '.join(cell.replace('|', '&#124;') for cell in row)} |" for row in rows)


def html(entries: Iterable[Entry[Any]], caption: str) -> str:
    """Return a table in HTML."""
    head = "".join(f"<th>{cell}</th>" for cell in _COLUMNS)
    body = "".join(
        f"<tr>{''.join(f'<td>{markup.escape(cell)}</td>' for cell in _row(entry))}</tr>" for entry in entries
    )
    return (
        f"<table><caption>{markup.escape(caption)}</caption>"
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
    )


def _row(entry: Entry[Any]) -> tuple[str, ...]:
    return entry.name, ", ".join(entry.tags), ", ".join(_aliases(entry)), _summary(entry)


def _aliases(entry: Entry[Any]) -> list[str]:
    return [f"{alias} (deprecated)" if alias in entry.deprecated else alias for alias in entry.aliases]


def _summary(entry: Entry[Any]) -> str:
    """Return the first line of the object's own documentation, or why it has none yet."""
    if entry.failure:
        return f"unavailable: {entry.failure.splitlines()[0]}"
    if not entry.is_resolved:
        return f"{entry.target}, not imported yet"
    # Its own: inspect.getdoc would give a class without a word of its own that of its base.
    documentation = _read(lambda: entry.load().__doc__)
    return inspect.cleandoc(documentation).partition("\n")[0] if isinstance(documentation, str) else ""


def _signature(entry: Entry[Any]) -> str:
    if not entry.is_resolved:
        return ""
    return str(_read(lambda: inspect.signature(entry.load())) or "")  # some built-in types have none


def _read(ask: Callable[[], object]) -> object:
    """Ask an object about itself, and return None where it fails: one odd class spoils no table."""
    try:
        return ask()
    except Exception:  # noqa: BLE001 - a property, a metaclass or a proxy may raise anything
        return None
