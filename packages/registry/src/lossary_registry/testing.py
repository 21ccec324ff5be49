"""Tools for tests that change registries: what a test registers is gone when it ends.

The context manager needs nothing. The fixture ``isolate`` is there where pytest is installed: import it in a
``conftest.py``, or name this module in ``pytest_plugins``.
"""

from __future__ import annotations

import contextlib

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

    from lossary_registry._base import BaseRegistry

try:
    import pytest
except ModuleNotFoundError:
    pytest = None  # type: ignore[assignment]

__all__ = ["isolated"]


@contextlib.contextmanager
def isolated(*registries: BaseRegistry[Any], empty: bool = False) -> Iterator[None]:
    """Bring several registries back, at the end of a block, to what they were at its beginning.

    Args:
        registries: Which ones; see ``Registry.isolated`` for what stays.
        empty: Begin with blank registries.
    """
    with contextlib.ExitStack() as stack:
        for registry in registries:
            stack.enter_context(registry.isolated(empty=empty))
        yield


if pytest is not None:
    __all__ += ["isolate"]

    @pytest.fixture
    def isolate() -> Iterator[Callable[..., None]]:
        """A function that isolates registries from its call until the end of the test."""
        with contextlib.ExitStack() as stack:

            def until_the_end(*registries: BaseRegistry[Any], empty: bool = False) -> None:
                stack.enter_context(isolated(*registries, empty=empty))

            yield until_the_end
