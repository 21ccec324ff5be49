"""Paths in a config, from the way in which people write them: ``loss.sum.region.params.weight[0]``."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ._wording import ConfigPath

_FIRST = re.compile(r"""([^.\[\]'"\s=]+)|'([^']*)'|"([^"]*)"|\[(-?\d{1,9})\]""")
_NEXT = re.compile(r"""\.([^.\[\]'"\s=]+)|\.'([^']*)'|\."([^"]*)"|\[(-?\d{1,9})\]""")


def parse_path(text: str) -> ConfigPath:
    """Return the keys and indexes of a path; ``_wording.show_path`` writes them back.

    Raises:
        ValueError: This is no path; the message says from where on.
    """
    path: list[object] = []
    position = 0
    while position < len(text) or not path:
        found = (_NEXT if path else _FIRST).match(text, position)
        if found is None:
            rest = text[position : position + 20]
            raise ValueError(
                f"a path reads like loss.sum.region.weight or params.weight[0], and not {rest!r}"
            )
        path.append(int(found[4]) if found[4] else next(word for word in found.groups() if word is not None))
        position = found.end()
    return tuple(path)
