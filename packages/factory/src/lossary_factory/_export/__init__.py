"""What others read of losses: configs of built ones, descriptions, and a JSON Schema."""

from __future__ import annotations

from .config import to_config
from .description import describe, summary
from .json_schema import schema

__all__ = ["describe", "schema", "summary", "to_config"]
