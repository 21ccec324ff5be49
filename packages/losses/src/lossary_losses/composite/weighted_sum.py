"""A sum of named losses with weights that may change during training."""

from collections.abc import Mapping

from torch import Tensor, nn

from lossary_losses._core.base import define_loss
from lossary_losses._core.counting import asking_counts, asking_fractions, scaled
from lossary_losses._core.reduced import Shape
from lossary_losses._core.reduction import Fraction
from lossary_losses.composite.terms import Evaluation, WeightedTerms, only_given
from lossary_losses.loss_registry_setup import loss_registry

__all__ = ["WeightedSum"]


@loss_registry.register(
    name="weighted_sum",
    aliases=["WeightedSum"],
    tags=["composite"],
    metadata={"first_choice": ["composite"]},
)
@define_loss(kw_only=False)
class WeightedSum(WeightedTerms):
    r"""The weighted sum of named losses on the same input and target.

    .. math:: \ell = \sum_k w_k\, \ell_k(x, t)

    Convention:
        The weights are used as given, never normalised: weights that add up to 2 give twice the gradient.
        They are part of the ``state_dict``; :meth:`set_weight` changes them during training, and
        :meth:`set_progress` those that follow a schedule. A term of weight zero is not computed.

    Shapes:
        ``input`` and ``target``: whatever all terms accept; a term that takes no target is given none.
        Result: that of the terms, which must agree; a scalar if each reduces.

    Args:
        terms: A loss (any ``nn.Module``) for each name. A name is not empty, and holds no dot.
        weights: A finite number >= 0, or a schedule, for each name that should not weigh one. Default: None,
            all one.

    Raises:
        OptionTypeError: A term is no module, or a weight no number.
        OptionValueError: There is no term, a name is unusable, or a weight belongs to no term.

    Example:
        >>> import torch
        >>> from lossary_losses import BCELoss, DiceLoss
        >>> loss = WeightedSum(terms={"region": DiceLoss(), "pixel": BCELoss()}, weights={"pixel": 0.5})
        >>> target = torch.tensor([[[1.0, 0.0]]])
        >>> total, terms = loss.evaluate(torch.zeros(1, 1, 2), target)
        >>> {name: round(float(value), 4) for name, value in terms.items()}
        {'region': 0.3333, 'pixel': 0.3466}

    Reference:
        None: it is plain arithmetic.
    """

    def forward(
        self,
        input: Tensor,
        target: Tensor | None = None,
        *,
        mask: Tensor | None = None,
        weight: Tensor | None = None,
    ) -> Tensor:
        """Compute the weighted sum; ``mask`` and ``weight`` are handed to every term.

        Raises:
            InputTypeError: There is no target, and a term needs one.
        """
        return self.evaluate(input, target, mask=mask, weight=weight).total

    def evaluate(
        self,
        input: Tensor,
        target: Tensor | None = None,
        *,
        mask: Tensor | None = None,
        weight: Tensor | None = None,
    ) -> Evaluation:
        """Compute the weighted sum, and what each term adds to it, in one pass."""
        return self._evaluate(input, self.values(input, target, mask=mask, weight=weight))

    def values(
        self,
        input: Tensor,
        target: Tensor | None = None,
        *,
        mask: Tensor | None = None,
        weight: Tensor | None = None,
    ) -> dict[str, Tensor]:
        """Give the loss of each term that is not switched off, unweighted and as part of the graph."""
        given = only_given(mask=mask, weight=weight)
        return {
            name: self._calls[name](self.terms[name], input, target, given) for name in self.active_terms()
        }

    def parts(self) -> Mapping[str, nn.Module]:
        """Give the terms."""
        return self.terms

    def fraction(
        self,
        input: Tensor,
        target: Tensor | None = None,
        *,
        mask: Tensor | None = None,
        weight: Tensor | None = None,
    ) -> dict[str, Fraction]:
        """Give numerator, weight included, and denominator of each loss within, by its path.

        The weighted sum is that of the numerators, each divided by its denominator; those of several parts of
        a batch add up.

        Raises:
            NotAdditiveError: A term tells no denominator, or looks at the batch as a whole.
        """
        given = only_given(mask=mask, weight=weight)
        found: dict[str, Fraction] = {}
        for name in self.active_terms():
            ask = asking_fractions(self.terms[name], name)
            found |= scaled(self._calls[name](ask, input, target, given), self._factor(name))
        return found

    def counts(
        self,
        target: Tensor | None = None,
        *,
        like: Shape,
        mask: Tensor | None = None,
        weight: Tensor | None = None,
    ) -> dict[str, Tensor]:
        """Give the denominators that ``fraction`` would give, for an input of the shape of ``like``.

        Raises:
            NotAdditiveError: A term tells no denominator, or looks at the batch as a whole.
        """
        given = only_given(mask=mask, weight=weight)
        found: dict[str, Tensor] = {}
        for name in self.active_terms():
            found |= self._calls[name](asking_counts(self.terms[name], name), like, target, given)
        return found
