"""From a file to plain data: YAML, TOML or JSON, told apart by the end of the name."""

from __future__ import annotations

from ._file import SUFFIXES, Document, read

__all__ = ["SUFFIXES", "Document", "read"]
