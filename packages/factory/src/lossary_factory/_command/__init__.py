"""The command ``lossary``: what it answers, and how the answers look."""

from __future__ import annotations

from .group import lossary

__all__ = ["lossary"]
