"""From a text to plain data: a file of YAML, TOML or JSON, and values put in the place of others."""

from __future__ import annotations

from .file import SUFFIXES, Document, read
from .overrides import overridden

__all__ = ["SUFFIXES", "Document", "overridden", "read"]
