"""The command ``python -m lossary_registry list package.module:registry``."""

from __future__ import annotations

import argparse
import io
import json
import sys
from typing import TYPE_CHECKING, Any

from lossary_registry import _provenance, _tables
from lossary_registry._base import BaseRegistry
from lossary_registry._errors import InvalidNameError, NotAcceptedError, RegistryError
from lossary_registry._source import checked_target

if TYPE_CHECKING:
    from lossary_registry._entry import Entry


def main(arguments: list[str] | None = None) -> int:
    """Run the command and return its exit status: 0, or 2 if the call asks for what is not there."""
    options = _make_parser().parse_args(arguments)
    try:
        registry = _find_registry(options.registry)
        names = registry.list() if options.tag is None else registry.filter_by_tag(options.tag)
    except RegistryError as error:
        sys.stderr.write(f"lossary_registry: {error}\n")
        return 2
    entries = registry.snapshot()
    if options.json:
        text = json.dumps([_as_data(entries[name]) for name in names], indent=2, default=repr)
    else:
        text = _tables.table([entries[name] for name in names])
    print(text)  # noqa: T201 - unlike the stream's own method, it does nothing where the stream was closed
    return 0


def run() -> int:
    """Answer the call of this process, whatever its output can take."""
    for stream in (sys.stdout, sys.stderr):
        # A terminal that lacks a character still gets the rest of the line.
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    try:
        status = main()
        if sys.stdout is not None:
            sys.stdout.flush()
    except BrokenPipeError:  # such as `| head`, which has read enough
        sys.stdout = None  # what it still holds would fail again at the end
        return 0
    except OSError as error:  # such as a full disk
        sys.stdout = None
        sys.stderr.write(f"lossary_registry: the answer cannot be written: {error.strerror}\n")
        return 2
    return status


def _make_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m lossary_registry")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    listing = commands.add_parser("list", help="list what a registry holds; lazy entries stay unimported")
    listing.add_argument("registry", help="where it is, as package.module:registry")
    listing.add_argument("--tag", help="only what has this tag; * ? [ are wildcards")
    listing.add_argument("--json", action="store_true", help="print JSON instead of a table")
    return parser


def _find_registry(target: str) -> BaseRegistry[Any]:
    checked_target(target)
    try:
        found = _provenance.import_target(target)
    except (Exception, SystemExit) as error:
        raise InvalidNameError(f"cannot import {target}: {type(error).__name__}: {error}") from error
    if not isinstance(found, BaseRegistry):
        raise NotAcceptedError(f"{target} is a {type(found).__name__}, not a Registry")
    return found


def _as_data(entry: Entry[Any]) -> dict[str, Any]:
    return {
        "name": entry.name,
        "aliases": entry.aliases,
        "deprecated": sorted(entry.deprecated),
        "tags": entry.tags,
        "metadata": _with_text_as_keys(dict(entry.metadata)),
        "target": entry.target,
        "where": entry.where,
        "requires": entry.requires,
        "install": entry.install,
        "distribution": entry.distribution,
        "available": entry.available,
        "failure": entry.failure,
    }


def _with_text_as_keys(value: Any) -> Any:
    """Return a value as JSON wants it, where every key of a mapping is a text."""
    if isinstance(value, dict):
        return {
            key if isinstance(key, str) else repr(key): _with_text_as_keys(item)
            for key, item in value.items()
        }
    return [_with_text_as_keys(item) for item in value] if isinstance(value, list | tuple) else value


if __name__ == "__main__":
    sys.exit(run())
