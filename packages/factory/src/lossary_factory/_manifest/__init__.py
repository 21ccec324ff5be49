"""A collection of losses as a file: all that can be known of it without importing it.

A distribution puts the file beside the package that its entry point names; listing, describing and checking
then need neither the package nor torch. ``make_manifest`` makes it, and a test has to keep it current.
"""

from __future__ import annotations

from .find import FILE, MIGRATIONS, described_migrations, described_registry
from .make import make_manifest

__all__ = ["FILE", "MIGRATIONS", "described_migrations", "described_registry", "make_manifest"]
