"""Whose an embedding is: labels that say which rows belong together."""

from torch import Tensor

from lossary_losses._core.checks import plain
from lossary_losses._core.rows import require_integers, require_shape

__all__ = ["prepare_identities"]


def prepare_identities(labels: Tensor, name: str, of: Tensor) -> Tensor:
    """Check that there is an integer for each row, of any dtype and size, and bring them to one dtype."""
    require_integers(labels, name)
    require_shape(labels, name, tuple(of.shape[:1]), of)
    return plain(labels).long()
