"""Numbers that an option gives, or a tensor that is learned."""

from torch import Tensor

from lossary_losses._core.base import require_floating_point
from lossary_losses._core.checks import check_positive, plain
from lossary_losses._core.rows import require_shape

__all__ = ["learned_number", "positive_number"]


def learned_number(given: Tensor | None, name: str, option: float, like: Tensor) -> Tensor:
    """Give the option, or the tensor ``()`` that stands for it, in the dtype of what it goes with."""
    if given is None:
        return like.new_full((), option)
    require_floating_point(given, name)
    require_shape(given, name, (), like)
    return plain(given).to(like.dtype)


def positive_number(given: Tensor | None, name: str, option: float, like: Tensor) -> Tensor:
    """Do the same, and refuse what is not above zero."""
    number = learned_number(given, name, option, like)
    check_positive(number, name)
    return number
