"""From a config of another tool to one of ours: by records of what is equal, and never by a guess.

A collection says in a file beside its manifest which callable of which library is which of its losses, with
which parameters, and equal up to what. What no record has, or whose number would change, is a finding.
"""

from __future__ import annotations

from .document import Migration, migrate
from .findings import Finding
from .foreign import Foreign, read_foreign
from .records import FORMAT, Records, read_records
from .written import written_lines

__all__ = [
    "FORMAT",
    "Finding",
    "Foreign",
    "Migration",
    "Records",
    "migrate",
    "read_foreign",
    "read_records",
    "written_lines",
]
