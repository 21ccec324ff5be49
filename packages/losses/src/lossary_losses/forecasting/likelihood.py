"""What losses of distributions share: parameters beside the location, masks, weights, and inflated zeros."""

import torch
from torch import Tensor

from lossary_losses._core.base import define_loss, require_floating_point
from lossary_losses._core.checks import check_counts, plain
from lossary_losses._core.dense import Selection, at_rank, prepare, ready
from lossary_losses._core.reduced import ReducedLoss
from lossary_losses._core.reduction import Elements, weigh
from lossary_losses._core.stable import bounded, softplus
from lossary_losses._core.streaming_pair import ready_beside

__all__ = ["CountLoss", "LikelihoodLoss"]


@define_loss
class LikelihoodLoss(ReducedLoss):
    """What a value costs under a distribution that is predicted; subclasses say what, and name parameters."""

    def surprise(self, target: Tensor, location: Tensor, **parameters: Tensor) -> Tensor:
        """Compute what each value costs, given the parameters of its distribution."""
        raise NotImplementedError(f"{type(self).__name__} must say what a value costs")

    def elements(
        self,
        input: Tensor,
        target: Tensor,
        *,
        mask: Tensor | None = None,
        weight: Tensor | None = None,
        **parameters: Tensor | None,
    ) -> Elements:
        """Give the loss of each element; parameters that are not there are left out."""
        dense = prepare(input, target, Selection(None, mask, weight), "values")
        given = {}
        for name, each in parameters.items():
            if each is not None:
                require_floating_point(each, name)
                placed = at_rank(plain(each), dense.input, name, elementwise=True)
                given[name] = bounded(ready_beside(placed, dense))
        location, values, share, *_ = ready(dense)
        return weigh(self.surprise(values, bounded(location), **given), share)


@define_loss
class CountLoss(LikelihoodLoss):
    """The negative log-likelihood of a count, of which some zeros may have a cause of their own."""

    def surprise(
        self, target: Tensor, location: Tensor, *, zero_logit: Tensor | None = None, **parameters: Tensor
    ) -> Tensor:
        """Compute what each count costs, and mix what is always zero in."""
        check_counts(target, "target")
        surprise = self.surprise_of_count(target, location, **parameters)
        return surprise if zero_logit is None else _zero_inflated(surprise, target == 0, zero_logit)

    def surprise_of_count(self, target: Tensor, location: Tensor, **parameters: Tensor) -> Tensor:
        """Compute what each count costs where none is always zero."""
        raise NotImplementedError(f"{type(self).__name__} must say what a count costs")


def _zero_inflated(surprise: Tensor, is_zero: Tensor, zero_logit: Tensor) -> Tensor:
    """Mix what is always zero, with the probability of a logit, with what has a surprise of its own."""
    both = zero_logit + surprise
    # A zero has the logarithm of p + (1 - p) exp(-surprise): written so that nothing large cancels.
    likely = softplus(-zero_logit) - softplus(-both)
    unlikely = surprise + softplus(zero_logit) - softplus(both)
    of_zero = torch.where(both >= 0, likely, unlikely)
    return torch.where(is_zero, of_zero, surprise + softplus(zero_logit))
